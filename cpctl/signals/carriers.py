"""Tracking codes: which carrier's they can be, and whether their check digit is right. No I/O.

The formats are published facts (carriers' own pages, UPU S10, GS1, ISO 7064). A check digit can only advise: every
tenth wrong code passes most of them, and carriers bring out new formats without asking anybody.
"""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

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
    """How well a code fits the carriers it was held against."""

    VALID = "ok"
    UNKNOWN_FORMAT = "unknown format"
    WRONG_CHECK_DIGIT = "wrong check digit"


class RecognizedTracking(NamedTuple):
    """A code as the carrier writes it; `carrier` is a key of CARRIERS, or "" where it could be several or none."""

    carrier: str
    tracking: str
    validity: TrackingValidity
    is_routing_code: bool = False  # of that form are codes that say where to, and not which parcel


class TrackingFormat(NamedTuple):
    """One form of one carrier's codes: a pattern, the test of its check digit, and how much of it is the code."""

    carrier: str
    pattern: re.Pattern[str]
    has_valid_check_digit: Callable[[str], bool]
    extract_tracking: Callable[[str], str] = str
    is_routing_code: bool = False


def normalize_tracking(code: str) -> str:
    """A code without the blanks and hyphens that only people need, in capitals."""
    return re.sub(r"[\s-]", "", code).upper()


def recognize_tracking(code: str, carriers: Sequence[str]) -> RecognizedTracking:
    """Hold a code against the formats of these carriers; where several fit, the carrier that is named first wins."""
    text = normalize_tracking(code)
    fitting = [row for name in carriers for row in _FORMATS_BY_CARRIER[name] if row.pattern.fullmatch(text)]
    for row in fitting:
        if row.has_valid_check_digit(row.extract_tracking(text)):
            return RecognizedTracking(
                row.carrier, row.extract_tracking(text), TrackingValidity.VALID, row.is_routing_code
            )
    if not fitting:
        return RecognizedTracking("", text, TrackingValidity.UNKNOWN_FORMAT)
    several = len({row.carrier for row in fitting}) > 1
    return RecognizedTracking(
        "" if several else fitting[0].carrier, fitting[0].extract_tracking(text), TrackingValidity.WRONG_CHECK_DIGIT
    )


# --- check digits ---------------------------------------------------------------------------


def weighted_sum(digits: str, weights: Sequence[int]) -> int:
    """The sum of all digits, each times its weight; the weights repeat from the left."""
    return sum(int(digit) * weights[place % len(weights)] for place, digit in enumerate(digits))


def make_mod10_check(*weights: int, offset: int = 0) -> Callable[[str], bool]:
    """The test that the last digit fills the weighted sum of the others up to the next ten."""

    def check(code: str) -> bool:
        return code[-1] == str(-(weighted_sum(code[:-1], weights) + offset) % 10)

    return check


def is_valid_gs1(code: str) -> bool:
    """GS1's check digit (GTIN, EAN, ISBN-13, SSCC, USPS IMpb): weights 3 and 1 from the right."""
    return code[-1] == str(-weighted_sum(code[-2::-1], (3, 1)) % 10)


def is_valid_ups(code: str) -> bool:
    """UPS, 1Z and waybills: letters count as digits, weights 1 and 2."""
    digits = "".join(sign if sign.isdigit() else str((ord(sign) - 3) % 10) for sign in code.removeprefix("1Z"))
    return digits[-1] == str(-weighted_sum(digits[:-1], (1, 2)) % 10)


def is_valid_fedex_express(code: str) -> bool:
    """FedEx Express, 12 digits: weights 3, 1, 7, modulo 11."""
    return int(code[-1]) == weighted_sum(code[:-1], (3, 1, 7)) % 11 % 10


def is_valid_s10(code: str) -> bool:
    """UPU S10, such as RR123456785NL: weights 8 6 4 2 3 5 9 7, modulo 11."""
    left = 11 - weighted_sum(code[2:10], (8, 6, 4, 2, 3, 5, 9, 7)) % 11
    return int(code[10]) == {10: 0, 11: 5}.get(left, left)


def is_valid_mod7(code: str) -> bool:
    """DHL Express: the number before the last digit, modulo 7."""
    return int(code[:-1]) % 7 == int(code[-1])


_CHECK_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def compute_mod37(text: str) -> str:
    """The check sign of ISO 7064 mod 37,36, which DPD prints after its 14 or 27 digits."""
    carry = 36
    for sign in text:
        carry = (carry + _CHECK_CHARACTERS.index(sign)) % 36 or 36
        carry = carry * 2 % 37
    return _CHECK_CHARACTERS[(37 - carry) % 36]


def is_isbn(code: str) -> bool:
    """Whether a code is a book's: ISBN-13, whose check digit is GS1's."""
    text = normalize_tracking(code)
    return bool(re.fullmatch(r"97[89][0-9]{10}", text)) and is_valid_gs1(text)


def is_ean(code: str) -> bool:
    """Whether a code is that of an article: 13 digits with GS1's check digit. No carrier has 13 digits."""
    text = normalize_tracking(code)
    return bool(re.fullmatch(r"[0-9]{13}", text)) and is_valid_gs1(text)


# --- formats --------------------------------------------------------------------------------


def _skip_check(code: str) -> bool:
    return True


def _is_valid_dpd(code: str) -> bool:
    return compute_mod37(code[:-1]) == code[-1]


def _strip_zip_prefix(code: str) -> str:
    """USPS prints 420 and the ZIP code, of 5 or 9 digits, before its tracking number."""
    return re.sub(r"420([0-9]{9}|[0-9]{5})(?=9[1-5])", "", code, count=1) if code.startswith("420") else code


def _take_last(count: int) -> Callable[[str], str]:
    return lambda code: code[-count:]


# fmt: off
# Countries and territories with a post of their own (ISO 3166), as S10 codes end: first letter, second letters.
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


def _make_format(
    carrier: str,
    pattern: str,
    has_valid_check_digit: Callable[[str], bool],
    extract_tracking: Callable[[str], str] = str,
    is_routing_code: bool = False,
) -> TrackingFormat:
    return TrackingFormat(carrier, re.compile(pattern), has_valid_check_digit, extract_tracking, is_routing_code)


TRACKING_FORMATS: tuple[TrackingFormat, ...] = (
    _make_format("ups", r"1Z[A-Z0-9]{15}[0-9]", is_valid_ups),
    _make_format("ups", r"[AHJKTV][0-9]{10}", lambda code: make_mod10_check(1, 2)(code[1:])),
    _make_format("fedex", r"[0-9]{12}", is_valid_fedex_express),
    _make_format("fedex", r"[0-9]{15}", make_mod10_check(1, 3)),
    _make_format("fedex", r"96[0-9]{20}", make_mod10_check(1, 3), _take_last(15)),
    _make_format("fedex", r"[0-8][0-9]{33}", is_valid_fedex_express, _take_last(12)),
    _make_format("usps", r"(420([0-9]{5}|[0-9]{9}))?9[1-5][0-9]{18,24}", is_valid_gs1, _strip_zip_prefix),
    _make_format("usps", r"[0-9]{20}", is_valid_gs1),
    _make_format("dhl", r"[0-9]{10,11}", is_valid_mod7),
    _make_format("dhl", r"J[A-Z]{2,3}[0-9]{10,24}", _skip_check),
    _make_format("dhl", r"JD[0-9]{10,24}", _skip_check),
    _make_format("dhl-de", r"00[0-9]{18}", is_valid_gs1),
    _make_format("dhl-de", r"[0-9]{12}", make_mod10_check(4, 9)),
    _make_format("dhl-de", r"[0-9]{14}", make_mod10_check(4, 9), is_routing_code=True),
    _make_format("hermes", r"[0-9]{14}", make_mod10_check(3, 1)),
    _make_format("dpd", r"[0-9]{14}", _skip_check),
    _make_format("dpd", r"[0-9]{14}[0-9A-Z]", _is_valid_dpd),
    _make_format("dpd", r"[0-9A-Z]{27}[0-9A-Z]", _is_valid_dpd),
    _make_format("gls", r"[0-9]{11}", _skip_check),
    _make_format("gls", r"[0-9]{12}", make_mod10_check(3, 1, offset=1)),
    _make_format("gls", r"(?=[A-Z0-9]*[A-Z])[A-Z0-9]{8}", _skip_check),
    _make_format("post", r"[A-Z]{2}[0-9]{9}[A-Z]{2}", _is_valid_postal),
    _make_format("yodel", r"J?JD[0-9]{16}", _skip_check),
    _make_format("amazon", r"TBA[0-9]{12}", _skip_check),
    _make_format("yunexpress", r"YT[0-9]{16}", _skip_check),
)
_FORMATS_BY_CARRIER = {name: tuple(row for row in TRACKING_FORMATS if row.carrier == name) for name in CARRIER_NAMES}
