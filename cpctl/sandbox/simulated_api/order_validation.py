"""The checks of orders and quotes, in the order of the document's tables: the first error is the one in the response.

Source: CloudCore API 1.0, "Add order" and "Order quote", and what the live service is known to enforce, above all
`phone`; nine probes of it for the shape of options: it reads `type`, else `option_reference`, as the reference of the
option, and nothing else but `count`.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from cpctl.reference_data.countries import COUNTRIES, COUNTRIES_WITHOUT_ZIP
from cpctl.reference_data.country_states import STATES_BY_COUNTRY
from cpctl.reference_data.currencies import CURRENCIES
from cpctl.sandbox.fixtures import shipping_offers
from cpctl.sandbox.fixtures.product_catalog import PRODUCT_OPTIONS, TOTAL_PAGES, Product, required_file_types
from cpctl.sandbox.model.order_models import MAX_ITEMS_PER_ORDER, OrderDetails, OrderedItem, OrderFile
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.api_messages import RequestBody, SandboxRefusal, shorten

_ORDER_FILE_TYPES = ("delivery_note", "promotion")
_OPTIONAL_ADDRESS_FIELDS = ("company", "street2", "customer_identification")
_MD5_PATTERN = re.compile("[0-9a-fA-F]{32}")
# The document writes the price for customs with a comma; the official PHP library writes a dot.
_PRICE_PATTERN = re.compile(r"[0-9]{1,12}([.,][0-9]{1,6})?")
_EMAIL_PATTERN = re.compile(r"[^\s@]+@[^\s@]+")
_CPF_PATTERN = re.compile(r"[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]{2}")


def check_order_reference(state: SandboxState, reference: str) -> None:
    """Refuse a reference that another order has.

    How the service responds is not known: neither the status (only 400 is documented, clients expect 409, too)
    nor the text.
    """
    if state.orders.find(reference) is not None:
        status = HTTPStatus.CONFLICT if state.is_live else HTTPStatus.BAD_REQUEST
        raise SandboxRefusal("reference_not_unique", shorten(reference), status)


def read_order(state: SandboxState, body: RequestBody) -> tuple[str, OrderDetails]:
    """The reference and the details of a new order."""
    reference = body.required("reference")
    check_order_reference(state, reference)
    email = read_email(body)
    _check_customs_price(body)
    addresses = [read_address(row) for row in body.required_objects("addresses")]
    files = tuple(_read_file(row, _ORDER_FILE_TYPES) for row in body.objects("files"))
    rows = body.required_objects("items")
    _check_reorders(state, rows)
    items = [_read_item(state, row, addresses[0]["country"]) for row in rows]
    check_item_references(item.reference for item in items)
    return reference, OrderDetails(email, addresses, items, files)


def read_email(body: RequestBody) -> str:
    """An e-mail address; the service is not known to check more than this."""
    email = body.required("email")
    if not _EMAIL_PATTERN.fullmatch(email):
        raise body.invalid("email", f"{shorten(email)} is not an e-mail address")
    return email


def _check_customs_price(body: RequestBody) -> None:
    price = body.text("price")
    if price and not _PRICE_PATTERN.fullmatch(price):
        raise body.invalid("price", f"{shorten(price)} is not a price such as 12,50")
    read_currency(body)


def read_address(row: RequestBody) -> dict[str, str]:
    if row.required("type") != "delivery":
        raise row.invalid("type", f"{shorten(row.text('type'))} is not delivery")
    address = {"type": "delivery", **{name: row.required(name) for name in ("firstname", "lastname", "street1")}}
    country = row.text("country")
    if not row.text("zip") and country not in COUNTRIES_WITHOUT_ZIP:
        raise row.missing("zip")
    address |= {"zip": row.text("zip"), "city": row.required("city"), "state": row.text("state")}
    address |= {"country": read_country(row), "email": read_email(row), "phone": row.required("phone")}
    # The receiver of a parcel to Brazil needs a CPF number (Cloudprinter "Customer identification").
    if country == "BR" and not _CPF_PATTERN.fullmatch(row.required("customer_identification")):
        raise row.invalid("customer_identification", "is not like 000.000.000-00")
    return {**address, **{name: row.text(name) for name in _OPTIONAL_ADDRESS_FIELDS if row.text(name)}}


def _read_item(state: SandboxState, row: RequestBody, country: str) -> OrderedItem:
    reference = row.required("reference")
    product = find_product(state, row)
    count = row.positive_integer("count")
    offer = _select_offer(state, row, country, reference, product)
    _check_customs_price(row)
    item_type = "stock" if row.text("type") == "stock" else "product"
    options = read_item_options(product, row)
    files = _read_item_files(row, product, options, item_type)
    ordered = (reference, product.reference, row.text("title"), count, item_type)
    return OrderedItem(*ordered, offer.option, offer.reference, options, files)


def _read_item_files(
    row: RequestBody, product: Product, options: tuple[tuple[str, int], ...], item_type: str
) -> tuple[OrderFile, ...]:
    """The files of an item: one of each type that its product and its options need; none for stock."""
    needed = required_file_types(product, tuple(name for name, _ in options))
    rows = row.objects("files")
    if not rows:
        if item_type == "stock":
            return ()
        raise row.missing("files")
    files = tuple(_read_file(file, needed) for file in rows)
    for file_type in needed:
        if all(file.type != file_type for file in files):
            raise row.missing(f"file of type {file_type}")
    return files


def _read_file(row: RequestBody, types: tuple[str, ...]) -> OrderFile:
    file_type = row.required("type")
    if file_type not in types:
        raise row.invalid("type", f"{shorten(file_type)} is none of {', '.join(types)}")
    url, md5sum = row.required("url"), row.required("md5sum")
    if not _is_http_url(url):
        raise row.invalid("url", f"{shorten(url)} is not an address to fetch a file from")
    if not _MD5_PATTERN.fullmatch(md5sum):
        raise row.invalid("md5sum", f"{shorten(md5sum)} is not 32 hexadecimal digits")
    return OrderFile(file_type, url, md5sum)


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _select_offer(
    state: SandboxState, row: RequestBody, country: str, reference: str, product: Product
) -> shipping_offers.ShippingOffer:
    """How an item is shipped: by its quote, level or option, in this order; a reorder needs none of them."""
    if quote_hash := row.text("quote"):
        quote = state.quotes.find(quote_hash, state.now())
        if quote is None or (reference, product.reference) not in quote.items:
            raise row.refusal("quote_not_found", "Quote hash not found or expired")
        return quote.offer
    if level := row.text("shipping_level"):
        return select_offer_by_level(level, country)
    if option := row.text("shipping_option"):
        if option not in shipping_offers.SHIPPING_OPTIONS:
            raise row.refusal("shipping_option_unknown", shorten(option))
        for offer in shipping_offers.list_offers(country):
            if offer.reference == option:
                return offer
        raise row.refusal("shipping_option_not_available", f"{option} does not go to {country}")
    if row.text("reorder_order_reference"):
        return shipping_offers.list_offers(country)[-1]
    raise row.missing("shipping_level")


def select_offer_by_level(level: str, country: str) -> shipping_offers.ShippingOffer:
    """The cheapest offer to a country at that level or a higher one."""
    if level not in shipping_offers.SHIPPING_LEVELS:
        raise SandboxRefusal("shipping_level_unknown", shorten(level))
    offer = shipping_offers.find_best_offer(country, level)
    if offer is None:
        raise SandboxRefusal("shipping_level_not_available", f"neither {level} nor a higher level goes to {country}")
    return offer


def _check_reorders(state: SandboxState, rows: list[RequestBody]) -> None:
    """Reorders name existing items, all of one order (Cloudprinter "How to make a reorder")."""
    names = {name for row in rows if (name := row.text("reorder_order_reference"))}
    if len(names) > 1:
        raise SandboxRefusal("reorder_of_several_orders", ", ".join(sorted(map(shorten, names))))
    for row in rows:
        item, name = row.text("reorder_item_reference"), row.text("reorder_order_reference")
        if item and not name:
            raise row.missing("reorder_order_reference")
        if not name:
            continue
        order = state.orders.find(name)
        if order is None:
            raise row.refusal("reorder_order_unknown", shorten(name))
        if order.find_item(row.required("reorder_item_reference")) is None:
            raise row.refusal("reorder_item_unknown", shorten(item))


def read_country(body: RequestBody) -> str:
    """The country of a request, after a check of its state where one is required.

    The document requires a state in the US and in Canada, and `require_state` names more countries, such as AE. Here
    every country with a list of states requires one; the service's own list is longer.
    """
    country = body.required("country")
    if country not in COUNTRIES:
        raise body.refusal("country_unknown", shorten(country))
    if country in STATES_BY_COUNTRY and body.required("state") not in STATES_BY_COUNTRY[country]:
        raise body.refusal("state_unknown", shorten(body.text("state")))
    return country


def read_currency(body: RequestBody) -> str:
    """A currency of ISO 4217, or an empty text."""
    currency = body.text("currency")
    if currency and currency not in CURRENCIES:
        raise body.refusal("currency_unknown", shorten(currency))
    return currency


def check_item_references(references: Iterable[str]) -> None:
    """Refuse duplicate references of items, and more items than there are ids."""
    seen: set[str] = set()
    for reference in references:
        if reference in seen:
            raise SandboxRefusal("item_reference_not_unique", shorten(reference))
        seen.add(reference)
    if len(seen) > MAX_ITEMS_PER_ORDER:
        raise SandboxRefusal("invalid_parameter", f"items has more than {MAX_ITEMS_PER_ORDER} rows")


def find_product(state: SandboxState, item: RequestBody) -> Product:
    """The product of an item; the live service reads `product_reference`, too."""
    name = item.text("product") or item.text("product_reference")
    if not name:
        raise item.missing("product")
    if name not in state.products:
        raise item.refusal("product_unknown", shorten(name))
    return state.products[name]


def read_item_options(product: Product, item: RequestBody) -> tuple[tuple[str, int], ...]:
    """The options of an item with their counts; a family without an option has its default."""
    counts: dict[str, int] = {}
    families: set[str] = set()
    for row in item.objects("options"):
        name = row.text("type") or row.text("option_reference")
        if not name:
            raise row.missing("option_reference is missing")
        count = row.positive_integer("count")
        if name != TOTAL_PAGES and name not in product.method.option_references:
            raise row.refusal("option_unknown", shorten(name))
        family = PRODUCT_OPTIONS[name].family if name in PRODUCT_OPTIONS else name
        if family in families:
            raise row.refusal("option_type_not_unique", name)
        families.add(family)
        counts[name] = count
    if product.has_pages and TOTAL_PAGES not in counts:
        raise item.missing(TOTAL_PAGES)
    return tuple(counts.items())
