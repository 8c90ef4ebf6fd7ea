"""Any valid order passes, and any single fault in it is found with its path."""

import json
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpctl.order_documents.checks import ITEM_FILE_TYPES, REORDER_CAUSES, SHIPPING_LEVELS
from cpctl.order_documents.preparation import prepare_document, quote_from_document
from cpctl.order_documents.reader import read_document
from cpctl.reference_data.countries import COUNTRIES, COUNTRIES_WITHOUT_ZIP
from cpctl.reference_data.country_states import STATES_BY_COUNTRY
from cpctl.reference_data.currencies import CURRENCIES
from examples.document_examples import check_order, check_publish_order, check_quote, error_paths
from examples.edits import REMOVED, replace_value, value_at

Document = dict[str, Any]

settings.register_profile("documents", suppress_health_check=[HealthCheck.too_slow], deadline=None)
FEWER_EXAMPLES = settings(settings.get_profile("documents"), max_examples=60)

WORDS = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=20).filter(str.strip)
REFERENCES = st.text("abcXYZ0123456789-_.", min_size=1, max_size=120)
COUNTS = st.integers(1, 10**6) | st.integers(1, 10**6).map(str)
HEX_DIGITS = "0123456789abcdefABCDEF"
MD5_SUMS = st.text(HEX_DIGITS, min_size=32, max_size=32)
URLS = st.text("abc019-_./?=&%", max_size=30).map(lambda rest: f"https://files.example.com/{rest}")
EMAILS = st.from_regex(r"[a-z0-9.+]{1,20}@[a-z0-9]{1,20}\.(com|co\.uk|de)", fullmatch=True)
FILES = st.fixed_dictionaries({"type": st.sampled_from(ITEM_FILE_TYPES), "url": URLS, "md5sum": MD5_SUMS})
OPTIONS = st.fixed_dictionaries({"type": st.sampled_from(["total_pages", "paper_130mcg"]), "count": COUNTS})
PRICES = {
    "price": st.from_regex(r"[0-9]{1,5}(,[0-9]{2})?", fullmatch=True),
    "currency": st.sampled_from(sorted(CURRENCIES)),
}
SHIPPING = st.one_of(
    st.fixed_dictionaries({"shipping_level": st.sampled_from(SHIPPING_LEVELS)}),
    st.fixed_dictionaries({"quote": st.text(HEX_DIGITS, min_size=64, max_size=64)}),
    st.fixed_dictionaries({"shipping_option": WORDS}),
)


@st.composite
def addresses(draw: st.DrawFn) -> Document:
    country = draw(st.sampled_from(sorted(COUNTRIES)))
    address = {"type": "delivery", "country": country, "email": draw(EMAILS), "phone": f"+{draw(COUNTS)}"}
    address |= {name: draw(WORDS) for name in ("firstname", "lastname", "street1", "city")}
    if country not in COUNTRIES_WITHOUT_ZIP or draw(st.booleans()):
        address["zip"] = draw(st.text("0123456789", min_size=3, max_size=8))
    if country in STATES_BY_COUNTRY:
        address["state"] = draw(st.sampled_from(sorted(STATES_BY_COUNTRY[country])))
    if country == "BR":
        address["customer_identification"] = "529.982.247-25"
    return address


@st.composite
def orders(draw: st.DrawFn) -> Document:
    required = {"product": st.sampled_from(["poster_a3_fc", "flyer_ss_a5_fc"]), "count": COUNTS}
    required["files"] = st.lists(FILES, min_size=1, max_size=2)
    optional = {**PRICES, "title": WORDS, "options": st.lists(OPTIONS, max_size=2)}
    items = [
        {"reference": reference, **draw(st.fixed_dictionaries(required, optional=optional)), **draw(SHIPPING)}
        for reference in draw(st.lists(REFERENCES, min_size=1, max_size=3, unique=True))
    ]
    if draw(st.booleans()):
        items[0] |= {"reorder_order_reference": "original", "reorder_item_reference": draw(REFERENCES)}
        items[0]["reorder_cause"] = draw(st.sampled_from(REORDER_CAUSES))
    order = draw(st.fixed_dictionaries({"reference": REFERENCES, "email": EMAILS}, optional=PRICES))
    return {**order, "addresses": [draw(addresses())], "items": items}


# The path of each fault and its value; REMOVED deletes the field.
SINGLE_FAULTS = [
    ("reference", REMOVED),
    ("reference", "a/b"),
    ("email", "nobody"),
    ("price", "much"),
    ("currency", "Euro"),
    ("apikey", "x"),
    ("files", {}),
    ("meta", 5),
    *((f"addresses[0].{name}", REMOVED) for name in ("type", "firstname", "lastname", "street1", "city", "phone")),
    ("addresses[0].country", "UK"),
    ("addresses[0].email", "a@b"),
    ("addresses[0].street2", []),
    ("addresses[0]", []),
    ("items[-1].reference", None),
    ("items[-1].reference", "a b"),
    ("items[-1].product", " "),
    ("items[-1].count", 0),
    ("items[-1].count", "1.5"),
    ("items[-1].count", REMOVED),
    ("items[-1].quote", "abc"),
    ("items[-1].options", {"type": "total_pages"}),
    ("items[-1].options", [{"type": "type_main_paper", "count": 1}]),
    ("items[-1].price", "12,5,0"),
    ("items[-1].files[-1].url", "http://example.com"),
    ("items[-1].files[-1].md5sum", "123"),
    ("items[-1].files[-1].type", REMOVED),
    ("items[-1].files[-1]", "cover.pdf"),
    ("items[-1].reorder_cause", {}),
]


def resolve_last_index(order: Document, path: str) -> str:
    """The path with the number of the last element in place of -1."""
    while "[-1]" in path:
        length = len(value_at(order, path[: path.index("[-1]")]))
        path = path.replace("[-1]", f"[{length - 1}]", 1)
    return path


@FEWER_EXAMPLES
@given(orders())
def test_any_valid_order_passes_also_after_preparation_and_reading(order: Document) -> None:
    assert check_order(order) == []
    assert check_order(prepare_document(order, str)) == []
    assert check_quote(quote_from_document(order)) == []
    for text in (json.dumps(order), "---\n" + yaml.safe_dump(order)):
        assert check_order(read_document("x", text.encode())) == []


@FEWER_EXAMPLES
@given(orders(), st.sampled_from(SINGLE_FAULTS))
def test_a_single_fault_is_found_with_its_path(order: Document, fault: tuple[str, object]) -> None:
    path, value = fault
    path = resolve_last_index(order, path)
    # A fault in the country may make a zip required.
    order["addresses"][0].setdefault("zip", "01067")
    found = error_paths(check_order(replace_value(order, path, value)))
    assert found
    assert all(found_path.startswith(path) for found_path in found), found


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
VALUE_PATHS = ["", "addresses", "addresses[0]", "addresses[0].country", "addresses[0].state", "items", "items[-1]"]
VALUE_PATHS += ["items[-1].reference", "items[-1].options", "items[-1].files", "items[-1].files[0]", "items[-1].type"]
VALUE_PATHS += [
    "items[-1].reorder_order_reference",
    "addresses[0].customer_identification",
    "items[-1].product",
    "files",
]


@settings(FEWER_EXAMPLES, max_examples=200)
@given(orders(), st.sampled_from(VALUE_PATHS), JSON_VALUES)
def test_any_value_anywhere_can_be_checked_prepared_and_quoted(order: Document, path: str, value: object) -> None:
    document = replace_value(order, resolve_last_index(order, path), value) if path else value
    for check in (check_order, check_publish_order, check_quote):
        for problem in check(document):
            assert problem.message.endswith((".", "?"))
    if isinstance(document, dict):
        check_order(prepare_document(document, lambda path: "0" * 32))
        check_quote(quote_from_document(document))
