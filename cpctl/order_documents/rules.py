"""Rules for objects: what their fields require of each other."""

from collections.abc import Callable, Iterator
from typing import Any

from cpctl.order_documents.value_checks import (
    Problem,
    find_code,
    get_text,
    has_value,
    join_path,
    quote_value,
    suggest_code,
)
from cpctl.reference_data.countries import COUNTRIES, COUNTRIES_WITHOUT_ZIP, COUNTRY_ALIASES
from cpctl.reference_data.country_states import COUNTRIES_REQUIRING_STATE, STATES_BY_COUNTRY

JsonObject = dict[str, Any]
Rule = Callable[[JsonObject, str], Iterator[Problem]]

# The fields that name the shipping of an item, in the order in which Cloudprinter's client libraries look for them.
SHIPPING_FIELDS = ("quote", "shipping_level", "shipping_option")
# How the references of bound products begin (CloudCore 1.0, "Add order": total_pages required for books).
BOOK_PREFIXES = ("textbook", "book_", "photobook", "magazine", "brochure")

_CPF_DIGITS = 11


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


# What each rule requires, for `cpctl explain`.
RULE_DESCRIPTIONS: dict[Rule, str] = {
    require_product: "product, or product_reference in its place",
    require_shipping: "shipping_level, quote or shipping_option, unless it is a reorder",
    require_files: "files, unless it comes from stock or is a reorder",
    require_total_pages: "the option total_pages, for a book",
    check_reorder: "for a reorder, the original order and the item in it",
    require_option_type: "type, or option_reference in its place",
    require_md5sum: "md5sum, which cpctl computes from the file named by path",
    require_zip: "zip, except in countries that have none",
    check_state: "state, in the US and CA",
    check_customer_identification: "customer_identification, in Brazil",
    require_unique_references: "unique references of items",
    require_unique_item_references: "unique references of items",
    require_single_original: "reordered items of one original order",
}
