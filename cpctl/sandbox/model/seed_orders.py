"""The orders that are there from the start: uploaded, and waiting for what the production says of them."""

from datetime import datetime, timedelta
from hashlib import md5

from cpctl.sandbox.fixtures.product_catalog import PRODUCTS, Product, files_of, options_of
from cpctl.sandbox.fixtures.product_options import TOTAL_PAGES
from cpctl.sandbox.fixtures.shipping_offers import offers_to
from cpctl.sandbox.model.order_schedule import NEW, PATH, UPLOADED
from cpctl.sandbox.model.order_store import Change, Details, File, Item, ItemDetail, Order, Summary, item_ids, order_id

# Before the start, so that even the last of the most orders there can be has gone its way.
_AGE = timedelta(days=2)

_PEOPLE: tuple[tuple[str, str, str, str, str, str, str], ...] = (
    ("Anna", "Jansen", "Keizersgracht 12", "1015 CJ", "Amsterdam", "", "NL"),
    ("Max", "Weber", "Lindenstraße 5", "10969", "Berlin", "", "DE"),
    ("Camille", "Moreau", "12 rue des Lilas", "75020", "Paris", "", "FR"),
    ("Emma", "Peeters", "Kerkstraat 44", "2000", "Antwerpen", "", "BE"),
    ("Mary", "Miller", "400 Oak Avenue", "33101", "Miami", "FL", "US"),
    ("Noah", "Tremblay", "88 rue Sherbrooke", "H2X 1X4", "Montréal", "QC", "CA"),
    ("Oliver", "Brown", "7 High Street", "M1 1AA", "Manchester", "", "GB"),
    ("Sofia", "Nielsen", "Nørregade 3", "1165", "København", "", "DK"),
)


class Start:
    """Makes the orders of the start, each from its number alone."""

    def __init__(self, now: datetime) -> None:
        self._oldest = now - _AGE

    def glance(self, index: int) -> Summary:
        """What the list of all orders says of one that nobody has asked for."""
        return Summary(f"order-{index + 1}", self._oldest + timedelta(seconds=index), UPLOADED)

    def make(self, index: int, items: int) -> Order:
        """The order with that number, from 0."""
        id, seen = order_id(index), self.glance(index)
        ids = item_ids(id, items)
        log = [Change(NEW, seen.born)]
        for state, seconds in PATH:
            log.append(Change(state, log[-1].time + timedelta(seconds=seconds)))
        return Order(
            id,
            {name: Item(name, id) for name in ids},
            seen.reference,
            seen.born,
            lambda: _details(index, seen.reference, items),
            log,
            UPLOADED,
        )


def _details(index: int, reference: str, items: int) -> Details:
    first, last, street, zip_code, city, state, country = _PEOPLE[index % len(_PEOPLE)]
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
    made = [_item(f"{reference}-{place + 1}", index + place, country) for place in range(items)]
    return Details("support@example.com", [address], made)


def _item(reference: str, seed: int, country: str) -> ItemDetail:
    product = _WARES[seed % len(_WARES)]
    offers = offers_to(country)
    offer = offers[seed % len(offers)]
    chosen = tuple(option.reference for option, default in options_of(product) if default)
    pages = ((TOTAL_PAGES, 24 + 4 * (seed % 30)),) if product.has_pages else ()
    files = tuple(_file(reference, kind) for kind in files_of(product, chosen))
    options = (*pages, *((name, 1) for name in chosen))
    return ItemDetail(
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


def _file(reference: str, kind: str) -> File:
    mark = md5(f"{reference}/{kind}".encode(), usedforsecurity=False).hexdigest()
    return File(kind, f"https://download.example.com/files/{mark}", mark)


_WARES: tuple[Product, ...] = tuple(
    product for product in PRODUCTS.values() if not product.make.category.startswith("z_")
)
