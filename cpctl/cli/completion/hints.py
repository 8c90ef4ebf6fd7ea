"""Which answers hold words for completion, and what is kept of them: a row per endpoint."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cpctl.api.calls import parse_change_counts
from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.completion.hint_cache import (
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
    """What the records of one endpoint teach. `whole` says that a list holds all there is, so that others are gone."""

    kind: str
    value_field: str
    description_field: str = ""
    is_complete_list: bool = False
    open_kind: str = ""  # those that are not at their end, once more under this kind


_ORDERS = HintRule("orders", "reference", "state_code", open_kind="open-orders")
_PUBLISH_ORDERS = HintRule("publish-orders", "order_reference", "state_code", open_kind="open-publish-orders")
_PRODUCTS = HintRule("products", "reference", "name")
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
# Changes, by what they were asked: the thing is there from now on, or no longer.
ADDING_ENDPOINTS: dict[str, HintRule] = {
    "orders/add": _ORDERS,
    "publish/orders/add": _PUBLISH_ORDERS,
    "catalogs/add": _CATALOGS,
    "titles/add": _TITLES._replace(description_field="name"),
}
REMOVING_ENDPOINTS: dict[str, HintRule] = {"catalogs/remove": _CATALOGS, "titles/remove": _TITLES}


# The endpoint of an answer, what it was asked, and what it said.
AnsweredCall = tuple[str, Record, Any]


def save_hints(
    environment: Mapping[str, str], config: str | None, profile: str, answered_calls: Iterable[AnsweredCall]
) -> None:
    """Keep the words of some answers, beside those known before. Raises OSError, CpctlError."""
    place, _ = find_config_file(config, environment)
    file = cache_path(find_cache_folder(environment), profile, place)
    before = kept = read_cache(file)
    for name, body, result in answered_calls:
        kept = update_hints(kept, name, body, result)
    if kept != before:
        write_cache(file, kept)


def update_hints(known: list[CachedCandidate], name: str, body: Record, result: Any) -> list[CachedCandidate]:
    """The words that are known after one more answer."""
    if name in HINT_RULES:
        lesson = HINT_RULES[name]
        records = _extract_records(result)
        gone = {lesson.kind, lesson.open_kind, *_extra_kinds(lesson)} if lesson.is_complete_list else set()
        return _merge_hints(known, gone, list(_extract_hints(lesson, records)), _hint_keys(lesson, records))
    change = ADDING_ENDPOINTS.get(name) or REMOVING_ENDPOINTS.get(name)
    count = parse_change_counts(ENDPOINTS[name], result) if name in ENDPOINTS else None
    if change is None or (count is not None and not count.done):
        return known
    new = list(_extract_hints(change, [body])) if name in ADDING_ENDPOINTS else []
    return _merge_hints(known, set(), new, _hint_keys(change, [body]))


def _extract_records(result: Any) -> list[Record]:
    rows = result if isinstance(result, list) else [result]
    records = [row for row in rows if isinstance(row, Mapping)]
    # The newest first, where there is a time; it is written so that it can be compared as text.
    return sorted(records, key=lambda row: str(row.get("order_date", "")), reverse=True)


def _extract_hints(rule: HintRule, records: Iterable[Record]) -> Iterator[CachedCandidate]:
    for record in records:
        word = _extract_value(rule, record)
        if is_completable(word):
            more = format_description(record.get(rule.description_field, "")).removeprefix("order_state_")
            yield CachedCandidate(rule.kind, word, more)
            if rule.open_kind and not _is_ended(record):
                yield CachedCandidate(rule.open_kind, word, more)
            for kind in _extra_kinds(rule):
                if is_completable(record.get("category")):
                    yield CachedCandidate(kind, str(record["category"]))


def _extract_value(rule: HintRule, record: Record) -> str:
    value = record.get(rule.value_field)
    return str(value) if isinstance(value, str | int) else ""


def _extra_kinds(rule: HintRule) -> tuple[str, ...]:
    """Products have categories, which are words of their own."""
    return ("categories",) if rule.kind == "products" else ()


def _hint_keys(rule: HintRule, records: Iterable[Record]) -> set[tuple[str, str]]:
    """What the records are about, under every kind it may stand."""
    words = [_extract_value(rule, record) for record in records]
    return {(kind, word) for word in words for kind in (rule.kind, rule.open_kind)}


def _is_ended(record: Record) -> bool:
    number = order_state_number(record.get("state", record.get("state_code")))
    row = ORDER_STATES.get(number) if number is not None else None
    return row is not None and row.kind == "ended"


def _merge_hints(
    known: list[CachedCandidate], removed_kinds: set[str], new: list[CachedCandidate], removed: set[tuple[str, str]]
) -> list[CachedCandidate]:
    """The new words, then those before that are neither gone nor said anew."""
    rest = (each for each in known if each.kind not in removed_kinds and (each.kind, each.text) not in removed)
    found: dict[tuple[str, str], CachedCandidate] = {}
    for each in (*new, *rest):
        found.setdefault((each.kind, each.text), each)
    return list(found.values())
