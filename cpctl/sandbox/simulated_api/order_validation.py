"""What `orders/add` checks, in the order of the document's tables: the first thing wrong is the one that is named.

Source: CloudCore API 1.0, "Add order", and what the live service is known to enforce: `phone` above all.
"""

import re
from http import HTTPStatus
from urllib.parse import urlsplit

from cpctl.sandbox.fixtures.destinations import COUNTRIES
from cpctl.sandbox.fixtures.product_catalog import Product, files_of
from cpctl.sandbox.fixtures.shipping_offers import LEVELS, OPTIONS, Offer, best_offer, offer_of, offers_to
from cpctl.sandbox.model.order_store import Details, File, ItemDetail
from cpctl.sandbox.sandbox_state import State
from cpctl.sandbox.simulated_api.core_quotes import read_currency, read_place
from cpctl.sandbox.simulated_api.item_validation import check_unique, options_of_item, product_of
from cpctl.sandbox.simulated_api.request_fields import (
    Body,
    missing,
    objects,
    required,
    required_objects,
    shown,
    text,
    whole,
    wrong,
)
from cpctl.sandbox.simulated_api.sandbox_response import Refused

_ORDER_FILES = ("delivery_note", "promotion")
_OPTIONAL_IN_ADDRESS = ("company", "street2", "customer_identification")
_MD5 = re.compile("[0-9a-fA-F]{32}")
_PRICE = re.compile(r"[0-9]{1,12}([.,][0-9]{1,6})?")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+")
_CPF = re.compile(r"[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]{2}")


def check_reference(state: State, reference: str) -> None:
    """An order's reference is unique among all orders.

    What the service answers to a second one is not known: neither the status (400 is the only one documented,
    clients expect 409 too) nor the text.
    """
    if state.orders.named(reference) is not None:
        status = HTTPStatus.CONFLICT if state.live else HTTPStatus.BAD_REQUEST
        raise Refused("reference_not_unique", shown(reference), status)


def read_order(state: State, body: Body) -> tuple[str, Details]:
    """The reference and the details of a new order."""
    reference = required(body, "reference")
    check_reference(state, reference)
    email = read_mail(body)
    _check_customs(body)
    addresses = read_addresses(body)
    files = _files(objects(body, "files"), _ORDER_FILES)
    country = addresses[0]["country"]
    rows = required_objects(body, "items")
    _check_reorders(state, rows)
    items = [_item(state, row, country) for row in rows]
    check_unique(item.reference for item in items)
    return reference, Details(email, addresses, items, files)


def read_mail(body: Body) -> str:
    """An e-mail address; the service is not known to look closely."""
    mail = required(body, "email")
    if not _MAIL.fullmatch(mail):
        raise wrong("email", f"{shown(mail)} is not an e-mail address")
    return mail


def _check_customs(body: Body) -> None:
    """The sales price for customs: with a comma, says the document; the official PHP library writes a dot."""
    price = text(body, "price")
    if price and not _PRICE.fullmatch(price):
        raise wrong("price", f"{shown(price)} is not a price such as 12,50")
    read_currency(body)


def read_addresses(body: Body) -> list[dict[str, str]]:
    """The addresses of an order, one or more."""
    return [_address(row) for row in required_objects(body, "addresses")]


def _address(row: Body) -> dict[str, str]:
    if required(row, "type") != "delivery":
        raise wrong("type", f"{shown(text(row, 'type'))} is not delivery")
    found = {"type": "delivery"}
    for name in ("firstname", "lastname", "street1"):
        found[name] = required(row, name)
    zip_code = text(row, "zip")
    known = COUNTRIES.get(text(row, "country"))
    if not zip_code and (known is None or known.needs_zip):
        raise missing("zip")
    found |= {"zip": zip_code, "city": required(row, "city"), "state": text(row, "state")}
    found["country"] = read_place(row)
    found |= {"email": read_mail(row), "phone": required(row, "phone")}
    _check_identification(row)
    return {**found, **{name: text(row, name) for name in _OPTIONAL_IN_ADDRESS if text(row, name)}}


def _check_identification(row: Body) -> None:
    """Brazil wants the CPF of whoever receives a parcel (Cloudprinter "Customer identification")."""
    if text(row, "country") == "BR" and not _CPF.fullmatch(required(row, "customer_identification")):
        raise wrong("customer_identification", "is not like 000.000.000-00")


def _item(state: State, row: Body, country: str) -> ItemDetail:
    reference = required(row, "reference")
    product = product_of(state, row)
    count = whole(row, "count")
    offer = _shipping(state, row, country, reference, product)
    _check_customs(row)
    stock = text(row, "type") == "stock"
    options = options_of_item(product, row)
    files = _item_files(row, product, options, stock)
    return ItemDetail(
        reference,
        product.reference,
        text(row, "title"),
        count,
        "stock" if stock else "product",
        offer.option,
        offer.reference,
        options,
        files,
    )


def _item_files(row: Body, product: Product, options: tuple[tuple[str, int], ...], stock: bool) -> tuple[File, ...]:
    """The files of an item: one of every type that its product and its options need; none for stock."""
    needed = files_of(product, tuple(name for name, _ in options))
    rows = objects(row, "files")
    if stock and not rows:
        return ()
    if not rows:
        raise missing("files")
    files = _files(rows, needed)
    for kind in needed:
        if all(file.type != kind for file in files):
            raise Refused("missing_required_parameter", f"file of type {kind}")
    return files


def _files(rows: list[Body], kinds: tuple[str, ...]) -> tuple[File, ...]:
    return tuple(_file(row, kinds) for row in rows)


def _file(row: Body, kinds: tuple[str, ...]) -> File:
    kind = required(row, "type")
    if kind not in kinds:
        raise wrong("type", f"{shown(kind)} is none of {', '.join(kinds)}")
    url, md5sum = required(row, "url"), required(row, "md5sum")
    if not _is_address(url):
        raise wrong("url", f"{shown(url)} is not an address to fetch a file from")
    if not _MD5.fullmatch(md5sum):
        raise wrong("md5sum", f"{shown(md5sum)} is not 32 hexadecimal digits")
    return File(kind, url, md5sum)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _shipping(state: State, row: Body, country: str, reference: str, product: Product) -> Offer:
    """How an item travels: by its quote, its level or its option, in this order; a reorder needs none of them."""
    if name := text(row, "quote"):
        quote = state.quotes.find(name, state.now())
        if quote is None or (reference, product.reference) not in quote.items:
            raise Refused("quote_not_found", "Quote hash not found or expired")
        return quote.offer
    if level := text(row, "shipping_level"):
        return read_level(level, country)
    if option := text(row, "shipping_option"):
        if option not in OPTIONS:
            raise Refused("shipping_option_unknown", shown(option))
        offer = offer_of(country, option)
        if offer is None:
            raise Refused("shipping_option_not_available", f"{option} does not go to {country}")
        return offer
    if text(row, "reorder_order_reference"):
        return offers_to(country)[-1]
    raise missing("shipping_level")


def read_level(level: str, country: str) -> Offer:
    """The way an order at a level goes to a country: at that level or a higher one."""
    if level not in LEVELS:
        raise Refused("shipping_level_unknown", shown(level))
    offer = best_offer(country, level)
    if offer is None:
        raise Refused("shipping_level_not_available", f"neither {level} nor a higher level goes to {country}")
    return offer


def _check_reorders(state: State, rows: list[Body]) -> None:
    """Reorders name an item of an order there is, and all of one order (Cloudprinter "How to make a reorder")."""
    names = {name for row in rows if (name := text(row, "reorder_order_reference"))}
    if len(names) > 1:
        raise Refused("reorder_of_several_orders", ", ".join(sorted(map(shown, names))))
    for row in rows:
        item = text(row, "reorder_item_reference")
        name = text(row, "reorder_order_reference")
        if item and not name:
            raise missing("reorder_order_reference")
        if not name:
            continue
        order = state.orders.named(name)
        if order is None:
            raise Refused("reorder_order_unknown", shown(name))
        if order.item_named(required(row, "reorder_item_reference")) is None:
            raise Refused("reorder_item_unknown", shown(item))
