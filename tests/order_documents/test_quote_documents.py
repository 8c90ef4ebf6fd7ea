"""A quote is requested with --item options, with a quote document, or with an order."""

import copy

import pytest

from cpctl.errors import InvalidInput
from cpctl.order_documents.preparation import EXAMPLE_SPEC, quote_from_document, quote_from_specs
from cpctl.order_documents.reader import read_document
from examples.core_requests import make_order, make_quote
from examples.document_examples import PUBLISH_DOCUMENT_JSON, check_quote, error_paths
from examples.edits import replace_value


def test_the_documented_example_can_be_typed_as_an_item_option() -> None:
    spec = "textbook_pb_a4_p_bw,count=1,pageblock_80off=120,total_pages=120"
    document = quote_from_specs([spec], "NL", None, None)
    assert document == replace_value(make_quote(), "items[0].reference", "item-1")
    assert check_quote(document) == []
    assert spec == EXAMPLE_SPEC


def test_items_are_numbered_and_have_a_count_of_one_by_default() -> None:
    specs = ["flyer_ss_a5_fc", " poster_a3_fc , count = 500 ", "magazine_pb_a4_p_fc,total_pages=32,count=2"]
    document = quote_from_specs(specs, "US", "CA", "USD")
    assert document == {
        "country": "US",
        "state": "CA",
        "currency": "USD",
        "items": [
            {"reference": "item-1", "product": "flyer_ss_a5_fc", "count": "1", "options": []},
            {"reference": "item-2", "product": "poster_a3_fc", "count": "500", "options": []},
            {
                "reference": "item-3",
                "product": "magazine_pb_a4_p_fc",
                "count": "2",
                "options": [{"type": "total_pages", "count": "32"}],
            },
        ],
    }
    assert check_quote(document) == []


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("", '"" is not a product'),
        (" ,count=1", '"" is not a product'),
        ("count=1,total_pages=2", '"count=1" is not a product'),
        ("book,total_pages", '"total_pages" is not OPTION=COUNT'),
        ("book,", '"" is not OPTION=COUNT'),
        ("book,total pages=5", '"total pages=5" is not OPTION=COUNT'),
        ("book,count=0", 'in "count=0", "0" must be a whole number'),
        ("book,total_pages=many", 'in "total_pages=many", "many" must be a whole number'),
        ("book,count=1,count=2", '"count" is given twice'),
        ("book,a=1,a=1", '"a" is given twice'),
        ("book,type_book_paper=1", '"type_book_paper" is a family'),
    ],
)
def test_an_invalid_item_option_is_named_with_its_part(spec: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        quote_from_specs(["flyer_ss_a5_fc", spec], "DE", None, None)
    assert reason in caught.value.message
    assert f'--item "{spec}"' in caught.value.message
    assert EXAMPLE_SPEC in caught.value.hint


def test_a_missing_country_is_left_to_the_checks() -> None:
    assert error_paths(check_quote(quote_from_specs(["flyer_ss_a5_fc"], None, None, None))) == ["country"]


def test_a_quote_document_is_sent_unchanged() -> None:
    assert quote_from_document(make_quote()) == make_quote()
    assert quote_from_document({**make_quote(), "new": 1}) == {**make_quote(), "new": 1}


@pytest.mark.parametrize(
    "document", [replace_value(make_quote(), "items[0].options"), replace_value(make_quote(), "items[0].options", None)]
)
def test_items_without_options_get_an_empty_list(document: dict[str, object]) -> None:
    before = copy.deepcopy(document)
    assert quote_from_document(document)["items"][0]["options"] == []
    assert document == before


def test_an_order_is_quoted_for_its_delivery_address() -> None:
    order = replace_value(make_order(), "addresses[0].state", "SN")
    request = quote_from_document({**order, "currency": "CHF"})
    item = order["items"][0]
    assert request == {
        "country": "DE",
        "state": "SN",
        "currency": "CHF",
        "items": [{name: item[name] for name in ("reference", "product", "count", "options")}],
    }
    assert check_quote(request) == []


def test_the_delivery_address_is_used_out_of_several() -> None:
    order = make_order()
    order["addresses"].insert(0, {"type": "billing", "country": "FR"})
    assert quote_from_document(order)["country"] == "DE"


@pytest.mark.parametrize(
    "document",
    [{}, {"items": 5}, {"items": [5]}, {"addresses": None}, {"addresses": [], "items": []}, {"addresses": [7]}],
)
def test_a_document_of_another_shape_is_left_to_the_checks(document: dict[str, object]) -> None:
    assert error_paths(check_quote(quote_from_document(document)))


def test_a_publish_order_has_no_quote() -> None:
    with pytest.raises(InvalidInput, match="CloudPublish"):
        quote_from_document(read_document("x", PUBLISH_DOCUMENT_JSON.encode()))
