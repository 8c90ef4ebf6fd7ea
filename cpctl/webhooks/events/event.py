"""Reading one webhook: parse it, check and remove its key, and compute its digest. No I/O."""

import codecs
import hashlib
import hmac
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, NoReturn

from cpctl.masking import MASK
from cpctl.signals.webhook_types import WEBHOOK_TYPES

# Well below Python's own recursion limit; no documented webhook is nested more than once.
MAX_NESTING = 100
_MAX_TIME_MS = 253_402_300_799_999  # the last ms of the year 9999


class InvalidWebhook(Exception):
    """A body that is not a readable webhook; the message says why."""


class WrongKey(Exception):
    """The key of a webhook is missing or is not an accepted one."""


class Event(NamedTuple):
    """One webhook, without its key. Ids and references are texts; "" if the webhook has none.

    `event_at` is its `datetime` in ms since 1970, UTC; None if it is missing or unreadable.
    `payload` is the whole webhook as JSON. `digest` is equal for equal payloads, whatever their formatting.
    """

    type: str
    order: str
    item: str
    order_reference: str
    item_reference: str
    event_at: int | None
    stage: int
    payload: str
    digest: str


def read_event(body: bytes, keys: Sequence[str]) -> Event:
    """Read one webhook (CloudSignal Webhooks 2.0, "Request Data").

    `keys` are the accepted keys; there are two while a key is being replaced.
    Raises InvalidWebhook for anything but a JSON object, WrongKey for a missing or wrong `apikey`.
    """
    fields = _parse_object(body)
    if not is_accepted_key(fields.pop("apikey", None), keys):
        raise WrongKey
    payload = json.dumps(fields)
    if any(json.dumps(key)[1:-1] in payload for key in keys):
        # A key is never stored, whatever field it is in. The longest first: one key may contain another.
        fields = _mask_keys(fields, sorted(keys, key=len, reverse=True))
        payload = json.dumps(fields)
    type_name = _text_field(fields, "type")
    known_type = WEBHOOK_TYPES.get(type_name)
    return Event(
        type_name,
        _text_field(fields, "order"),
        _text_field(fields, "item"),
        _text_field(fields, "order_reference"),
        _text_field(fields, "item_reference"),
        _parse_time_ms(_text_field(fields, "datetime")),
        known_type.stage if known_type else 0,
        payload,
        hashlib.blake2b(_encode_canonical(fields).encode(), digest_size=16).hexdigest(),
    )


def is_accepted_key(given: object, keys: Sequence[str]) -> bool:
    """Whether a key is accepted, in a time that does not depend on where a wrong key differs."""
    if not isinstance(given, str) or not given:
        return False
    candidate = given.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(candidate, key.encode()) for key in keys]  # a list: compares every key
    return any(matches)


def _parse_object(body: bytes) -> dict[str, Any]:
    try:
        text = body.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise InvalidWebhook(f"not UTF-8 text (byte {error.start})") from error
    try:
        value = _DECODER.decode(text)
    except RecursionError as error:
        raise InvalidWebhook("nested too deeply") from error
    except ValueError as error:
        raise InvalidWebhook(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidWebhook("JSON, but not an object")
    if text.count("{") + text.count("[") > MAX_NESTING and _is_nested_deeper(value, MAX_NESTING):
        raise InvalidWebhook(f"nested deeper than {MAX_NESTING}")
    return value


def _parse_number(text: str) -> int | float | str:
    """A number, or its text if it has more digits than every reader of JSON keeps."""
    if len(text) > 15:
        return text
    if text.lstrip("-").isdigit():
        return int(text)
    number = float(text)
    return text if math.isinf(number) else number


def _mask_keys(value: Any, keys: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {_mask_keys(name, keys): _mask_keys(inner, keys) for name, inner in value.items()}
    if isinstance(value, list):
        return [_mask_keys(inner, keys) for inner in value]
    text = str(value)
    for key in keys:
        text = text.replace(key, MASK)
    return value if text == str(value) else text


def _reject_constant(name: str) -> NoReturn:
    raise InvalidWebhook(f"not JSON: {name} is not a JSON number")


# Made once: json.loads and json.dumps build a new one for each call with options.
_DECODER = json.JSONDecoder(parse_int=_parse_number, parse_float=_parse_number, parse_constant=_reject_constant)
_encode_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def _is_nested_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested more than `levels` deep; found without recursion."""
    layer = [value]
    for _ in range(levels):
        children = [child for parent in layer for child in (parent.values() if isinstance(parent, dict) else parent)]
        layer = [child for child in children if isinstance(child, dict | list)]
        if not layer:
            return False
    return True


def _text_field(fields: Mapping[str, Any], name: str) -> str:
    """A field as text that every database and terminal can hold; numbers are converted."""
    value = fields.get(name)
    if isinstance(value, str) and value.isascii() and value.isprintable():
        return value
    if value is None or isinstance(value, dict | list | bool):
        return ""
    return str(value).encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _parse_time_ms(text: str) -> int | None:
    """Read the ISO 8601 of version 2.0, the offset without a colon of 1.1, and the `GMT` of signals.

    A time without an offset is UTC.
    """
    try:
        time = datetime.fromisoformat(text.removesuffix(" GMT"))
        ms = int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return ms if 0 <= ms <= _MAX_TIME_MS else None
