"""The signals that CloudSignal 1.1 and 2.0 accept, and their effect on items.

Source: CloudSignal API 1.1 and 2.0. What the real service does with a bundle that has one wrong member is not
documented; here a bundle takes effect as a whole or not at all.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from cpctl.sandbox.model.order_models import ITEM_CANCELED_SIGNAL, SandboxItem
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.api_messages import EMPTY_OK, RequestBody, SandboxResponse, shorten
from cpctl.signals.causes import CANCEL_CAUSES
from cpctl.signals.signal_types import SIGNAL_FIELDS, SIGNAL_TYPES, SignalType

_TIME_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


class ValidSignal(NamedTuple):
    """A signal that passed all checks, and the items it is about."""

    body: RequestBody
    signal_type: SignalType
    items: list[SandboxItem]


def accept_signals(version: str, state: SandboxState, body: RequestBody) -> SandboxResponse:
    """Accept one signal or a bundle. Raises SandboxRefusal before anything takes effect."""
    signals: list[ValidSignal] = []
    canceled: set[str] = set()
    for member in _split_signals(version, body):
        signal = _validate_signal(version, state, member)
        _check_not_canceled(signal, canceled)
        signals.append(signal)
    for signal in signals:
        for item in signal.items:
            state.record_signal(item, signal.body.values)
    return EMPTY_OK


def _split_signals(version: str, body: RequestBody) -> Iterator[RequestBody]:
    """The signals of a request: itself, or those of its bundle (2.0, "Bundle signals")."""
    if version == "1.1" or "items" not in body.values:
        yield body
        return
    if "type" in body.values:
        raise body.invalid("type", "is not allowed beside items: each signal of a bundle has its own")
    for index, member in enumerate(body.required_objects("items")):
        yield RequestBody(member.values, f"items[{index}].")


def _validate_signal(version: str, state: SandboxState, body: RequestBody) -> ValidSignal:
    name = body.required("type")
    signal_type = SIGNAL_TYPES.get(name)
    if signal_type is None or version not in signal_type.required:
        raise body.invalid("type", f"{shorten(name)} is unknown in version {version}")
    # All known fields as text. Unknown fields are ignored, as by the service.
    required = (*signal_type.required[version], "datetime")
    fields = {name: body.required(name) for name in required}
    fields |= {name: body.text(name) for name in SIGNAL_FIELDS if name not in required and name in body.values}
    # 1.1 shows the number 190 as a cause and lists none; 2.0 refers to the published ones.
    cause = fields.get("cause")
    if version != "1.1" and signal_type.name == ITEM_CANCELED_SIGNAL and cause and cause not in CANCEL_CAUSES:
        raise body.invalid("cause", f"{shorten(cause)} is unknown")
    _check_time(body, fields["datetime"])
    return ValidSignal(body, signal_type, _find_items(state, signal_type, body, fields))


def _check_time(body: RequestBody, value: str) -> None:
    try:
        if _TIME_PATTERN.fullmatch(value):
            datetime.strptime(value, "%Y-%m-%d %H:%M:%S GMT")
            return
    except ValueError:
        pass  # not a date of the calendar
    raise body.invalid("datetime", f"{shorten(value)} is not like 2016-01-20 13:00:00 GMT")


def _find_items(
    state: SandboxState, signal_type: SignalType, body: RequestBody, fields: Mapping[str, str]
) -> list[SandboxItem]:
    """The items that a signal is about: one, or all of its order."""
    order = state.orders.get(fields["order"])
    if order is None:
        raise body.refusal("order_unknown", f"order {shorten(fields['order'])} is unknown")
    if not signal_type.is_about_item:
        return list(order.items.values())
    item = state.orders.find_item(fields["item"])
    if item is None:
        raise body.refusal("item_unknown", f"item {shorten(fields['item'])} is unknown")
    if item.order_id != order.id:
        raise body.refusal("item_unknown", f"item {item.id} is not of order {order.id}")
    return [item]


def _check_not_canceled(signal: ValidSignal, canceled: set[str]) -> None:
    """A canceled item accepts only another cancellation; `canceled` collects the items this request cancels."""
    if signal.signal_type.name == ITEM_CANCELED_SIGNAL:
        canceled.update(item.id for item in signal.items)
        return
    for item in signal.items:
        if item.latest_signal_type == ITEM_CANCELED_SIGNAL or item.id in canceled:
            raise signal.body.refusal("item_canceled", f"item {item.id} is canceled")
