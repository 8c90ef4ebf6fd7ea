"""A webhook as it arrives: read, its key checked and taken out, made recognisable. No I/O."""

import codecs
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from cpctl.masking import MASK
from cpctl.signals.webhook_types import WEBHOOK_TYPES

# Long before Python's own limit: what is nested so deep holds nothing that was ever documented.
MAX_NESTING = 100
_MAX_TIME_MS = 253_402_300_799_999  # the last ms of the year 9999


class InvalidWebhook(Exception):
    """A body that can never be read as a webhook; its words say why."""


class WrongKey(Exception):
    """A body whose key is missing or is none of those that are accepted."""


class Event(NamedTuple):
    """One webhook, without its key. Ids and references are texts; "" where it has none.

    `event_at` is its `datetime` in ms since 1970, UTC; None where it says none that can be read.
    `payload` is all it said, as JSON; `digest` is the same for the same payload, however it was written.
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

    `keys` are those that are accepted; there are two while one is being replaced.
    Raises Unreadable for what is no JSON object, WrongKey for a missing or wrong `apikey`.
    """
    fields = _parse_object(body)
    if not is_accepted_key(fields.pop("apikey", None), keys):
        raise WrongKey
    payload = json.dumps(fields)
    if any(written in payload for written in _json_escaped(tuple(keys))):
        by_length = sorted(keys, key=len, reverse=True)
        fields = _mask_keys(fields, by_length)  # whatever field a sender may have put it into, a key is never stored
        payload = json.dumps(fields)
    kind = _text_field(fields, "type")
    row = WEBHOOK_TYPES.get(kind)
    return Event(
        kind,
        _text_field(fields, "order"),
        _text_field(fields, "item"),
        _text_field(fields, "order_reference"),
        _text_field(fields, "item_reference"),
        _parse_time_ms(_text_field(fields, "datetime")),
        row.stage if row else 0,
        payload,
        hashlib.blake2b(_encode_canonical(fields).encode(), digest_size=16).hexdigest(),
    )


@lru_cache(maxsize=4)
def _json_escaped(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Keys as JSON writes them within a text."""
    return tuple(json.dumps(key)[1:-1] for key in keys)


def is_accepted_key(given: object, keys: Sequence[str]) -> bool:
    """Whether a key is accepted. It takes as long for every wrong key of the same length."""
    if not isinstance(given, str) or not given:
        return False
    candidate = given.encode("utf-8", "surrogatepass")
    right = [hmac.compare_digest(candidate, key.encode()) for key in keys]
    return any(right)


def _parse_object(body: bytes) -> dict[str, Any]:
    try:
        text = body.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise InvalidWebhook(f"not UTF-8 text (byte {error.start})") from error
    try:
        value = _DECODER.decode(text)
    except RecursionError as error:
        raise InvalidWebhook("nested too deep") from error
    except ValueError as error:
        raise InvalidWebhook(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidWebhook("JSON, but not an object")
    if text.count("{") + text.count("[") > MAX_NESTING and _is_nested_deeper(value, MAX_NESTING):
        raise InvalidWebhook(f"nested deeper than {MAX_NESTING}")
    return value


def _parse_number(text: str) -> int | float | str:
    """A number, or its text where it is so long that a reader of JSON may change it."""
    if len(text) > 15:
        return text
    if text.lstrip("-").isdigit():
        return int(text)
    number = float(text)
    return text if number in (float("inf"), float("-inf")) else number


def _mask_keys(value: Any, keys: Sequence[str]) -> Any:
    """The same value with every key in it replaced; a key that holds another one goes before it."""
    if isinstance(value, dict):
        return {_mask_keys(name, keys): _mask_keys(each, keys) for name, each in value.items()}
    if isinstance(value, list):
        return [_mask_keys(each, keys) for each in value]
    text = str(value)
    for key in keys:
        text = text.replace(key, MASK)
    return value if text == str(value) else text


def _reject_constant(name: str) -> NoReturn:
    raise InvalidWebhook(f"not JSON: {name} is no JSON number")


# Made once: json.loads and json.dumps make a new one for every call with options.
_DECODER = json.JSONDecoder(parse_int=_parse_number, parse_float=_parse_number, parse_constant=_reject_constant)
_encode_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def _is_nested_deeper(value: object, levels: int) -> bool:
    """Whether lists and objects are nested deeper than so many levels; found without recursion."""
    layer: list[object] = [value]
    for _ in range(levels):
        inner: list[object] = []
        for each in layer:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        layer = [each for each in inner if isinstance(each, dict | list)]
        if not layer:
            return False
    return True


def _text_field(fields: Mapping[str, Any], name: str) -> str:
    """A field as text that every database and terminal can hold; ids that came as numbers too."""
    value = fields.get(name)
    if isinstance(value, str) and value.isascii() and value.isprintable():
        return value
    if value is None or isinstance(value, dict | list | bool):
        return ""
    return str(value).encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _parse_time_ms(text: str) -> int | None:
    """ISO 8601 as 2.0 writes it, and the offset without colon of 1.1; without an offset it is taken as UTC.

    So is the `GMT` that signals are written with.
    """
    try:
        at = datetime.fromisoformat(text.removesuffix(" GMT"))
        ms = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return ms if 0 <= ms <= _MAX_TIME_MS else None
