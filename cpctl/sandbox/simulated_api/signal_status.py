"""What CloudSignal 1.1 and 2.0 accept, and what a signal does to the items it speaks of.

Source: CloudSignal API 1.1 and 2.0. What a real service does with a bundle of which one member is wrong is not
documented; here a bundle takes effect as a whole or not at all.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cpctl.sandbox.sandbox_state import Item, State
from cpctl.sandbox.simulated_api.sandbox_response import DONE, Answer, Refused
from cpctl.signals.causes import CAUSES
from cpctl.signals.signal import shorten
from cpctl.signals.signal_types import FIELDS, KINDS, Kind

BUNDLES = ("2.0",)
CANCELED = "ItemCanceled"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


@dataclass(frozen=True)
class Member:
    """One signal of a request: what it says, and where it stands there, such as `items[1].`."""

    body: Mapping[str, object]
    place: str = ""

    def refuse(self, code: str, info: str) -> Refused:
        """A refusal that names the place."""
        return Refused(code, f"{self.place}{info}")


@dataclass(frozen=True)
class Read:
    """A member that was found right, and the items it speaks of."""

    member: Member
    kind: Kind
    items: list[Item]


def take_signals(version: str, state: State, body: Mapping[str, object]) -> Answer:
    """Take one signal or a bundle; raises Refused before anything has taken effect."""
    read: list[Read] = []
    canceled: set[str] = set()
    for member in _members(version, body):
        found = _read(version, state, member)
        _check_canceled(found, canceled)
        read.append(found)
    for found in read:
        for item in found.items:
            state.record(item, found.member.body)
    return DONE


def _members(version: str, body: Mapping[str, object]) -> Iterator[Member]:
    """The signals of a request: itself, or those of its bundle (2.0, "Bundle signals")."""
    if version not in BUNDLES or "items" not in body:
        yield Member(body)
        return
    if "type" in body:
        raise Refused("invalid_parameter", "type stands beside items: a bundle has its types inside")
    items = body["items"]
    if not isinstance(items, list):
        raise Refused("invalid_parameter", "items is not a list")
    if not items:
        raise Refused("missing_required_parameter", "items")
    for index, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise Refused("invalid_parameter", f"items[{index}] is not an object")
        yield Member(item, f"items[{index}].")


def _read(version: str, state: State, member: Member) -> Read:
    kind = _kind(version, member)
    values = _values(version, kind, member)
    _check_cause(version, kind, member, values)
    _check_time(member, values["datetime"])
    return Read(member, kind, _items(state, kind, member, values))


def _kind(version: str, member: Member) -> Kind:
    name = _text(member, "type")
    if not name:
        raise member.refuse("missing_required_parameter", "type")
    kind = KINDS.get(name)
    if kind is None or version not in kind.required:
        raise member.refuse("invalid_parameter", f"type {_shown(name)} is unknown in version {version}")
    return kind


def _values(version: str, kind: Kind, member: Member) -> dict[str, str]:
    """Every value as text; what no document knows is passed over, as the service does."""
    required = (*kind.required[version], "datetime")
    values = {}
    for name in (*required, *(name for name in FIELDS if name not in required and name in member.body)):
        values[name] = _text(member, name)
        if not values[name] and name in required:
            raise member.refuse("missing_required_parameter", name)
    return values


def _text(member: Member, name: str) -> str:
    """A value as text: the documents say string, and a number does as well."""
    value = member.body.get(name, "")
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise member.refuse("invalid_parameter", f"{name} is neither a string nor a number")
    return str(value)


def _check_cause(version: str, kind: Kind, member: Member, values: Mapping[str, str]) -> None:
    """1.1 shows the number 190 as a cause and lists none; 2.0 points to the published ones."""
    cause = values.get("cause")
    if version != "1.1" and kind.name == CANCELED and cause and cause not in CAUSES:
        raise member.refuse("invalid_parameter", f"cause {_shown(cause)} is unknown")


def _check_time(member: Member, value: str) -> None:
    try:
        if _TIME.fullmatch(value):
            datetime.strptime(value, "%Y-%m-%d %H:%M:%S GMT")
            return
    except ValueError:
        pass  # a date that no calendar has
    raise member.refuse("invalid_parameter", f"datetime {_shown(value)} is not like 2016-01-20 13:00:00 GMT")


def _items(state: State, kind: Kind, member: Member, values: Mapping[str, str]) -> list[Item]:
    """The items a signal speaks of: one, or all of its order."""
    order = state.orders.get(values["order"])
    if order is None:
        raise member.refuse("order_unknown", f"order {_shown(values['order'])} is unknown")
    if not kind.about_item:
        return list(order.items.values())
    item = state.items.get(values["item"])
    if item is None:
        raise member.refuse("item_unknown", f"item {_shown(values['item'])} is unknown")
    if item.order != order.id:
        raise member.refuse("item_unknown", f"item {item.id} is not of order {order.id}")
    return [item]


def _check_canceled(read: Read, canceled: set[str]) -> None:
    """A canceled item takes nothing but the same news again; `canceled` grows with what this request cancels."""
    if read.kind.name == CANCELED:
        canceled.update(item.id for item in read.items)
        return
    for item in read.items:
        if item.latest == CANCELED or item.id in canceled:
            raise read.member.refuse("item_canceled", f"item {item.id} is canceled")


def _shown(value: str) -> str:
    return shorten(value)[1:-1]
