"""Tracking codes: published examples, and how many random numbers pass the check digits."""

import random

import pytest

from cpctl.signals.carriers import (
    CARRIER_NAMES,
    TRACKING_FORMATS,
    TrackingValidity,
    compute_mod37,
    is_ean,
    is_isbn,
    recognize_tracking,
)

PUBLISHED_CODES = [
    ("ups", "1Z5R89390357567127"),
    ("ups", "1Z879E930346834440"),
    ("ups", "V0490119172"),
    ("ups", "K2479825491"),
    ("fedex", "986578788855"),
    ("fedex", "477179081230"),
    ("fedex", "041441760228964"),
    ("usps", "9361289878700317633795"),
    ("usps", "71123456789123456787"),
    ("post", "RB123456785GB"),
    ("dhl", "3318810025"),
    ("dhl", "8487135506"),
    ("dhl-de", "563102430313"),
    ("dhl-de", "201298452277"),
    ("dhl-de", "00340434161094015902"),
    ("dhl-de", "21348075016401"),
    ("hermes", "09133131530724"),
]


@pytest.mark.parametrize(("carrier", "code"), PUBLISHED_CODES)
def test_a_published_code_is_recognized(carrier: str, code: str) -> None:
    known = recognize_tracking(code, [carrier])
    assert (known.carrier, known.tracking, known.validity) == (carrier, code, TrackingValidity.VALID)


@pytest.mark.parametrize(("carrier", "code"), PUBLISHED_CODES)
def test_one_wrong_digit_is_detected(carrier: str, code: str) -> None:
    place = next(place for place, sign in enumerate(code[:-1]) if sign.isdigit() and place > 3)
    wrong = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]
    assert recognize_tracking(wrong, [carrier]).validity is TrackingValidity.WRONG_CHECK_DIGIT


@pytest.mark.parametrize(
    ("carrier", "code", "tracking"),
    [
        ("usps", "420221539101026837331000039521", "9101026837331000039521"),
        ("fedex", "9611020987654312345672", "987654312345672"),
        ("fedex", "1001921334250001000300779017972697", "779017972697"),
        ("ups", "1z 5r8 939 03 5756 7127", "1Z5R89390357567127"),
    ],
)
def test_parts_that_do_not_belong_to_the_code_are_removed(carrier: str, code: str, tracking: str) -> None:
    known = recognize_tracking(code, [carrier])
    assert (known.tracking, known.validity) == (tracking, TrackingValidity.VALID)


def test_the_iso_7064_check_character_matches_the_published_example() -> None:
    assert compute_mod37("A12425GABC1234002") == "M"


@pytest.mark.parametrize("digits", ["01905093000123", "09445440555017"])
def test_a_dpd_code_is_recognized_only_with_the_right_check_character(digits: str) -> None:
    sign = compute_mod37(digits)
    other = "A" if sign != "A" else "B"
    assert recognize_tracking(digits + sign, ["dpd"]).validity is TrackingValidity.VALID
    assert recognize_tracking(digits + other, ["dpd"]).validity is TrackingValidity.WRONG_CHECK_DIGIT


def test_isbn_and_ean_codes_are_recognized() -> None:
    assert is_isbn("978-0-13-110362-7") and not is_isbn("9780131103628")
    assert is_ean("4006381333931")


def test_a_postal_code_must_end_with_a_country() -> None:
    assert recognize_tracking("RB123456785QQ", ["post"]).validity is TrackingValidity.WRONG_CHECK_DIGIT


def test_the_carrier_named_first_wins() -> None:
    both = "201298452277"
    assert recognize_tracking(both, ["dhl-de", "gls"]).carrier == "dhl-de"
    assert recognize_tracking("123456789013", ["dhl-de", "hermes"]).carrier in ("dhl-de", "")


def test_every_carrier_has_a_format_and_every_format_has_a_carrier() -> None:
    assert {row.carrier for row in TRACKING_FORMATS} == set(CARRIER_NAMES)


@pytest.mark.parametrize(
    ("length", "carriers", "low", "high"),
    [
        (9, tuple(CARRIER_NAMES), 0.0, 0.0),
        (10, ("dhl",), 0.07, 0.13),
        (12, ("fedex",), 0.06, 0.13),
        (13, tuple(CARRIER_NAMES), 0.0, 0.0),
        (14, ("dhl-de",), 0.07, 0.13),
        (14, ("dpd",), 1.0, 1.0),
        (15, ("fedex",), 0.07, 0.13),
        (16, tuple(CARRIER_NAMES), 0.0, 0.0),
        (20, ("usps",), 0.07, 0.13),
    ],
)
def test_random_numbers_pass_the_check_at_the_expected_rate(
    length: int, carriers: tuple[str, ...], low: float, high: float
) -> None:
    numbers = random.Random(20260120)
    tries = 4000
    passed = sum(
        recognize_tracking("".join(numbers.choices("0123456789", k=length)), carriers).validity
        is TrackingValidity.VALID
        for _ in range(tries)
    )
    assert low <= passed / tries <= high
