"""Prices, quotes, and the shape of options as nine probes of the live service found it."""

import re
from typing import Any

import pytest

from cpctl.sandbox.control.control_client import ControlClient
from examples.core_requests import QUOTE
from examples.edits import replace_value
from harness.servers.sandbox_client import SandboxClient

QUOTE_PATHS = ("orders/quote", "prices/lookup")
FLYER_ITEM = {"reference": "f", "product": "flyer_ss_a5_fc", "count": "1", "options": []}
FAMILY, PAPER = "type_product_material", "paper_300off"
NO_ERROR = ("", "")
UNKNOWN_OPTION = ("option_unknown", FAMILY)
MISSING_OPTION = ("missing_required_parameter", "option_reference is missing")
OPTION_CASES: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"type": PAPER, "count": "1"}, NO_ERROR),
    ({"option_reference": PAPER, "count": "1"}, NO_ERROR),
    ({"option_reference": PAPER, "option": "x", "count": 1}, NO_ERROR),
    ({"option_reference": PAPER, "option_type": FAMILY, "count": 1}, NO_ERROR),
    ({"type": FAMILY, "reference": PAPER, "count": "1"}, UNKNOWN_OPTION),
    ({"type": FAMILY, "option": PAPER, "count": "1"}, UNKNOWN_OPTION),
    ({"type": FAMILY, "option_reference": PAPER, "count": "1"}, UNKNOWN_OPTION),
    ({"option": FAMILY, "option_value": PAPER, "count": "1"}, MISSING_OPTION),
    ({"option": FAMILY, "value": PAPER, "count": "1"}, MISSING_OPTION),
    ({"type": PAPER}, ("missing_required_parameter", "count")),
]


def quote_request(*items: dict[str, Any], country: str = "NL", **fields: Any) -> dict[str, Any]:
    return {"country": country, "items": list(items), **fields}


@pytest.mark.parametrize(("option", "error"), OPTION_CASES, ids=[str(row[0]) for row in OPTION_CASES])
def test_an_option_has_the_shape_that_the_live_service_accepts(
    client: SandboxClient, option: dict[str, Any], error: tuple[str, str]
) -> None:
    reply = client.send("prices/lookup", quote_request({**FLYER_ITEM, "options": [option]}))
    assert reply.status == (200 if error == NO_ERROR else 400)
    assert error == NO_ERROR or reply.error == error


@pytest.mark.parametrize("path", QUOTE_PATHS)
def test_options_must_be_an_array_even_when_there_are_none(client: SandboxClient, path: str) -> None:
    for item in (replace_value(FLYER_ITEM, "options"), {**FLYER_ITEM, "options": None}):
        reply = client.send(path, quote_request(item))
        assert reply.status == (500 if client.sandbox.state.is_live else 400)
        assert "foreach()" in reply.error[1]
    assert client.send(path, quote_request({**FLYER_ITEM, "options": "x"})).error == (
        "invalid_parameter",
        "options is not an array",
    )
    assert client.send(path, quote_request(FLYER_ITEM)).status == 200


@pytest.mark.parametrize("name", ["product", "product_reference"])
def test_a_product_may_be_given_in_either_field(client: SandboxClient, name: str) -> None:
    item = {**replace_value(FLYER_ITEM, "product"), name: "flyer_ss_a5_fc"}
    assert client.send("prices/lookup", quote_request(item)).status == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (quote_request(FLYER_ITEM, country="XX"), ("country_unknown", "XX")),
        (quote_request(FLYER_ITEM, country="US"), ("missing_required_parameter", "state")),
        (quote_request(FLYER_ITEM, country="US", state="XX"), ("state_unknown", "XX")),
        (quote_request(FLYER_ITEM, currency="XXX"), ("currency_unknown", "XXX")),
        (quote_request(FLYER_ITEM, currency="JPY"), ("currency_unknown", "JPY is none of EUR, USD")),
        (quote_request(), ("missing_required_parameter", "items")),
        (quote_request(replace_value(FLYER_ITEM, "reference")), ("missing_required_parameter", "reference")),
        (quote_request(replace_value(FLYER_ITEM, "product")), ("missing_required_parameter", "product")),
        (quote_request(replace_value(FLYER_ITEM, "count")), ("missing_required_parameter", "count")),
        (quote_request({**FLYER_ITEM, "product": "x"}), ("product_unknown", "x")),
        (quote_request(FLYER_ITEM, FLYER_ITEM), ("item_reference_not_unique", "f")),
        (quote_request({**QUOTE["items"][0], "options": []}), ("missing_required_parameter", "total_pages")),
        (
            quote_request(
                {**FLYER_ITEM, "options": [{"type": name, "count": 1} for name in ("paper_90off", "paper_300off")]}
            ),
            ("option_type_not_unique", "paper_300off"),
        ),
    ],
)
def test_an_invalid_quote_request_is_refused(
    client: SandboxClient, body: dict[str, Any], error: tuple[str, str]
) -> None:
    reply = client.send("orders/quote", body)
    assert (reply.status, reply.error) == (400, error)


def test_equal_requests_have_equal_prices_and_different_hashes(client: SandboxClient) -> None:
    first, second = (client.get(path, QUOTE) for path in QUOTE_PATHS)

    def without_hashes(found: Any) -> str:
        return re.sub("[0-9a-f]{64}", "", str(found))

    assert without_hashes(first) == without_hashes(second)
    assert first != second


def test_500_flyers_are_cheaper_than_250(client: SandboxClient) -> None:
    prices = [
        float(client.get("prices/lookup", quote_request({**FLYER_ITEM, "count": count}))["subtotals"]["items"])
        for count in (250, 500)
    ]
    assert prices[0] > prices[1]


def test_pages_copies_options_zones_and_currencies_change_the_price(client: SandboxClient) -> None:
    def price(body: dict[str, Any]) -> float:
        return float(client.get("prices/lookup", body)["subtotals"]["items"])

    base = price(QUOTE)
    assert price(replace_value(QUOTE, "items.0.count", 2)) == pytest.approx(2 * base)
    assert price(replace_value(QUOTE, "items.0.options.1.count", 240)) == pytest.approx(base + 1.2)
    assert price(replace_value(QUOTE, "items.0.options.0.type", "pageblock_130mcs")) == pytest.approx(base + 0.36)
    assert price({**QUOTE, "country": "US", "state": "FL"}) == pytest.approx(base * 1.1, abs=0.0001)
    assert price({**QUOTE, "currency": "USD"}) == pytest.approx(base * 1.1, abs=0.0001)


def test_every_amount_has_four_decimals(live_client: SandboxClient) -> None:
    found = live_client.get("orders/quote", {**QUOTE, "currency": "USD"})
    rows = [found, *found["shipments"][0]["quotes"]]
    amounts = [row[name] for row in rows for name in ("price", "vat")]
    assert all(re.fullmatch(r"[0-9]+\.[0-9]{4}", amount) for amount in [*amounts, found["invoice_exchange_rate"]])


def test_items_of_different_plants_are_quoted_as_separate_shipments(client: SandboxClient) -> None:
    mug = {"reference": "m", "product": "mug_330ml_white_fc", "count": 1, "options": []}
    found = client.get("orders/quote", quote_request(FLYER_ITEM, mug, {**FLYER_ITEM, "reference": "g"}))
    assert [[item["reference"] for item in row["items"]] for row in found["shipments"]] == [["m"], ["f", "g"]]


@pytest.mark.parametrize(
    ("country", "levels"),
    [
        ("BE", ["cp_ground"]),
        ("DE", ["cp_postal", "cp_ground", "cp_saver", "cp_fast"]),
        ("JP", ["cp_postal", "cp_fast"]),
    ],
)
def test_shipping_levels_depend_on_the_country(client: SandboxClient, country: str, levels: list[str]) -> None:
    offers = client.get("orders/quote", {**QUOTE, "country": country})["shipments"][0]["quotes"]
    assert [row["shipping_level"] for row in offers] == levels


def test_a_quote_expires_after_48_hours(client: SandboxClient) -> None:
    found = client.get("orders/quote", QUOTE)
    live = client.sandbox.state.is_live
    assert found["expire_date"] == ("2026-03-03T12:00:00.250000Z" if live else "2026-03-03T12:00:00+00:00")
    name = found["shipments"][0]["quotes"][0]["quote"]
    control = ControlClient(client.sandbox.control_url)
    control.advance_clock(48 * 3600 - 1)
    info = client.get("orders/quote/info", {"quote": name})
    assert (info["quote"], info["shipping_level"], info["items"]) == (
        name,
        "cp_postal",
        [{"reference": "ref_id_1234567"}],
    )
    control.advance_clock(1)
    assert client.send("orders/quote/info", {"quote": name}).status == 204
    client.get("orders/quote", QUOTE)
    assert client.sandbox.state.quotes.find(name, client.sandbox.state.now()) is None
