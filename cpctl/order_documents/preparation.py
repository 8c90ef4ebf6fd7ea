"""Documents as they are sent: orders with the MD5 sums of local files, and quotes from a document or --item options."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from cpctl.errors import InvalidInput
from cpctl.order_documents.checks import check_count, check_option, get_text, has_value, quote_value
from cpctl.order_documents.reader import Document

CHUNK_BYTES = 1024 * 1024
EXAMPLE_SPEC = "textbook_pb_a4_p_bw,count=1,pageblock_80off=120,total_pages=120"
_ITEM_FIELDS = ("reference", "product", "product_reference", "count", "options")


def prepare_document(document: Document, hash_file: Callable[[str], str]) -> Document:
    """A copy to send, with `options` in every item and `md5sum` in place of every `path`.

    Each file is read once, however many items name it.
    """
    hash_once = cache(hash_file)
    sent = _prepare_files(document, hash_once)
    if isinstance(sent.get("items"), list):
        # Items of a CloudPublish order, which has an order_reference, have no options.
        complete = dict if "order_reference" in document else with_options
        sent["items"] = [
            _prepare_files(complete(item), hash_once) if isinstance(item, dict) else item for item in sent["items"]
        ]
    return sent


def with_options(item: Document) -> Document:
    """A copy of an item with `options`: the live API fails without a list there, even an empty one."""
    return {**item, "options": []} if item.get("options") is None else dict(item)


def compute_md5(path: str | Path, progress: Callable[[int, int], None]) -> str:
    """The MD5 sum of a file; `progress` gets the bytes done and the total. Raises InvalidInput."""
    md5 = hashlib.md5(usedforsecurity=False)
    done = 0
    try:
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            while chunk := file.read(CHUNK_BYTES):
                md5.update(chunk)
                done += len(chunk)
                progress(done, max(size, done))
    except OSError as error:
        raise InvalidInput(
            f"Cannot read {path}: {error.strerror}.",
            "`path` must be a file on this computer, from which cpctl computes md5sum.",
        ) from error
    if not done:
        raise InvalidInput(f"{path} is empty: there is nothing to print.", "Check the `path` in the document.")
    return md5.hexdigest()


def _prepare_files(parent: Document, hash_file: Callable[[str], str]) -> Document:
    """A copy of an order or an item with its files prepared."""
    sent = dict(parent)
    if isinstance(parent.get("files"), list):
        sent["files"] = [_prepare_file(file, hash_file) for file in parent["files"]]
    return sent


def _prepare_file(file: Any, hash_file: Callable[[str], str]) -> Any:
    if not isinstance(file, dict) or "path" not in file:
        return file
    sent = {name: value for name, value in file.items() if name != "path"}
    return {**sent, "md5sum": hash_file(str(file["path"]))} if has_value(file, "path") else sent


def quote_from_specs(specs: Iterable[str], country: str | None, state: str | None, currency: str | None) -> Document:
    """The request for items given as `PRODUCT,count=1,OPTION=COUNT…`. Raises InvalidInput naming spec and part."""
    destination = {"country": country, "state": state, "currency": currency}
    items = [{"reference": f"item-{n}", **_parse_spec(spec)} for n, spec in enumerate(specs, start=1)]
    return {**{name: value for name, value in destination.items() if value}, "items": items}


def quote_from_document(document: Document) -> Document:
    """The request for a quote document, or for an order and its delivery address.

    Leaves problems to `find_problems`. Raises InvalidInput for a CloudPublish order, for which there are no quotes.
    """
    if "order_reference" in document:
        raise InvalidInput(
            "This is a CloudPublish order, and quotes are only for products.",
            f"Name the product instead, such as `--item {EXAMPLE_SPEC}`.",
        )
    if "addresses" not in document:
        return {**document, **_select_items(document, None)}
    given = document["addresses"] if isinstance(document["addresses"], list) else []
    addresses = [address for address in given if isinstance(address, dict)] or [{}]
    address = next((each for each in addresses if get_text(each, "type") == "delivery"), addresses[0])
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
    if problem := check_option(name) or check_count(count):
        raise _spec_error(spec, f"in {quote_value(part)}, {problem.message.removesuffix('.')}")
    return name, count


def _spec_error(spec: str, reason: str) -> InvalidInput:
    return InvalidInput(f"--item {quote_value(spec)}: {reason}.", f"Write it as {EXAMPLE_SPEC}.")


def _select_items(document: Document, fields: Iterable[str] | None) -> Document:
    """The items with their options as a list, and of their fields only some (None for all).

    Anything but a list of objects is left to `find_problems`.
    """
    items = document.get("items")
    if not isinstance(items, list):
        return {"items": items} if "items" in document else {}

    def select(item: Document) -> Document:
        return {name: value for name, value in with_options(item).items() if fields is None or name in fields}

    return {"items": [select(item) if isinstance(item, dict) else item for item in items]}
