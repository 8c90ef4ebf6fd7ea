"""The fields of calls that take no document: meaning, example and maximum length.

Source: CloudCore 1.0 and CloudPublish 1.0, tables "Parameters"; only CloudPublish documents lengths. The fields of
orders and quotes are in `order_documents.fields`.
"""

from typing import NamedTuple


class ExtraField(NamedTuple):
    """A field of a call; every value is a string. `max_length` is in characters, 0 where none is documented."""

    resource: str
    name: str
    meaning: str
    example: str
    max_length: int = 0


_EXAMPLE_QUOTE = "a1e771f2e375bc33b5385fcc8091a328481bc45f3bff13de96ba0e7585ff936f"

EXTRA_FIELDS: dict[tuple[str, str], ExtraField] = {
    (row.resource, row.name): row
    for row in (
        ExtraField("order", "reference", "your own reference of the order", "order-1"),
        ExtraField("order", "order_reference", "your own reference of the order", "order-1"),
        ExtraField("quote", "quote", "the hash of an offer", _EXAMPLE_QUOTE),
        ExtraField("product", "reference", "the reference of the product", "textbook_pb_a4_p_bw"),
        ExtraField("country", "country_reference", "the country, ISO 3166-1 alpha-2", "US"),
        ExtraField("catalog", "catalog_reference", "the reference of the catalog", "catalog_1", 128),
        ExtraField("catalog", "name", "the name of the catalog", "First catalog", 64),
        ExtraField("catalog", "note", "a description of the catalog", "The first catalog for all my titles", 256),
        ExtraField("title", "isbn", "the ISBN, or the reference used in its place", "1234567890123", 128),
        ExtraField("title", "name", "the name of the title", "First title", 64),
        ExtraField("title", "note", "a description of the title", "The first title for all my titles", 256),
        ExtraField("product mix", "product_mix_reference", "the reference of the product mix", "product_mix_test"),
    )
}
