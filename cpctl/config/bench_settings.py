"""The settings of a shop for its benches and files: carriers, patterns, column mappings."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from cpctl.errors import suggest
from cpctl.signals.carriers import CARRIER_NAMES
from cpctl.yaml_reader import Node


class OrderRule(NamedTuple):
    """How to derive the order id from an item id: a pattern for the item id, and a template for its groups."""

    pattern: re.Pattern[str]
    order_template: str

    def derive_order(self, item: str) -> str | None:
        """The order id, or None if the item id does not match."""
        match = self.pattern.fullmatch(item)
        return match.expand(self.order_template) if match else None


class ShopSettings(NamedTuple):
    """The settings of a shop; empty ones are not set."""

    carriers: tuple[str, ...] = ()
    carrier_options: Mapping[str, str] = {}
    item_pattern: re.Pattern[str] | None = None
    order_of_item: OrderRule | None = None
    badge_prefix: str = ""
    column_mappings: Mapping[str, Mapping[str, str]] = {}


def read_shop_settings(fields: Mapping[str, Node]) -> ShopSettings:
    """Read the shop settings of a profile. Raises ConfigError naming file, line and the nearest valid name."""
    return ShopSettings(
        carriers=_read_carriers(fields.get("carriers")),
        carrier_options=_read_carrier_options(fields.get("carrier_options")),
        item_pattern=_read_pattern(fields.get("item_pattern"), "item_pattern"),
        order_of_item=_read_order_rule(fields.get("order_of_item")),
        badge_prefix=_read_text(fields.get("badge_prefix"), "badge_prefix"),
        column_mappings=_read_column_mappings(fields.get("maps")),
    )


def _read_text(node: Node | None, name: str) -> str:
    return (node.as_text(name) or "") if node else ""


def _read_carriers(node: Node | None) -> tuple[str, ...]:
    names = node.as_texts("carriers") if node else ()
    for name in names:
        _refuse_unknown_carrier(node, name)
    return names


def _refuse_unknown_carrier(node: Node | None, name: str) -> None:
    if node is not None and name not in CARRIER_NAMES:
        raise node.error(f'there is no carrier "{name}".', suggest(name, CARRIER_NAMES))


def _read_carrier_options(node: Node | None) -> Mapping[str, str]:
    options = {}
    for name, option in (node.as_mapping("carrier_options") if node else {}).items():
        _refuse_unknown_carrier(option, name)
        options[name] = option.as_text(name) or ""
    return options


def _read_pattern(node: Node | None, name: str) -> re.Pattern[str] | None:
    text = _read_text(node, name)
    if node is None or not text:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise node.error(f'{name} "{text}" is not a regular expression: {error}.') from error


def _read_order_rule(node: Node | None) -> OrderRule | None:
    if node is None:
        return None
    parts = node.as_mapping("order_of_item")
    if set(parts) != {"pattern", "order"}:
        raise node.error("order_of_item must have exactly `pattern` and `order`.", _ORDER_RULE_HINT)
    pattern = _read_pattern(parts["pattern"], "pattern")
    order = _read_text(parts["order"], "order")
    if pattern is None or not order:
        raise node.error("order_of_item must have a pattern and an order.", _ORDER_RULE_HINT)
    try:
        re.compile(pattern.pattern + "|").fullmatch("").expand(order)  # type: ignore[union-attr]
    except (re.error, IndexError) as error:
        raise parts["order"].error(f'order "{order}" does not match the pattern: {error}.', _ORDER_RULE_HINT) from error
    return OrderRule(pattern, order)


_ORDER_RULE_HINT = r"For example: order_of_item: {pattern: '(\d{8})\d{4}', order: '\g<1>0000'}"


def _read_column_mappings(node: Node | None) -> Mapping[str, Mapping[str, str]]:
    mappings = node.as_mapping("maps") if node else {}
    return {
        name: {field: heading.as_text(field) or "" for field, heading in columns.as_mapping(name).items()}
        for name, columns in mappings.items()
    }
