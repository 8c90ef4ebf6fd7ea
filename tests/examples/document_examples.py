"""The examples that Cloudprinter's documents give for their calls, without the key, and ways to change them."""

import copy
import re
from typing import Any

from cpctl.order_documents.checks import find_problems
from cpctl.order_documents.fields import ORDER, PUBLISH_ORDER, QUOTE
from cpctl.order_documents.problems import Problem
from cpctl.order_documents.reader import read_document

Document = dict[str, Any]
REMOVED = object()
ADDRESS_PATH = "addresses[0]"
ITEM_PATH = "items[0]"
FILE_PATH = "items[0].files[1]"

# CloudCore 1.0, "Add order", example request.
_ORDER: Document = {
    "reference": "12346",
    "email": "support@client-company.com",
    "addresses": [
        {
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
    ],
    "items": [
        {
            "reference": "12346-1",
            "product": "book_hardcover_21x30",
            "shipping_level": "cp_saver",
            "title": "Book Hardcover 21x30",
            "count": "5",
            "files": [
                {
                    "type": "cover",
                    "url": "https://download.example.com/files/9aade201b3a85ceec318b2240d5eb373",
                    "md5sum": "4578c3ecf64e47581b175d542f8b0160",
                },
                {
                    "type": "book",
                    "url": "https://download.example.com/files/c4b5a0b95114f40fc8c9d4e7cd504290",
                    "md5sum": "1ef89e74e628e223ae94aa4586330833",
                },
            ],
            "options": [{"type": "total_pages", "count": "36"}, {"type": "paper_130mcg", "count": "36"}],
        }
    ],
}
# CloudCore 1.0, "Order quote", example request.
_QUOTE: Document = {
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
# CloudPublish 1.0, "Add order", example request; as it stands there, with commas that JSON does not have.
PUBLISH_DOCUMENT_TEXT = """\
{
    "order_reference" : "200012345",
    "email" : "support@client-company.com",
    "addresses" : [
        {
            "type" : "delivery",
            "company" : "Example company",
            "firstname" : "Test firstname",
            "lastname" : "Test lastname",
            "street1" : "Test street1",
            "street2" : "Test street2",
            "zip" : "1234",
            "city" : "Test city",
            "state" : "FL",
            "country" : "US",
            "email" : "mail@customer.com",
            "phone" : "+112345678"
        }
    ],
    "items" : [
        {
            "item_reference" : "123456-0001",
            "catalog_reference" : "catalog_1",
            "isbn" : "1234567890123",
            "shipping_level" : "cp_saver",
            "quantity" : "1",
        },
        {
            "item_reference" : "123456-0002",
            "catalog_reference" : "catalog_1",
            "isbn" : "1234567890124",
            "shipping_level" : "cp_saver",
            "quantity" : "1",
        }
    ]
}
"""
PUBLISH_DOCUMENT_JSON = re.sub(r",(\s*})", r"\1", PUBLISH_DOCUMENT_TEXT)


def check_order(document: object) -> list[Problem]:
    return find_problems(ORDER, document)


def check_publish_order(document: object) -> list[Problem]:
    return find_problems(PUBLISH_ORDER, document)


def check_quote(document: object) -> list[Problem]:
    return find_problems(QUOTE, document)


def make_order() -> Document:
    return copy.deepcopy(_ORDER)


def make_quote() -> Document:
    return copy.deepcopy(_QUOTE)


def path_steps(path: str) -> list[str | int]:
    """A path of a problem as the keys and numbers that lead there."""
    return [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]


def value_at(document: Any, path: str) -> Any:
    for step in path_steps(path):
        document = document[step]
    return document


def replace_value(document: Document, path: str, value: object = REMOVED) -> Document:
    """The document with one value put in place of another, or taken away."""
    changed = copy.deepcopy(document)
    *above, last = path_steps(path)
    parent: Any = changed
    for step in above:
        parent = parent[step]
    if value is REMOVED:
        del parent[last]
    else:
        parent[last] = value
    return changed


def error_paths(problems: list[Problem]) -> list[str]:
    return [problem.path for problem in problems if not problem.is_warning]


def warning_paths(problems: list[Problem]) -> list[str]:
    return [problem.path for problem in problems if problem.is_warning]


def single_problem(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def make_publish_order() -> dict[str, Any]:
    return read_document("x", PUBLISH_DOCUMENT_JSON.encode())


def check_changed_order(path: str, value: object = REMOVED) -> list[Problem]:
    return check_order(replace_value(make_order(), path, value))


def check_order_to_country(country: str, **fields: object) -> list[Problem]:
    order = make_order()
    order["addresses"][0] |= {"country": country, **fields}
    return check_order(order)
