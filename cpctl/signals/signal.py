"""A signal: one event of one item, or of one order."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cpctl.errors import InvalidInput, suggest
from cpctl.signals.causes import CANCEL_CAUSES
from cpctl.signals.signal_types import SIGNAL_FIELDS, SIGNAL_TYPES, FieldFormat, SignalField, SignalType

# How far the clock of a bench may be ahead of ours.
CLOCK_TOLERANCE = timedelta(minutes=5)
OLDEST_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_RESERVED_FIELDS = ("apikey", "type", "datetime", "items")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Browsers and spreadsheets copy these along: soft hyphens, zero-width spaces, marks of the writing direction.
_INVISIBLE_CHARACTERS = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# Python decodes bytes that are not UTF-8, such as an umlaut typed in a Latin-1 shell, to lone surrogates.
_LONE_SURROGATES = re.compile(r"[\ud800-\udfff]")
_MAX_NAME_LENGTH = 128
_MAX_QUOTED_LENGTH = 40


class Signal(NamedTuple):
    """A checked signal. `fields` holds all but type and datetime, in the order of the documents."""

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
        """The full item id; empty if the signal is about a whole order."""
        return self.fields.get("item", "")

    def body(self) -> dict[str, str]:
        """The JSON object for the wire, without the key (CloudSignal 1.1 and 2.0, "Signal types")."""
        return {"type": self.type.name, **self.fields, "datetime": wire_time(self.at)}

    def content(self) -> dict[str, str]:
        """What is equal in two signals that report the same event.

        The time counts only for types that may repeat: a second scan of one parcel is the same event, a second
        delay is not.
        """
        return self.body() if self.type.is_repeatable else dict(self.fields)


def wire_time(at: datetime) -> str:
    """The time of an event as CloudSignal writes it: `2016-01-20 13:00:00 GMT`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} GMT"


def make_signal(type_name: str, version: str, fields: Mapping[str, str | None], at: datetime, now: datetime) -> Signal:
    """Check the fields of a signal and build it.

    Spaces around values are removed. A time without a zone is local time; `now` is the current time, which `at`
    must not be after. Raises InvalidInput with every problem found.
    Source: CloudSignal API 1.1 and 2.0, "Signal types".
    """
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    signal_type = get_signal_type(type_name, version)
    given = {name: value.strip() for name, value in fields.items() if value is not None}
    if problems := list(_find_problems(signal_type, version, given, at, now)):
        raise InvalidInput(f"{signal_type.name}: {'; '.join(problems)}", "Nothing was accepted and nothing was sent.")
    known = {name: given[name] for name in SIGNAL_FIELDS if given.get(name)}
    extra = {name: value for name, value in given.items() if name not in SIGNAL_FIELDS}
    return Signal(signal_type, version, {**known, **extra}, at)


def get_signal_type(name: str, version: str) -> SignalType:
    """The signal type of that name. Raises InvalidInput if that version of the API does not have it."""
    signal_type = SIGNAL_TYPES.get(name)
    if signal_type is None:
        raise InvalidInput(f'There is no signal "{name}".', suggest(name, SIGNAL_TYPES))
    if version not in signal_type.required:
        replacement = SIGNAL_TYPES.get(_REPLACEMENTS.get(name, ""))
        raise InvalidInput(
            f"CloudSignal {version} has no {name}.",
            f"Use `cpctl signal {replacement.command}`."
            if replacement and version in replacement.required
            else f"It belongs to version {', '.join(signal_type.required)}.",
        )
    return signal_type


# What replaces a type in the version that does not have it (2.0, "Changes from v1.1 to v2.0").
_REPLACEMENTS = {"OrderRegistered": "ItemRegistered", "ItemRegistered": "OrderRegistered", "ItemDelay": "ItemError"}


def _find_problems(
    signal_type: SignalType, version: str, given: Mapping[str, str], at: datetime, now: datetime
) -> Iterator[str]:
    yield from _check_names(signal_type, version, given)
    for name, value in given.items():
        yield from _check_value(name, value)
    cause = given.get("cause", "")
    # Version 1.1 also shows causes that are numbers, such as 190.
    is_number = version == "1.1" and re.fullmatch(r"[0-9]{1,9}", cause)
    if signal_type.name == "ItemCanceled" and cause not in ("", *CANCEL_CAUSES) and not is_number:
        hint = f"{suggest(cause, CANCEL_CAUSES)} `cpctl signal causes` lists them"
        yield f"cause {quote_value(cause)} is not a published cause. {hint}"
    if at > now + CLOCK_TOLERANCE:
        yield f"time {wire_time(at)} is in the future (it is {wire_time(now)})"
    elif at < OLDEST_TIME:
        yield f"time {wire_time(at)} is too long ago"


def _check_names(signal_type: SignalType, version: str, given: Mapping[str, str]) -> Iterator[str]:
    for name in signal_type.required[version]:
        if not given.get(name):
            state = "is empty" if name in given else "is missing"
            yield f"{name} {state} ({SIGNAL_FIELDS[name].meaning})"
    for name in given:
        if name in _RESERVED_FIELDS:
            yield f"{name} is set by cpctl itself"
        elif name in SIGNAL_FIELDS and not signal_type.has_field(version, name):
            yield f"version {version} has no {name} in {signal_type.name}"
        elif not name or len(name) > _MAX_NAME_LENGTH or not name.isprintable() or " " in name:
            yield f"{quote_value(name)} is not a valid field name"


def _check_value(name: str, value: str) -> Iterator[str]:
    row = SIGNAL_FIELDS.get(name) or SignalField(quote_value(name)[1:-1], "TEXT", "", FieldFormat.TEXT, 1000, "")
    shown = quote_value(value)
    if len(value) > row.max_length:
        yield f"{row.name} {shown} has {len(value)} characters, more than {row.max_length}"
    elif _CONTROL_CHARACTERS.search(value):
        yield f"{row.name} {shown} contains a control character"
    elif _LONE_SURROGATES.search(value):
        yield f"{row.name} {shown} contains bytes that are not UTF-8 text"
    elif row.format in _VISIBLE_FORMATS and (found := _INVISIBLE_CHARACTERS.search(value)):
        visible = quote_value(_INVISIBLE_CHARACTERS.sub("", value))
        yield f"{row.name} {visible} contains an invisible character (U+{ord(found[0]):04X}); type it or copy it again"
    elif row.format in _ONE_WORD_FORMATS and re.search(r"[\s,]", value):
        yield f"{row.name} {shown} contains a space or a comma; it must be one value"
    elif name in SIGNAL_FIELDS and value.startswith("--"):
        yield f"{row.name} {shown} looks like an option; is the value before it missing?"
    elif row.format is FieldFormat.HOURS and value and not re.fullmatch(r"[0-9]+", value):
        yield f"{row.name} {shown} is not a number of whole hours, such as 24"


_VISIBLE_FORMATS = (FieldFormat.ID, FieldFormat.CODE, FieldFormat.NAME)
_ONE_WORD_FORMATS = (FieldFormat.ID, FieldFormat.HOURS)


def quote_value(value: str) -> str:
    """A value for a message: quoted, without control characters, and at most 40 characters long."""
    safe = re.sub(f"{_CONTROL_CHARACTERS.pattern}|{_LONE_SURROGATES.pattern}", "\N{REPLACEMENT CHARACTER}", value)
    return f'"{safe}"' if len(safe) <= _MAX_QUOTED_LENGTH else f'"{safe[:_MAX_QUOTED_LENGTH]}…"'
