"""Parsing of error answers: several shapes of body become one message, and Retry-After becomes seconds."""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any

from cpctl.masking import MASK

MAX_MESSAGE_LENGTH = 500  # characters


def parse_error_message(body: bytes, key: str = "") -> str:
    """The service's own message in an error body; "" where there is none.

    Understands `{"error": {"type", "info"}}` (CloudCore), `{"status": {"errors": {…}}}` (CloudPublish), looser shapes
    seen in practice, plain text and HTML. Numbers keep the form in which they were written.
    """
    text = body.decode("utf-8", "replace").strip()
    try:
        message = _message_from_json(json.loads(text, parse_float=str, parse_int=str))
    except (ValueError, RecursionError):
        message = _message_from_text(text)
    message = " ".join(message.split())
    message = message.replace(key, MASK) if key else message  # before it is cut: half a key is a leak, too
    return message if len(message) <= MAX_MESSAGE_LENGTH else message[:MAX_MESSAGE_LENGTH] + "…"


def _message_from_json(value: Any) -> str:
    if not isinstance(value, dict):
        return _flatten(value)
    names = ("error", "errors", "status", "message", "info", "detail")
    return _flatten(next((value[name] for name in names if value.get(name) not in (None, "", [], {})), ""))


def _flatten(value: Any) -> str:
    """Any JSON value as one line: `type: info`, or `name: detail, name: detail`."""
    if isinstance(value, dict):
        if "type" in value and "info" in value:
            return f"{value['type']}: {value['info']}"
        if set(value) == {"errors"}:
            return _flatten(value["errors"])
        return ", ".join(f"{name}: {_flatten(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_flatten(inner) for inner in value)
    return value if isinstance(value, str) else json.dumps(value)


def _message_from_text(text: str) -> str:
    """Plain text unchanged; of an HTML page its title, or its text without the tags."""
    if "<" not in text:
        return text
    # No pattern may run past the next "<": a page full of them would take seconds.
    title = re.search(r"<title[^<>]*>([^<]*)</title>", text, re.IGNORECASE)
    return unescape(title[1] if title else re.sub(r"<[^<>]*>", " ", text))


def parse_retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Retry-After in seconds, from a number or an HTTP date (RFC 9110, 10.2.3); None where it is missing or invalid."""
    if not header:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", header):
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or datetime.now(UTC))).total_seconds())
