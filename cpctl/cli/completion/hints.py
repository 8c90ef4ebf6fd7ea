"""Which answers hold words for completion, and what is kept of them: a row per endpoint."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cpctl.api.calls import counted
from cpctl.api.endpoints import ENDPOINTS
from cpctl.api.long_lists import LongList
from cpctl.cli.completion.hint_cache import Remembered, file_of, is_word, read, sentence, write
from cpctl.config.paths import cache_folder, config_file
from cpctl.reference_data.order_states import ORDER_STATES, state_number

Record = Mapping[str, Any]


class Lesson(NamedTuple):
    """What the records of one endpoint teach. `whole` says that a list holds all there is, so that others are gone."""

    kind: str
    word: str
    sentence: str = ""
    whole: bool = False
    open_kind: str = ""  # those that are not at their end, once more under this kind


_ORDERS = Lesson("orders", "reference", "state_code", open_kind="open-orders")
_PUBLISH_ORDERS = Lesson("publish-orders", "order_reference", "state_code", open_kind="open-publish-orders")
_PRODUCTS = Lesson("products", "reference", "name")
_MIXES = Lesson("mixes", "product_mix_reference", "name")
_CATALOGS = Lesson("catalogs", "catalog_reference", "name")
_TITLES = Lesson("titles", "isbn", "title")

LESSONS: dict[str, Lesson] = {
    "orders": _ORDERS._replace(whole=True),
    "orders/info": _ORDERS,
    "publish/orders": _PUBLISH_ORDERS._replace(whole=True),
    "publish/orders/info": _PUBLISH_ORDERS._replace(word="reference"),
    "products": _PRODUCTS._replace(whole=True),
    "products/info": _PRODUCTS,
    "products/mixes": _MIXES._replace(whole=True),
    "products/mixes/info": _MIXES,
    "catalogs": _CATALOGS._replace(whole=True),
    "catalogs/info": _CATALOGS,
    "titles": _TITLES,  # of one catalog
    "titles/info": _TITLES,
    "shipping/levels": Lesson("levels", "shipping_level", "name", whole=True),
    "sandbox/orders": Lesson("items", "item", "order", whole=True),
}
# Changes, by what they were asked: the thing is there from now on, or no longer.
ADDED: dict[str, Lesson] = {
    "orders/add": _ORDERS,
    "publish/orders/add": _PUBLISH_ORDERS,
    "catalogs/add": _CATALOGS,
    "titles/add": _TITLES._replace(sentence="name"),
}
REMOVED: dict[str, Lesson] = {"catalogs/remove": _CATALOGS, "titles/remove": _TITLES}


# The endpoint of an answer, what it was asked, and what it said.
Learned = tuple[str, Record, Any]


def remember(environment: Mapping[str, str], config: str | None, profile: str, answers: Iterable[Learned]) -> None:
    """Keep the words of some answers, beside those known before. Raises OSError, CpctlError."""
    place, _ = config_file(config, environment)
    file = file_of(cache_folder(environment), profile, place)
    before = kept = read(file)
    for name, body, result in answers:
        kept = learned(kept, name, body, result)
    if kept != before:
        write(file, kept)


def learned(kept: list[Remembered], name: str, body: Record, result: Any) -> list[Remembered]:
    """The words that are known after one more answer."""
    if name in LESSONS:
        lesson = LESSONS[name]
        records = _records(result)
        gone = {lesson.kind, lesson.open_kind, *_side_kinds(lesson)} if lesson.whole else set()
        return _merged(kept, gone, list(_words(lesson, records)), _named(lesson, records))
    change = ADDED.get(name) or REMOVED.get(name)
    count = counted(ENDPOINTS[name], result) if name in ENDPOINTS else None
    if change is None or (count is not None and not count.done):
        return kept
    new = list(_words(change, [body])) if name in ADDED else []
    return _merged(kept, set(), new, _named(change, [body]))


def _records(result: Any) -> list[Record]:
    if isinstance(result, LongList):
        result = result.ends()
    rows = result if isinstance(result, list) else [result]
    records = [row for row in rows if isinstance(row, Mapping)]
    # The newest first, where there is a time; it is written so that it can be compared as text.
    return sorted(records, key=lambda row: str(row.get("order_date", "")), reverse=True)


def _words(lesson: Lesson, records: Iterable[Record]) -> Iterator[Remembered]:
    for record in records:
        word = _word(lesson, record)
        if is_word(word):
            more = sentence(record.get(lesson.sentence, "")).removeprefix("order_state_")
            yield Remembered(lesson.kind, word, more)
            if lesson.open_kind and not _is_ended(record):
                yield Remembered(lesson.open_kind, word, more)
            for kind in _side_kinds(lesson):
                if is_word(record.get("category")):
                    yield Remembered(kind, str(record["category"]))


def _word(lesson: Lesson, record: Record) -> str:
    value = record.get(lesson.word)
    return str(value) if isinstance(value, str | int) else ""


def _side_kinds(lesson: Lesson) -> tuple[str, ...]:
    """Products have categories, which are words of their own."""
    return ("categories",) if lesson.kind == "products" else ()


def _named(lesson: Lesson, records: Iterable[Record]) -> set[tuple[str, str]]:
    """What the records are about, under every kind it may stand."""
    words = [_word(lesson, record) for record in records]
    return {(kind, word) for word in words for kind in (lesson.kind, lesson.open_kind)}


def _is_ended(record: Record) -> bool:
    number = state_number(record.get("state", record.get("state_code")))
    row = ORDER_STATES.get(number) if number is not None else None
    return row is not None and row.kind == "ended"


def _merged(
    kept: list[Remembered], gone_kinds: set[str], new: list[Remembered], gone: set[tuple[str, str]]
) -> list[Remembered]:
    """The new words, then those before that are neither gone nor said anew."""
    rest = (each for each in kept if each.kind not in gone_kinds and (each.kind, each.word) not in gone)
    found: dict[tuple[str, str], Remembered] = {}
    for each in (*new, *rest):
        found.setdefault((each.kind, each.word), each)
    return list(found.values())
