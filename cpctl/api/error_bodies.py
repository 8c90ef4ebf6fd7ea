"""Reading what the services say when they refuse: several shapes, one sentence."""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any

MAX_MESSAGE_LENGTH = 500


def parse_error_message(body: bytes, key: str = "") -> str:
    """The service's own words in an error body; "" where it says nothing.

    Understood are `{"error": {"type", "info"}}` (CloudCore), `{"status": {"errors": {…}}}`
    (CloudPublish), the looser shapes seen around them, plain text and HTML. Every number is
    kept as it was written. The key is taken out before the words are cut to their length:
    half a key is one too much.
    """
    text = body.decode("utf-8", "replace").strip()
    try:
        said = _message_from_json(json.loads(text, parse_float=str, parse_int=str))
    except (ValueError, RecursionError):
        said = _message_from_text(text)
    said = " ".join(said.split())
    said = said.replace(key, "***") if key else said
    return said if len(said) <= MAX_MESSAGE_LENGTH else said[:MAX_MESSAGE_LENGTH] + "…"


def _message_from_json(value: Any) -> str:
    if isinstance(value, dict):
        for name in ("error", "errors", "status", "message", "info", "detail"):
            if value.get(name) not in (None, "", [], {}):
                return _flatten(value[name])
        return ""
    return _flatten(value)


def _flatten(value: Any) -> str:
    """Any JSON value as words: `type: info`, `name: detail, name: detail`."""
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
    """Plain text as it is; of an HTML page its title, or the words between its tags."""
    if "<" not in text:
        return text
    # No pattern may run past the next "<": a page that is full of them would take seconds.
    title = re.search(r"<title[^<>]*>([^<]*)</title>", text, re.IGNORECASE)
    return unescape(title[1] if title else re.sub(r"<[^<>]*>", " ", text))


def parse_retry_after(retry_after: str | None, now: datetime | None = None) -> float | None:
    """Retry-After in seconds, from a number or an HTTP date (RFC 9110, 10.2.3); None where it says nothing."""
    if not retry_after:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", retry_after):
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or datetime.now(UTC))).total_seconds())
