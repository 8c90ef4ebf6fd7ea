"""The settings of a shop for its benches and files: carriers, patterns, column mappings."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from cpctl.errors import ConfigError, suggest
from cpctl.signals.carriers import CARRIER_NAMES
from cpctl.yaml_reader import Location, Node


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


_MISSING = Node(None, Location("", 1, 1, ConfigError))
_ORDER_RULE_HINT = r"For example: order_of_item: {pattern: '(\d{8})\d{4}', order: '\g<1>0000'}"


def read_shop_settings(fields: Mapping[str, Node]) -> ShopSettings:
    """Read the shop settings of a profile. Raises ConfigError naming file, line and the nearest valid name."""
    carriers = fields["carriers"].as_texts("carriers") if "carriers" in fields else ()
    for name in carriers:
        _refuse_unknown_carrier(fields["carriers"], name)
    options = fields.get("carrier_options", _MISSING).as_mapping("carrier_options")
    for name, option in options.items():
        _refuse_unknown_carrier(option, name)
    mappings = fields.get("maps", _MISSING).as_mapping("maps")
    return ShopSettings(
        carriers,
        _read_texts(options),
        _read_pattern(fields.get("item_pattern", _MISSING), "item_pattern"),
        _read_order_rule(fields["order_of_item"]) if "order_of_item" in fields else None,
        fields.get("badge_prefix", _MISSING).as_text("badge_prefix") or "",
        {name: _read_texts(columns.as_mapping(name)) for name, columns in mappings.items()},
    )


def _read_texts(nodes: Mapping[str, Node]) -> Mapping[str, str]:
    return {name: node.as_text(name) or "" for name, node in nodes.items()}


def _refuse_unknown_carrier(node: Node, name: str) -> None:
    if name not in CARRIER_NAMES:
        raise node.error(f'there is no carrier "{name}".', suggest(name, CARRIER_NAMES))


def _read_pattern(node: Node, name: str) -> re.Pattern[str] | None:
    text = node.as_text(name)
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise node.error(f'{name} "{text}" is not a regular expression: {error}.') from error


def _read_order_rule(node: Node) -> OrderRule:
    parts = node.as_mapping("order_of_item")
    if set(parts) != {"pattern", "order"}:
        raise node.error("order_of_item must have exactly `pattern` and `order`.", _ORDER_RULE_HINT)
    pattern, order = _read_pattern(parts["pattern"], "pattern"), parts["order"].as_text("order")
    if pattern is None or not order:
        raise node.error("order_of_item must have a pattern and an order.", _ORDER_RULE_HINT)
    try:
        re.compile(pattern.pattern + "|").fullmatch("").expand(order)  # type: ignore[union-attr]
    except (re.error, IndexError) as error:
        raise parts["order"].error(f'order "{order}" does not match the pattern: {error}.', _ORDER_RULE_HINT) from error
    return OrderRule(pattern, order)
