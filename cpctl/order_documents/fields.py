"""The fields of orders and quotes, level by level: what cpctl knows of the API's documents, in rows."""

from collections.abc import Mapping
from typing import NamedTuple

from cpctl.order_documents import rules
from cpctl.order_documents import value_checks as values
from cpctl.order_documents.rules import Rule
from cpctl.order_documents.value_checks import Check


class DocumentField(NamedTuple):
    """A field; it holds one value to check, a list of objects (`each`), or anything (neither)."""

    name: str
    meaning: str
    check: Check | None = None
    required: bool = False
    section: "DocumentSection | None" = None


class DocumentSection(NamedTuple):
    """A kind of object: its fields, and what they ask of each other. No two are called alike."""

    label: str
    fields: Mapping[str, DocumentField]
    rules: tuple[Rule, ...] = ()


def _fields_by_name(*fields: DocumentField) -> dict[str, DocumentField]:
    return {field.name: field for field in fields}


# References of clients have no documented length in CloudCore; clients keep to 120. CloudPublish documents 128.
_REFERENCE_CHECK = values.reference_check(120)
_PUBLISH_REFERENCE_CHECK = values.reference_check(128)
# Neither length nor form of CloudPublish's order and item references is documented.
_ANY_REFERENCE_CHECK = values.reference_check(1000)

OPTION = DocumentSection(
    "an option",
    _fields_by_name(
        DocumentField("type", "the reference of the option", values.check_option),
        DocumentField("option_reference", "a synonym of type", values.check_option),
        DocumentField("count", "how often the option is used in an item", values.check_count, required=True),
    ),
    (rules.require_option_type,),
)


def _file_section(what: str, types: tuple[str, ...]) -> DocumentSection:
    return DocumentSection(
        what,
        _fields_by_name(
            DocumentField("type", f"one of {', '.join(types)}", values.one_of(types, "type of file"), required=True),
            DocumentField("url", "where Cloudprinter fetches the file", values.check_url, required=True),
            DocumentField("md5sum", "the MD5 sum of the file", values.check_md5sum),
            DocumentField("path", "the file at hand, of which cpctl computes md5sum", values.check_line),
        ),
        (rules.require_md5sum,),
    )


FILE = _file_section("a file", values.ITEM_FILE_TYPES)
ORDER_FILE = _file_section("a file of the order", values.ORDER_FILE_TYPES)

_COUNTRY_FIELDS = (
    DocumentField("state", "the code of the state", values.check_line),
    DocumentField("country", "ISO 3166-1 alpha-2, such as DE", values.check_country, required=True),
)
ADDRESS = DocumentSection(
    "an address",
    _fields_by_name(
        DocumentField("type", "delivery", values.one_of(("delivery",), "type of address", strict=True), required=True),
        DocumentField("company", "the company of the recipient", values.check_line),
        DocumentField("firstname", "the first name of the recipient", values.check_line, required=True),
        DocumentField("lastname", "the last name of the recipient", values.check_line, required=True),
        DocumentField("street1", "street and number", values.check_line, required=True),
        DocumentField("street2", "more of the street", values.check_line),
        DocumentField("zip", "the postal code", values.check_line),
        DocumentField("city", "the city", values.check_line, required=True),
        *_COUNTRY_FIELDS,
        DocumentField("email", "asked in case of problems with the delivery", values.check_email, required=True),
        DocumentField("phone", "asked in case of problems with the delivery", values.check_phone, required=True),
        DocumentField("customer_identification", "the CPF, in Brazil", values.check_line),
    ),
    (rules.require_zip, rules.check_state, rules.check_customer_identification),
)

_REORDER_FIELDS = (
    DocumentField("reorder_cause", "why", values.one_of(values.REORDER_CAUSES, "cause of a reorder")),
    DocumentField("reorder_desc", "what is wrong with the original", values.check_text),
    DocumentField("reorder_order_reference", "the original order", _REFERENCE_CHECK),
    DocumentField("reorder_item_reference", "the item in the original order", _REFERENCE_CHECK),
)
_PRODUCT_FIELDS = (
    DocumentField("reference", "your own reference of the item", _REFERENCE_CHECK, required=True),
    DocumentField("product", "the reference of the product", values.check_line),
    DocumentField("product_reference", "a synonym of product", values.check_line),
    DocumentField("count", "how many copies", values.check_count, required=True),
    DocumentField("options", "paper, pages, finish", section=OPTION),
)
_SHIPPING_LEVEL_FIELD = DocumentField(
    "shipping_level", "how it travels", values.one_of(values.SHIPPING_LEVELS, "shipping level")
)


def _customs_fields(prefix: str = "") -> tuple[DocumentField, ...]:
    return (
        DocumentField(f"{prefix}price", "the sales price without VAT, for the customs", values.check_price),
        DocumentField(f"{prefix}currency", "ISO 4217, such as EUR", values.check_currency),
        DocumentField(f"{prefix}hc", "the code of the Harmonized System", values.check_line),
    )


ITEM = DocumentSection(
    "an item",
    _fields_by_name(
        *_PRODUCT_FIELDS,
        _SHIPPING_LEVEL_FIELD,
        DocumentField("quote", "the hash of an offer, in place of shipping_level", values.check_quote_hash),
        DocumentField("shipping_option", "a carrier's option, in place of shipping_level", values.check_line),
        DocumentField("title", "the title of the product", values.check_line),
        DocumentField("type", "stock: taken from stock, not printed", values.one_of(("stock",), "type of item")),
        DocumentField("files", "what to print", section=FILE),
        *_customs_fields(),
        *_REORDER_FIELDS,
    ),
    (
        rules.require_product,
        rules.require_shipping,
        rules.require_files,
        rules.require_total_pages,
        rules.check_reorder,
    ),
)
# Source: CloudCore 1.0, "Add order".
ORDER = DocumentSection(
    "an order",
    _fields_by_name(
        DocumentField(
            "reference", "your own reference of the order, unique among all orders", _REFERENCE_CHECK, required=True
        ),
        DocumentField("email", "whom to ask about problems in production", values.check_email, required=True),
        DocumentField("addresses", "one or more", required=True, section=ADDRESS),
        DocumentField("items", "one or more", required=True, section=ITEM),
        DocumentField("files", "a delivery note, a promotion", section=ORDER_FILE),
        *_customs_fields(),
        DocumentField("meta", "production parameters, by agreement"),
    ),
    (rules.require_unique_references("reference"), rules.require_single_original),
)

QUOTE_ITEM = DocumentSection(
    "an item of a quote", _fields_by_name(*_PRODUCT_FIELDS), (rules.require_product, rules.require_total_pages)
)
# Source: CloudCore 1.0, "Order quote".
QUOTE = DocumentSection(
    "a quote",
    _fields_by_name(
        *_COUNTRY_FIELDS,
        DocumentField("currency", "ISO 4217; EUR if it is left out", values.check_currency),
        DocumentField("items", "one or more", required=True, section=QUOTE_ITEM),
    ),
    (rules.check_state, rules.require_unique_references("reference")),
)

PUBLISH_ITEM = DocumentSection(
    "an item of titles",
    _fields_by_name(
        DocumentField("item_reference", "your own reference of the item", _ANY_REFERENCE_CHECK, required=True),
        DocumentField("catalog_reference", "the catalog of the title", _PUBLISH_REFERENCE_CHECK, required=True),
        DocumentField("isbn", "the title", _PUBLISH_REFERENCE_CHECK, required=True),
        DocumentField("quantity", "how many copies", values.check_count, required=True),
        _SHIPPING_LEVEL_FIELD,
        *_customs_fields("customs_"),
        *_REORDER_FIELDS,
    ),
    (rules.check_reorder,),
)
# Source: CloudPublish 1.0, "Add order"; `custome_` is what the documents write for an order, `customs_` for an item.
PUBLISH_ORDER = DocumentSection(
    "an order of titles",
    _fields_by_name(
        DocumentField("order_reference", "your own reference of the order", _ANY_REFERENCE_CHECK, required=True),
        DocumentField("email", "whom to ask about problems in production", values.check_email, required=True),
        DocumentField("addresses", "one or more", required=True, section=ADDRESS),
        DocumentField("items", "one or more", required=True, section=PUBLISH_ITEM),
        *_customs_fields("custome_"),
        DocumentField("meta", "production parameters, by agreement"),
    ),
    (rules.require_unique_references("item_reference"), rules.require_single_original),
)

DOCUMENTS = (ORDER, QUOTE, PUBLISH_ORDER)
