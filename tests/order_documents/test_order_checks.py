"""What is wrong with an order or a quote is found before it is sent: all at once, each with its place."""

import json

import pytest

from cpctl.order_documents.checks import Problem, check_order, check_publish_order, check_quote
from cpctl.order_documents.value_checks import REORDER_CAUSES
from examples.core_requests import make_order, make_publish_order, make_quote
from examples.document_examples import (
    ADDRESS_PATH,
    FILE_PATH,
    ITEM_PATH,
    check_changed_order,
    error_paths,
    single_problem,
    warning_paths,
)
from examples.edits import REMOVED, replace_value

ADDRESS_FIELDS = ("type", "firstname", "lastname", "street1", "zip", "city", "country", "email", "phone")
QUOTE_ID = "0123456789abcdef" * 4


def test_the_documents_own_examples_pass() -> None:
    assert check_order(make_order()) == []
    assert check_quote(make_quote()) == []
    assert check_publish_order(make_publish_order()) == []


def test_numbers_pass_where_the_examples_write_text() -> None:
    order = make_order()
    order["items"][0] |= {"count": 5, "reference": 1, "options": [{"type": "total_pages", "count": 36}]}
    order["addresses"][0] |= {"phone": 12345678, "zip": 99999}
    assert check_order(order) == []


@pytest.mark.parametrize("value", [REMOVED, None, "", "  "])
@pytest.mark.parametrize(
    "path",
    ["reference", "email", "addresses", "items"]
    + [f"{ADDRESS_PATH}.{name}" for name in ADDRESS_FIELDS]
    + [f"{ITEM_PATH}.{name}" for name in ("reference", "product", "count", "shipping_level")]
    + [f"{FILE_PATH}.{name}" for name in ("type", "url", "md5sum")]
    + [f"{ITEM_PATH}.options[1].{name}" for name in ("type", "count")],
)
def test_every_required_field_is_missed_with_its_path(path: str, value: object) -> None:
    found = check_changed_order(path, value)
    assert error_paths(found) == [path]
    assert ("is missing" if value is REMOVED else "is empty") in found[0].message
    assert path not in warning_paths(found)


@pytest.mark.parametrize("files", [REMOVED, None, []])
def test_an_item_without_files_is_told(files: object) -> None:
    problem = single_problem(check_changed_order(f"{ITEM_PATH}.files", files))
    assert (problem.path, problem.is_warning) == (f"{ITEM_PATH}.files", False)


@pytest.mark.parametrize(
    "path", ["country", "items", f"{ITEM_PATH}.reference", f"{ITEM_PATH}.product", f"{ITEM_PATH}.count"]
)
def test_a_quote_needs_less_and_says_what(path: str) -> None:
    assert error_paths(check_quote(replace_value(make_quote(), path))) == [path]


@pytest.mark.parametrize(
    "path",
    ["order_reference", "email", "addresses", "items", f"{ADDRESS_PATH}.zip", f"{ADDRESS_PATH}.state"]
    + [f"items[1].{name}" for name in ("item_reference", "catalog_reference", "isbn", "quantity")],
)
def test_an_order_of_titles_has_fields_of_its_own(path: str) -> None:
    assert error_paths(check_publish_order(replace_value(make_publish_order(), path))) == [path]


@pytest.mark.parametrize("document", [None, [], [{}], "order", 7])
def test_a_document_that_is_no_object_is_one_problem(document: object) -> None:
    for check in (check_order, check_publish_order, check_quote):
        assert single_problem(check(document)).path == ""


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("addresses", {"type": "delivery"}, "must be a list, not an object; put it into a list"),
        ("items", "one", "must be a list, not text"),
        ("items", [], "is empty"),
        (ITEM_PATH, "one", "must be an item, an object with its fields, not text"),
        (ADDRESS_PATH, None, "must be an address, an object with its fields, not nothing"),
        (f"{ITEM_PATH}.options", {"total_pages": 36}, "must be a list, not an object"),
        (f"{ITEM_PATH}.options", "", "must be a list, not text"),
        (f"{ITEM_PATH}.options[1]", "paper_130mcg", "must be an option, an object"),
        (f"{ITEM_PATH}.files", "", "must be a list, not text"),
        (f"{ITEM_PATH}.files", 3, "must be a list, not a number"),
        ("reference", {"a": 1}, "must be text or a number, not an object"),
        (f"{ITEM_PATH}.title", [], "must be text or a number, not a list"),
        (f"{ITEM_PATH}.count", True, "must be text or a number, not true"),
        ("meta", "text", "must be a list or an object, not text"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_path(path: str, value: object, words: str) -> None:
    problem = next(each for each in check_changed_order(path, value) if not each.is_warning)
    assert (problem.path, words in problem.message) == (path, True), problem


@pytest.mark.parametrize("meta", [[], {}, {"a": {"b": 1}}, [1], None])
def test_meta_may_hold_anything(meta: object) -> None:
    assert check_changed_order("meta", meta) == []


def test_items_do_not_share_a_reference() -> None:
    order = make_order()
    order["items"] *= 3
    found = check_order(order)
    assert error_paths(found) == ["items[1].reference", "items[2].reference"]
    assert "items[0]" in found[0].message
    titles = replace_value(make_publish_order(), "items[1].item_reference", "123456-0001")
    assert error_paths(check_publish_order(titles)) == ["items[1].item_reference"]
    quote = make_quote()
    quote["items"] = [{**quote["items"][0], "reference": 1}, {**quote["items"][0], "reference": "1"}]
    assert error_paths(check_quote(quote)) == ["items[1].reference"]


@pytest.mark.parametrize(
    ("fields", "ignored"),
    [
        ({"shipping_level": "cp_ground"}, []),
        ({"quote": QUOTE_ID}, []),
        ({"quote": QUOTE_ID.upper()}, []),
        ({"shipping_option": "Colissimo"}, []),
        ({"reorder_order_reference": "1", "reorder_item_reference": "2"}, []),
        ({"quote": QUOTE_ID, "shipping_level": "cp_ground"}, ["shipping_level"]),
        ({"shipping_option": "x", "shipping_level": "cp_ground"}, ["shipping_option"]),
        (
            {"shipping_level": "cp_ground", "quote": QUOTE_ID, "shipping_option": "x"},
            ["shipping_level", "shipping_option"],
        ),
    ],
)
def test_one_field_chooses_the_shipping_and_a_second_is_a_warning(fields: dict[str, str], ignored: list[str]) -> None:
    item = replace_value(make_order(), f"{ITEM_PATH}.shipping_level")["items"][0] | fields
    found = check_order({**make_order(), "items": [item]})
    assert error_paths(found) == []
    assert warning_paths(found) == [f"{ITEM_PATH}.{name}" for name in ignored]


def test_synonyms_of_product_and_option_pass() -> None:
    order = make_order()
    item = order["items"][0]
    item["product_reference"] = item.pop("product")
    item["options"][0] = {"option_reference": "total_pages", "count": 36}
    assert check_order(order) == []


def test_a_family_is_no_option() -> None:
    option = {"type": "type_product_material", "reference": "paper_300off", "count": 1}
    found = check_changed_order(f"{ITEM_PATH}.options[1]", option)
    assert error_paths(found) == [f"{ITEM_PATH}.options[1].type"]
    assert "is a family of options" in found[0].message
    assert "reference" in found[0].message
    assert 'Did you mean "option_reference"?' in found[1].message


@pytest.mark.parametrize("product", ["textbook_pb_a4_p_bw", "book_x", "photobook_x", "magazine_x", "brochure_x"])
def test_a_book_without_pages_is_a_warning(product: str) -> None:
    for options in ([], None, [{"type": "paper", "count": 1}], REMOVED):
        order = replace_value(
            replace_value(make_order(), f"{ITEM_PATH}.product", product), f"{ITEM_PATH}.options", options
        )
        assert warning_paths(check_order(order)) == [f"{ITEM_PATH}.options"]
        assert error_paths(check_order(order)) == []
    assert warning_paths(check_quote(replace_value(make_quote(), f"{ITEM_PATH}.options", []))) == [
        f"{ITEM_PATH}.options"
    ]


def test_what_is_no_book_needs_no_pages() -> None:
    order = replace_value(make_order(), f"{ITEM_PATH}.product", "poster_a3_fc")
    assert check_order(replace_value(order, f"{ITEM_PATH}.options", [])) == []
    assert check_order(replace_value(order, f"{ITEM_PATH}.options")) == []


@pytest.mark.parametrize("fields", [{"type": "stock"}, {"reorder_order_reference": "1", "reorder_item_reference": "2"}])
@pytest.mark.parametrize("files", [REMOVED, None, []])
def test_stock_and_reorders_need_no_files(fields: dict[str, str], files: object) -> None:
    order = replace_value(make_order(), f"{ITEM_PATH}.files", files)
    assert error_paths(check_order(order)) == [f"{ITEM_PATH}.files"]
    order["items"][0] |= fields
    assert check_order(order) == []


def test_a_path_may_stand_in_place_of_the_sum_and_not_beside_it() -> None:
    with_path = replace_value(make_order(), f"{FILE_PATH}.path", "book.pdf")
    assert error_paths(check_order(with_path)) == [f"{FILE_PATH}.path"]
    assert check_order(replace_value(with_path, f"{FILE_PATH}.md5sum")) == []


def test_unknown_types_of_files_are_warnings() -> None:
    assert check_changed_order(f"{FILE_PATH}.type", "box") == []
    assert warning_paths(check_changed_order(f"{FILE_PATH}.type", "content")) == [f"{FILE_PATH}.type"]
    note = {"type": "delivery_note", "url": "https://example.com/n", "md5sum": "a" * 32}
    assert check_changed_order("files", [note, {**note, "type": "promotion"}]) == []
    assert warning_paths(check_changed_order("files", [{**note, "type": "cover"}])) == ["files[0].type"]
    assert error_paths(check_changed_order("files", [{"type": "promotion"}])) == ["files[0].url", "files[0].md5sum"]


def test_the_only_type_of_address_is_delivery() -> None:
    problem = single_problem(check_changed_order(f"{ADDRESS_PATH}.type", "billing"))
    assert (problem.path, problem.is_warning) == (f"{ADDRESS_PATH}.type", False)


def test_a_reorder_names_order_and_item() -> None:
    order, item = "reorder_order_reference", "reorder_item_reference"
    assert error_paths(check_changed_order(f"{ITEM_PATH}.{order}", "1")) == [f"{ITEM_PATH}.{item}"]
    assert error_paths(check_changed_order(f"{ITEM_PATH}.{item}", "1")) == [f"{ITEM_PATH}.{order}"]
    assert warning_paths(check_changed_order(f"{ITEM_PATH}.reorder_cause", REORDER_CAUSES[0])) == [
        f"{ITEM_PATH}.reorder_cause"
    ]
    titles = replace_value(make_publish_order(), f"{ITEM_PATH}.{order}", "1")
    assert error_paths(check_publish_order(titles)) == [f"{ITEM_PATH}.{item}"]


def test_a_reorder_holds_items_of_one_order() -> None:
    items = [
        {**make_order()["items"][0], "reference": n, "reorder_order_reference": o, "reorder_item_reference": n}
        for n, o in enumerate(("1", "1", "2"))
    ]
    assert error_paths(check_order({**make_order(), "items": items[:2]})) == []
    assert error_paths(check_order({**make_order(), "items": items})) == ["items[2].reorder_order_reference"]


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("referense", '"reference"'),
        (f"{ITEM_PATH}.quantity", '"count"'),
        (f"{ITEM_PATH}.Title", '"title"'),
        (f"{ADDRESS_PATH}.postcode", '"zip"'),
        (f"{ADDRESS_PATH}.street", '"street1"'),
        (f"{ADDRESS_PATH}.first_name", '"firstname"'),
        (f"{FILE_PATH}.md5", '"md5sum"'),
        ("shipping_level", "belongs to an item"),
        ("zip", "belongs to an address"),
        (f"{ITEM_PATH}.city", "belongs to an address"),
    ],
)
def test_an_unknown_field_is_a_warning_that_names_the_nearest(path: str, hint: str) -> None:
    problem = single_problem(check_changed_order(path, "x"))
    assert (problem.path, problem.is_warning) == (path, True)
    assert hint in problem.message
    assert "is sent as it is" in problem.message


def test_an_unknown_field_like_no_other_gets_no_hint() -> None:
    assert single_problem(check_changed_order("zzzzzz", 1)).message.endswith("is sent as it is.")


def test_the_count_of_titles_is_called_quantity() -> None:
    titles = replace_value(replace_value(make_publish_order(), "items[0].quantity"), "items[0].count", 1)
    found = check_publish_order(titles)
    assert error_paths(found) == ["items[0].quantity"]
    assert 'Did you mean "quantity"?' in found[1].message


@pytest.mark.parametrize("name", ["apikey", "api_key", "apiKey", "APIKEY", "api-key"])
def test_a_key_in_a_document_is_refused_and_not_shown(name: str) -> None:
    for path in (name, f"{ITEM_PATH}.{name}"):
        problem = single_problem(check_changed_order(path, "s3cr3t"))
        assert (problem.path, problem.is_warning) == (path, False)
        assert "profile" in problem.message
        assert "s3cr3t" not in str(problem)
    assert error_paths(check_quote({"apikey": "s3cr3t", **make_quote()})) == ["apikey"]


def test_all_problems_come_at_once_in_the_order_of_the_document() -> None:
    order = {
        "email": "nobody",
        "items": [
            {
                "product": "poster_a3_fc",
                "files": [{"type": "product", "md5sum": "1", "url": "http://x"}, {}],
                "count": 0,
                "extra": 1,
                "reference": "a b",
            },
            "none",
        ],
        "apikey": "x",
        "addresses": [{"country": "UK", "type": "billing", "phone": "1"}],
    }
    assert [problem.path for problem in check_order(order)] == [
        "reference",
        "email",
        "items[0].shipping_level",
        "items[0].files[0].md5sum",
        "items[0].files[0].url",
        *(f"items[0].files[1].{name}" for name in ("type", "url", "md5sum")),
        "items[0].count",
        "items[0].extra",
        "items[0].reference",
        "items[1]",
        "apikey",
        *(f"addresses[0].{name}" for name in ("firstname", "lastname", "street1", "city", "email", "zip")),
        "addresses[0].country",
        "addresses[0].type",
    ]


def test_a_problem_reads_as_one_line() -> None:
    problem = check_changed_order(f"{ADDRESS_PATH}.city", "")[0]
    assert str(problem) == "addresses[0].city: is empty (the city)."
    assert str(Problem("", "must be an order.")) == "must be an order."
    for each in check_order(
        json.loads('{"reference": "a\\nb\\u001b[0m", "items": [{"x\\ny": 1}], "email": "\\u2028"}')
    ):
        assert "\x1b" not in each.message
        assert "\n" not in each.message
    assert len(check_changed_order("email", "x" * 10_000)[0].message) < 200


def test_thousands_of_items_with_the_same_slip_are_checked_in_time() -> None:
    item = {**make_order()["items"][0], "quantity": 1, "product": ""}
    items = [{**item, "reference": n} for n in range(5000)]
    assert len(check_order({**make_order(), "items": items})) == 10_000
