"""Which signals are rejected before they are accepted, and with which messages."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpctl.errors import InvalidInput
from cpctl.signals.causes import CANCEL_CAUSES
from cpctl.signals.signal import CLOCK_TOLERANCE, Signal, make_signal, quote_value
from cpctl.signals.signal_types import API_VERSIONS, SIGNAL_FIELDS, SIGNAL_TYPES

CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
NOW = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)
ITEM_FIELDS = {"order": "123456780000", "item": "123456780001"}


def make_valid_signal(
    kind: str = "ItemPacked", version: str = "2.0", at: datetime = NOW, **fields: str | None
) -> Signal:
    return make_signal(kind, version, {**ITEM_FIELDS, **fields}, at, NOW)


def signal_error(
    kind: str = "ItemPacked", version: str = "2.0", at: datetime = NOW, **fields: str | None
) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        make_valid_signal(kind, version, at, **fields)
    return caught.value


@pytest.mark.parametrize("name", ["order", "item"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "is missing"),
        ("", "is empty"),
        (" \t\n ", "is empty"),
        ("12 34", "contains a space"),
        ("12\u00a034", "contains a space"),
        ("12\u300034", "contains a space"),
        ("1" * 10_000, "has 10000 characters, more than 128"),
        ("12\x1b[31m34", "contains a control character"),
        ("12\x0034", "contains a control character"),
        ("12\u009b34", "contains a control character"),
        ("12\u202834", "contains a control character"),
        ("1234\u200b", "contains an invisible character (U+200B)"),
        ("12\u202e34", "contains an invisible character (U+202E)"),
        ("\ufeff1234", "contains an invisible character (U+FEFF)"),
    ],
)
def test_an_id_must_be_one_printable_word(name: str, value: str | None, message: str) -> None:
    error = signal_error(**{name: value})
    assert message in error.message
    assert name in error.message
    assert error.hint == "Nothing was accepted and nothing was sent."


@pytest.mark.parametrize(("name", "longest"), [(row.name, row.max_length) for row in SIGNAL_FIELDS.values()])
def test_a_value_of_10000_characters_is_rejected(name: str, longest: int) -> None:
    kind = "ItemShipped" if name in ("tracking", "shipping_option") else "ItemCanceled"
    start = {"tracking": "1", "shipping_option": "GLS"} if kind == "ItemShipped" else {}
    error = signal_error(kind, **{**start, name: "1" * 10_000})
    assert f"{name} " in error.message
    assert f"10000 characters, more than {longest}" in error.message
    assert "1" * 50 not in error.message, "the value itself must not flood the screen"


def test_a_value_of_the_maximum_length_is_accepted() -> None:
    assert make_valid_signal("ItemShipped", tracking="1" * 512, shipping_option="GLS").fields["tracking"] == "1" * 512
    assert "513 characters" in signal_error("ItemShipped", tracking="1" * 513, shipping_option="GLS").message


@pytest.mark.parametrize("name", ["cause", "message", "colour"])
@pytest.mark.parametrize("character", ["\n", "\t", "\x1b", "\x07", "\x7f", "\x85", "\u2029"])
def test_a_value_with_a_control_character_is_rejected(name: str, character: str) -> None:
    error = signal_error("ItemCanceled", "1.1", **{"cause": "190", name: f"1{character}2"})
    assert f"{name} " in error.message
    assert "control character" in error.message
    assert character not in error.message


@pytest.mark.parametrize("name", ["item", "tracking", "colour"])
def test_bytes_that_are_not_utf8_are_rejected(name: str) -> None:
    """A terminal that is not UTF-8 hands over what Python keeps as lone surrogates."""
    fields = {"tracking": "1", "shipping_option": "GLS", name: "M\udcfcnchen"}
    assert f"{name} " in signal_error("ItemShipped", **fields).message


@pytest.mark.parametrize("name", ["", "co\x1blour", "M\udcfcller", "x" * 10_000, "two words"])
def test_the_name_of_an_unknown_field_must_be_one_printable_word(name: str) -> None:
    error = signal_error(**{name: "red"})
    assert "\x1b" not in error.message
    assert len(error.message) < 300


@pytest.mark.parametrize(("typed", "near"), [("ItemShiped", "ItemShipped"), ("itempacked", "ItemPacked")])
def test_an_unknown_type_suggests_the_nearest(typed: str, near: str) -> None:
    error = signal_error(typed)
    assert error.message == f'There is no signal "{typed}".'
    assert error.hint == f'Did you mean "{near}"?'


@pytest.mark.parametrize(
    ("kind", "version", "instead"),
    [
        ("OrderRegistered", "2.0", "registered"),
        ("ItemRegistered", "1.1", "order-registered"),
        ("ItemDelay", "1.1", "error"),
    ],
)
def test_a_type_of_the_other_version_names_the_command_that_fits(kind: str, version: str, instead: str) -> None:
    error = signal_error(kind, version)
    assert error.message == f"CloudSignal {version} has no {kind}."
    assert error.hint == f"Use `cpctl signal {instead}`."


def test_a_field_that_the_type_or_version_does_not_have_is_rejected() -> None:
    assert "version 2.0 has no tracking in ItemPacked" in signal_error(tracking="1").message
    assert "version 1.1 has no shipping_option in ItemShipped" in (
        signal_error("ItemShipped", "1.1", tracking="1", shipping_option="GLS").message
    )
    assert "version 1.1 has no item in OrderRegistered" in signal_error("OrderRegistered", "1.1").message


@pytest.mark.parametrize("missing", ["tracking", "shipping_option"])
def test_shipping_needs_tracking_and_in_2_0_a_shipping_option(missing: str) -> None:
    fields: dict[str, str | None] = {"tracking": "1", "shipping_option": "GLS", missing: None}
    assert f"{missing} is missing" in signal_error("ItemShipped", **fields).message
    assert "shipping_option" not in make_valid_signal("ItemShipped", "1.1", tracking="1").body()


@pytest.mark.parametrize("cause", CANCEL_CAUSES)
def test_every_published_cause_is_accepted_in_both_versions(cause: str) -> None:
    for version in API_VERSIONS:
        assert make_valid_signal("ItemCanceled", version, cause=cause).fields["cause"] == cause


@pytest.mark.parametrize("typed", ["CancelBokSize", "cancelbooksize", "cancel book size"])
def test_an_unpublished_cause_suggests_the_nearest(typed: str) -> None:
    for version in API_VERSIONS:
        error = signal_error("ItemCanceled", version, cause=typed)
        assert f'cause "{typed}" is not a published cause' in error.message
        assert 'Did you mean "CancelBookSize"?' in error.message


def test_a_numeric_cause_is_accepted_in_1_1_only() -> None:
    assert make_valid_signal("ItemCanceled", "1.1", cause="190").fields["cause"] == "190"
    assert '"190" is not a published cause' in signal_error("ItemCanceled", "2.0", cause="190").message
    assert "is not a published cause" in signal_error("ItemCanceled", "1.1", cause="1234567890").message


@pytest.mark.parametrize("kind", ["ItemDelay", "ItemError"])
def test_the_cause_of_a_delay_may_be_any_text(kind: str) -> None:
    assert make_valid_signal(kind, cause="the roof leaks").fields["cause"] == "the roof leaks"


@pytest.mark.parametrize("delay", ["soon", "1.5", "-1", "24h", "２４", "+3", "1e3"])
def test_a_delay_must_be_whole_hours(delay: str) -> None:
    assert (
        f'delay "{delay}" is not a number of whole hours, such as 24' in signal_error("ItemDelay", delay=delay).message
    )


def test_a_time_in_the_future_is_rejected_beyond_the_clock_tolerance() -> None:
    assert make_valid_signal(at=NOW + CLOCK_TOLERANCE)
    error = signal_error(at=NOW + CLOCK_TOLERANCE + timedelta(seconds=1))
    assert "is in the future (it is 2026-01-20 12:00:00 GMT)" in error.message
    assert "is too long ago" in signal_error(at=datetime(1999, 12, 31, tzinfo=UTC)).message


@pytest.mark.parametrize("name", ["apikey", "type", "datetime", "items"])
def test_fields_that_cpctl_sets_cannot_be_given(name: str) -> None:
    error = signal_error(**{name: "secret"})
    assert f"{name} is set by cpctl itself" in error.message
    assert "secret" not in error.message


def test_all_problems_are_reported_together() -> None:
    error = signal_error("ItemShipped", item="", order="1 2", tracking="\x1b", shipping_option=None)
    for message in ("item is empty", "order", "control character", "shipping_option is missing"):
        assert message in error.message


def test_a_quoted_value_is_short_and_has_no_control_characters() -> None:
    assert quote_value("x" * 41) == f'"{"x" * 40}…"'
    assert quote_value("a\x1b[2Jb") == '"a\N{REPLACEMENT CHARACTER}[2Jb"'


FIELD_VALUES = st.text(max_size=60) | st.integers(0, 99_999).map(str) | st.sampled_from([*CANCEL_CAUSES, "GLS", "190"])
FIELD_NAMES = st.sampled_from([*SIGNAL_FIELDS, "type", "apikey", "weight"]) | st.text(max_size=8)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(list(SIGNAL_TYPES)),
    version=st.sampled_from(API_VERSIONS),
    more=st.dictionaries(FIELD_NAMES, st.none() | FIELD_VALUES, max_size=5),
    complete=st.booleans(),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_every_accepted_signal_has_a_body_of_strings_that_can_be_sent(
    kind: str, version: str, more: dict[str, str | None], complete: bool, at: datetime
) -> None:
    start: dict[str, str | None] = {}
    if complete and version in SIGNAL_TYPES[kind].required:
        start = dict.fromkeys(SIGNAL_TYPES[kind].required[version], "1")
        at = min(max(at, datetime(2001, 1, 1, tzinfo=UTC)), NOW)
    try:
        signal = make_signal(kind, version, start | more, at, NOW)
    except InvalidInput as error:
        assert error.message
        return
    body = signal.body()
    assert all(type(name) is str and type(value) is str for name, value in body.items())
    assert [name for name in SIGNAL_TYPES[kind].required[version] if not body.get(name)] == []
    assert not {"apikey", "items"} & set(body)
    assert not CONTROL_CHARACTERS.search("".join([*body, *body.values()]))
    assert "".join([*body, *body.values()]).encode(), "every body can be sent and stored"
