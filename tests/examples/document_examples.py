"""An example document as its author wrote it, and checks of changed examples."""

import re

from cpctl.order_documents.checks import Problem
from cpctl.order_documents.fields import ORDER, PUBLISH_ORDER, QUOTE, find_problems
from examples.core_requests import make_order
from examples.edits import REMOVED, replace_value

ADDRESS_PATH = "addresses[0]"
ITEM_PATH = "items[0]"
FILE_PATH = "items[0].files[1]"

# CloudPublish 1.0, "Add order", example request: with commas that are not valid JSON.
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


def error_paths(problems: list[Problem]) -> list[str]:
    return [problem.path for problem in problems if not problem.is_warning]


def warning_paths(problems: list[Problem]) -> list[str]:
    return [problem.path for problem in problems if problem.is_warning]


def single_problem(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def check_changed_order(path: str, value: object = REMOVED) -> list[Problem]:
    return check_order(replace_value(make_order(), path, value))


def check_order_to_country(country: str, **fields: object) -> list[Problem]:
    order = make_order()
    order["addresses"][0] |= {"country": country, **fields}
    return check_order(order)
