"""What CloudSignal 1.1 and 2.0 accept, and what a signal does to the items it speaks of.

Source: CloudSignal API 1.1 and 2.0. What a real service does with a bundle of which one member is wrong is not
documented; here a bundle takes effect as a whole or not at all.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cpctl.sandbox.sandbox_state import SandboxItem, SandboxState
from cpctl.sandbox.simulated_api.sandbox_response import EMPTY_OK, SandboxRefusal, SandboxResponse
from cpctl.signals.causes import CANCEL_CAUSES
from cpctl.signals.signal import quote_value
from cpctl.signals.signal_types import SIGNAL_FIELDS, SIGNAL_TYPES, SignalType

BUNDLE_VERSIONS = ("2.0",)
ITEM_CANCELED_SIGNAL = "ItemCanceled"
_TIME_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


@dataclass(frozen=True)
class ReceivedSignal:
    """One signal of a request: what it says, and where it stands there, such as `items[1].`."""

    body: Mapping[str, object]
    path_prefix: str = ""

    def build_refusal(self, code: str, info: str) -> SandboxRefusal:
        """A refusal that names the place."""
        return SandboxRefusal(code, f"{self.path_prefix}{info}")


@dataclass(frozen=True)
class ValidatedSignal:
    """A member that was found right, and the items it speaks of."""

    received: ReceivedSignal
    signal_type: SignalType
    items: list[SandboxItem]


def accept_signals(version: str, state: SandboxState, body: Mapping[str, object]) -> SandboxResponse:
    """Take one signal or a bundle; raises Refused before anything has taken effect."""
    read: list[ValidatedSignal] = []
    canceled: set[str] = set()
    for member in _split_signals(version, body):
        found = _validate_signal(version, state, member)
        _check_not_canceled(found, canceled)
        read.append(found)
    for found in read:
        for item in found.items:
            state.record_signal(item, found.received.body)
    return EMPTY_OK


def _split_signals(version: str, body: Mapping[str, object]) -> Iterator[ReceivedSignal]:
    """The signals of a request: itself, or those of its bundle (2.0, "Bundle signals")."""
    if version not in BUNDLE_VERSIONS or "items" not in body:
        yield ReceivedSignal(body)
        return
    if "type" in body:
        raise SandboxRefusal("invalid_parameter", "type stands beside items: a bundle has its types inside")
    items = body["items"]
    if not isinstance(items, list):
        raise SandboxRefusal("invalid_parameter", "items is not a list")
    if not items:
        raise SandboxRefusal("missing_required_parameter", "items")
    for index, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise SandboxRefusal("invalid_parameter", f"items[{index}] is not an object")
        yield ReceivedSignal(item, f"items[{index}].")


def _validate_signal(version: str, state: SandboxState, member: ReceivedSignal) -> ValidatedSignal:
    kind = _read_signal_type(version, member)
    values = _read_values(version, kind, member)
    _check_cause(version, kind, member, values)
    _check_time(member, values["datetime"])
    return ValidatedSignal(member, kind, _find_items(state, kind, member, values))


def _read_signal_type(version: str, member: ReceivedSignal) -> SignalType:
    name = _read_text(member, "type")
    if not name:
        raise member.build_refusal("missing_required_parameter", "type")
    kind = SIGNAL_TYPES.get(name)
    if kind is None or version not in kind.required:
        raise member.build_refusal("invalid_parameter", f"type {_shorten_value(name)} is unknown in version {version}")
    return kind


def _read_values(version: str, signal_type: SignalType, member: ReceivedSignal) -> dict[str, str]:
    """Every value as text; what no document knows is passed over, as the service does."""
    required = (*signal_type.required[version], "datetime")
    values = {}
    for name in (*required, *(name for name in SIGNAL_FIELDS if name not in required and name in member.body)):
        values[name] = _read_text(member, name)
        if not values[name] and name in required:
            raise member.build_refusal("missing_required_parameter", name)
    return values


def _read_text(member: ReceivedSignal, name: str) -> str:
    """A value as text: the documents say string, and a number does as well."""
    value = member.body.get(name, "")
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise member.build_refusal("invalid_parameter", f"{name} is neither a string nor a number")
    return str(value)


def _check_cause(version: str, signal_type: SignalType, member: ReceivedSignal, values: Mapping[str, str]) -> None:
    """1.1 shows the number 190 as a cause and lists none; 2.0 points to the published ones."""
    cause = values.get("cause")
    if version != "1.1" and signal_type.name == ITEM_CANCELED_SIGNAL and cause and cause not in CANCEL_CAUSES:
        raise member.build_refusal("invalid_parameter", f"cause {_shorten_value(cause)} is unknown")


def _check_time(member: ReceivedSignal, value: str) -> None:
    try:
        if _TIME_PATTERN.fullmatch(value):
            datetime.strptime(value, "%Y-%m-%d %H:%M:%S GMT")
            return
    except ValueError:
        pass  # a date that no calendar has
    raise member.build_refusal(
        "invalid_parameter", f"datetime {_shorten_value(value)} is not like 2016-01-20 13:00:00 GMT"
    )


def _find_items(
    state: SandboxState, signal_type: SignalType, member: ReceivedSignal, values: Mapping[str, str]
) -> list[SandboxItem]:
    """The items a signal speaks of: one, or all of its order."""
    order = state.orders.get(values["order"])
    if order is None:
        raise member.build_refusal("order_unknown", f"order {_shorten_value(values['order'])} is unknown")
    if not signal_type.is_about_item:
        return list(order.items.values())
    item = state.items.get(values["item"])
    if item is None:
        raise member.build_refusal("item_unknown", f"item {_shorten_value(values['item'])} is unknown")
    if item.order_id != order.id:
        raise member.build_refusal("item_unknown", f"item {item.id} is not of order {order.id}")
    return [item]


def _check_not_canceled(signal: ValidatedSignal, canceled: set[str]) -> None:
    """A canceled item takes nothing but the same news again; `canceled` grows with what this request cancels."""
    if signal.signal_type.name == ITEM_CANCELED_SIGNAL:
        canceled.update(item.id for item in signal.items)
        return
    for item in signal.items:
        if item.latest_signal_type == ITEM_CANCELED_SIGNAL or item.id in canceled:
            raise signal.received.build_refusal("item_canceled", f"item {item.id} is canceled")


def _shorten_value(value: str) -> str:
    return quote_value(value)[1:-1]
