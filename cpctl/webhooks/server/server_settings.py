"""Where a receiver listens, what it answers, and its internal times."""

from pathlib import Path
from typing import NamedTuple

REQUEST_SECONDS = 15.0
# The statuses of responses (CloudSignal Webhooks 2.0, "HTTP Status codes" and "Retry").
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


class ServerTimes(NamedTuple):
    """Internal times of a receiver, in seconds. Tests pass shorter ones."""

    check: float = 1.0  # between checks for changed keys and certificates
    tls_handshake: float = 10.0  # longest TLS handshake
    tls_shutdown: float = 2.0  # longest wait for the TLS close of a client
    graceful_stop: float = 6.0  # longest wait for requests in progress, after the signal to stop
    stop: float = 8.5  # from the signal to the end; systemd and docs promise 10
    worker_stop: float = 3.0  # longest wait for deliveries in progress, within `stop`


class ServerSettings(NamedTuple):
    """How to listen. A connection that is idle, or whose request takes longer than `request_seconds`, is closed."""

    host: str
    port: int
    tls_cert: Path | None
    tls_key: Path | None
    behind_proxy: bool
    max_connections: int
    request_seconds: float = REQUEST_SECONDS
    times: ServerTimes = ServerTimes()
