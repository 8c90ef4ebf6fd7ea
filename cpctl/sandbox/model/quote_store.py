"""Quotes given to clients, until they expire."""

from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

from cpctl.sandbox.fixtures.shipping_offers import ShippingOffer

QUOTE_LIFETIME = timedelta(hours=48)  # CloudCore API 1.0, "Order quote", expire_date
_MAX_QUOTES = 100_000


class Quote(NamedTuple):
    """A price for shipping some items, until it expires."""

    offer: ShippingOffer
    items: tuple[tuple[str, str], ...]  # reference and product
    price: Decimal
    vat: Decimal
    currency: str
    expires_at: datetime


class QuoteStore:
    """Quotes by their hash, oldest first. The caller holds the lock of the state."""

    def __init__(self) -> None:
        self._quotes: dict[str, Quote] = {}
        self._count = 0

    def add(self, quote: Quote) -> str:
        """Store a quote; returns its new hash."""
        self._count += 1
        quote_hash = sha256(f"{self._count}|{quote.offer.reference}|{quote.items}".encode()).hexdigest()
        if len(self._quotes) >= _MAX_QUOTES:
            del self._quotes[next(iter(self._quotes))]
        self._quotes[quote_hash] = quote
        return quote_hash

    def remove_expired(self, now: datetime) -> None:
        # Oldest first, and all have the same lifetime: the first valid quote ends the search.
        for quote_hash, quote in list(self._quotes.items()):
            if quote.expires_at > now:
                return
            del self._quotes[quote_hash]

    def find(self, quote_hash: str, now: datetime) -> Quote | None:
        """The quote with that hash unless it has expired."""
        quote = self._quotes.get(quote_hash)
        return quote if quote is not None and quote.expires_at > now else None
