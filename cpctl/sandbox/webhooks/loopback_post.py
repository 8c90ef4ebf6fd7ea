"""Webhooks of the sandbox to a receiver on this machine: checks of the URL, and the post."""

from urllib.parse import urlsplit

from cpctl.errors import InvalidInput
from cpctl.net import Unreachable, is_loopback, post
from cpctl.signals.signal import quote_value

_TIMEOUT_SECONDS = 10.0


def parse_webhook_url(url: str) -> str:
    """Return a URL that webhooks may be posted to. Raises InvalidInput if it is not http(s) on this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    is_http = url.lower().startswith(("http://", "https://"))
    if not is_http or not is_loopback(host) or any(character <= " " or character > "~" for character in url):
        raise InvalidInput(
            f"{quote_value(url)} cannot receive the sandbox's webhooks: the sandbox never reaches another machine.",
            "Use a loopback URL, such as http://127.0.0.1:8901/webhooks.",
        )
    return url


def post_webhook(url: str, body: bytes) -> int | None:
    """Post a body once. Returns the status of the response, or None if there was none."""
    try:
        return post(url, body, {"Content-Type": "application/json"}, _TIMEOUT_SECONDS, loopback_only=True).status
    except Unreachable:
        return None
