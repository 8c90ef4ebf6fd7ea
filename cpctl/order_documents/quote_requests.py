"""Requests for quotes and prices, from --item options or from a document."""

import re
from collections.abc import Iterable
from typing import Any

from cpctl.errors import InvalidInput
from cpctl.order_documents.preparation import with_options
from cpctl.order_documents.problems import get_text, has_value, quote_value
from cpctl.order_documents.reader import Document
from cpctl.order_documents.value_checks import check_count, check_option

EXAMPLE_SPEC = "textbook_pb_a4_p_bw,count=1,pageblock_80off=120,total_pages=120"
_ITEM_FIELDS = ("reference", "product", "product_reference", "count", "options")


def quote_from_specs(specs: Iterable[str], country: str | None, state: str | None, currency: str | None) -> Document:
    """The request for items given as `PRODUCT,count=1,OPTION=COUNT…`. Raises InvalidInput naming spec and part."""
    destination = {"country": country, "state": state, "currency": currency}
    items = [{"reference": f"item-{n}", **_parse_spec(spec)} for n, spec in enumerate(specs, start=1)]
    return {**{name: value for name, value in destination.items() if value}, "items": items}


def quote_from_document(document: Document) -> Document:
    """The request for a quote document, or for an order and its delivery address.

    Leaves problems of the document to `find_problems`. Raises InvalidInput for a CloudPublish
    order, for which there are no quotes.
    """
    if "order_reference" in document:
        raise InvalidInput(
            "This is a CloudPublish order, and quotes are only for products.",
            f"Name the product instead, such as `--item {EXAMPLE_SPEC}`.",
        )
    if "addresses" not in document:
        return {**document, **_select_items(document, None)}
    address = _delivery_address(document["addresses"])
    destination = {name: address[name] for name in ("country", "state") if has_value(address, name)}
    if has_value(document, "currency"):
        destination["currency"] = document["currency"]
    return {**destination, **_select_items(document, _ITEM_FIELDS)}


def _parse_spec(spec: str) -> Document:
    product, *parts = (part.strip() for part in spec.split(","))
    if not product or "=" in product:
        raise _spec_error(spec, f"{quote_value(product)} is not a product; the product comes first")
    counts: dict[str, str] = {}
    for name, count in (_parse_option(spec, part) for part in parts):
        if name in counts:
            raise _spec_error(spec, f"{quote_value(name)} is given twice")
        counts[name] = count
    copies = counts.pop("count", "1")
    options = [{"type": name, "count": count} for name, count in counts.items()]
    return {"product": product, "count": copies, "options": options}


def _parse_option(spec: str, part: str) -> tuple[str, str]:
    match = re.fullmatch(r"([^=\s]+)\s*=\s*(.*)", part)
    if match is None:
        raise _spec_error(spec, f"{quote_value(part)} is not OPTION=COUNT")
    name, count = match.groups()
    problem = check_option(name) or check_count(count)
    if problem:
        raise _spec_error(spec, f"in {quote_value(part)}, {problem.message.removesuffix('.')}")
    return name, count


def _spec_error(spec: str, reason: str) -> InvalidInput:
    return InvalidInput(f"--item {quote_value(spec)}: {reason}.", f"Write it as {EXAMPLE_SPEC}.")


def _delivery_address(addresses: Any) -> Document:
    """The first address of type delivery, or else the first address."""
    given = [address for address in addresses if isinstance(address, dict)] if isinstance(addresses, list) else []
    return next((address for address in given if get_text(address, "type") == "delivery"), given[0] if given else {})


def _select_items(document: Document, fields: Iterable[str] | None) -> Document:
    """The items with their options as a list, and of their fields only some (None for all).

    Anything but a list of objects is left to `find_problems`.
    """
    items = document.get("items")
    if not isinstance(items, list):
        return {"items": items} if "items" in document else {}
    return {"items": [_select_fields(item, fields) if isinstance(item, dict) else item for item in items]}


def _select_fields(item: Document, fields: Iterable[str] | None) -> Document:
    return {name: value for name, value in with_options(item).items() if fields is None or name in fields}
