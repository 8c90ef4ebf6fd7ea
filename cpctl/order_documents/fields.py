"""The fields of orders and quotes, level by level: what cpctl knows of the API's documents, in rows."""

from collections.abc import Mapping
from typing import NamedTuple

from cpctl.order_documents import rules
from cpctl.order_documents import value_checks as values
from cpctl.order_documents.rules import Rule
from cpctl.order_documents.value_checks import Check


class Field(NamedTuple):
    """A field; it holds one value to check, a list of objects (`each`), or anything (neither)."""

    name: str
    meaning: str
    check: Check | None = None
    required: bool = False
    each: "Level | None" = None


class Level(NamedTuple):
    """A kind of object: its fields, and what they ask of each other. No two are called alike."""

    what: str
    fields: Mapping[str, Field]
    rules: tuple[Rule, ...] = ()


def _by_name(*fields: Field) -> dict[str, Field]:
    return {field.name: field for field in fields}


# References of clients have no documented length in CloudCore; clients keep to 120. CloudPublish documents 128.
_REFERENCE = values.named(120)
_PUBLISH_REFERENCE = values.named(128)
# Neither length nor form of CloudPublish's order and item references is documented.
_ANY_REFERENCE = values.named(1000)

OPTION = Level(
    "an option",
    _by_name(
        Field("type", "the reference of the option", values.option),
        Field("option_reference", "a synonym of type", values.option),
        Field("count", "how often the option is used in an item", values.count, required=True),
    ),
    (rules.option_is_named,),
)


def _file(what: str, types: tuple[str, ...]) -> Level:
    return Level(
        what,
        _by_name(
            Field("type", f"one of {', '.join(types)}", values.one_of(types, "type of file"), required=True),
            Field("url", "where Cloudprinter fetches the file", values.url, required=True),
            Field("md5sum", "the MD5 sum of the file", values.md5sum),
            Field("path", "the file at hand, of which cpctl computes md5sum", values.line),
        ),
        (rules.file_has_a_sum,),
    )


FILE = _file("a file", values.ITEM_FILES)
ORDER_FILE = _file("a file of the order", values.ORDER_FILES)

_PLACE = (
    Field("state", "the code of the state", values.line),
    Field("country", "ISO 3166-1 alpha-2, such as DE", values.country, required=True),
)
ADDRESS = Level(
    "an address",
    _by_name(
        Field("type", "delivery", values.one_of(("delivery",), "type of address", strict=True), required=True),
        Field("company", "the company of the recipient", values.line),
        Field("firstname", "the first name of the recipient", values.line, required=True),
        Field("lastname", "the last name of the recipient", values.line, required=True),
        Field("street1", "street and number", values.line, required=True),
        Field("street2", "more of the street", values.line),
        Field("zip", "the postal code", values.line),
        Field("city", "the city", values.line, required=True),
        *_PLACE,
        Field("email", "asked in case of problems with the delivery", values.email, required=True),
        Field("phone", "asked in case of problems with the delivery", values.phone, required=True),
        Field("customer_identification", "the CPF, in Brazil", values.line),
    ),
    (rules.zip_fits, rules.state_fits, rules.customer_is_identified),
)

_REORDER = (
    Field("reorder_cause", "why", values.one_of(values.REORDER_CAUSES, "cause of a reorder")),
    Field("reorder_desc", "what is wrong with the original", values.words),
    Field("reorder_order_reference", "the original order", _REFERENCE),
    Field("reorder_item_reference", "the item in the original order", _REFERENCE),
)
_PRODUCT = (
    Field("reference", "your own reference of the item", _REFERENCE, required=True),
    Field("product", "the reference of the product", values.line),
    Field("product_reference", "a synonym of product", values.line),
    Field("count", "how many copies", values.count, required=True),
    Field("options", "paper, pages, finish", each=OPTION),
)
_SHIPPING_LEVEL = Field("shipping_level", "how it travels", values.one_of(values.SHIPPING_LEVELS, "shipping level"))


def _customs(prefix: str = "") -> tuple[Field, ...]:
    return (
        Field(f"{prefix}price", "the sales price without VAT, for the customs", values.price),
        Field(f"{prefix}currency", "ISO 4217, such as EUR", values.currency),
        Field(f"{prefix}hc", "the code of the Harmonized System", values.line),
    )


ITEM = Level(
    "an item",
    _by_name(
        *_PRODUCT,
        _SHIPPING_LEVEL,
        Field("quote", "the hash of an offer, in place of shipping_level", values.quote_hash),
        Field("shipping_option", "a carrier's option, in place of shipping_level", values.line),
        Field("title", "the title of the product", values.line),
        Field("type", "stock: taken from stock, not printed", values.one_of(("stock",), "type of item")),
        Field("files", "what to print", each=FILE),
        *_customs(),
        *_REORDER,
    ),
    (
        rules.product_is_named,
        rules.shipping_is_chosen,
        rules.files_are_given,
        rules.pages_are_counted,
        rules.reorder_is_whole,
    ),
)
# Source: CloudCore 1.0, "Add order".
ORDER = Level(
    "an order",
    _by_name(
        Field("reference", "your own reference of the order, unique among all orders", _REFERENCE, required=True),
        Field("email", "whom to ask about problems in production", values.email, required=True),
        Field("addresses", "one or more", required=True, each=ADDRESS),
        Field("items", "one or more", required=True, each=ITEM),
        Field("files", "a delivery note, a promotion", each=ORDER_FILE),
        *_customs(),
        Field("meta", "production parameters, by agreement"),
    ),
    (rules.references_differ("reference"), rules.one_original),
)

QUOTE_ITEM = Level("an item of a quote", _by_name(*_PRODUCT), (rules.product_is_named, rules.pages_are_counted))
# Source: CloudCore 1.0, "Order quote".
QUOTE = Level(
    "a quote",
    _by_name(
        *_PLACE,
        Field("currency", "ISO 4217; EUR if it is left out", values.currency),
        Field("items", "one or more", required=True, each=QUOTE_ITEM),
    ),
    (rules.state_fits, rules.references_differ("reference")),
)

PUBLISH_ITEM = Level(
    "an item of titles",
    _by_name(
        Field("item_reference", "your own reference of the item", _ANY_REFERENCE, required=True),
        Field("catalog_reference", "the catalog of the title", _PUBLISH_REFERENCE, required=True),
        Field("isbn", "the title", _PUBLISH_REFERENCE, required=True),
        Field("quantity", "how many copies", values.count, required=True),
        _SHIPPING_LEVEL,
        *_customs("customs_"),
        *_REORDER,
    ),
    (rules.reorder_is_whole,),
)
# Source: CloudPublish 1.0, "Add order"; `custome_` is what the documents write for an order, `customs_` for an item.
PUBLISH_ORDER = Level(
    "an order of titles",
    _by_name(
        Field("order_reference", "your own reference of the order", _ANY_REFERENCE, required=True),
        Field("email", "whom to ask about problems in production", values.email, required=True),
        Field("addresses", "one or more", required=True, each=ADDRESS),
        Field("items", "one or more", required=True, each=PUBLISH_ITEM),
        *_customs("custome_"),
        Field("meta", "production parameters, by agreement"),
    ),
    (rules.references_differ("item_reference"), rules.one_original),
)

TOPS = (ORDER, QUOTE, PUBLISH_ORDER)
