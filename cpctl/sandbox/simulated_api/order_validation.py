"""What `orders/add` checks, in the order of the document's tables: the first thing wrong is the one that is named.

Source: CloudCore API 1.0, "Add order", and what the live service is known to enforce: `phone` above all.
"""

import re
from http import HTTPStatus
from urllib.parse import urlsplit

from cpctl.sandbox.fixtures.destinations import DESTINATIONS
from cpctl.sandbox.fixtures.product_catalog import Product, required_file_types
from cpctl.sandbox.fixtures.shipping_offers import (
    SHIPPING_LEVELS,
    SHIPPING_OPTIONS,
    ShippingOffer,
    find_best_offer,
    find_offer,
    list_offers,
)
from cpctl.sandbox.model.order_store import OrderDetails, OrderedItem, OrderFile
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.core_quotes import read_country, read_currency
from cpctl.sandbox.simulated_api.item_validation import check_item_references, find_product, read_item_options
from cpctl.sandbox.simulated_api.request_fields import (
    Body,
    invalid_parameter,
    missing_parameter,
    read_objects,
    read_positive_int,
    read_required,
    read_required_objects,
    read_text,
    shorten_value,
)
from cpctl.sandbox.simulated_api.sandbox_response import SandboxRefusal

_ORDER_FILE_TYPES = ("delivery_note", "promotion")
_OPTIONAL_ADDRESS_FIELDS = ("company", "street2", "customer_identification")
_MD5_PATTERN = re.compile("[0-9a-fA-F]{32}")
_PRICE_PATTERN = re.compile(r"[0-9]{1,12}([.,][0-9]{1,6})?")
_EMAIL_PATTERN = re.compile(r"[^\s@]+@[^\s@]+")
_CPF_PATTERN = re.compile(r"[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]{2}")


def check_order_reference(state: SandboxState, reference: str) -> None:
    """An order's reference is unique among all orders.

    What the service answers to a second one is not known: neither the status (400 is the only one documented,
    clients expect 409 too) nor the text.
    """
    if state.orders.find(reference) is not None:
        status = HTTPStatus.CONFLICT if state.is_live else HTTPStatus.BAD_REQUEST
        raise SandboxRefusal("reference_not_unique", shorten_value(reference), status)


def read_order(state: SandboxState, body: Body) -> tuple[str, OrderDetails]:
    """The reference and the details of a new order."""
    reference = read_required(body, "reference")
    check_order_reference(state, reference)
    email = read_email(body)
    _check_customs_price(body)
    addresses = read_addresses(body)
    files = _read_files(read_objects(body, "files"), _ORDER_FILE_TYPES)
    country = addresses[0]["country"]
    rows = read_required_objects(body, "items")
    _check_reorders(state, rows)
    items = [_read_item(state, row, country) for row in rows]
    check_item_references(item.reference for item in items)
    return reference, OrderDetails(email, addresses, items, files)


def read_email(body: Body) -> str:
    """An e-mail address; the service is not known to look closely."""
    mail = read_required(body, "email")
    if not _EMAIL_PATTERN.fullmatch(mail):
        raise invalid_parameter("email", f"{shorten_value(mail)} is not an e-mail address")
    return mail


def _check_customs_price(body: Body) -> None:
    """The sales price for customs: with a comma, says the document; the official PHP library writes a dot."""
    price = read_text(body, "price")
    if price and not _PRICE_PATTERN.fullmatch(price):
        raise invalid_parameter("price", f"{shorten_value(price)} is not a price such as 12,50")
    read_currency(body)


def read_addresses(body: Body) -> list[dict[str, str]]:
    """The addresses of an order, one or more."""
    return [_read_address(row) for row in read_required_objects(body, "addresses")]


def _read_address(row: Body) -> dict[str, str]:
    if read_required(row, "type") != "delivery":
        raise invalid_parameter("type", f"{shorten_value(read_text(row, 'type'))} is not delivery")
    found = {"type": "delivery"}
    for name in ("firstname", "lastname", "street1"):
        found[name] = read_required(row, name)
    zip_code = read_text(row, "zip")
    known = DESTINATIONS.get(read_text(row, "country"))
    if not zip_code and (known is None or known.requires_zip):
        raise missing_parameter("zip")
    found |= {"zip": zip_code, "city": read_required(row, "city"), "state": read_text(row, "state")}
    found["country"] = read_country(row)
    found |= {"email": read_email(row), "phone": read_required(row, "phone")}
    _check_identification(row)
    return {**found, **{name: read_text(row, name) for name in _OPTIONAL_ADDRESS_FIELDS if read_text(row, name)}}


def _check_identification(row: Body) -> None:
    """Brazil wants the CPF of whoever receives a parcel (Cloudprinter "Customer identification")."""
    if read_text(row, "country") == "BR" and not _CPF_PATTERN.fullmatch(read_required(row, "customer_identification")):
        raise invalid_parameter("customer_identification", "is not like 000.000.000-00")


def _read_item(state: SandboxState, row: Body, country: str) -> OrderedItem:
    reference = read_required(row, "reference")
    product = find_product(state, row)
    count = read_positive_int(row, "count")
    offer = _select_offer(state, row, country, reference, product)
    _check_customs_price(row)
    stock = read_text(row, "type") == "stock"
    options = read_item_options(product, row)
    files = _read_item_files(row, product, options, stock)
    return OrderedItem(
        reference,
        product.reference,
        read_text(row, "title"),
        count,
        "stock" if stock else "product",
        offer.option,
        offer.reference,
        options,
        files,
    )


def _read_item_files(
    row: Body, product: Product, options: tuple[tuple[str, int], ...], stock: bool
) -> tuple[OrderFile, ...]:
    """The files of an item: one of every type that its product and its options need; none for stock."""
    needed = required_file_types(product, tuple(name for name, _ in options))
    rows = read_objects(row, "files")
    if stock and not rows:
        return ()
    if not rows:
        raise missing_parameter("files")
    files = _read_files(rows, needed)
    for kind in needed:
        if all(file.type != kind for file in files):
            raise SandboxRefusal("missing_required_parameter", f"file of type {kind}")
    return files


def _read_files(rows: list[Body], kinds: tuple[str, ...]) -> tuple[OrderFile, ...]:
    return tuple(_read_file(row, kinds) for row in rows)


def _read_file(row: Body, kinds: tuple[str, ...]) -> OrderFile:
    kind = read_required(row, "type")
    if kind not in kinds:
        raise invalid_parameter("type", f"{shorten_value(kind)} is none of {', '.join(kinds)}")
    url, md5sum = read_required(row, "url"), read_required(row, "md5sum")
    if not _is_http_url(url):
        raise invalid_parameter("url", f"{shorten_value(url)} is not an address to fetch a file from")
    if not _MD5_PATTERN.fullmatch(md5sum):
        raise invalid_parameter("md5sum", f"{shorten_value(md5sum)} is not 32 hexadecimal digits")
    return OrderFile(kind, url, md5sum)


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _select_offer(state: SandboxState, row: Body, country: str, reference: str, product: Product) -> ShippingOffer:
    """How an item travels: by its quote, its level or its option, in this order; a reorder needs none of them."""
    if name := read_text(row, "quote"):
        quote = state.quotes.find(name, state.now())
        if quote is None or (reference, product.reference) not in quote.items:
            raise SandboxRefusal("quote_not_found", "Quote hash not found or expired")
        return quote.offer
    if level := read_text(row, "shipping_level"):
        return select_offer_by_level(level, country)
    if option := read_text(row, "shipping_option"):
        if option not in SHIPPING_OPTIONS:
            raise SandboxRefusal("shipping_option_unknown", shorten_value(option))
        offer = find_offer(country, option)
        if offer is None:
            raise SandboxRefusal("shipping_option_not_available", f"{option} does not go to {country}")
        return offer
    if read_text(row, "reorder_order_reference"):
        return list_offers(country)[-1]
    raise missing_parameter("shipping_level")


def select_offer_by_level(level: str, country: str) -> ShippingOffer:
    """The way an order at a level goes to a country: at that level or a higher one."""
    if level not in SHIPPING_LEVELS:
        raise SandboxRefusal("shipping_level_unknown", shorten_value(level))
    offer = find_best_offer(country, level)
    if offer is None:
        raise SandboxRefusal("shipping_level_not_available", f"neither {level} nor a higher level goes to {country}")
    return offer


def _check_reorders(state: SandboxState, rows: list[Body]) -> None:
    """Reorders name an item of an order there is, and all of one order (Cloudprinter "How to make a reorder")."""
    names = {name for row in rows if (name := read_text(row, "reorder_order_reference"))}
    if len(names) > 1:
        raise SandboxRefusal("reorder_of_several_orders", ", ".join(sorted(map(shorten_value, names))))
    for row in rows:
        item = read_text(row, "reorder_item_reference")
        name = read_text(row, "reorder_order_reference")
        if item and not name:
            raise missing_parameter("reorder_order_reference")
        if not name:
            continue
        order = state.orders.find(name)
        if order is None:
            raise SandboxRefusal("reorder_order_unknown", shorten_value(name))
        if order.find_item(read_required(row, "reorder_item_reference")) is None:
            raise SandboxRefusal("reorder_item_unknown", shorten_value(item))
