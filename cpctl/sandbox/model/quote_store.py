"""The quotes that were given, until they expire."""

from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

from cpctl.sandbox.fixtures.shipping_offers import ShippingOffer

QUOTE_LIFETIME = timedelta(hours=48)  # CloudCore API 1.0, "Order quote", expire_date
_MAX_QUOTES = 100_000


class Quote(NamedTuple):
    """One way to ship some items, at a price that holds until it expires."""

    hash: str
    offer: ShippingOffer
    items: tuple[tuple[str, str], ...]  # reference and product
    price: Decimal
    vat: Decimal
    currency: str
    expires_at: datetime


class QuoteStore:
    """Every quote by its hash, oldest first. Whoever calls holds the lock of the state."""

    def __init__(self) -> None:
        self._quotes: dict[str, Quote] = {}
        self._count = 0

    def add(
        self,
        offer: ShippingOffer,
        items: tuple[tuple[str, str], ...],
        price: Decimal,
        vat: Decimal,
        currency: str,
        expires_at: datetime,
    ) -> Quote:
        """Keep a quote under a new hash."""
        self._count += 1
        name = sha256(f"{self._count}|{offer.reference}|{items}".encode()).hexdigest()
        if len(self._quotes) >= _MAX_QUOTES:
            del self._quotes[next(iter(self._quotes))]
        made = self._quotes[name] = Quote(name, offer, items, price, vat, currency, expires_at)
        return made

    def remove_expired(self, now: datetime) -> None:
        """Drop what has expired."""
        for name, quote in list(self._quotes.items()):
            if quote.expires_at > now:
                return
            del self._quotes[name]

    def find(self, quote_hash: str, now: datetime) -> Quote | None:
        """The quote with that hash, if it still holds."""
        quote = self._quotes.get(quote_hash)
        return quote if quote is not None and quote.expires_at > now else None
