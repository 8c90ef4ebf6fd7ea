"""Requests for quotes and prices: from words on a command line, or from a document at hand."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from cpctl.errors import InvalidInput
from cpctl.order_documents.problems import get_text, has_value, quote_value
from cpctl.order_documents.reader import Document
from cpctl.order_documents.value_checks import check_count, check_option

EXAMPLE_SPEC = "textbook_pb_a4_p_bw,count=1,pageblock_80off=120,total_pages=120"
_ITEM_FIELDS = ("reference", "product", "product_reference", "count", "options")


def quote_from_specs(specs: Iterable[str], country: str | None, state: str | None, currency: str | None) -> Document:
    """The request for items given as `PRODUCT,count=1,OPTION=COUNT…`. Raises InvalidInput naming spec and part."""
    where = {"country": country, "state": state, "currency": currency}
    items = [{"reference": f"item-{n}", **_parse_item(spec)} for n, spec in enumerate(specs, start=1)]
    return {**{name: value for name, value in where.items() if value}, "items": items}


def quote_from_document(document: Document) -> Document:
    """The request for what a document holds: a quote document as it is, an order for its delivery address.

    What is wrong with the document is left for `check_quote` to find, save an order of titles,
    for which there are no quotes.
    """
    if "order_reference" in document:
        raise InvalidInput(
            "This is an order of CloudPublish titles, and quotes are for products.",
            f"Give the product itself, such as `--item {EXAMPLE_SPEC}`.",
        )
    if "addresses" not in document:
        return {**document, **_select_items(document, all_fields=True)}
    address = _delivery_address(document["addresses"])
    where = {name: address[name] for name in ("country", "state") if has_value(address, name)}
    if has_value(document, "currency"):
        where["currency"] = document["currency"]
    return {**where, **_select_items(document, all_fields=False)}


def _parse_item(spec: str) -> Document:
    product, *parts = (part.strip() for part in spec.split(","))
    if not product or "=" in product:
        raise _spec_error(spec, f"{quote_value(product)} is no product; the product comes first")
    given: dict[str, str] = {}
    for name, number in (_parse_option(spec, part) for part in parts):
        if name in given:
            raise _spec_error(spec, f"{quote_value(name)} is given twice")
        given[name] = number
    copies = given.pop("count", "1")
    options = [{"type": name, "count": number} for name, number in given.items()]
    return {"product": product, "count": copies, "options": options}


def _parse_option(spec: str, part: str) -> tuple[str, str]:
    match = re.fullmatch(r"([^=\s]+)\s*=\s*(.*)", part)
    if match is None:
        raise _spec_error(spec, f"{quote_value(part)} is not OPTION=COUNT")
    name, number = match.groups()
    problem = check_option(name) or check_count(number)
    if problem:
        raise _spec_error(spec, f"in {quote_value(part)}, {problem.message.removesuffix('.')}")
    return name, number


def _spec_error(spec: str, reason: str) -> InvalidInput:
    return InvalidInput(f"--item {quote_value(spec)}: {reason}.", f"Write it as {EXAMPLE_SPEC}.")


def _delivery_address(addresses: Any) -> Document:
    """The first address for a delivery; the first of all if none says so."""
    given = [each for each in addresses if isinstance(each, dict)] if isinstance(addresses, list) else []
    return next((each for each in given if get_text(each, "type") == "delivery"), given[0] if given else {})


def _select_items(document: Document, *, all_fields: bool) -> Document:
    """The items with their options as a list; what is no list of objects stays for the checks to find."""
    items = document.get("items")
    if not isinstance(items, list):
        return {"items": items} if "items" in document else {}
    return {"items": [dict(_select_fields(each, all_fields)) if isinstance(each, dict) else each for each in items]}


def _select_fields(item: Document, all_fields: bool) -> Iterator[tuple[str, Any]]:
    for name, value in item.items():
        if (all_fields or name in _ITEM_FIELDS) and name != "options":
            yield name, value
    # The live API fails without a list here, even an empty one.
    yield "options", [] if item.get("options") is None else item["options"]
