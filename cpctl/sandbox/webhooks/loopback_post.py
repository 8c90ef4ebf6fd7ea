"""One webhook to one receiver on this machine; the only place of the sandbox that opens a connection."""

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from cpctl.errors import InvalidInput
from cpctl.net import is_loopback
from cpctl.signals.signal import quote_value

_TIMEOUT_SECONDS = 10.0  # seconds


class WebhookEndpoint(NamedTuple):
    """Where webhooks go."""

    uses_tls: bool
    host: str
    port: int
    path: str


def parse_webhook_url(url: str) -> WebhookEndpoint:
    """The receiver at an address; raises InvalidInput where it is not on this machine."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if _is_invalid_url(url, host):
        raise InvalidInput(
            f"{quote_value(url)} is no place for the sandbox's webhooks: it never reaches another machine.",
            "Valid: an address of loopback, such as http://127.0.0.1:8901/webhooks.",
        )
    secure = parts.scheme == "https"
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return WebhookEndpoint(secure, host, port or (443 if secure else 80), path)


def _is_invalid_url(url: str, host: str) -> bool:
    """Whether an address is not http(s) to loopback, or holds what no address holds."""
    if not url.lower().startswith(("http://", "https://")) or any(mark <= " " or mark > "~" for mark in url):
        return True
    return host != "localhost" and not is_loopback(host)


def post_webhook(endpoint: WebhookEndpoint, body: bytes) -> int | None:
    """Post a body once; the status of the answer, or None where there was none."""
    connection = _build_connection(endpoint)
    try:
        connection.connect()
        # A name may lead anywhere.
        if not is_loopback(connection.sock.getpeername()[0]):
            return None
        connection.request("POST", endpoint.path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _build_connection(endpoint: WebhookEndpoint) -> HTTPConnection:
    if not endpoint.uses_tls:
        return HTTPConnection(endpoint.host, endpoint.port, timeout=_TIMEOUT_SECONDS)
    import ssl

    context = ssl.create_default_context()
    # Any certificate will do: the line does not leave this machine.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return HTTPSConnection(endpoint.host, endpoint.port, timeout=_TIMEOUT_SECONDS, context=context)
