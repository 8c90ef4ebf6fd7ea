"""What the fields of one object ask of each other."""

from collections.abc import Callable, Iterator
from typing import Any

from cpctl.order_documents.problems import Problem, get_text, has_value, join_path, quote_value
from cpctl.order_documents.value_checks import did_you_mean_hint, suggest_code
from cpctl.reference_data import countries
from cpctl.reference_data.country_states import COUNTRIES_REQUIRING_STATE, STATES_BY_COUNTRY

JsonObject = dict[str, Any]
Rule = Callable[[JsonObject, str], Iterator[Problem]]

# What names the shipping of an item, in the order in which the client libraries of Cloudprinter look for it.
SHIPPING_FIELDS = ("quote", "shipping_level", "shipping_option")
# How the references of bound products begin (CloudCore 1.0, "Add order": total_pages required for books).
BOOK_PREFIXES = ("textbook", "book_", "photobook", "magazine", "brochure")

_CPF_DIGITS = 11


# What each rule asks, for those who write a document.
RULE_DESCRIPTIONS: dict[str, str] = {
    "require_product": "product, or product_reference in its place",
    "require_shipping": "shipping_level, quote or shipping_option, unless it is a reorder",
    "require_files": "files, unless it comes from stock or is a reorder",
    "require_total_pages": "the option total_pages, of a book",
    "check_reorder": "of a reorder, the original order and the item in it",
    "require_option_type": "type, or option_reference in its place",
    "require_md5sum": "md5sum; cpctl computes it of the file that path names",
    "require_zip": "zip, but for countries that have none",
    "check_state": "state, of US and CA",
    "check_customer_identification": "customer_identification, of Brazil",
    "require_unique_references": "references that differ",
    "require_single_original": "reordered items of one original order",
}


def describe_rule(rule: Rule) -> str:
    """What a rule asks, in words."""
    return RULE_DESCRIPTIONS[rule.__qualname__.partition(".")[0]]


def missing_field(document: JsonObject, path: str, name: str, reason: str) -> Problem:
    """The problem of a field that says nothing."""
    return Problem(join_path(path, name), f"{'is empty' if name in document else 'is missing'} ({reason}).")


def require_product(item: JsonObject, path: str) -> Iterator[Problem]:
    """The API takes `product`, and `product_reference` as a synonym."""
    if not has_value(item, "product") and not has_value(item, "product_reference"):
        yield missing_field(item, path, "product", "the reference of the product, see `cpctl products list`")


def require_shipping(item: JsonObject, path: str) -> Iterator[Problem]:
    """An item says how it travels, unless it goes the way of the item it replaces."""
    given = [name for name in SHIPPING_FIELDS if has_value(item, name)]
    if not given and not has_value(item, "reorder_order_reference"):
        yield missing_field(item, path, "shipping_level", "give shipping_level, quote or shipping_option")
    for name in given[1:]:
        yield Problem(join_path(path, name), f"{given[0]} is given as well, and comes first.", is_warning=True)


def require_files(item: JsonObject, path: str) -> Iterator[Problem]:
    """Stock is printed already, and a reorder prints the files of the original."""
    if get_text(item, "type") == "stock" or has_value(item, "reorder_order_reference"):
        return
    if item.get("files") in (None, []):
        yield missing_field(item, path, "files", "what to print: type, url, and md5sum or path, of each file")


def require_total_pages(item: JsonObject, path: str) -> Iterator[Problem]:
    """A book needs the option total_pages."""
    product = get_text(item, "product") or get_text(item, "product_reference")
    options = item.get("options")
    given = [_option_reference(each) for each in options] if isinstance(options, list) else []
    if product.startswith(BOOK_PREFIXES) and "total_pages" not in given:
        yield Problem(
            join_path(path, "options"), f"total_pages is not among them; {product} is a book.", is_warning=True
        )


def _option_reference(option: Any) -> str:
    return (get_text(option, "type") or get_text(option, "option_reference")) if isinstance(option, dict) else ""


def check_reorder(item: JsonObject, path: str) -> Iterator[Problem]:
    """A reorder names the original order and the item in it."""
    order, original = "reorder_order_reference", "reorder_item_reference"
    if has_value(item, original) and not has_value(item, order):
        yield missing_field(item, path, order, f"{original} needs the order it belongs to")
    if has_value(item, order) and not has_value(item, original):
        yield missing_field(item, path, original, f"{order} needs the item in that order")
    if has_value(item, "reorder_cause") and not has_value(item, order) and not has_value(item, original):
        message = f"{order} and {original} are missing; without them the item is no reorder."
        yield Problem(join_path(path, "reorder_cause"), message, is_warning=True)


def require_option_type(option: JsonObject, path: str) -> Iterator[Problem]:
    """The API takes `type`, and `option_reference` as a synonym; both mean the reference."""
    if not has_value(option, "type") and not has_value(option, "option_reference"):
        yield missing_field(option, path, "type", "the reference of the option, such as total_pages")


def require_md5sum(file: JsonObject, path: str) -> Iterator[Problem]:
    """The sum is given, or computed of a file at hand; not both, because they may differ."""
    if has_value(file, "md5sum") and has_value(file, "path"):
        yield Problem(join_path(path, "path"), "md5sum is given as well; leave one of them out.")
    if not has_value(file, "md5sum") and not has_value(file, "path"):
        yield missing_field(
            file, path, "md5sum", "32 hexadecimal digits; or the `path` of the file, to have it computed"
        )


def _country_code(address: JsonObject) -> str:
    """The code of the country that is written or meant: what "Ireland" asks for is what "IE" will ask for."""
    written = get_text(address, "country")
    return (
        written
        if written in countries.COUNTRIES
        else suggest_code(written, countries.COUNTRIES, countries.COUNTRY_ALIASES)
    )


def require_zip(address: JsonObject, path: str) -> Iterator[Problem]:
    """Everywhere but in the countries that have none."""
    if not has_value(address, "zip") and _country_code(address) not in countries.COUNTRIES_WITHOUT_ZIP:
        yield missing_field(address, path, "zip", "the postal code")


def check_state(address: JsonObject, path: str) -> Iterator[Problem]:
    """US and CA need a known state; other countries that have states may; of the rest only the form is known."""
    country, state = _country_code(address), get_text(address, "state")
    states, needed = STATES_BY_COUNTRY.get(country), country in COUNTRIES_REQUIRING_STATE
    if states is None:
        yield from _check_foreign_state(country, state, join_path(path, "state"))
    elif needed and not has_value(address, "state"):
        yield missing_field(address, path, "state", f"{country} needs one, such as {next(iter(states))}")
    elif state and state not in states:
        hint = did_you_mean_hint(
            suggest_code(state, states, {}), states, f"`cpctl shipping states {country}` lists them."
        )
        yield Problem(
            join_path(path, "state"), f"{quote_value(state)} is no state of {country}. {hint}", is_warning=not needed
        )


def _check_foreign_state(country: str, state: str, path: str) -> Iterator[Problem]:
    code = state.isascii() and state.isalnum() and len(state) <= 3
    if state and country in countries.COUNTRIES and not code:
        message = (
            f"{quote_value(state)} is no code of a state; `cpctl shipping states {country}` lists those that are known."
        )
        yield Problem(path, message, is_warning=True)


def check_customer_identification(address: JsonObject, path: str) -> Iterator[Problem]:
    """Brazil wants the CPF of whoever receives a parcel (Cloudprinter "Customer identification")."""
    if _country_code(address) != "BR":
        return
    if not has_value(address, "customer_identification"):
        yield missing_field(
            address, path, "customer_identification", "a parcel to Brazil needs the CPF: 000.000.000-00"
        )
    elif not _is_valid_cpf(number := get_text(address, "customer_identification")):
        message = f"{quote_value(number)} is no CPF: 11 digits, the last two of which check the others."
        yield Problem(join_path(path, "customer_identification"), message)


def _is_valid_cpf(text: str) -> bool:
    """Whether the check digits are right; eleven times the same digit passes the sum, and is nobody's."""
    digits = [int(digit) for digit in text if digit in "0123456789"]
    formed = len(text) == _CPF_DIGITS or (text[3:4], text[7:8], text[11:12], len(text)) == (".", ".", "-", 14)
    if not formed or len(digits) != _CPF_DIGITS or len(set(digits)) == 1:
        return False
    return all(
        digits[place] == sum(digit * (place + 1 - n) for n, digit in enumerate(digits[:place])) * 10 % 11 % 10
        for place in (9, 10)
    )


def require_unique_references(name: str) -> Rule:
    """No two items of a document share their reference."""

    def differ(document: JsonObject, path: str) -> Iterator[Problem]:
        seen: dict[str, str] = {}
        for place, item in _iter_items(document, path):
            reference = get_text(item, name)
            if reference in seen:
                yield Problem(
                    join_path(place, name), f"{quote_value(reference)} is the reference of {seen[reference]} as well."
                )
            elif reference:
                seen[reference] = place

    return differ


def require_single_original(document: JsonObject, path: str) -> Iterator[Problem]:
    """A reorder holds items of one order only (Cloudprinter "Reorders")."""
    name = "reorder_order_reference"
    given = [(place, text) for place, item in _iter_items(document, path) if (text := get_text(item, name))]
    for place, original in given[1:]:
        if original != given[0][1]:
            message = f"{quote_value(original)} is another order than that of {given[0][0]}; a reorder takes items of one order."
            yield Problem(join_path(place, name), message)


def _iter_items(document: JsonObject, path: str) -> Iterator[tuple[str, JsonObject]]:
    items = document.get("items")
    for n, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield f"{join_path(path, 'items')}[{n}]", item
