"""What a receiver answers, and when: a row per status (CloudSignal Webhooks 2.0, "HTTP Status codes" and "Retry")."""

RESPONSE_MEANINGS: dict[int, str] = {
    200: "the event is stored, or was already; also of a type that nobody knows yet",
    204: "with --known-orders: the order is none of ours",
    400: "what can never be read: not JSON, not an object, not UTF-8, nested too deep",
    401: "a wrong key, or none; it is counted and never stored",
    405: "not a POST",
    411: "no length",
    413: "more than 1 MiB",
    415: "not JSON by its content type, or compressed",
    503: "the store failed, or too much at once: the sender comes back",
}
