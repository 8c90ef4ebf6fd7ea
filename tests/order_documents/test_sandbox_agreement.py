"""The sandbox accepts every order that passes the checks; the checks find every order that it refuses as malformed."""

from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cpctl.order_documents.preparation import prepare_document, quote_from_document
from cpctl.reference_data.countries import COUNTRIES
from cpctl.reference_data.country_states import STATES_BY_COUNTRY
from cpctl.sandbox.fixtures.product_catalog import PRODUCT_OPTIONS, PRODUCTS, required_file_types
from cpctl.sandbox.fixtures.shipping_offers import SHIPPING_LEVELS, find_best_offer
from cpctl.sandbox.sandbox_state import API_KEYS, SandboxState
from cpctl.sandbox.simulated_api.routes import respond
from examples.document_examples import check_order, check_quote
from examples.edits import REMOVED, replace_value, value_paths

Document = dict[str, Any]
FEWER_EXAMPLES = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
REFERENCES = st.text("abcXYZ019-_.", min_size=1, max_size=20).filter(lambda text: not text.startswith("order-"))
COUNTS = st.integers(1, 5000) | st.integers(1, 5000).map(str)
# The tables have more countries with states; the checks require a state only for US and CA.
COUNTRY_CODES = sorted(code for code in COUNTRIES if code not in STATES_BY_COUNTRY or code in ("US", "CA"))
FORM_ERRORS = (
    "missing_required_parameter",
    "invalid_parameter",
    "country_unknown",
    "state_unknown",
    "currency_unknown",
    "item_reference_not_unique",
    "reorder_of_several_orders",
)


@st.composite
def valid_orders(draw: st.DrawFn) -> Document:
    """Orders for anywhere, of anything the sandbox sells, with or without what is optional."""
    country = draw(st.sampled_from(COUNTRY_CODES))
    address = {name: draw(WORDS) for name in ("firstname", "lastname", "street1", "city", "zip")}
    address |= {"type": "delivery", "country": country, "email": "a@example.com", "phone": f"+{draw(COUNTS)}"}
    if country in ("US", "CA"):
        address["state"] = draw(st.sampled_from(sorted(STATES_BY_COUNTRY[country])))
    if country == "BR":
        address["customer_identification"] = "529.982.247-25"
    names = draw(st.lists(REFERENCES, min_size=1, max_size=3, unique=True))
    items = [draw(_items(name, country)) for name in names]
    order: Document = {"reference": draw(REFERENCES), "email": "b@example.com", "addresses": [address], "items": items}
    optional = st.fixed_dictionaries(
        {}, optional={"price": st.sampled_from(["12,50", "3"]), "currency": st.just("EUR"), "hc": st.just("4901.99")}
    )
    return {**order, **draw(optional)}


@st.composite
def _items(draw: st.DrawFn, reference: str, country: str) -> Document:
    product = PRODUCTS[draw(st.sampled_from(sorted(PRODUCTS)))]
    families: dict[str, str] = {}
    for name in draw(st.lists(st.sampled_from(product.method.option_references), max_size=3, unique=True)):
        families.setdefault(PRODUCT_OPTIONS[name].family, name)
    options = [{draw(st.sampled_from(["type", "option_reference"])): name, "count": 1} for name in families.values()]
    if product.has_pages:
        options.append({"type": "total_pages", "count": draw(COUNTS)})
    levels = [level for level in SHIPPING_LEVELS if find_best_offer(country, level) is not None]
    item: Document = {
        "reference": reference,
        draw(st.sampled_from(["product", "product_reference"])): product.reference,
        "count": draw(COUNTS),
        "shipping_level": draw(st.sampled_from(levels)),
        "files": [
            {"type": kind, "url": f"https://files.example.com/{kind}", "md5sum": "4" * 32}
            for kind in required_file_types(product, tuple(families.values()))
        ],
    }
    if options or draw(st.booleans()):
        item["options"] = options
    return item


def sandbox_reply(path: str, body: Document) -> tuple[int, str, str]:
    """The status of the sandbox's answer, and what it says of a refusal."""
    reply = respond(SandboxState(), f"/cloudcore/1.0/{path}", {"apikey": API_KEYS["core"], **body})
    error = reply.body.get("error", {}) if isinstance(reply.body, dict) else {}
    return int(reply.status), str(error.get("type", "")), str(error.get("info", ""))


@FEWER_EXAMPLES
@given(valid_orders())
def test_the_sandbox_accepts_every_order_that_passes_the_checks(order: Document) -> None:
    assert [str(problem) for problem in check_order(order) if not problem.is_warning] == []
    assert sandbox_reply("orders/add", prepare_document(order, str)) == (201, "", "")


@FEWER_EXAMPLES
@given(valid_orders())
def test_an_order_that_passes_the_checks_can_be_quoted(order: Document) -> None:
    quote = quote_from_document(order)
    assert check_quote(quote) == []
    assert sandbox_reply("orders/quote", quote) == (200, "", "")


INVALID_VALUES = st.sampled_from(
    [None, "", " ", "x", "a b", "a/b", 0, -1, 1.5, True, [], {}, ["x"], [{}], "UK", "Euro", "12,5,0", "g" * 31, "ü"]
)


@st.composite
def damaged_orders(draw: st.DrawFn) -> Document:
    """Orders with one value removed or replaced."""
    order = draw(valid_orders())
    value = REMOVED if draw(st.booleans()) else draw(INVALID_VALUES)
    return replace_value(order, draw(st.sampled_from(list(value_paths(order)))), value)


@settings(FEWER_EXAMPLES, max_examples=60)
@given(damaged_orders())
def test_the_checks_find_every_order_that_the_sandbox_refuses_as_malformed(order: Document) -> None:
    sent = prepare_document(order, str)
    status, kind, info = sandbox_reply("orders/add", sent)
    assume(kind in FORM_ERRORS)
    # Only the list of products shows which files a product needs and whether it has pages; for pages, the checks
    # warn by the name of the product.
    assume(info != "total_pages" and not info.startswith("file of type") and " is none of " not in info)
    assert status == 400
    assert [problem for problem in check_order(order) if not problem.is_warning], (kind, info)
