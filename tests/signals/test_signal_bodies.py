"""The bodies of signals, compared with the examples of the documents."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from cpctl.signals.signal import make_signal, wire_time
from cpctl.signals.signal_types import API_VERSIONS, SIGNAL_TYPES
from examples.signal_examples import SIGNAL_EXAMPLES

NOW = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)
EVENT_TIME = datetime(2016, 1, 20, 13, 0, tzinfo=UTC)
ORDER, ITEM, WIRE_TIME = "123456780000", "123456780001", "2016-01-20 13:00:00 GMT"
EXAMPLES = [(version, example) for version, examples in SIGNAL_EXAMPLES.items() for example in examples]
# The table of 1.1 has `delay` as an optional field of a cancellation; the example does not show it.
CANCELED = {name: value for name, value in SIGNAL_EXAMPLES["1.1"][-1].items() if name != "datetime"}
EXAMPLES.append(("1.1", {**CANCELED, "delay": "24", "datetime": WIRE_TIME}))


def signal_fields(example: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in example.items() if name not in ("type", "datetime")}


@pytest.mark.parametrize(("version", "example"), EXAMPLES, ids=lambda value: str(value)[:30])
def test_a_signal_is_written_as_the_documents_example(version: str, example: dict[str, str]) -> None:
    backwards: dict[str, str | None] = dict(reversed(signal_fields(example).items()))
    body = make_signal(example["type"], version, backwards, EVENT_TIME, NOW).body()
    assert list(body.items()) == list(example.items())
    assert all(type(value) is str for value in body.values())


def test_every_signal_type_of_both_versions_has_an_example() -> None:
    known = {(version, kind.name) for kind in SIGNAL_TYPES.values() for version in kind.required}
    assert known == {(version, example["type"]) for version, example in EXAMPLES}
    assert {version for version, _ in known} == set(API_VERSIONS)


@pytest.mark.parametrize(("version", "example"), EXAMPLES, ids=lambda value: str(value)[:30])
def test_optional_fields_of_the_example_may_be_left_out(version: str, example: dict[str, str]) -> None:
    required: dict[str, str | None] = {
        name: value
        for name, value in signal_fields(example).items()
        if name in SIGNAL_TYPES[example["type"]].required[version]
    }
    optional = {name: None for name in signal_fields(example) if name not in required}
    body = make_signal(example["type"], version, required | optional, EVENT_TIME, NOW).body()
    assert list(body) == ["type", *required, "datetime"]


@pytest.mark.parametrize("optional", ["cause", "delay"])
def test_an_empty_optional_value_is_not_sent(optional: str) -> None:
    signal = make_signal("ItemDelay", "2.0", {"order": ORDER, "item": ITEM, optional: "  "}, EVENT_TIME, NOW)
    assert optional not in signal.body()


def test_only_the_spaces_around_values_are_removed() -> None:
    fields = {"order": f" {ORDER}\n", "item": f"\t{ITEM} ", "cause": "  two  blanks  ", "delay": " 024 "}
    signal = make_signal("ItemDelay", "2.0", fields, EVENT_TIME, NOW)
    assert signal.fields == {"order": ORDER, "item": ITEM, "cause": "two  blanks", "delay": "024"}


def test_leading_zeros_and_letters_of_every_script_survive() -> None:
    fields = {"order": "0000", "item": "0001", "cause": "Größe falsch – 再印刷 😀"}
    assert make_signal("ItemDelay", "2.0", fields, EVENT_TIME, NOW).body()["cause"] == fields["cause"]
    assert make_signal("ItemDelay", "2.0", fields, EVENT_TIME, NOW).item == "0001"


def test_unknown_fields_come_after_the_known_ones() -> None:
    signal = make_signal("ItemPacked", "2.0", {"weight": "1.5", "item": ITEM, "order": ORDER}, EVENT_TIME, NOW)
    assert list(signal.body()) == ["type", "order", "item", "weight", "datetime"]


@pytest.mark.parametrize(
    "at",
    [
        datetime(2016, 1, 20, 14, 0, tzinfo=timezone(timedelta(hours=1))),
        datetime(2016, 1, 20, 8, 0, 0, 999_999, tzinfo=timezone(-timedelta(hours=5))),
    ],
    ids=["one hour east", "five hours west, with microseconds"],
)
def test_times_are_written_in_gmt_for_every_time_zone(at: datetime) -> None:
    signal = make_signal("ItemPacked", "2.0", {"order": ORDER, "item": ITEM}, at, NOW)
    assert signal.body()["datetime"] == wire_time(at) == WIRE_TIME


def test_a_second_delay_is_a_new_event_and_a_second_scan_is_not() -> None:
    about: dict[str, Any] = {"order": ORDER, "item": ITEM}
    later = EVENT_TIME + timedelta(hours=1)
    for kind, same in (("ItemPacked", True), ("ItemDelay", False), ("ItemError", False), ("ItemCanceled", True)):
        first, second = (make_signal(kind, "2.0", about, at, NOW) for at in (EVENT_TIME, later))
        assert (first.content() == second.content()) is same, kind
