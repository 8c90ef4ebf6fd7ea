"""The orders that a sandbox starts with: uploaded to the production, which has not reported anything yet."""

from datetime import datetime, timedelta
from hashlib import md5

from cpctl.sandbox.fixtures.product_catalog import PRODUCTS, Product, list_product_options, required_file_types
from cpctl.sandbox.fixtures.product_options import TOTAL_PAGES
from cpctl.sandbox.fixtures.shipping_offers import list_offers
from cpctl.sandbox.model.order_models import (
    OrderDetails,
    OrderedItem,
    OrderFile,
    OrderSummary,
    SandboxOrder,
    StateChange,
    format_order_id,
    make_items,
)
from cpctl.sandbox.model.order_schedule import NEW, STATE_STEPS, UPLOADED

# Seed orders are a second apart; the last of the largest number of orders must have reached its state, too.
_SEED_AGE = timedelta(days=2)
_ADDRESS_FIELDS = ("firstname", "lastname", "street1", "zip", "city", "state", "country")
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
_ACTIVE_PRODUCTS: tuple[Product, ...] = tuple(
    product for product in PRODUCTS.values() if not product.method.category.startswith("z_")
)


class SeedOrders:
    """Builds seed orders, each from its index alone."""

    def __init__(self, order_count: int, items_per_order: int, now: datetime) -> None:
        self.order_count, self.items_per_order = order_count, items_per_order
        self._first_created_at = now - _SEED_AGE

    def summarize(self, index: int) -> OrderSummary:
        return OrderSummary(f"order-{index + 1}", self._first_created_at + timedelta(seconds=index), UPLOADED)

    def build_order(self, index: int) -> SandboxOrder:
        id, summary = format_order_id(index), self.summarize(index)
        changes = [StateChange(NEW, summary.created_at)]
        for state, seconds in STATE_STEPS:
            changes.append(StateChange(state, changes[-1].changed_at + timedelta(seconds=seconds)))
        items = make_items(id, self.items_per_order)
        details = _build_details(index, summary.reference, self.items_per_order)
        return SandboxOrder(id, items, summary.reference, summary.created_at, details, changes, UPLOADED)


def _build_details(index: int, reference: str, item_count: int) -> OrderDetails:
    customer = dict(zip(_ADDRESS_FIELDS, _CUSTOMERS[index % len(_CUSTOMERS)], strict=True))
    email = f"{customer['firstname']}.{customer['lastname']}@example.com".lower()
    address = {"type": "delivery", **customer, "email": email, "phone": f"+3160000{index % 10000:04d}"}
    items = [_build_item(f"{reference}-{n + 1}", index + n, customer["country"]) for n in range(item_count)]
    return OrderDetails("support@example.com", [address], items)


def _build_item(reference: str, seed: int, country: str) -> OrderedItem:
    product = _ACTIVE_PRODUCTS[seed % len(_ACTIVE_PRODUCTS)]
    offers = list_offers(country)
    offer = offers[seed % len(offers)]
    chosen = tuple(option.reference for option, is_default in list_product_options(product) if is_default)
    pages = ((TOTAL_PAGES, 24 + 4 * (seed % 30)),) if product.has_pages else ()
    options = (*pages, *((name, 1) for name in chosen))
    files = tuple(_build_file(reference, file_type) for file_type in required_file_types(product, chosen))
    ordered = (reference, product.reference, product.name, 1 + seed % 3, "product")
    return OrderedItem(*ordered, offer.option, offer.reference, options, files)


def _build_file(reference: str, file_type: str) -> OrderFile:
    digest = md5(f"{reference}/{file_type}".encode(), usedforsecurity=False).hexdigest()
    return OrderFile(file_type, f"https://download.example.com/files/{digest}", digest)
