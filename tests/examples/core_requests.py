"""The example requests of the CloudCore and CloudPublish documents, without their key."""

import copy
from typing import Any

CORE_PATH, PUBLISH_PATH = "/cloudcore/1.0/", "/cloudpublish/1.0/"
COVER_FILE = {
    "type": "cover",
    "url": "https://download.example.com/files/9aade201b3a85ceec318b2240d5eb373",
    "md5sum": "4578c3ecf64e47581b175d542f8b0160",
}
BOOK_FILE = {
    "type": "book",
    "url": "https://download.example.com/files/c4b5a0b95114f40fc8c9d4e7cd504290",
    "md5sum": "1ef89e74e628e223ae94aa4586330833",
}
FILES = [COVER_FILE, BOOK_FILE]
ADDRESS: dict[str, Any] = {
    "type": "delivery",
    "company": "Example company",
    "firstname": "Example firstname",
    "lastname": "Example lastname",
    "street1": "Example street 1234",
    "zip": "99999",
    "city": "Example city",
    "country": "DE",
    "email": "email@example.com",
    "phone": "12345678",
}
# CloudCore 1.0, "Add order".
ORDER: dict[str, Any] = {
    "reference": "12346",
    "email": "support@client-company.com",
    "addresses": [ADDRESS],
    "items": [
        {
            "reference": "12346-1",
            "product": "book_hardcover_21x30",
            "shipping_level": "cp_saver",
            "title": "Book Hardcover 21x30",
            "count": "5",
            "files": FILES,
            "options": [{"type": "total_pages", "count": "36"}, {"type": "paper_130mcg", "count": "36"}],
        }
    ],
}
# CloudCore 1.0, "Order quote".
QUOTE: dict[str, Any] = {
    "country": "NL",
    "items": [
        {
            "reference": "ref_id_1234567",
            "product": "textbook_pb_a4_p_bw",
            "count": "1",
            "options": [{"type": "pageblock_80off", "count": "120"}, {"type": "total_pages", "count": "120"}],
        }
    ],
}
PUBLISH_ADDRESS: dict[str, Any] = {
    "type": "delivery",
    "company": "Example company",
    "firstname": "Test firstname",
    "lastname": "Test lastname",
    "street1": "Test street1",
    "street2": "Test street2",
    "zip": "1234",
    "city": "Test city",
    "state": "FL",
    "country": "US",
    "email": "mail@customer.com",
    "phone": "+112345678",
}
# CloudPublish 1.0, "Add order".
PUBLISH_ORDER: dict[str, Any] = {
    "order_reference": "200012345",
    "email": "support@client-company.com",
    "addresses": [PUBLISH_ADDRESS],
    "items": [
        {
            "item_reference": f"123456-000{n}",
            "catalog_reference": "catalog_1",
            "isbn": f"123456789012{n + 2}",
            "shipping_level": "cp_saver",
            "quantity": "1",
        }
        for n in (1, 2)
    ],
}


def make_order(reference: str = "12346", **changes: Any) -> dict[str, Any]:
    """A copy of the example order with another reference or other fields."""
    return {**copy.deepcopy(ORDER), "reference": reference, **changes}


def make_quote() -> dict[str, Any]:
    return copy.deepcopy(QUOTE)


def make_publish_order() -> dict[str, Any]:
    return copy.deepcopy(PUBLISH_ORDER)
