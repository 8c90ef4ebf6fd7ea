"""Problems, and checks of single values: each takes the text of a value and returns a problem, or None."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cpctl.errors import find_closest, suggest
from cpctl.reference_data.countries import COUNTRIES, COUNTRY_ALIASES, UNOFFICIAL_COUNTRIES
from cpctl.reference_data.currencies import CURRENCIES, CURRENCY_ALIASES

_MAX_QUOTED_LENGTH = 40  # characters


class Problem(NamedTuple):
    """A problem in a document, with the path of the value: `items[0].files[1].md5sum`, or "" for the document itself.

    An error stops the order. A warning does not, because the value may still be right.
    """

    message: str
    path: str = ""
    is_warning: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


Check = Callable[[str], Problem | None]

# Source: CloudCore 1.0, "Add order". Live quotes also offer cp_limited, which is not documented.
SHIPPING_LEVELS = ("cp_postal", "cp_ground", "cp_saver", "cp_fast", "cp_limited")
# Source: CloudCore 1.0, "Add order"; box is the file of a printed puzzle box.
ITEM_FILE_TYPES = ("product", "cover", "book", "box")
ORDER_FILE_TYPES = ("delivery_note", "promotion")
# Source: Cloudprinter "Reorders", and the causes that clients send; the list may be incomplete.
REORDER_CAUSES = (
    "reorder_shipping_item_not_received",
    "reorder_shipping_item_damaged",
    "reorder_item_missing",
    "reorder_wrong_item",
    "reorder_wrong_quantity",
    "reorder_wrong_paper_or_material",
    "reorder_wrong_finishing_size",
    "reorder_wrong_color_mode",
    "reorder_wrong_print_position",
    "reorder_print_quality",
)

_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_URL = re.compile(r"https://[^\s/?#]+\S*", re.IGNORECASE)
_MAX_EMAIL_LENGTH = 254


def join_path(path: str, name: str) -> str:
    """The path of a field of the object at `path`."""
    return f"{path}.{name}" if path else name


def quote_value(value: object) -> str:
    """A value in quotes, on one line, cut if it is long."""
    text = json.dumps(value if isinstance(value, str) else str(value), ensure_ascii=False)
    return text if len(text) <= _MAX_QUOTED_LENGTH else f'{text[: _MAX_QUOTED_LENGTH - 4]}…"'


def has_value(document: dict[str, Any], name: str) -> bool:
    """Whether a field has a value other than null, blank text and an empty list."""
    value = document.get(name)
    return value is not None and value != [] and not (isinstance(value, str) and not value.strip())


def get_text(document: dict[str, Any], name: str) -> str:
    """A text or number of an object as text; "" for anything else."""
    value = document.get(name)
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def check_text(text: str) -> Problem | None:
    """Any text, on one line or several."""
    if _SURROGATE.search(text):
        return Problem(f"{quote_value(text)} contains half of a surrogate pair; write the character itself.")
    return None


def check_line(text: str) -> Problem | None:
    """A text that is printed on one line, such as a street."""
    if _CONTROL_CHARACTER.search(text):
        message = f"{quote_value(text)} contains a line break or another control character; remove it."
        return Problem(message, is_warning=True)
    return check_text(text)


def reference_check(max_length: int) -> Check:
    """The check of a reference that the client chooses, with its maximum length in characters."""

    def check_reference(text: str) -> Problem | None:
        if len(text) > max_length:
            return Problem(f"{quote_value(text)} has {len(text)} characters; at most {max_length} are allowed.")
        for pattern, name in ((_CONTROL_CHARACTER, "control character"), (r"\s", "space"), ("/", "slash")):
            if re.search(pattern, text):
                return Problem(f"{quote_value(text)} contains a {name}; use letters, digits, hyphens and underscores.")
        return check_text(text)

    return check_reference


class OneOf:
    """The check for one of a list of values. A list that may grow only warns, unless it is `strict`."""

    def __init__(self, known: tuple[str, ...], label: str, *, strict: bool = False) -> None:
        self.known, self.label, self.strict = known, label, strict

    def __call__(self, text: str) -> Problem | None:
        if text in self.known:
            return None
        hint = suggest(text, self.known, cutoff=0.6)
        return Problem(f"{quote_value(text)} is not a known {self.label}. {hint}", is_warning=not self.strict)


def check_email(text: str) -> Problem | None:
    """An email address: one @, and a domain with a dot."""
    if _EMAIL.fullmatch(text) and len(text) <= _MAX_EMAIL_LENGTH:
        return check_text(text)
    return Problem(f"{quote_value(text)} is not an email address; write it like support@example.com.")


def check_phone(text: str) -> Problem | None:
    """A phone number in any form that contains a digit."""
    if re.search(r"\d", text):
        return check_line(text)
    return Problem(f"{quote_value(text)} contains no digit; write a phone number.", is_warning=True)


def _pattern_check(pattern: str, problem: str) -> Check:
    return lambda text: None if re.fullmatch(pattern, text) else Problem(f"{quote_value(text)} {problem}")


check_count = _pattern_check(r"[0-9]*[1-9][0-9]*", "must be a whole number, 1 or more.")
check_quote_hash = _pattern_check(
    "[0-9A-Fa-f]{64}",
    "is not a quote hash (64 hexadecimal digits); `cpctl quote get --cheapest -o value` prints one.",
)
check_md5sum = _pattern_check(
    "[0-9A-Fa-f]{32}",
    "is not an MD5 sum (32 hexadecimal digits); give the `path` of the file instead, and cpctl computes it.",
)


def check_price(text: str) -> Problem | None:
    """A price with a comma (CloudCore 1.0, "Add order": comma as decimal separator)."""
    if re.fullmatch(r"[0-9]+(,[0-9]+)?", text):
        return None
    if re.fullmatch(r"[0-9]+\.[0-9]+", text):
        message = f'{quote_value(text)} has a decimal point; write it with a comma: "{text.replace(".", ",")}".'
        return Problem(message, is_warning=True)
    return Problem(f'{quote_value(text)} is not a price; write it like "12,50".')


def check_url(text: str) -> Problem | None:
    """The URL from which Cloudprinter downloads a file after it has accepted the order."""
    if _URL.fullmatch(text):
        return None
    if text[:7].lower() == "http://":
        return Problem(f"{quote_value(text)} is not encrypted; Cloudprinter downloads files with https://.")
    return Problem(f"{quote_value(text)} is not an https:// URL; write it like https://files.example.com/book.pdf.")


def check_option(text: str) -> Problem | None:
    """The reference of an option. `type` is a family in products/info, but a reference in a request."""
    if text.startswith("type_"):
        hint = 'use the reference of an option, such as "paper_130mcg", as `cpctl products info` shows it'
        return Problem(f"{quote_value(text)} is a family of options; {hint}.")
    return check_line(text)


def check_country(text: str) -> Problem | None:
    """A country code (ISO 3166-1 alpha-2)."""
    if text in COUNTRIES:
        return None
    if text in UNOFFICIAL_COUNTRIES:
        message = f"{quote_value(text)} ({UNOFFICIAL_COUNTRIES[text]}) is not in ISO 3166-1; it may be refused."
        return Problem(message, is_warning=True)
    hint = suggest_code(text, COUNTRIES, COUNTRY_ALIASES, "Use two capital letters (ISO 3166-1): DE, GB, US.")
    return Problem(f"{quote_value(text)} is not a country code. {hint}")


def check_currency(text: str) -> Problem | None:
    """A currency code (ISO 4217)."""
    if text in CURRENCIES:
        return None
    hint = suggest_code(text, CURRENCIES, CURRENCY_ALIASES, "Use three capital letters (ISO 4217): EUR, GBP, USD.")
    return Problem(f"{quote_value(text)} is not a currency code. {hint}")


def find_code(text: str, names: Mapping[str, str], aliases: Mapping[str, str]) -> str:
    """The code that a name, a sign, or a code in another case probably means; "" if none."""
    text = text.strip()
    if text.upper() in names:
        return text.upper()
    codes = {name.lower(): code for code, name in names.items()}
    codes |= {name.lower(): code for name, code in aliases.items()}
    # A short text is similar to a code by chance only: AX is not a typo of AD.
    name = find_closest(text, codes) if text.lower() not in codes and len(text) > 3 else text.lower()
    return codes.get(name, "")


def suggest_code(text: str, names: Mapping[str, str], aliases: Mapping[str, str], otherwise: str) -> str:
    """A hint with the code that a text probably means, and its name; `otherwise` if there is none."""
    code = find_code(text, names, aliases)
    return f"{suggest(code, names).removesuffix('?')} ({names[code]})?" if code else otherwise


# What each check accepts, for `cpctl explain`; the others accept any text.
_CHECK_DESCRIPTIONS: dict[Check, str] = {
    check_email: "email address",
    check_phone: "phone number",
    check_count: "whole number",
    check_price: "price, with a comma",
    check_quote_hash: "64 hexadecimal digits",
    check_md5sum: "32 hexadecimal digits",
    check_url: "https URL",
    check_country: "country code",
    check_currency: "currency code",
}


def describe_check(check: Check) -> str:
    """What a check accepts: `whole number`, or the list of values."""
    return f"one of {', '.join(check.known)}" if isinstance(check, OneOf) else _CHECK_DESCRIPTIONS.get(check, "text")
