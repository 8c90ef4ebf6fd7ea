"""What the fields of one object ask of each other."""

from collections.abc import Callable, Iterator
from typing import Any

from cpctl.order_documents.problems import Problem, filled, join, shown, text_of
from cpctl.order_documents.value_checks import did_you_mean, meant
from cpctl.reference_data import countries
from cpctl.reference_data.country_states import STATE_REQUIRED, STATES

Object = dict[str, Any]
Rule = Callable[[Object, str], Iterator[Problem]]

# What names the shipping of an item, in the order in which the client libraries of Cloudprinter look for it.
SHIPPING = ("quote", "shipping_level", "shipping_option")
# How the references of bound products begin (CloudCore 1.0, "Add order": total_pages required for books).
BOOKS = ("textbook", "book_", "photobook", "magazine", "brochure")

_CPF_DIGITS = 11


# What each rule asks, for those who write a document.
ASKED: dict[str, str] = {
    "product_is_named": "product, or product_reference in its place",
    "shipping_is_chosen": "shipping_level, quote or shipping_option, unless it is a reorder",
    "files_are_given": "files, unless it comes from stock or is a reorder",
    "pages_are_counted": "the option total_pages, of a book",
    "reorder_is_whole": "of a reorder, the original order and the item in it",
    "option_is_named": "type, or option_reference in its place",
    "file_has_a_sum": "md5sum; cpctl computes it of the file that path names",
    "zip_fits": "zip, but for countries that have none",
    "state_fits": "state, of US and CA",
    "customer_is_identified": "customer_identification, of Brazil",
    "references_differ": "references that differ",
    "one_original": "reordered items of one original order",
}


def asked(rule: Rule) -> str:
    """What a rule asks, in words."""
    return ASKED[rule.__qualname__.partition(".")[0]]


def missing(document: Object, path: str, name: str, why: str) -> Problem:
    """The problem of a field that says nothing."""
    return Problem(join(path, name), f"{'is empty' if name in document else 'is missing'} ({why}).")


def product_is_named(item: Object, path: str) -> Iterator[Problem]:
    """The API takes `product`, and `product_reference` as a synonym."""
    if not filled(item, "product") and not filled(item, "product_reference"):
        yield missing(item, path, "product", "the reference of the product, see `cpctl products list`")


def shipping_is_chosen(item: Object, path: str) -> Iterator[Problem]:
    """An item says how it travels, unless it goes the way of the item it replaces."""
    given = [name for name in SHIPPING if filled(item, name)]
    if not given and not filled(item, "reorder_order_reference"):
        yield missing(item, path, "shipping_level", "give shipping_level, quote or shipping_option")
    for name in given[1:]:
        yield Problem(join(path, name), f"{given[0]} is given as well, and comes first.", warning=True)


def files_are_given(item: Object, path: str) -> Iterator[Problem]:
    """Stock is printed already, and a reorder prints the files of the original."""
    if text_of(item, "type") == "stock" or filled(item, "reorder_order_reference"):
        return
    if item.get("files") in (None, []):
        yield missing(item, path, "files", "what to print: type, url, and md5sum or path, of each file")


def pages_are_counted(item: Object, path: str) -> Iterator[Problem]:
    """A book needs the option total_pages."""
    product = text_of(item, "product") or text_of(item, "product_reference")
    options = item.get("options")
    given = [_option_of(each) for each in options] if isinstance(options, list) else []
    if product.startswith(BOOKS) and "total_pages" not in given:
        yield Problem(join(path, "options"), f"total_pages is not among them; {product} is a book.", warning=True)


def _option_of(option: Any) -> str:
    return (text_of(option, "type") or text_of(option, "option_reference")) if isinstance(option, dict) else ""


def reorder_is_whole(item: Object, path: str) -> Iterator[Problem]:
    """A reorder names the original order and the item in it."""
    order, original = "reorder_order_reference", "reorder_item_reference"
    if filled(item, original) and not filled(item, order):
        yield missing(item, path, order, f"{original} needs the order it belongs to")
    if filled(item, order) and not filled(item, original):
        yield missing(item, path, original, f"{order} needs the item in that order")
    if filled(item, "reorder_cause") and not filled(item, order) and not filled(item, original):
        message = f"{order} and {original} are missing; without them the item is no reorder."
        yield Problem(join(path, "reorder_cause"), message, warning=True)


def option_is_named(option: Object, path: str) -> Iterator[Problem]:
    """The API takes `type`, and `option_reference` as a synonym; both mean the reference."""
    if not filled(option, "type") and not filled(option, "option_reference"):
        yield missing(option, path, "type", "the reference of the option, such as total_pages")


def file_has_a_sum(file: Object, path: str) -> Iterator[Problem]:
    """The sum is given, or computed of a file at hand; not both, because they may differ."""
    if filled(file, "md5sum") and filled(file, "path"):
        yield Problem(join(path, "path"), "md5sum is given as well; leave one of them out.")
    if not filled(file, "md5sum") and not filled(file, "path"):
        yield missing(file, path, "md5sum", "32 hexadecimal digits; or the `path` of the file, to have it computed")


def _country_of(address: Object) -> str:
    """The code of the country that is written or meant: what "Ireland" asks for is what "IE" will ask for."""
    written = text_of(address, "country")
    return written if written in countries.COUNTRIES else meant(written, countries.COUNTRIES, countries.MEANT)


def zip_fits(address: Object, path: str) -> Iterator[Problem]:
    """Everywhere but in the countries that have none."""
    if not filled(address, "zip") and _country_of(address) not in countries.WITHOUT_ZIP:
        yield missing(address, path, "zip", "the postal code")


def state_fits(address: Object, path: str) -> Iterator[Problem]:
    """US and CA need a known state; other countries that have states may; of the rest only the form is known."""
    country, state = _country_of(address), text_of(address, "state")
    states, needed = STATES.get(country), country in STATE_REQUIRED
    if states is None:
        yield from _foreign_state(country, state, join(path, "state"))
    elif needed and not filled(address, "state"):
        yield missing(address, path, "state", f"{country} needs one, such as {next(iter(states))}")
    elif state and state not in states:
        hint = did_you_mean(meant(state, states, {}), states, f"`cpctl shipping states {country}` lists them.")
        yield Problem(join(path, "state"), f"{shown(state)} is no state of {country}. {hint}", warning=not needed)


def _foreign_state(country: str, state: str, path: str) -> Iterator[Problem]:
    code = state.isascii() and state.isalnum() and len(state) <= 3
    if state and country in countries.COUNTRIES and not code:
        message = f"{shown(state)} is no code of a state; `cpctl shipping states {country}` lists those that are known."
        yield Problem(path, message, warning=True)


def customer_is_identified(address: Object, path: str) -> Iterator[Problem]:
    """Brazil wants the CPF of whoever receives a parcel (Cloudprinter "Customer identification")."""
    if _country_of(address) != "BR":
        return
    if not filled(address, "customer_identification"):
        yield missing(address, path, "customer_identification", "a parcel to Brazil needs the CPF: 000.000.000-00")
    elif not _is_cpf(number := text_of(address, "customer_identification")):
        message = f"{shown(number)} is no CPF: 11 digits, the last two of which check the others."
        yield Problem(join(path, "customer_identification"), message)


def _is_cpf(text: str) -> bool:
    """Whether the check digits are right; eleven times the same digit passes the sum, and is nobody's."""
    digits = [int(digit) for digit in text if digit in "0123456789"]
    formed = len(text) == _CPF_DIGITS or (text[3:4], text[7:8], text[11:12], len(text)) == (".", ".", "-", 14)
    if not formed or len(digits) != _CPF_DIGITS or len(set(digits)) == 1:
        return False
    return all(
        digits[place] == sum(digit * (place + 1 - n) for n, digit in enumerate(digits[:place])) * 10 % 11 % 10
        for place in (9, 10)
    )


def references_differ(name: str) -> Rule:
    """No two items of a document share their reference."""

    def differ(document: Object, path: str) -> Iterator[Problem]:
        seen: dict[str, str] = {}
        for place, item in _items(document, path):
            reference = text_of(item, name)
            if reference in seen:
                yield Problem(join(place, name), f"{shown(reference)} is the reference of {seen[reference]} as well.")
            elif reference:
                seen[reference] = place

    return differ


def one_original(document: Object, path: str) -> Iterator[Problem]:
    """A reorder holds items of one order only (Cloudprinter "Reorders")."""
    name = "reorder_order_reference"
    given = [(place, text) for place, item in _items(document, path) if (text := text_of(item, name))]
    for place, original in given[1:]:
        if original != given[0][1]:
            message = (
                f"{shown(original)} is another order than that of {given[0][0]}; a reorder takes items of one order."
            )
            yield Problem(join(place, name), message)


def _items(document: Object, path: str) -> Iterator[tuple[str, Object]]:
    items = document.get("items")
    for n, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield f"{join(path, 'items')}[{n}]", item
