"""The orders that are there from the start: uploaded, and waiting for what the production says of them."""

from datetime import datetime, timedelta
from hashlib import md5

from cpctl.sandbox.fixtures.product_catalog import PRODUCTS, Product, list_product_options, required_file_types
from cpctl.sandbox.fixtures.product_options import TOTAL_PAGES
from cpctl.sandbox.fixtures.shipping_offers import list_offers
from cpctl.sandbox.model.order_schedule import NEW, STATE_STEPS, UPLOADED
from cpctl.sandbox.model.order_store import (
    OrderDetails,
    OrderedItem,
    OrderFile,
    OrderSummary,
    SandboxItem,
    SandboxOrder,
    StateChange,
    format_order_id,
    list_item_ids,
)

# Before the start, so that even the last of the most orders there can be has gone its way.
_SEED_AGE = timedelta(days=2)

_CUSTOMERS: tuple[tuple[str, str, str, str, str, str, str], ...] = (
    ("Anna", "Jansen", "Keizersgracht 12", "1015 CJ", "Amsterdam", "", "NL"),
    ("Max", "Weber", "Lindenstraße 5", "10969", "Berlin", "", "DE"),
    ("Camille", "Moreau", "12 rue des Lilas", "75020", "Paris", "", "FR"),
    ("Emma", "Peeters", "Kerkstraat 44", "2000", "Antwerpen", "", "BE"),
    ("Mary", "Miller", "400 Oak Avenue", "33101", "Miami", "FL", "US"),
    ("Noah", "Tremblay", "88 rue Sherbrooke", "H2X 1X4", "Montréal", "QC", "CA"),
    ("Oliver", "Brown", "7 High Street", "M1 1AA", "Manchester", "", "GB"),
    ("Sofia", "Nielsen", "Nørregade 3", "1165", "København", "", "DK"),
)


class SeedOrders:
    """Makes the orders of the start, each from its number alone."""

    def __init__(self, now: datetime) -> None:
        self._first_created_at = now - _SEED_AGE

    def summarize(self, index: int) -> OrderSummary:
        """What the list of all orders says of one that nobody has asked for."""
        return OrderSummary(f"order-{index + 1}", self._first_created_at + timedelta(seconds=index), UPLOADED)

    def build_order(self, index: int, items: int) -> SandboxOrder:
        """The order with that number, from 0."""
        id, seen = format_order_id(index), self.summarize(index)
        ids = list_item_ids(id, items)
        log = [StateChange(NEW, seen.created_at)]
        for state, seconds in STATE_STEPS:
            log.append(StateChange(state, log[-1].changed_at + timedelta(seconds=seconds)))
        return SandboxOrder(
            id,
            {name: SandboxItem(name, id) for name in ids},
            seen.reference,
            seen.created_at,
            lambda: _build_details(index, seen.reference, items),
            log,
            UPLOADED,
        )


def _build_details(index: int, reference: str, items: int) -> OrderDetails:
    first, last, street, zip_code, city, state, country = _CUSTOMERS[index % len(_CUSTOMERS)]
    mail = f"{first}.{last}@example.com".lower()
    address = {
        "type": "delivery",
        "firstname": first,
        "lastname": last,
        "street1": street,
        "zip": zip_code,
        "city": city,
        "state": state,
        "country": country,
        "email": mail,
        "phone": f"+3160000{index % 10000:04d}",
    }
    made = [_build_item(f"{reference}-{place + 1}", index + place, country) for place in range(items)]
    return OrderDetails("support@example.com", [address], made)


def _build_item(reference: str, seed: int, country: str) -> OrderedItem:
    product = _ACTIVE_PRODUCTS[seed % len(_ACTIVE_PRODUCTS)]
    offers = list_offers(country)
    offer = offers[seed % len(offers)]
    chosen = tuple(option.reference for option, default in list_product_options(product) if default)
    pages = ((TOTAL_PAGES, 24 + 4 * (seed % 30)),) if product.has_pages else ()
    files = tuple(_build_file(reference, kind) for kind in required_file_types(product, chosen))
    options = (*pages, *((name, 1) for name in chosen))
    return OrderedItem(
        reference,
        product.reference,
        product.name,
        1 + seed % 3,
        "product",
        offer.option,
        offer.reference,
        options,
        files,
    )


def _build_file(reference: str, kind: str) -> OrderFile:
    mark = md5(f"{reference}/{kind}".encode(), usedforsecurity=False).hexdigest()
    return OrderFile(kind, f"https://download.example.com/files/{mark}", mark)


_ACTIVE_PRODUCTS: tuple[Product, ...] = tuple(
    product for product in PRODUCTS.values() if not product.method.category.startswith("z_")
)
