"""A signal: one statement about one item (or one order) at one time."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cpctl.errors import InvalidInput, nearest
from cpctl.signals.causes import CAUSES
from cpctl.signals.signal_types import FIELDS, KINDS, Field, Kind

# A clock at the bench may run ahead of ours by this much before "in the future" is certain.
CLOCK_TOLERANCE = timedelta(minutes=5)
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
_RESERVED = ("apikey", "type", "datetime", "items")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What a browser or a spreadsheet copies along, and no code has: soft hyphens, blanks of no width, turns of direction.
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_CODES = ("order", "item", "tracking", "shipping_option")
# Halves of characters: what Python makes of an umlaut that a shell in another encoding hands over.
_NO_TEXT = re.compile(r"[\ud800-\udfff]")
_LONGEST_NAME = 128
_LONGEST_SHOWN = 40


class Signal(NamedTuple):
    """A checked signal. `fields` holds all but type and datetime, in the documents' order."""

    kind: Kind
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
        return {"type": self.kind.name, **self.fields, "datetime": wire_time(self.at)}

    def content(self) -> dict[str, str]:
        """What makes two signals of one kind and item the same: all it says.

        The time counts only where a kind may repeat: a second scan of one parcel is no news,
        a second delay is.
        """
        return self.body() if self.kind.repeats else dict(self.fields)


def wire_time(at: datetime) -> str:
    """The time of an event as CloudSignal writes it: `2016-01-20 13:00:00 GMT`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} GMT"


def make_signal(
    kind_name: str,
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
    kind = kind_in(kind_name, version)
    given = {name: value.strip() for name, value in fields.items() if value is not None}
    problems = [*_missing(kind, version, given), *_unknown(kind, version, given)]
    for name, value in given.items():
        problems.extend(_wrong(FIELDS.get(name, Field(shorten(name)[1:-1], "", 1000)), value))
    problems.extend(_wrong_cause(kind, version, given))
    problems.extend(_wrong_time(at, now))
    if problems:
        raise InvalidInput(f"{kind.name}: {'; '.join(problems)}", "Nothing was accepted and nothing was sent.")
    known = {name: given[name] for name in FIELDS if given.get(name)}
    extra = {name: value for name, value in given.items() if name not in FIELDS}
    return Signal(kind, version, {**known, **extra}, at)


def kind_in(name: str, version: str) -> Kind:
    """The kind of that name, if that version of the API has it; raises InvalidInput."""
    kind = KINDS.get(name)
    if kind is None:
        raise InvalidInput(f'There is no signal "{name}".', nearest(name, KINDS))
    if version not in kind.required:
        others = [row.command for row in KINDS.values() if version in row.required and row.name in _REPLACES[name]]
        raise InvalidInput(
            f"CloudSignal {version} has no {name}.",
            f"Use `cpctl signal {others[0]}`." if others else f"It belongs to version {', '.join(kind.required)}.",
        )
    return kind


# What stands in for a kind that one of the versions lacks (2.0, "Changes from v1.1 to v2.0").
_REPLACES = {
    "OrderRegistered": ("ItemRegistered",),
    "ItemRegistered": ("OrderRegistered",),
    "ItemDelay": ("ItemError",),
}


def _missing(kind: Kind, version: str, given: Mapping[str, str]) -> Iterator[str]:
    for name in kind.required[version]:
        if not given.get(name):
            state = "is empty" if name in given else "is missing"
            yield f"{name} {state} ({FIELDS[name].meaning})"


def _unknown(kind: Kind, version: str, given: Mapping[str, str]) -> Iterator[str]:
    for name in given:
        if name in _RESERVED:
            yield f"{name} is set by cpctl itself"
        elif name in FIELDS and not kind.knows(version, name):
            yield f"version {version} has no {name} in {kind.name}"
        elif not name or len(name) > _LONGEST_NAME or not name.isprintable() or " " in name:
            yield f"{shorten(name)} cannot be the name of a field"


def _wrong(field: Field, value: str) -> Iterator[str]:
    shown = shorten(value)
    if len(value) > field.longest:
        yield f"{field.name} {shown} has {len(value)} characters, more than {field.longest}"
    elif _CONTROL.search(value):
        yield f"{field.name} {shown} holds a control character"
    elif _NO_TEXT.search(value):
        yield f"{field.name} {shown} holds bytes that are not UTF-8 text"
    elif field.name in _CODES and (found := _INVISIBLE.search(value)):
        seen = shorten(_INVISIBLE.sub("", value))
        yield f"{field.name} {seen} holds an invisible character (U+{ord(found[0]):04X}); type it, or copy it anew"
    elif not field.blanks and re.search(r"[\s,]", value):
        yield f"{field.name} {shown} holds a blank or a comma; each id stands alone"
    elif field.name in FIELDS and value.startswith("--"):
        yield f"{field.name} {shown} looks like an option; was a value left out before it?"
    elif field.name == "delay" and value and not re.fullmatch(r"[0-9]+", value):
        yield f"delay {shown} is not a number of whole hours, such as 24"


def _wrong_cause(kind: Kind, version: str, given: Mapping[str, str]) -> Iterator[str]:
    """ItemCanceled takes a published code; 1.1 shows numbers such as 190 as well."""
    cause = given.get("cause")
    if kind.name != "ItemCanceled" or not cause or cause in CAUSES:
        return
    if version == "1.1" and re.fullmatch(r"[0-9]{1,9}", cause):
        return
    yield f"cause {shorten(cause)} is not a published cause. {nearest(cause, CAUSES)} `cpctl signal causes` lists them"


def _wrong_time(at: datetime, now: datetime) -> Iterator[str]:
    if at > now + CLOCK_TOLERANCE:
        yield f"time {wire_time(at)} is in the future (it is {wire_time(now)})"
    elif at < OLDEST:
        yield f"time {wire_time(at)} is too long ago"


def shorten(value: str) -> str:
    """A value as it can stand in a sentence: quoted, harmless, and not longer than a line."""
    harmless = _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", _CONTROL.sub("\N{REPLACEMENT CHARACTER}", value))
    cut = harmless if len(harmless) <= _LONGEST_SHOWN else harmless[:_LONGEST_SHOWN] + "…"
    return f'"{cut}"'
