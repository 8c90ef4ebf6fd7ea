"""Tracking codes: which carrier's they can be, and whether their check digit is right. No I/O.

The formats are published facts (carriers' own pages, UPU S10, GS1, ISO 7064). A check digit can only advise: every
tenth wrong code passes most of them, and carriers bring out new formats without asking anybody.
"""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

CARRIERS: dict[str, str] = {
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


class Known(StrEnum):
    """How well a code fits the carriers it was held against."""

    OK = "ok"
    UNKNOWN = "unknown format"
    WRONG_DIGIT = "wrong check digit"


class Recognised(NamedTuple):
    """A code as the carrier writes it; `carrier` is a key of CARRIERS, or "" where it could be several or none."""

    carrier: str
    tracking: str
    verdict: Known
    routing: bool = False  # of that form are codes that say where to, and not which parcel


class Format(NamedTuple):
    """One form of one carrier's codes: a pattern, the test of its check digit, and how much of it is the code."""

    carrier: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    cut: Callable[[str], str] = str
    routing: bool = False


def normalise(code: str) -> str:
    """A code without the blanks and hyphens that only people need, in capitals."""
    return re.sub(r"[\s-]", "", code).upper()


def recognise(code: str, carriers: Sequence[str]) -> Recognised:
    """Hold a code against the formats of these carriers; where several fit, the carrier that is named first wins."""
    text = normalise(code)
    fitting = [row for name in carriers for row in _BY_CARRIER[name] if row.pattern.fullmatch(text)]
    for row in fitting:
        if row.check(row.cut(text)):
            return Recognised(row.carrier, row.cut(text), Known.OK, row.routing)
    if not fitting:
        return Recognised("", text, Known.UNKNOWN)
    several = len({row.carrier for row in fitting}) > 1
    return Recognised("" if several else fitting[0].carrier, fitting[0].cut(text), Known.WRONG_DIGIT)


# --- check digits ---------------------------------------------------------------------------


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of all digits, each times its weight; the weights repeat from the left."""
    return sum(int(digit) * weights[place % len(weights)] for place, digit in enumerate(digits))


def mod10(*weights: int, plus: int = 0) -> Callable[[str], bool]:
    """The test that the last digit fills the weighted sum of the others up to the next ten."""

    def check(code: str) -> bool:
        return code[-1] == str(-(weighted(code[:-1], weights) + plus) % 10)

    return check


def gs1(code: str) -> bool:
    """GS1's check digit (GTIN, EAN, ISBN-13, SSCC, USPS IMpb): weights 3 and 1 from the right."""
    return code[-1] == str(-weighted(code[-2::-1], (3, 1)) % 10)


def ups(code: str) -> bool:
    """UPS, 1Z and waybills: letters count as digits, weights 1 and 2."""
    digits = "".join(sign if sign.isdigit() else str((ord(sign) - 3) % 10) for sign in code.removeprefix("1Z"))
    return digits[-1] == str(-weighted(digits[:-1], (1, 2)) % 10)


def fedex_express(code: str) -> bool:
    """FedEx Express, 12 digits: weights 3, 1, 7, modulo 11."""
    return int(code[-1]) == weighted(code[:-1], (3, 1, 7)) % 11 % 10


def s10(code: str) -> bool:
    """UPU S10, such as RR123456785NL: weights 8 6 4 2 3 5 9 7, modulo 11."""
    left = 11 - weighted(code[2:10], (8, 6, 4, 2, 3, 5, 9, 7)) % 11
    return int(code[10]) == {10: 0, 11: 5}.get(left, left)


def mod7(code: str) -> bool:
    """DHL Express: the number before the last digit, modulo 7."""
    return int(code[:-1]) % 7 == int(code[-1])


_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def mod37(text: str) -> str:
    """The check sign of ISO 7064 mod 37,36, which DPD prints after its 14 or 27 digits."""
    carry = 36
    for sign in text:
        carry = (carry + _SIGNS.index(sign)) % 36 or 36
        carry = carry * 2 % 37
    return _SIGNS[(37 - carry) % 36]


def isbn(code: str) -> bool:
    """Whether a code is a book's: ISBN-13, whose check digit is GS1's."""
    text = normalise(code)
    return bool(re.fullmatch(r"97[89][0-9]{10}", text)) and gs1(text)


def ean(code: str) -> bool:
    """Whether a code is that of an article: 13 digits with GS1's check digit. No carrier has 13 digits."""
    text = normalise(code)
    return bool(re.fullmatch(r"[0-9]{13}", text)) and gs1(text)


# --- formats --------------------------------------------------------------------------------


def _shape_only(code: str) -> bool:
    return True


def _dpd(code: str) -> bool:
    return mod37(code[:-1]) == code[-1]


def _without_zip(code: str) -> str:
    """USPS prints 420 and the ZIP code, of 5 or 9 digits, before its tracking number."""
    return re.sub(r"420([0-9]{9}|[0-9]{5})(?=9[1-5])", "", code, count=1) if code.startswith("420") else code


def _last(count: int) -> Callable[[str], str]:
    return lambda code: code[-count:]


# fmt: off
# Countries and territories with a post of their own (ISO 3166), as S10 codes end: first letter, second letters.
_POSTS = {
    "A": "DEFGILMORTUWZ", "B": "ABDEFGHIJMNORSTWYZ", "C": "ADFGHIKLMNORUVWYZ", "D": "EJKMOZ", "E": "CEGRST",
    "F": "IJKMOR", "G": "ABDEGHILMNPQRTUWY", "H": "KNRTU", "I": "DELMNQRST", "J": "EMOP", "K": "EGHIMNPRWYZ",
    "L": "ABCIKRSTUVY", "M": "ACDEGKLMNOQRSTUVWXYZ", "N": "ACEGILOPRZ", "O": "M", "P": "AEFGHKLNRSTY", "Q": "A",
    "R": "EOSUW", "S": "ABCDEGHIKLMNORSTVXYZ", "T": "CDGHJLMNORTVWZ", "U": "AGSYZ", "V": "ACEGINU", "W": "FS",
    "X": "K", "Y": "ET", "Z": "AMW",
}
# fmt: on


def _posted(code: str) -> bool:
    return code[-1] in _POSTS.get(code[-2], "") and s10(code)


def _format(
    carrier: str,
    pattern: str,
    check: Callable[[str], bool],
    cut: Callable[[str], str] = str,
    routing: bool = False,
) -> Format:
    return Format(carrier, re.compile(pattern), check, cut, routing)


FORMATS: tuple[Format, ...] = (
    _format("ups", r"1Z[A-Z0-9]{15}[0-9]", ups),
    _format("ups", r"[AHJKTV][0-9]{10}", lambda code: mod10(1, 2)(code[1:])),
    _format("fedex", r"[0-9]{12}", fedex_express),
    _format("fedex", r"[0-9]{15}", mod10(1, 3)),
    _format("fedex", r"96[0-9]{20}", mod10(1, 3), _last(15)),
    _format("fedex", r"[0-8][0-9]{33}", fedex_express, _last(12)),
    _format("usps", r"(420([0-9]{5}|[0-9]{9}))?9[1-5][0-9]{18,24}", gs1, _without_zip),
    _format("usps", r"[0-9]{20}", gs1),
    _format("dhl", r"[0-9]{10,11}", mod7),
    _format("dhl", r"J[A-Z]{2,3}[0-9]{10,24}", _shape_only),
    _format("dhl", r"JD[0-9]{10,24}", _shape_only),
    _format("dhl-de", r"00[0-9]{18}", gs1),
    _format("dhl-de", r"[0-9]{12}", mod10(4, 9)),
    _format("dhl-de", r"[0-9]{14}", mod10(4, 9), routing=True),
    _format("hermes", r"[0-9]{14}", mod10(3, 1)),
    _format("dpd", r"[0-9]{14}", _shape_only),
    _format("dpd", r"[0-9]{14}[0-9A-Z]", _dpd),
    _format("dpd", r"[0-9A-Z]{27}[0-9A-Z]", _dpd),
    _format("gls", r"[0-9]{11}", _shape_only),
    _format("gls", r"[0-9]{12}", mod10(3, 1, plus=1)),
    _format("gls", r"(?=[A-Z0-9]*[A-Z])[A-Z0-9]{8}", _shape_only),
    _format("post", r"[A-Z]{2}[0-9]{9}[A-Z]{2}", _posted),
    _format("yodel", r"J?JD[0-9]{16}", _shape_only),
    _format("amazon", r"TBA[0-9]{12}", _shape_only),
    _format("yunexpress", r"YT[0-9]{16}", _shape_only),
)
_BY_CARRIER = {name: tuple(row for row in FORMATS if row.carrier == name) for name in CARRIERS}
