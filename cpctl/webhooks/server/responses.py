"""The statuses that a receiver answers with (CloudSignal Webhooks 2.0, "HTTP Status codes" and "Retry")."""

RESPONSE_MEANINGS: dict[int, str] = {
    200: "the event is stored, or was stored before; also for an unknown type",
    204: "with --known-orders: the store does not know the order",
    400: "unreadable: not JSON, not an object, not UTF-8, nested too deeply",
    401: "a wrong key, or none; the request is counted and not stored",
    405: "not a POST",
    411: "no Content-Length",
    413: "larger than 1 MiB",
    415: "a content type that is not JSON, or a compressed body",
    503: "the store failed or the receiver is overloaded: the sender retries",
}
