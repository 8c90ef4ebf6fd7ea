"""Tracking codes: which carrier a code may belong to, and whether its check digit is right."""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

_CHECK_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
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
    has_valid_check_digit: Callable[[str], bool] = bool  # true for every code of a format without a check digit
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


def _weighted_sum(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weights[index % len(weights)] for index, digit in enumerate(digits))


def make_mod10_check(*weights: int, offset: int = 0) -> Callable[[str], bool]:
    """A check that the last digit completes the weighted sum of the others to a multiple of ten."""
    return lambda code: code[-1] == str(-(_weighted_sum(code[:-1], weights) + offset) % 10)


def is_valid_gs1(code: str) -> bool:
    """GS1 (GTIN, EAN, ISBN-13, SSCC, USPS IMpb): weights 3 and 1 from the right."""
    return code[-1] == str(-_weighted_sum(code[-2::-1], (3, 1)) % 10)


def is_valid_ups(code: str) -> bool:
    """UPS 1Z codes and waybills: letters count as digits, weights 1 and 2."""
    digits = "".join(sign if sign.isdigit() else str((ord(sign) - 3) % 10) for sign in code.removeprefix("1Z"))
    return digits[-1] == str(-_weighted_sum(digits[:-1], (1, 2)) % 10)


def is_valid_fedex_express(code: str) -> bool:
    """FedEx Express, 12 digits: weights 3, 1, 7, modulo 11."""
    return int(code[-1]) == _weighted_sum(code[:-1], (3, 1, 7)) % 11 % 10


def is_valid_s10(code: str) -> bool:
    """UPU S10, such as RR123456785NL: a country with its own post, and weights 8 6 4 2 3 5 9 7, modulo 11."""
    digit = 11 - _weighted_sum(code[2:10], (8, 6, 4, 2, 3, 5, 9, 7)) % 11
    is_right = int(code[10]) == {10: 0, 11: 5}.get(digit, digit)
    return is_right and code[-1] in _POSTAL_COUNTRIES.get(code[-2], "")


def is_valid_mod7(code: str) -> bool:
    """DHL Express: the number before the last digit, modulo 7."""
    return int(code[:-1]) % 7 == int(code[-1])


def is_valid_mod37(code: str) -> bool:
    """ISO 7064 mod 37,36, as DPD uses it: the last character checks the others."""
    return compute_mod37(code[:-1]) == code[-1]


def compute_mod37(text: str) -> str:
    """The check character of ISO 7064 mod 37,36."""
    carry = 36
    for character in text:
        carry = (carry + _CHECK_CHARACTERS.index(character)) % 36 or 36
        carry = carry * 2 % 37
    return _CHECK_CHARACTERS[(37 - carry) % 36]


def _strip_zip_prefix(code: str) -> str:
    """USPS prints 420 and the ZIP code, 5 or 9 digits, before its tracking number."""
    return re.sub(r"420([0-9]{9}|[0-9]{5})(?=9[1-5])", "", code, count=1) if code.startswith("420") else code


# Published facts (the carriers' own pages, UPU S10, GS1, ISO 7064). A check digit is only advice: one in ten wrong
# codes passes most of the checks, and carriers add formats without notice.
TRACKING_FORMATS: tuple[TrackingFormat, ...] = (
    TrackingFormat("ups", r"1Z[A-Z0-9]{15}[0-9]", is_valid_ups),
    TrackingFormat("ups", r"[AHJKTV][0-9]{10}", lambda code: make_mod10_check(1, 2)(code[1:])),
    TrackingFormat("fedex", r"[0-9]{12}", is_valid_fedex_express),
    TrackingFormat("fedex", r"[0-9]{15}", make_mod10_check(1, 3)),
    TrackingFormat("fedex", r"96[0-9]{20}", make_mod10_check(1, 3), lambda code: code[-15:]),
    TrackingFormat("fedex", r"[0-8][0-9]{33}", is_valid_fedex_express, lambda code: code[-12:]),
    TrackingFormat("usps", r"(420([0-9]{5}|[0-9]{9}))?9[1-5][0-9]{18,24}", is_valid_gs1, _strip_zip_prefix),
    TrackingFormat("usps", r"[0-9]{20}", is_valid_gs1),
    TrackingFormat("dhl", r"[0-9]{10,11}", is_valid_mod7),
    TrackingFormat("dhl", r"J[A-Z]{2,3}[0-9]{10,24}"),
    TrackingFormat("dhl", r"JD[0-9]{10,24}"),
    TrackingFormat("dhl-de", r"00[0-9]{18}", is_valid_gs1),
    TrackingFormat("dhl-de", r"[0-9]{12}", make_mod10_check(4, 9)),
    TrackingFormat("dhl-de", r"[0-9]{14}", make_mod10_check(4, 9), is_routing_code=True),
    TrackingFormat("hermes", r"[0-9]{14}", make_mod10_check(3, 1)),
    TrackingFormat("dpd", r"[0-9]{14}"),
    TrackingFormat("dpd", r"[0-9]{14}[0-9A-Z]", is_valid_mod37),
    TrackingFormat("dpd", r"[0-9A-Z]{27}[0-9A-Z]", is_valid_mod37),
    TrackingFormat("gls", r"[0-9]{11}"),
    TrackingFormat("gls", r"[0-9]{12}", make_mod10_check(3, 1, offset=1)),
    TrackingFormat("gls", r"(?=[A-Z0-9]*[A-Z])[A-Z0-9]{8}"),
    TrackingFormat("post", r"[A-Z]{2}[0-9]{9}[A-Z]{2}", is_valid_s10),
    TrackingFormat("yodel", r"J?JD[0-9]{16}"),
    TrackingFormat("amazon", r"TBA[0-9]{12}"),
    TrackingFormat("yunexpress", r"YT[0-9]{16}"),
)
_FORMATS_BY_CARRIER = {name: tuple(row for row in TRACKING_FORMATS if row.carrier == name) for name in CARRIER_NAMES}
