"""Completion hints from the answers of the service: a row per endpoint."""

import functools
from collections.abc import Iterable, Iterator, Mapping
from heapq import nlargest
from typing import Any, NamedTuple

from cpctl.api.calls import parse_change_counts
from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.completion.hint_cache import (
    MAX_PER_KIND,
    CachedCandidate,
    cache_path,
    format_description,
    is_completable,
    read_cache,
    write_cache,
)
from cpctl.config.paths import find_cache_folder, find_config_file
from cpctl.reference_data.order_states import ORDER_STATES, order_state_number

Record = Mapping[str, Any]


class HintRule(NamedTuple):
    """Which fields of an endpoint's records are hints, and of which kind."""

    kind: str
    value_field: str
    description_field: str = ""
    is_complete_list: bool = False  # the list holds all there is: it replaces the known hints of its kinds
    open_kind: str = ""  # orders that have not ended are kept under this kind too
    category_kind: str = ""  # the categories of records are kept under this kind


_ORDERS = HintRule("orders", "reference", "state_code", open_kind="open-orders")
_PUBLISH_ORDERS = HintRule("publish-orders", "order_reference", "state_code", open_kind="open-publish-orders")
_PRODUCTS = HintRule("products", "reference", "name", category_kind="categories")
_MIXES = HintRule("mixes", "product_mix_reference", "name")
_CATALOGS = HintRule("catalogs", "catalog_reference", "name")
_TITLES = HintRule("titles", "isbn", "title")

HINT_RULES: dict[str, HintRule] = {
    "orders": _ORDERS._replace(is_complete_list=True),
    "orders/info": _ORDERS,
    "publish/orders": _PUBLISH_ORDERS._replace(is_complete_list=True),
    "publish/orders/info": _PUBLISH_ORDERS._replace(value_field="reference"),
    "products": _PRODUCTS._replace(is_complete_list=True),
    "products/info": _PRODUCTS,
    "products/mixes": _MIXES._replace(is_complete_list=True),
    "products/mixes/info": _MIXES,
    "catalogs": _CATALOGS._replace(is_complete_list=True),
    "catalogs/info": _CATALOGS,
    "titles": _TITLES,  # of one catalog
    "titles/info": _TITLES,
    "shipping/levels": HintRule("levels", "shipping_level", "name", is_complete_list=True),
    "sandbox/orders": HintRule("items", "item", "order", is_complete_list=True),
}
# Changes: their hint is in the request, and is added or removed.
ADDING_ENDPOINTS: dict[str, HintRule] = {
    "orders/add": _ORDERS,
    "publish/orders/add": _PUBLISH_ORDERS,
    "catalogs/add": _CATALOGS,
    "titles/add": _TITLES._replace(description_field="name"),
}
REMOVING_ENDPOINTS: dict[str, HintRule] = {"catalogs/remove": _CATALOGS, "titles/remove": _TITLES}


# An endpoint's name, the body of the request, and the answer.
AnsweredCall = tuple[str, Record, Any]


def save_hints(
    environment: Mapping[str, str], config: str | None, profile: str, answered_calls: Iterable[AnsweredCall]
) -> None:
    """Add the hints of some answers to the cache. Raises OSError, CpctlError."""
    file, _ = find_config_file(config, environment)
    cache = cache_path(find_cache_folder(environment), profile, file)
    before = hints = read_cache(cache)
    for name, body, result in answered_calls:
        hints = update_hints(hints, name, body, result)
    if hints != before:
        write_cache(cache, hints)


def update_hints(known: list[CachedCandidate], name: str, body: Record, result: Any) -> list[CachedCandidate]:
    """The known hints, updated by one answer."""
    if name in HINT_RULES:
        rule = HINT_RULES[name]
        records = _select_records(rule, result)
        replaced = {rule.kind, rule.open_kind, rule.category_kind} if rule.is_complete_list else set()
        return _merge_hints(known, replaced, list(_extract_hints(rule, records)), _hint_keys(rule, records))
    change = ADDING_ENDPOINTS.get(name) or REMOVING_ENDPOINTS.get(name)
    count = parse_change_counts(ENDPOINTS[name], result) if name in ENDPOINTS else None
    if change is None or (count is not None and not count.done):
        return known
    new = list(_extract_hints(change, [body])) if name in ADDING_ENDPOINTS else []
    return _merge_hints(known, set(), new, _hint_keys(change, [body]))


def _select_records(rule: HintRule, result: Any) -> list[Record]:
    """The records that the cache has room for: the newest ones, then the newest that have not ended."""
    rows = result if isinstance(result, list) else [result]
    records = [row for row in rows if isinstance(row, Mapping)]
    if rule.category_kind:  # the last product may be the only one of its category
        return records
    newest = _newest(records)
    open_records = [record for record in records if not _is_ended(record)] if rule.open_kind else []
    return newest if len(newest) == len(records) else newest + _newest(open_records)


def _newest(records: list[Record]) -> list[Record]:
    """At most MAX_PER_KIND records; newest first if they have a time: ISO times sort as text."""
    return nlargest(MAX_PER_KIND, records, key=lambda record: str(record.get("order_date", "")))


def _extract_hints(rule: HintRule, records: Iterable[Record]) -> Iterator[CachedCandidate]:
    for record in records:
        value = _extract_value(rule, record)
        if is_completable(value):
            description = format_description(record.get(rule.description_field, "")).removeprefix("order_state_")
            yield CachedCandidate(rule.kind, value, description)
            if rule.open_kind and not _is_ended(record):
                yield CachedCandidate(rule.open_kind, value, description)
            if rule.category_kind and is_completable(record.get("category")):
                yield CachedCandidate(rule.category_kind, str(record["category"]))


def _extract_value(rule: HintRule, record: Record) -> str:
    value = record.get(rule.value_field)
    return str(value) if isinstance(value, str | int) else ""


def _hint_keys(rule: HintRule, records: Iterable[Record]) -> set[tuple[str, str]]:
    values = [_extract_value(rule, record) for record in records]
    return {(kind, value) for value in values for kind in (rule.kind, rule.open_kind)}


def _is_ended(record: Record) -> bool:
    return _is_ended_state(str(record.get("state", record.get("state_code"))))


@functools.cache  # a list of 100,000 orders has few states
def _is_ended_state(state: str) -> bool:
    number = order_state_number(state)
    row = ORDER_STATES.get(number) if number is not None else None
    return row is not None and row.kind == "ended"


def _merge_hints(
    known: list[CachedCandidate], replaced_kinds: set[str], new: list[CachedCandidate], replaced: set[tuple[str, str]]
) -> list[CachedCandidate]:
    """The new hints, then the known ones that they do not replace."""
    rest = (hint for hint in known if hint.kind not in replaced_kinds and (hint.kind, hint.text) not in replaced)
    found: dict[tuple[str, str], CachedCandidate] = {}
    for hint in (*new, *rest):
        found.setdefault((hint.kind, hint.text), hint)
    return list(found.values())
