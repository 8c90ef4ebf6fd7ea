"""Tracking codes: which carrier a code may belong to, and whether its check digit is right.

The formats are published facts (the carriers' own pages, UPU S10, GS1, ISO 7064). A check digit is only advice: one
in ten wrong codes passes most of the checks, and carriers add formats without notice.
"""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from cpctl.signals.check_digits import (
    is_valid_fedex_express,
    is_valid_gs1,
    is_valid_mod7,
    is_valid_mod37,
    is_valid_s10,
    is_valid_ups,
    make_mod10_check,
)

CARRIER_NAMES: dict[str, str] = {
    "ups": "UPS",
    "fedex": "FedEx",
    "usps": "USPS",
    "dhl": "DHL Express",
    "dhl-de": "DHL Paket",
    "hermes": "Hermes",
    "dpd": "DPD",
    "gls": "GLS",
    "post": "postal services (S10)",
    "yodel": "Yodel",
    "amazon": "Amazon",
    "yunexpress": "YunExpress",
}


class TrackingValidity(StrEnum):
    """How well a code fits the formats of the carriers."""

    VALID = "ok"
    UNKNOWN_FORMAT = "unknown format"
    WRONG_CHECK_DIGIT = "wrong check digit"


class RecognizedTracking(NamedTuple):
    """A code as the carrier writes it. `carrier` is a key of CARRIER_NAMES, or "" if it may be several or none."""

    carrier: str
    tracking: str
    validity: TrackingValidity
    is_routing_code: bool = False  # codes of this format name the destination, not the parcel


class TrackingFormat(NamedTuple):
    """One format of one carrier: a regular expression, the check of the check digit, and which part is the code."""

    carrier: str
    pattern: str
    has_valid_check_digit: Callable[[str], bool]
    extract_tracking: Callable[[str], str] = str
    is_routing_code: bool = False


def normalize_tracking(code: str) -> str:
    """A code in capitals, without spaces and hyphens."""
    return re.sub(r"[\s-]", "", code).upper()


def recognize_tracking(code: str, carriers: Sequence[str]) -> RecognizedTracking:
    """Compare a code with the formats of these carriers; if several fit, the carrier named first wins."""
    text = normalize_tracking(code)
    fitting = [
        (row, row.extract_tracking(text))
        for name in carriers
        for row in _FORMATS_BY_CARRIER[name]
        if re.fullmatch(row.pattern, text)
    ]
    for row, tracking in fitting:
        if row.has_valid_check_digit(tracking):
            return RecognizedTracking(row.carrier, tracking, TrackingValidity.VALID, row.is_routing_code)
    if not fitting:
        return RecognizedTracking("", text, TrackingValidity.UNKNOWN_FORMAT)
    (first, tracking), *_ = fitting
    carrier = first.carrier if all(row.carrier == first.carrier for row, _ in fitting) else ""
    return RecognizedTracking(carrier, tracking, TrackingValidity.WRONG_CHECK_DIGIT)


def is_isbn(code: str) -> bool:
    """Whether a code is an ISBN-13; its check digit is that of GS1."""
    text = normalize_tracking(code)
    return bool(re.fullmatch(r"97[89][0-9]{10}", text)) and is_valid_gs1(text)


def is_ean(code: str) -> bool:
    """Whether a code is an EAN: 13 digits with the check digit of GS1. No carrier uses 13 digits."""
    text = normalize_tracking(code)
    return bool(re.fullmatch(r"[0-9]{13}", text)) and is_valid_gs1(text)


def _skip_check(code: str) -> bool:
    return True


def _strip_zip_prefix(code: str) -> str:
    """USPS prints 420 and the ZIP code, 5 or 9 digits, before its tracking number."""
    return re.sub(r"420([0-9]{9}|[0-9]{5})(?=9[1-5])", "", code, count=1) if code.startswith("420") else code


def _last_digits(count: int, code: str) -> str:
    return code[-count:]


# fmt: off
# Countries and territories that have their own post (ISO 3166), at the end of S10 codes: first letter, second letters.
_POSTAL_COUNTRIES = {
    "A": "DEFGILMORTUWZ", "B": "ABDEFGHIJMNORSTWYZ", "C": "ADFGHIKLMNORUVWYZ", "D": "EJKMOZ", "E": "CEGRST",
    "F": "IJKMOR", "G": "ABDEGHILMNPQRTUWY", "H": "KNRTU", "I": "DELMNQRST", "J": "EMOP", "K": "EGHIMNPRWYZ",
    "L": "ABCIKRSTUVY", "M": "ACDEGKLMNOQRSTUVWXYZ", "N": "ACEGILOPRZ", "O": "M", "P": "AEFGHKLNRSTY", "Q": "A",
    "R": "EOSUW", "S": "ABCDEGHIKLMNORSTVXYZ", "T": "CDGHJLMNORTVWZ", "U": "AGSYZ", "V": "ACEGINU", "W": "FS",
    "X": "K", "Y": "ET", "Z": "AMW",
}
# fmt: on


def _is_valid_postal(code: str) -> bool:
    return code[-1] in _POSTAL_COUNTRIES.get(code[-2], "") and is_valid_s10(code)


TRACKING_FORMATS: tuple[TrackingFormat, ...] = (
    TrackingFormat("ups", r"1Z[A-Z0-9]{15}[0-9]", is_valid_ups),
    TrackingFormat("ups", r"[AHJKTV][0-9]{10}", lambda code: make_mod10_check(1, 2)(code[1:])),
    TrackingFormat("fedex", r"[0-9]{12}", is_valid_fedex_express),
    TrackingFormat("fedex", r"[0-9]{15}", make_mod10_check(1, 3)),
    TrackingFormat("fedex", r"96[0-9]{20}", make_mod10_check(1, 3), partial(_last_digits, 15)),
    TrackingFormat("fedex", r"[0-8][0-9]{33}", is_valid_fedex_express, partial(_last_digits, 12)),
    TrackingFormat("usps", r"(420([0-9]{5}|[0-9]{9}))?9[1-5][0-9]{18,24}", is_valid_gs1, _strip_zip_prefix),
    TrackingFormat("usps", r"[0-9]{20}", is_valid_gs1),
    TrackingFormat("dhl", r"[0-9]{10,11}", is_valid_mod7),
    TrackingFormat("dhl", r"J[A-Z]{2,3}[0-9]{10,24}", _skip_check),
    TrackingFormat("dhl", r"JD[0-9]{10,24}", _skip_check),
    TrackingFormat("dhl-de", r"00[0-9]{18}", is_valid_gs1),
    TrackingFormat("dhl-de", r"[0-9]{12}", make_mod10_check(4, 9)),
    TrackingFormat("dhl-de", r"[0-9]{14}", make_mod10_check(4, 9), is_routing_code=True),
    TrackingFormat("hermes", r"[0-9]{14}", make_mod10_check(3, 1)),
    TrackingFormat("dpd", r"[0-9]{14}", _skip_check),
    TrackingFormat("dpd", r"[0-9]{14}[0-9A-Z]", is_valid_mod37),
    TrackingFormat("dpd", r"[0-9A-Z]{27}[0-9A-Z]", is_valid_mod37),
    TrackingFormat("gls", r"[0-9]{11}", _skip_check),
    TrackingFormat("gls", r"[0-9]{12}", make_mod10_check(3, 1, offset=1)),
    TrackingFormat("gls", r"(?=[A-Z0-9]*[A-Z])[A-Z0-9]{8}", _skip_check),
    TrackingFormat("post", r"[A-Z]{2}[0-9]{9}[A-Z]{2}", _is_valid_postal),
    TrackingFormat("yodel", r"J?JD[0-9]{16}", _skip_check),
    TrackingFormat("amazon", r"TBA[0-9]{12}", _skip_check),
    TrackingFormat("yunexpress", r"YT[0-9]{16}", _skip_check),
)
_FORMATS_BY_CARRIER = {name: tuple(row for row in TRACKING_FORMATS if row.carrier == name) for name in CARRIER_NAMES}
