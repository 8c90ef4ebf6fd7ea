"""A signal: one statement about one item (or one order) at one time."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cpctl.errors import InvalidInput, suggest
from cpctl.signals.causes import CANCEL_CAUSES
from cpctl.signals.signal_types import SIGNAL_FIELDS, SIGNAL_TYPES, SignalField, SignalType

# A clock at the bench may run ahead of ours by this much before "in the future" is certain.
CLOCK_TOLERANCE = timedelta(minutes=5)
OLDEST_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_RESERVED_FIELDS = ("apikey", "type", "datetime", "items")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What a browser or a spreadsheet copies along, and no code has: soft hyphens, blanks of no width, turns of direction.
_INVISIBLE_CHARACTERS = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_CODE_FIELDS = ("order", "item", "tracking", "shipping_option")
# Halves of characters: what Python makes of an umlaut that a shell in another encoding hands over.
_LONE_SURROGATES = re.compile(r"[\ud800-\udfff]")
_MAX_NAME_LENGTH = 128
_MAX_QUOTED_LENGTH = 40


class Signal(NamedTuple):
    """A checked signal. `fields` holds all but type and datetime, in the documents' order."""

    type: SignalType
    version: str
    fields: Mapping[str, str]
    at: datetime

    @property
    def order(self) -> str:
        """The full order id."""
        return self.fields["order"]

    @property
    def item(self) -> str:
        """The full item id; empty where the signal speaks of a whole order."""
        return self.fields.get("item", "")

    def body(self) -> dict[str, str]:
        """The JSON object for the wire, without the key (CloudSignal 1.1 and 2.0, "Signal types")."""
        return {"type": self.type.name, **self.fields, "datetime": wire_time(self.at)}

    def content(self) -> dict[str, str]:
        """What makes two signals of one kind and item the same: all it says.

        The time counts only where a kind may repeat: a second scan of one parcel is no news,
        a second delay is.
        """
        return self.body() if self.type.is_repeatable else dict(self.fields)


def wire_time(at: datetime) -> str:
    """The time of an event as CloudSignal writes it: `2016-01-20 13:00:00 GMT`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} GMT"


def make_signal(
    type_name: str,
    version: str,
    fields: Mapping[str, str | None],
    at: datetime,
    now: datetime,
) -> Signal:
    """Check everything a signal says, and build it.

    Values lose the blanks around them and nothing else; a time without a zone is local. `now` is
    what a time in the future is measured by. Raises InvalidInput with every problem found.
    Source: CloudSignal API 1.1 and 2.0, "Signal types".
    """
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    kind = get_signal_type(type_name, version)
    given = {name: value.strip() for name, value in fields.items() if value is not None}
    problems = [*_find_missing_fields(kind, version, given), *_find_unknown_fields(kind, version, given)]
    for name, value in given.items():
        problems.extend(_check_value(SIGNAL_FIELDS.get(name, SignalField(quote_value(name)[1:-1], "", 1000)), value))
    problems.extend(_check_cause(kind, version, given))
    problems.extend(_check_time(at, now))
    if problems:
        raise InvalidInput(f"{kind.name}: {'; '.join(problems)}", "Nothing was accepted and nothing was sent.")
    known = {name: given[name] for name in SIGNAL_FIELDS if given.get(name)}
    extra = {name: value for name, value in given.items() if name not in SIGNAL_FIELDS}
    return Signal(kind, version, {**known, **extra}, at)


def get_signal_type(name: str, version: str) -> SignalType:
    """The kind of that name, if that version of the API has it; raises InvalidInput."""
    kind = SIGNAL_TYPES.get(name)
    if kind is None:
        raise InvalidInput(f'There is no signal "{name}".', suggest(name, SIGNAL_TYPES))
    if version not in kind.required:
        others = [
            row.command for row in SIGNAL_TYPES.values() if version in row.required and row.name in _REPLACEMENTS[name]
        ]
        raise InvalidInput(
            f"CloudSignal {version} has no {name}.",
            f"Use `cpctl signal {others[0]}`." if others else f"It belongs to version {', '.join(kind.required)}.",
        )
    return kind


# What stands in for a kind that one of the versions lacks (2.0, "Changes from v1.1 to v2.0").
_REPLACEMENTS = {
    "OrderRegistered": ("ItemRegistered",),
    "ItemRegistered": ("OrderRegistered",),
    "ItemDelay": ("ItemError",),
}


def _find_missing_fields(signal_type: SignalType, version: str, given: Mapping[str, str]) -> Iterator[str]:
    for name in signal_type.required[version]:
        if not given.get(name):
            state = "is empty" if name in given else "is missing"
            yield f"{name} {state} ({SIGNAL_FIELDS[name].meaning})"


def _find_unknown_fields(signal_type: SignalType, version: str, given: Mapping[str, str]) -> Iterator[str]:
    for name in given:
        if name in _RESERVED_FIELDS:
            yield f"{name} is set by cpctl itself"
        elif name in SIGNAL_FIELDS and not signal_type.has_field(version, name):
            yield f"version {version} has no {name} in {signal_type.name}"
        elif not name or len(name) > _MAX_NAME_LENGTH or not name.isprintable() or " " in name:
            yield f"{quote_value(name)} cannot be the name of a field"


def _check_value(field: SignalField, value: str) -> Iterator[str]:
    shown = quote_value(value)
    if len(value) > field.max_length:
        yield f"{field.name} {shown} has {len(value)} characters, more than {field.max_length}"
    elif _CONTROL_CHARACTERS.search(value):
        yield f"{field.name} {shown} holds a control character"
    elif _LONE_SURROGATES.search(value):
        yield f"{field.name} {shown} holds bytes that are not UTF-8 text"
    elif field.name in _CODE_FIELDS and (found := _INVISIBLE_CHARACTERS.search(value)):
        seen = quote_value(_INVISIBLE_CHARACTERS.sub("", value))
        yield f"{field.name} {seen} holds an invisible character (U+{ord(found[0]):04X}); type it, or copy it anew"
    elif not field.allows_spaces and re.search(r"[\s,]", value):
        yield f"{field.name} {shown} holds a blank or a comma; each id stands alone"
    elif field.name in SIGNAL_FIELDS and value.startswith("--"):
        yield f"{field.name} {shown} looks like an option; was a value left out before it?"
    elif field.name == "delay" and value and not re.fullmatch(r"[0-9]+", value):
        yield f"delay {shown} is not a number of whole hours, such as 24"


def _check_cause(signal_type: SignalType, version: str, given: Mapping[str, str]) -> Iterator[str]:
    """ItemCanceled takes a published code; 1.1 shows numbers such as 190 as well."""
    cause = given.get("cause")
    if signal_type.name != "ItemCanceled" or not cause or cause in CANCEL_CAUSES:
        return
    if version == "1.1" and re.fullmatch(r"[0-9]{1,9}", cause):
        return
    yield f"cause {quote_value(cause)} is not a published cause. {suggest(cause, CANCEL_CAUSES)} `cpctl signal causes` lists them"


def _check_time(at: datetime, now: datetime) -> Iterator[str]:
    if at > now + CLOCK_TOLERANCE:
        yield f"time {wire_time(at)} is in the future (it is {wire_time(now)})"
    elif at < OLDEST_TIME:
        yield f"time {wire_time(at)} is too long ago"


def quote_value(value: str) -> str:
    """A value as it can stand in a sentence: quoted, harmless, and not longer than a line."""
    harmless = _LONE_SURROGATES.sub(
        "\N{REPLACEMENT CHARACTER}", _CONTROL_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", value)
    )
    cut = harmless if len(harmless) <= _MAX_QUOTED_LENGTH else harmless[:_MAX_QUOTED_LENGTH] + "…"
    return f'"{cut}"'
