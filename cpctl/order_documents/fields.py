"""The fields of orders and quotes: one table per kind of object."""

from collections.abc import Mapping
from typing import NamedTuple

from cpctl.order_documents import rules
from cpctl.order_documents import value_checks as values
from cpctl.order_documents.rules import Rule
from cpctl.order_documents.value_checks import Check, OneOf


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
_CHECK_REFERENCE = values.reference_check(120)
_CHECK_PUBLISH_REFERENCE = values.reference_check(128)
# Neither length nor form of CloudPublish's order and item references is documented.
_CHECK_ANY_REFERENCE = values.reference_check(1000)

# Columns: name, meaning, check of the value, whether it is required. For example, `count` of an option is required,
# must be a whole number, and is explained as "the number of times the item uses the option".
OPTION = _section(
    "an option",
    DocumentField("type", "the reference of the option", values.check_option),
    DocumentField("option_reference", "a synonym of type", values.check_option),
    DocumentField("count", "the number of times the item uses the option", values.check_count, required=True),
    rules=(rules.require_option_type,),
)


def _file_section(label: str, types: tuple[str, ...]) -> DocumentSection:
    return _section(
        label,
        DocumentField("type", f"one of {', '.join(types)}", OneOf(types, "file type"), required=True),
        DocumentField("url", "where Cloudprinter downloads the file", values.check_url, required=True),
        DocumentField("md5sum", "the MD5 sum of the file", values.check_md5sum),
        DocumentField("path", "a local file, from which cpctl computes md5sum", values.check_line),
        rules=(rules.require_md5sum,),
    )


FILE = _file_section("a file", values.ITEM_FILE_TYPES)
ORDER_FILE = _file_section("a file of the order", values.ORDER_FILE_TYPES)

_COUNTRY_FIELDS = (
    DocumentField("state", "the code of the state", values.check_line),
    DocumentField("country", "ISO 3166-1 alpha-2, such as DE", values.check_country, required=True),
)
ADDRESS = _section(
    "an address",
    DocumentField("type", "delivery", OneOf(("delivery",), "address type", strict=True), required=True),
    DocumentField("company", "the company of the recipient", values.check_line),
    DocumentField("firstname", "the first name of the recipient", values.check_line, required=True),
    DocumentField("lastname", "the last name of the recipient", values.check_line, required=True),
    DocumentField("street1", "street and number", values.check_line, required=True),
    DocumentField("street2", "more of the street", values.check_line),
    DocumentField("zip", "the postal code", values.check_line),
    DocumentField("city", "the city", values.check_line, required=True),
    *_COUNTRY_FIELDS,
    DocumentField("email", "the recipient's email, for delivery problems", values.check_email, required=True),
    DocumentField("phone", "the recipient's phone, for delivery problems", values.check_phone, required=True),
    DocumentField("customer_identification", "the CPF, in Brazil", values.check_line),
    rules=(rules.require_zip, rules.check_state, rules.check_customer_identification),
)

_REORDER_FIELDS = (
    DocumentField("reorder_cause", "the cause of the reorder", OneOf(values.REORDER_CAUSES, "cause of a reorder")),
    DocumentField("reorder_desc", "what is wrong with the original", values.check_text),
    DocumentField("reorder_order_reference", "the original order", _CHECK_REFERENCE),
    DocumentField("reorder_item_reference", "the item in the original order", _CHECK_REFERENCE),
)
_PRODUCT_FIELDS = (
    DocumentField("reference", "your own reference of the item", _CHECK_REFERENCE, required=True),
    DocumentField("product", "the reference of the product", values.check_line),
    DocumentField("product_reference", "a synonym of product", values.check_line),
    DocumentField("count", "the number of copies", values.check_count, required=True),
    DocumentField("options", "paper, pages, finish", section=OPTION),
)
_SHIPPING_LEVEL_FIELD = DocumentField(
    "shipping_level",
    "the shipping level, as `cpctl shipping levels` shows it",
    OneOf(values.SHIPPING_LEVELS, "shipping level"),
)


def _customs_fields(prefix: str = "") -> tuple[DocumentField, ...]:
    return (
        DocumentField(f"{prefix}price", "the sales price without VAT, for customs", values.check_price),
        DocumentField(f"{prefix}currency", "ISO 4217, such as EUR", values.check_currency),
        DocumentField(f"{prefix}hc", "the code of the Harmonized System", values.check_line),
    )


_EMAIL_FIELD = DocumentField("email", "your email, for questions about production", values.check_email, required=True)
_ADDRESSES_FIELD = DocumentField("addresses", "a list of one or more addresses", required=True, section=ADDRESS)
_META_FIELD = DocumentField("meta", "production parameters, by agreement")


def _items_field(section: DocumentSection) -> DocumentField:
    return DocumentField("items", "a list of one or more items", required=True, section=section)


ITEM = _section(
    "an item",
    *_PRODUCT_FIELDS,
    _SHIPPING_LEVEL_FIELD,
    DocumentField("quote", "the hash of an offer, in place of shipping_level", values.check_quote_hash),
    DocumentField("shipping_option", "a carrier's option, in place of shipping_level", values.check_line),
    DocumentField("title", "the title of the product", values.check_line),
    DocumentField("type", "stock: taken from stock, not printed", OneOf(("stock",), "item type")),
    DocumentField("files", "the files to print", section=FILE),
    *_customs_fields(),
    *_REORDER_FIELDS,
    rules=(
        rules.require_product,
        rules.require_shipping,
        rules.require_files,
        rules.require_total_pages,
        rules.check_reorder,
    ),
)
# Source: CloudCore 1.0, "Add order".
ORDER = _section(
    "an order",
    DocumentField("reference", "your own reference, unique among all orders", _CHECK_REFERENCE, required=True),
    _EMAIL_FIELD,
    _ADDRESSES_FIELD,
    _items_field(ITEM),
    DocumentField("files", "a delivery note, a promotion", section=ORDER_FILE),
    *_customs_fields(),
    _META_FIELD,
    rules=(rules.require_unique_references, rules.require_single_original),
)

QUOTE_ITEM = _section("an item of a quote", *_PRODUCT_FIELDS, rules=(rules.require_product, rules.require_total_pages))
# Source: CloudCore 1.0, "Order quote".
QUOTE = _section(
    "a quote",
    *_COUNTRY_FIELDS,
    DocumentField("currency", "ISO 4217; EUR if it is missing", values.check_currency),
    _items_field(QUOTE_ITEM),
    rules=(rules.check_state, rules.require_unique_references),
)

PUBLISH_ITEM = _section(
    "an item of a CloudPublish order",
    DocumentField("item_reference", "your own reference of the item", _CHECK_ANY_REFERENCE, required=True),
    DocumentField("catalog_reference", "the catalog of the title", _CHECK_PUBLISH_REFERENCE, required=True),
    DocumentField("isbn", "the title", _CHECK_PUBLISH_REFERENCE, required=True),
    DocumentField("quantity", "the number of copies", values.check_count, required=True),
    _SHIPPING_LEVEL_FIELD,
    *_customs_fields("customs_"),
    *_REORDER_FIELDS,
    rules=(rules.check_reorder,),
)
# Source: CloudPublish 1.0, "Add order"; the documents write `custome_` for an order, `customs_` for an item.
PUBLISH_ORDER = _section(
    "a CloudPublish order",
    DocumentField("order_reference", "your own reference, unique among all orders", _CHECK_ANY_REFERENCE, True),
    _EMAIL_FIELD,
    _ADDRESSES_FIELD,
    _items_field(PUBLISH_ITEM),
    *_customs_fields("custome_"),
    _META_FIELD,
    rules=(rules.require_unique_item_references, rules.require_single_original),
)

DOCUMENTS = (ORDER, QUOTE, PUBLISH_ORDER)
