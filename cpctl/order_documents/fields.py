"""The fields of orders and quotes, one table per kind of object, and the search for every problem in a document."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cpctl.errors import find_closest, suggest
from cpctl.order_documents import checks
from cpctl.order_documents.checks import Check, OneOf, Problem, Rule, has_value, join_path, quote_value


class DocumentField(NamedTuple):
    """A field with one value to check, a list of objects (`section`), or anything (neither)."""

    name: str
    meaning: str
    check: Check | None = None
    required: bool = False
    section: "DocumentSection | None" = None


class DocumentSection(NamedTuple):
    """A kind of object: its fields, and the rules between them. Each has its own label."""

    label: str
    fields: Mapping[str, DocumentField]
    rules: tuple[Rule, ...] = ()


def _section(label: str, *fields: DocumentField, rules: tuple[Rule, ...] = ()) -> DocumentSection:
    return DocumentSection(label, {field.name: field for field in fields}, rules)


# CloudCore documents no maximum length of a client's reference; clients keep to 120. CloudPublish documents 128.
_CHECK_REFERENCE = checks.reference_check(120)
_CHECK_PUBLISH_REFERENCE = checks.reference_check(128)
# Neither length nor form of CloudPublish's order and item references is documented.
_CHECK_ANY_REFERENCE = checks.reference_check(1000)

# Columns: name, meaning, check of the value, whether it is required. For example, `count` of an option is required,
# must be a whole number, and is explained as "the number of times the item uses the option".
OPTION = _section(
    "an option",
    DocumentField("type", "the reference of the option", checks.check_option),
    DocumentField("option_reference", "a synonym of type", checks.check_option),
    DocumentField("count", "the number of times the item uses the option", checks.check_count, required=True),
    rules=(checks.require_option_type,),
)


def _file_section(label: str, types: tuple[str, ...]) -> DocumentSection:
    return _section(
        label,
        DocumentField("type", f"one of {', '.join(types)}", OneOf(types, "file type"), required=True),
        DocumentField("url", "where Cloudprinter downloads the file", checks.check_url, required=True),
        DocumentField("md5sum", "the MD5 sum of the file", checks.check_md5sum),
        DocumentField("path", "a local file, from which cpctl computes md5sum", checks.check_line),
        rules=(checks.require_md5sum,),
    )


FILE = _file_section("a file", checks.ITEM_FILE_TYPES)
ORDER_FILE = _file_section("a file of the order", checks.ORDER_FILE_TYPES)

_COUNTRY_FIELDS = (
    DocumentField("state", "the code of the state", checks.check_line),
    DocumentField("country", "ISO 3166-1 alpha-2, such as DE", checks.check_country, required=True),
)
ADDRESS = _section(
    "an address",
    DocumentField("type", "delivery", OneOf(("delivery",), "address type", strict=True), required=True),
    DocumentField("company", "the company of the recipient", checks.check_line),
    DocumentField("firstname", "the first name of the recipient", checks.check_line, required=True),
    DocumentField("lastname", "the last name of the recipient", checks.check_line, required=True),
    DocumentField("street1", "street and number", checks.check_line, required=True),
    DocumentField("street2", "more of the street", checks.check_line),
    DocumentField("zip", "the postal code", checks.check_line),
    DocumentField("city", "the city", checks.check_line, required=True),
    *_COUNTRY_FIELDS,
    DocumentField("email", "the recipient's email, for delivery problems", checks.check_email, required=True),
    DocumentField("phone", "the recipient's phone, for delivery problems", checks.check_phone, required=True),
    DocumentField("customer_identification", "the CPF, in Brazil", checks.check_line),
    rules=(checks.require_zip, checks.check_state, checks.check_customer_identification),
)

_REORDER_FIELDS = (
    DocumentField("reorder_cause", "the cause of the reorder", OneOf(checks.REORDER_CAUSES, "cause of a reorder")),
    DocumentField("reorder_desc", "what is wrong with the original", checks.check_text),
    DocumentField("reorder_order_reference", "the original order", _CHECK_REFERENCE),
    DocumentField("reorder_item_reference", "the item in the original order", _CHECK_REFERENCE),
)
_PRODUCT_FIELDS = (
    DocumentField("reference", "your own reference of the item", _CHECK_REFERENCE, required=True),
    DocumentField("product", "the reference of the product", checks.check_line),
    DocumentField("product_reference", "a synonym of product", checks.check_line),
    DocumentField("count", "the number of copies", checks.check_count, required=True),
    DocumentField("options", "paper, pages, finish", section=OPTION),
)
_SHIPPING_LEVEL_FIELD = DocumentField(
    "shipping_level",
    "the shipping level, as `cpctl shipping levels` shows it",
    OneOf(checks.SHIPPING_LEVELS, "shipping level"),
)


def _customs_fields(prefix: str = "") -> tuple[DocumentField, ...]:
    return (
        DocumentField(f"{prefix}price", "the sales price without VAT, for customs", checks.check_price),
        DocumentField(f"{prefix}currency", "ISO 4217, such as EUR", checks.check_currency),
        DocumentField(f"{prefix}hc", "the code of the Harmonized System", checks.check_line),
    )


_EMAIL_FIELD = DocumentField("email", "your email, for questions about production", checks.check_email, required=True)
_ADDRESSES_FIELD = DocumentField("addresses", "a list of one or more addresses", required=True, section=ADDRESS)
_ITEMS_FIELD = DocumentField("items", "a list of one or more items", required=True)
_META_FIELD = DocumentField("meta", "production parameters, by agreement")


ITEM = _section(
    "an item",
    *_PRODUCT_FIELDS,
    _SHIPPING_LEVEL_FIELD,
    DocumentField("quote", "the hash of an offer, in place of shipping_level", checks.check_quote_hash),
    DocumentField("shipping_option", "a carrier's option, in place of shipping_level", checks.check_line),
    DocumentField("title", "the title of the product", checks.check_line),
    DocumentField("type", "stock: taken from stock, not printed", OneOf(("stock",), "item type")),
    DocumentField("files", "the files to print", section=FILE),
    *_customs_fields(),
    *_REORDER_FIELDS,
    rules=(
        checks.require_product,
        checks.require_shipping,
        checks.require_files,
        checks.require_total_pages,
        checks.check_reorder,
    ),
)
# Source: CloudCore 1.0, "Add order".
ORDER = _section(
    "an order",
    DocumentField("reference", "your own reference, unique among all orders", _CHECK_REFERENCE, required=True),
    _EMAIL_FIELD,
    _ADDRESSES_FIELD,
    _ITEMS_FIELD._replace(section=ITEM),
    DocumentField("files", "a delivery note, a promotion", section=ORDER_FILE),
    *_customs_fields(),
    _META_FIELD,
    rules=(checks.require_unique_references, checks.require_single_original),
)

QUOTE_ITEM = _section(
    "an item of a quote", *_PRODUCT_FIELDS, rules=(checks.require_product, checks.require_total_pages)
)
# Source: CloudCore 1.0, "Order quote".
QUOTE = _section(
    "a quote",
    *_COUNTRY_FIELDS,
    DocumentField("currency", "ISO 4217; EUR if it is missing", checks.check_currency),
    _ITEMS_FIELD._replace(section=QUOTE_ITEM),
    rules=(checks.check_state, checks.require_unique_references),
)

PUBLISH_ITEM = _section(
    "an item of a CloudPublish order",
    DocumentField("item_reference", "your own reference of the item", _CHECK_ANY_REFERENCE, required=True),
    DocumentField("catalog_reference", "the catalog of the title", _CHECK_PUBLISH_REFERENCE, required=True),
    DocumentField("isbn", "the title", _CHECK_PUBLISH_REFERENCE, required=True),
    DocumentField("quantity", "the number of copies", checks.check_count, required=True),
    _SHIPPING_LEVEL_FIELD,
    *_customs_fields("customs_"),
    *_REORDER_FIELDS,
    rules=(checks.check_reorder,),
)
# Source: CloudPublish 1.0, "Add order"; the documents write `custome_` for an order, `customs_` for an item.
PUBLISH_ORDER = _section(
    "a CloudPublish order",
    DocumentField("order_reference", "your own reference, unique among all orders", _CHECK_ANY_REFERENCE, True),
    _EMAIL_FIELD,
    _ADDRESSES_FIELD,
    _ITEMS_FIELD._replace(section=PUBLISH_ITEM),
    *_customs_fields("custome_"),
    _META_FIELD,
    rules=(checks.require_unique_item_references, checks.require_single_original),
)

DOCUMENTS = (ORDER, QUOTE, PUBLISH_ORDER)
# Names that mean the same without being similar.
_SYNONYMS = (
    ("count", "quantity", "qty", "copies"),
    ("zip", "zipcode", "postcode", "postal_code"),
    ("street1", "street", "address", "address1"),
    ("product", "sku"),
)


def find_problems(section: DocumentSection, document: object) -> list[Problem]:
    """Every problem of a document (ORDER, PUBLISH_ORDER or QUOTE), in the order of the document."""
    problems = list(_check_object(section, document, ""))
    positions = {path: n for n, path in enumerate(_iter_paths(document, ""))} if problems else {}

    def find_position(problem: Problem) -> int:
        path = problem.path
        while path not in positions:  # a missing field has the position of its object
            path = path.rpartition(".")[0]
        return positions[path]

    return sorted(problems, key=find_position)


def _iter_paths(value: object, path: str) -> Iterator[str]:
    yield path
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _iter_paths(child, join_path(path, name))
    elif isinstance(value, list):
        for n, child in enumerate(value):
            yield from _iter_paths(child, f"{path}[{n}]")


def _check_object(section: DocumentSection, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(f"must be {section.label} (an object with fields), not {_describe_value(value)}.", path)
        return
    empty = [field for field in section.fields.values() if field.required and not has_value(value, field.name)]
    for field in empty:
        yield checks.missing_field(value, path, field.name, field.meaning)
    for name, child in value.items():
        known = section.fields.get(name)
        if known is None:
            yield _check_unknown_field(section, name, join_path(path, name))
        elif known not in empty:
            yield from _check_field(known, child, join_path(path, name))
    for rule in section.rules:
        yield from rule(value, path)


def _check_field(field: DocumentField, value: Any, path: str) -> Iterator[Problem]:
    if value is None:
        return
    if field.section is not None:
        yield from _check_list(field.section, value, path)
    elif field.check is None:
        if not isinstance(value, dict | list):
            yield Problem(f"must be a list or an object, not {_describe_value(value)}.", path)
    elif isinstance(value, bool) or not isinstance(value, str | int | float):
        yield Problem(f"must be text or a number, not {_describe_value(value)}.", path)
    elif str(value).strip() and (problem := field.check(str(value))):
        yield problem._replace(path=path)


def _describe_value(value: object) -> str:
    """A value of the wrong type: `null`, `an object`, `the text "one"`, `the number 3`."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return f"the text {quote_value(value)}" if isinstance(value, str) else f"the number {value}"


def _check_list(section: DocumentSection, value: object, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        hint = "; put it into a list" if isinstance(value, dict) else ""
        yield Problem(f"must be a list, not {_describe_value(value)}{hint}.", path)
        return
    for n, child in enumerate(value):
        yield from _check_object(section, child, f"{path}[{n}]")


def _check_unknown_field(section: DocumentSection, name: str, path: str) -> Problem:
    if name.lower().replace("_", "").replace("-", "") == "apikey":
        return Problem("the key comes from the profile, not from a document; remove it.", path)
    message = f"is not a known field of {section.label}; it is sent unchanged.{_suggest_field(section.label, name)}"
    return Problem(message, path, is_warning=True)


@lru_cache(maxsize=1024)
def _suggest_field(label: str, name: str) -> str:
    """A hint for an unknown field; cached, because a typo may repeat in thousands of items."""
    document, section = next((top, each) for top in DOCUMENTS for each in _iter_sections(top) if each.label == label)
    synonyms = [known for group in _SYNONYMS if name.lower() in group for known in group if known in section.fields]
    owners = {other.label for other in _iter_sections(document) if name in other.fields}
    if len(owners) == 1 and not synonyms:
        return f" It belongs to {owners.pop()}."
    found = synonyms[0] if synonyms else find_closest(name, section.fields)
    return f" {suggest(found, section.fields)}" if found else ""


def _iter_sections(section: DocumentSection) -> Iterator[DocumentSection]:
    yield section
    for field in section.fields.values():
        if field.section is not None:
            yield from _iter_sections(field.section)


# What each rule requires, for `cpctl explain`.
RULE_DESCRIPTIONS: dict[Rule, str] = {
    checks.require_product: "product, or product_reference in its place",
    checks.require_shipping: "shipping_level, quote or shipping_option, unless it is a reorder",
    checks.require_files: "files, unless it comes from stock or is a reorder",
    checks.require_total_pages: "the option total_pages, for a book",
    checks.check_reorder: "for a reorder, the original order and the item in it",
    checks.require_option_type: "type, or option_reference in its place",
    checks.require_md5sum: "md5sum, which cpctl computes from the file named by path",
    checks.require_zip: "zip, except in countries that have none",
    checks.check_state: "state, in the US and CA",
    checks.check_customer_identification: "customer_identification, in Brazil",
    checks.require_unique_references: "unique references of items",
    checks.require_unique_item_references: "unique references of items",
    checks.require_single_original: "reordered items of one original order",
}

# What each check accepts, for `cpctl explain`; the others accept any text.
_CHECK_DESCRIPTIONS: dict[Check, str] = {
    checks.check_email: "email address",
    checks.check_phone: "phone number",
    checks.check_count: "whole number",
    checks.check_price: "price, with a comma",
    checks.check_quote_hash: "64 hexadecimal digits",
    checks.check_md5sum: "32 hexadecimal digits",
    checks.check_url: "https URL",
    checks.check_country: "country code",
    checks.check_currency: "currency code",
}


def describe_check(check: Check) -> str:
    """What a check accepts: `whole number`, or the list of values."""
    return f"one of {', '.join(check.known)}" if isinstance(check, OneOf) else _CHECK_DESCRIPTIONS.get(check, "text")
