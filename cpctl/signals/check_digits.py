"""Check digits of tracking codes and articles: pure arithmetic, as the carriers, UPU, GS1 and ISO publish it."""

from collections.abc import Callable, Sequence

_CHECK_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


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
    """UPU S10, such as RR123456785NL: weights 8 6 4 2 3 5 9 7, modulo 11."""
    digit = 11 - _weighted_sum(code[2:10], (8, 6, 4, 2, 3, 5, 9, 7)) % 11
    return int(code[10]) == {10: 0, 11: 5}.get(digit, digit)


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
