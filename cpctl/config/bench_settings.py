"""What a shop has set up for its benches and its files: carriers, patterns, column maps."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from cpctl.config.yaml_reader import Node
from cpctl.errors import nearest
from cpctl.signals.carriers import CARRIERS


class OrderRule(NamedTuple):
    """How the order of an item follows from the item's id: a pattern, and what to make of its groups."""

    pattern: re.Pattern[str]
    order: str

    def order_of(self, item: str) -> str | None:
        """The order's id, or None where the item's id is not of that form."""
        match = self.pattern.fullmatch(item)
        return match.expand(self.order) if match else None


class Shop(NamedTuple):
    """The settings of a shop. Empty where nothing is set up."""

    carriers: tuple[str, ...] = ()
    carrier_options: Mapping[str, str] = {}
    item_pattern: re.Pattern[str] | None = None
    order_of_item: OrderRule | None = None
    badge_prefix: str = ""
    maps: Mapping[str, Mapping[str, str]] = {}


def shop_of(fields: Mapping[str, Node]) -> Shop:
    """Read a profile's settings of the shop. Raises ConfigError naming file, line and the nearest valid name."""
    return Shop(
        carriers=_carriers(fields.get("carriers")),
        carrier_options=_options(fields.get("carrier_options")),
        item_pattern=_pattern(fields.get("item_pattern"), "item_pattern"),
        order_of_item=_order_rule(fields.get("order_of_item")),
        badge_prefix=_text(fields.get("badge_prefix"), "badge_prefix"),
        maps=_maps(fields.get("maps")),
    )


def _text(node: Node | None, name: str) -> str:
    return (node.text(name) or "") if node else ""


def _carriers(node: Node | None) -> tuple[str, ...]:
    names = node.texts("carriers") if node else ()
    for name in names:
        _known_carrier(node, name)
    return names


def _known_carrier(node: Node | None, name: str) -> None:
    if node is not None and name not in CARRIERS:
        raise node.error(f'there is no carrier "{name}".', nearest(name, CARRIERS))


def _options(node: Node | None) -> Mapping[str, str]:
    found = {}
    for name, option in (node.mapping("carrier_options") if node else {}).items():
        _known_carrier(option, name)
        found[name] = option.text(name) or ""
    return found


def _pattern(node: Node | None, name: str) -> re.Pattern[str] | None:
    text = _text(node, name)
    if node is None or not text:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise node.error(f'{name} "{text}" is no regular expression: {error}.') from error


def _order_rule(node: Node | None) -> OrderRule | None:
    if node is None:
        return None
    parts = node.mapping("order_of_item")
    if set(parts) != {"pattern", "order"}:
        raise node.error("order_of_item needs `pattern` and `order`, and nothing else.", _ORDER_HINT)
    pattern = _pattern(parts["pattern"], "pattern")
    order = _text(parts["order"], "order")
    if pattern is None or not order:
        raise node.error("order_of_item needs a pattern and an order.", _ORDER_HINT)
    try:
        re.compile(pattern.pattern + "|").fullmatch("").expand(order)  # type: ignore[union-attr]
    except (re.error, IndexError) as error:
        raise parts["order"].error(f'order "{order}" does not fit the pattern: {error}.', _ORDER_HINT) from error
    return OrderRule(pattern, order)


_ORDER_HINT = r"Such as: order_of_item: {pattern: '(\d{8})\d{4}', order: '\g<1>0000'}"


def _maps(node: Node | None) -> Mapping[str, Mapping[str, str]]:
    maps = node.mapping("maps") if node else {}
    return {
        name: {column: inner.text(column) or "" for column, inner in each.mapping(name).items()}
        for name, each in maps.items()
    }
