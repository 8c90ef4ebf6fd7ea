"""Problems, and the checks that find them: of single values, and of the fields of an object together."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from cpctl.errors import find_closest, suggest
from cpctl.reference_data.countries import COUNTRIES, COUNTRIES_WITHOUT_ZIP, COUNTRY_ALIASES, UNOFFICIAL_COUNTRIES
from cpctl.reference_data.country_states import COUNTRIES_REQUIRING_STATE, STATES_BY_COUNTRY
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


JsonObject = dict[str, Any]
Check = Callable[[str], Problem | None]  # gets the text of a value
Rule = Callable[[JsonObject, str], Iterator[Problem]]  # gets an object and its path

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

# The fields that name the shipping of an item, in the order in which Cloudprinter's client libraries look for them.
SHIPPING_FIELDS = ("quote", "shipping_level", "shipping_option")
# How the references of bound products begin (CloudCore 1.0, "Add order": total_pages required for books).
BOOK_PREFIXES = ("textbook", "book_", "photobook", "magazine", "brochure")

_CPF_DIGITS = 11
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
    "[0-9A-Fa-f]{64}", "is not a quote hash (64 hexadecimal digits); `cpctl quote get --cheapest -o value` prints one."
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


# Rules: what the fields of an object require of each other


def missing_field(document: JsonObject, path: str, name: str, meaning: str) -> Problem:
    """The problem of a required field without a value."""
    state = "empty" if name in document else "missing"
    return Problem(f"required field is {state}: {meaning}.", join_path(path, name))


def _require_either(name: str, synonym: str, meaning: str) -> Rule:
    def require_either(document: JsonObject, path: str) -> Iterator[Problem]:
        if not has_value(document, name) and not has_value(document, synonym):
            yield missing_field(document, path, name, meaning)

    return require_either


require_product = _require_either(
    "product", "product_reference", "the reference of the product, as `cpctl products list` shows it"
)
require_option_type = _require_either("type", "option_reference", "the reference of the option, such as total_pages")


def require_shipping(item: JsonObject, path: str) -> Iterator[Problem]:
    """Every item names its shipping, except a reorder, which is shipped like the original item."""
    given = [name for name in SHIPPING_FIELDS if has_value(item, name)]
    if not given and not has_value(item, "reorder_order_reference"):
        yield missing_field(item, path, "shipping_level", "give shipping_level, quote or shipping_option")
    for name in given[1:]:
        message = f"{given[0]} is given as well and takes precedence; remove one of the two."
        yield Problem(message, join_path(path, name), is_warning=True)


def require_files(item: JsonObject, path: str) -> Iterator[Problem]:
    """Stock is already printed, and a reorder prints the files of the original item."""
    if get_text(item, "type") == "stock" or has_value(item, "reorder_order_reference"):
        return
    if item.get("files") in (None, []):
        yield missing_field(item, path, "files", "a list of files to print, each with type, url, and md5sum or path")


def require_total_pages(item: JsonObject, path: str) -> Iterator[Problem]:
    product = get_text(item, "product") or get_text(item, "product_reference")
    options = item.get("options")
    given = [option for option in options if isinstance(option, dict)] if isinstance(options, list) else []
    references = [get_text(option, "type") or get_text(option, "option_reference") for option in given]
    if product.startswith(BOOK_PREFIXES) and "total_pages" not in references:
        message = f"the option total_pages is missing; {product} is a book."
        yield Problem(message, join_path(path, "options"), is_warning=True)


def check_reorder(item: JsonObject, path: str) -> Iterator[Problem]:
    order, original = "reorder_order_reference", "reorder_item_reference"
    if has_value(item, original) and not has_value(item, order):
        yield missing_field(item, path, order, f"the order that contains {original}")
    if has_value(item, order) and not has_value(item, original):
        yield missing_field(item, path, original, f"the item in {order}")
    if has_value(item, "reorder_cause") and not has_value(item, order) and not has_value(item, original):
        message = f"has no effect without {order} and {original}; give both."
        yield Problem(message, join_path(path, "reorder_cause"), is_warning=True)


def require_md5sum(file: JsonObject, path: str) -> Iterator[Problem]:
    """The sum is given, or computed from a local file; not both, because they may differ."""
    if has_value(file, "md5sum") and has_value(file, "path"):
        yield Problem("md5sum is given as well; remove one of the two.", join_path(path, "path"))
    if not has_value(file, "md5sum") and not has_value(file, "path"):
        yield missing_field(file, path, "md5sum", "32 hexadecimal digits; or give `path`, and cpctl computes it")


def _country_code(address: JsonObject) -> str:
    """The country code that is given or meant: "Ireland" requires the same fields as "IE"."""
    country = get_text(address, "country")
    return country if country in COUNTRIES else find_code(country, COUNTRIES, COUNTRY_ALIASES)


def require_zip(address: JsonObject, path: str) -> Iterator[Problem]:
    if not has_value(address, "zip") and _country_code(address) not in COUNTRIES_WITHOUT_ZIP:
        yield missing_field(address, path, "zip", "the postal code")


def check_state(address: JsonObject, path: str) -> Iterator[Problem]:
    """US and CA require a known state; elsewhere an unknown state, or one that is not a code, is a warning."""
    country, state = _country_code(address), get_text(address, "state")
    states, is_required = STATES_BY_COUNTRY.get(country), country in COUNTRIES_REQUIRING_STATE
    list_hint = f"`cpctl shipping states {country}` lists them."
    if states is None:
        is_code = state.isascii() and state.isalnum() and len(state) <= 3
        if state and country in COUNTRIES and not is_code:
            message = f"{quote_value(state)} is not a state code. {list_hint}"
            yield Problem(message, join_path(path, "state"), is_warning=True)
    elif is_required and not has_value(address, "state"):
        yield missing_field(address, path, "state", f"addresses in {country} need one, such as {next(iter(states))}")
    elif state and state not in states:
        hint = suggest_code(state, states, {}, list_hint)
        message = f"{quote_value(state)} is not a state of {country}. {hint}"
        yield Problem(message, join_path(path, "state"), is_warning=not is_required)


def check_customer_identification(address: JsonObject, path: str) -> Iterator[Problem]:
    """Brazil requires the CPF of the recipient (Cloudprinter "Customer identification")."""
    name = "customer_identification"
    if _country_code(address) != "BR":
        return
    if not has_value(address, name):
        yield missing_field(address, path, name, "parcels to Brazil need the recipient's CPF, such as 529.982.247-25")
    elif not _is_valid_cpf(cpf := get_text(address, name)):
        message = f"{quote_value(cpf)} is not a valid CPF (11 digits, the last two are check digits); correct it."
        yield Problem(message, join_path(path, name))


def _is_valid_cpf(text: str) -> bool:
    """Whether the check digits are right. The same digit eleven times passes the sum but is never assigned."""
    digits = [int(digit) for digit in text if digit in "0123456789"]
    has_form = len(text) == _CPF_DIGITS or (text[3:4], text[7:8], text[11:12], len(text)) == (".", ".", "-", 14)
    if not has_form or len(digits) != _CPF_DIGITS or len(set(digits)) == 1:
        return False
    return all(
        digits[place] == sum(digit * (place + 1 - n) for n, digit in enumerate(digits[:place])) * 10 % 11 % 10
        for place in (9, 10)
    )


def _unique_reference_rule(name: str) -> Rule:
    def require_unique_references(document: JsonObject, path: str) -> Iterator[Problem]:
        first_paths: dict[str, str] = {}
        for item_path, item in _iter_items(document, path):
            reference = get_text(item, name)
            if reference in first_paths:
                message = f"{quote_value(reference)} is also the reference of {first_paths[reference]}; make it unique."
                yield Problem(message, join_path(item_path, name))
            elif reference:
                first_paths[reference] = item_path

    return require_unique_references


require_unique_references = _unique_reference_rule("reference")
require_unique_item_references = _unique_reference_rule("item_reference")


def require_single_original(document: JsonObject, path: str) -> Iterator[Problem]:
    """All reordered items come from one order (Cloudprinter "Reorders")."""
    name = "reorder_order_reference"
    given = [(place, text) for place, item in _iter_items(document, path) if (text := get_text(item, name))]
    for item_path, original in given[1:]:
        if original != given[0][1]:
            message = f"{quote_value(original)} is not the order of {given[0][0]}; reorder it in a separate order."
            yield Problem(message, join_path(item_path, name))


def _iter_items(document: JsonObject, path: str) -> Iterator[tuple[str, JsonObject]]:
    items = document.get("items")
    for n, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield f"{join_path(path, 'items')}[{n}]", item
