"""The quotes that were given, until they expire."""

from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

from cpctl.sandbox.fixtures.shipping_offers import Offer

LIFETIME = timedelta(hours=48)  # CloudCore API 1.0, "Order quote", expire_date
_MOST = 100_000


class Quote(NamedTuple):
    """One way to ship some items, at a price that holds until it expires."""

    hash: str
    offer: Offer
    items: tuple[tuple[str, str], ...]  # reference and product
    price: Decimal
    vat: Decimal
    currency: str
    expires: datetime


class Quotes:
    """Every quote by its hash, oldest first. Whoever calls holds the lock of the state."""

    def __init__(self) -> None:
        self._quotes: dict[str, Quote] = {}
        self._count = 0

    def add(
        self,
        offer: Offer,
        items: tuple[tuple[str, str], ...],
        price: Decimal,
        vat: Decimal,
        currency: str,
        expires: datetime,
    ) -> Quote:
        """Keep a quote under a new hash."""
        self._count += 1
        name = sha256(f"{self._count}|{offer.reference}|{items}".encode()).hexdigest()
        if len(self._quotes) >= _MOST:
            del self._quotes[next(iter(self._quotes))]
        made = self._quotes[name] = Quote(name, offer, items, price, vat, currency, expires)
        return made

    def forget(self, now: datetime) -> None:
        """Drop what has expired."""
        for name, quote in list(self._quotes.items()):
            if quote.expires > now:
                return
            del self._quotes[name]

    def find(self, name: str, now: datetime) -> Quote | None:
        """The quote with that hash, if it still holds."""
        quote = self._quotes.get(name)
        return quote if quote is not None and quote.expires > now else None
