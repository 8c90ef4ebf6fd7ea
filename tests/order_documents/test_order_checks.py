"""Every problem of an order or a quote is found before it is sent, all at once, each with its path."""

import json

import pytest

from cpctl.order_documents.checks import REORDER_CAUSES, Problem
from examples.core_requests import make_order, make_publish_order, make_quote
from examples.document_examples import (
    ADDRESS_PATH,
    FILE_PATH,
    ITEM_PATH,
    check_changed_order,
    check_order,
    check_publish_order,
    check_quote,
    error_paths,
    single_problem,
    warning_paths,
)
from examples.edits import REMOVED, replace_value

QUOTE_HASH = "0123456789abcdef" * 4


def test_the_documented_examples_pass() -> None:
    assert check_order(make_order()) == []
    assert check_quote(make_quote()) == []
    assert check_publish_order(make_publish_order()) == []


def test_numbers_pass_where_the_examples_have_text() -> None:
    order = make_order()
    order["items"][0] |= {"count": 5, "reference": 1, "options": [{"type": "total_pages", "count": 36}]}
    order["addresses"][0] |= {"phone": 12345678, "zip": 99999}
    assert check_order(order) == []


@pytest.mark.parametrize(
    "path",
    ["reference", "addresses"]
    + [f"{ADDRESS_PATH}.{name}" for name in ("firstname", "zip", "country")]
    + [f"{ITEM_PATH}.{name}" for name in ("product", "count", "shipping_level", "files")]
    + [f"{FILE_PATH}.{name}" for name in ("url", "md5sum")]
    + [f"{ITEM_PATH}.options[1].{name}" for name in ("type", "count")],
)
def test_a_required_field_without_a_value_is_an_error(path: str) -> None:
    for value in (REMOVED, None) if path.endswith("files") else (REMOVED, None, "", "  "):
        found = check_changed_order(path, value)
        assert error_paths(found) == [path]
        assert f"required field is {'missing' if value is REMOVED else 'empty'}: " in found[0].message
        assert path not in warning_paths(found)


@pytest.mark.parametrize("path", ["country", "items", f"{ITEM_PATH}.reference", f"{ITEM_PATH}.product"])
def test_a_quote_has_its_own_required_fields(path: str) -> None:
    assert error_paths(check_quote(replace_value(make_quote(), path))) == [path]


@pytest.mark.parametrize(
    "path", ["order_reference", f"{ADDRESS_PATH}.state", "items[1].item_reference", "items[1].quantity"]
)
def test_a_publish_order_has_its_own_required_fields(path: str) -> None:
    assert error_paths(check_publish_order(replace_value(make_publish_order(), path))) == [path]


@pytest.mark.parametrize("document", [None, [{}], "order", 7])
def test_a_document_that_is_not_an_object_is_one_problem(document: object) -> None:
    for check in (check_order, check_publish_order, check_quote):
        assert single_problem(check(document)).path == ""


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("addresses", {"type": "delivery"}, "must be a list, not an object; put it into a list."),
        ("items", "one", 'must be a list, not the text "one".'),
        ("items", [], "required field is empty: a list of one or more items."),
        (ITEM_PATH, "one", 'must be an item (an object with fields), not the text "one".'),
        (ADDRESS_PATH, None, "must be an address (an object with fields), not null."),
        (f"{ITEM_PATH}.options", "", 'must be a list, not the text "".'),
        (f"{ITEM_PATH}.files", 3, "must be a list, not the number 3."),
        ("reference", {"a": 1}, "must be text or a number, not an object."),
        (f"{ITEM_PATH}.title", [], "must be text or a number, not a list."),
        (f"{ITEM_PATH}.count", True, "must be text or a number, not true."),
        ("meta", "text", 'must be a list or an object, not the text "text".'),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_its_path(path: str, value: object, message: str) -> None:
    problem = next(problem for problem in check_changed_order(path, value) if not problem.is_warning)
    assert problem == Problem(message, path)


@pytest.mark.parametrize("meta", [[], {"a": {"b": 1}}, None])
def test_meta_may_hold_anything(meta: object) -> None:
    assert check_changed_order("meta", meta) == []


def test_items_must_have_different_references() -> None:
    order = make_order()
    order["items"] *= 3
    found = check_order(order)
    assert error_paths(found) == ["items[1].reference", "items[2].reference"]
    assert '"12346-1" is also the reference of items[0]' in found[0].message
    publish_order = replace_value(make_publish_order(), "items[1].item_reference", "123456-0001")
    assert error_paths(check_publish_order(publish_order)) == ["items[1].item_reference"]
    quote = make_quote()
    quote["items"] = [{**quote["items"][0], "reference": 1}, {**quote["items"][0], "reference": "1"}]
    assert error_paths(check_quote(quote)) == ["items[1].reference"]


@pytest.mark.parametrize(
    ("fields", "ignored"),
    [
        ({"quote": QUOTE_HASH}, []),
        ({"shipping_option": "Colissimo"}, []),
        ({"reorder_order_reference": "1", "reorder_item_reference": "2"}, []),
        ({"quote": QUOTE_HASH, "shipping_level": "cp_ground"}, ["shipping_level"]),
        (
            {"shipping_level": "cp_ground", "quote": QUOTE_HASH, "shipping_option": "x"},
            ["shipping_level", "shipping_option"],
        ),
    ],
)
def test_one_field_names_the_shipping_and_another_one_is_a_warning(fields: dict[str, str], ignored: list[str]) -> None:
    item = replace_value(make_order(), f"{ITEM_PATH}.shipping_level")["items"][0] | fields
    found = check_order({**make_order(), "items": [item]})
    assert error_paths(found) == []
    assert warning_paths(found) == [f"{ITEM_PATH}.{name}" for name in ignored]


def test_synonyms_of_product_and_option_type_are_accepted() -> None:
    order = make_order()
    item = order["items"][0]
    item["product_reference"] = item.pop("product")
    item["options"][0] = {"option_reference": "total_pages", "count": 36}
    assert check_order(order) == []


def test_an_option_family_is_not_an_option() -> None:
    option = {"type": "type_product_material", "reference": "paper_300off", "count": 1}
    found = check_changed_order(f"{ITEM_PATH}.options[1]", option)
    assert error_paths(found) == [f"{ITEM_PATH}.options[1].type"]
    assert '"type_product_material" is a family of options' in found[0].message
    assert "cpctl products info" in found[0].message
    assert 'Did you mean "option_reference"?' in found[1].message


@pytest.mark.parametrize("options", [[], None, [{"type": "paper", "count": 1}], REMOVED])
def test_a_book_without_total_pages_is_a_warning(options: object) -> None:
    found = check_changed_order(f"{ITEM_PATH}.options", options)
    assert (warning_paths(found), error_paths(found)) == ([f"{ITEM_PATH}.options"], [])
    poster = replace_value(make_order(), f"{ITEM_PATH}.product", "poster_a3_fc")
    assert check_order(replace_value(poster, f"{ITEM_PATH}.options", options)) == []


@pytest.mark.parametrize("fields", [{"type": "stock"}, {"reorder_order_reference": "1", "reorder_item_reference": "2"}])
def test_stock_and_reorders_need_no_files(fields: dict[str, str]) -> None:
    order = replace_value(make_order(), f"{ITEM_PATH}.files")
    order["items"][0] |= fields
    assert check_order(order) == []


def test_a_path_is_given_instead_of_md5sum_and_not_with_it() -> None:
    with_path = replace_value(make_order(), f"{FILE_PATH}.path", "book.pdf")
    assert error_paths(check_order(with_path)) == [f"{FILE_PATH}.path"]
    assert check_order(replace_value(with_path, f"{FILE_PATH}.md5sum")) == []


def test_an_unknown_file_type_is_a_warning() -> None:
    assert check_changed_order(f"{FILE_PATH}.type", "box") == []
    assert warning_paths(check_changed_order(f"{FILE_PATH}.type", "content")) == [f"{FILE_PATH}.type"]
    note = {"type": "delivery_note", "url": "https://example.com/n", "md5sum": "a" * 32}
    assert check_changed_order("files", [note, {**note, "type": "promotion"}]) == []
    assert warning_paths(check_changed_order("files", [{**note, "type": "cover"}])) == ["files[0].type"]
    assert error_paths(check_changed_order("files", [{"type": "promotion"}])) == ["files[0].url", "files[0].md5sum"]


def test_an_address_is_for_delivery() -> None:
    problem = single_problem(check_changed_order(f"{ADDRESS_PATH}.type", "billing"))
    assert (problem.path, problem.is_warning) == (f"{ADDRESS_PATH}.type", False)


def test_a_reorder_names_order_and_item() -> None:
    order, item = "reorder_order_reference", "reorder_item_reference"
    assert error_paths(check_changed_order(f"{ITEM_PATH}.{order}", "1")) == [f"{ITEM_PATH}.{item}"]
    assert error_paths(check_changed_order(f"{ITEM_PATH}.{item}", "1")) == [f"{ITEM_PATH}.{order}"]
    assert warning_paths(check_changed_order(f"{ITEM_PATH}.reorder_cause", REORDER_CAUSES[0])) == [
        f"{ITEM_PATH}.reorder_cause"
    ]
    publish_order = replace_value(make_publish_order(), f"{ITEM_PATH}.{order}", "1")
    assert error_paths(check_publish_order(publish_order)) == [f"{ITEM_PATH}.{item}"]


def test_a_reorder_holds_items_of_one_order() -> None:
    items = [
        {**make_order()["items"][0], "reference": n, "reorder_order_reference": order, "reorder_item_reference": n}
        for n, order in enumerate(("1", "1", "2"))
    ]
    assert error_paths(check_order({**make_order(), "items": items[:2]})) == []
    assert error_paths(check_order({**make_order(), "items": items})) == ["items[2].reorder_order_reference"]


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("referense", 'Did you mean "reference"?'),
        (f"{ITEM_PATH}.quantity", 'Did you mean "count"?'),
        (f"{ITEM_PATH}.Title", 'Did you mean "title"?'),
        (f"{ADDRESS_PATH}.first_name", 'Did you mean "firstname"?'),
        ("shipping_level", "It belongs to an item."),
        (f"{ITEM_PATH}.city", "It belongs to an address."),
        ("zzzzzz", "it is sent unchanged."),
    ],
)
def test_an_unknown_field_is_a_warning_with_a_suggestion(path: str, hint: str) -> None:
    problem = single_problem(check_changed_order(path, "x"))
    assert (problem.path, problem.is_warning) == (path, True)
    assert "is not a known field of" in problem.message
    assert problem.message.endswith(hint)


def test_the_count_of_titles_is_called_quantity() -> None:
    order = replace_value(replace_value(make_publish_order(), "items[0].quantity"), "items[0].count", 1)
    found = check_publish_order(order)
    assert error_paths(found) == ["items[0].quantity"]
    assert 'Did you mean "quantity"?' in found[1].message


@pytest.mark.parametrize("name", ["apikey", "apiKey", "api-key"])
def test_a_key_in_a_document_is_refused_and_not_shown(name: str) -> None:
    for path in (name, f"{ITEM_PATH}.{name}"):
        problem = single_problem(check_changed_order(path, "s3cr3t"))
        assert (problem.path, problem.is_warning) == (path, False)
        assert "the key comes from the profile" in problem.message
        assert "s3cr3t" not in str(problem)


def test_all_problems_are_found_at_once_in_the_order_of_the_document() -> None:
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


def test_a_problem_is_one_line() -> None:
    problem = check_changed_order(f"{ADDRESS_PATH}.city", "")[0]
    assert str(problem) == "addresses[0].city: required field is empty: the city."
    assert str(Problem("must be an order.")) == "must be an order."
    order = json.loads('{"reference": "a\\nb\\u001b[0m", "items": [{"x\\ny": 1}], "email": "\\u2028"}')
    assert not any("\x1b" in problem.message or "\n" in problem.message for problem in check_order(order))
    assert len(check_changed_order("email", "x" * 10_000)[0].message) < 200


def test_thousands_of_items_with_the_same_typo_are_checked() -> None:
    item = {**make_order()["items"][0], "quantity": 1, "product": ""}
    items = [{**item, "reference": n} for n in range(5000)]
    assert len(check_order({**make_order(), "items": items})) == 10_000
