"""Prices, quotes and the shape of options, as nine probes of the live service found it."""

import re
from typing import Any

import pytest
from core_examples import QUOTE, Shop, changed

from cpctl.sandbox.control.control_client import ControlClient

PATHS = ("orders/quote", "prices/lookup")
FLYER = {"reference": "f", "product": "flyer_ss_a5_fc", "count": "1", "options": []}
FAMILY, PAPER = "type_product_material", "paper_300off"
OK = ("", "")
UNKNOWN = ("option_unknown", FAMILY)
NAMELESS = ("missing_required_parameter", "option_reference is missing")
PROBES: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"type": PAPER, "count": "1"}, OK),
    ({"option_reference": PAPER, "count": "1"}, OK),
    ({"option_reference": PAPER, "option": "x", "count": 1}, OK),
    ({"option_reference": PAPER, "option_type": FAMILY, "count": 1}, OK),
    ({"type": FAMILY, "reference": PAPER, "count": "1"}, UNKNOWN),
    ({"type": FAMILY, "option": PAPER, "count": "1"}, UNKNOWN),
    ({"type": FAMILY, "option_reference": PAPER, "count": "1"}, UNKNOWN),
    ({"option": FAMILY, "option_value": PAPER, "count": "1"}, NAMELESS),
    ({"option": FAMILY, "value": PAPER, "count": "1"}, NAMELESS),
    ({"type": PAPER}, ("missing_required_parameter", "count")),
]


def asked(*items: dict[str, Any], country: str = "NL", **more: Any) -> dict[str, Any]:
    return {"country": country, "items": list(items), **more}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("option", "error"), PROBES, ids=[str(row[0]) for row in PROBES])
def test_an_option_has_the_shape_that_the_live_service_takes(
    shop: Shop, path: str, option: dict[str, Any], error: tuple[str, str]
) -> None:
    reply = shop.send(path, asked({**FLYER, "options": [option]}))
    assert reply.status == (200 if error == OK else 400)
    assert error == OK or reply.error == error


@pytest.mark.parametrize("path", PATHS)
def test_options_must_be_an_array_even_when_there_are_none(shop: Shop, path: str) -> None:
    for item in (changed(FLYER, "options"), {**FLYER, "options": None}):
        reply = shop.send(path, asked(item))
        assert reply.status == (500 if shop.sandbox.state.is_live else 400)
        assert "foreach()" in reply.error[1]
    assert shop.send(path, asked({**FLYER, "options": "x"})).error == ("invalid_parameter", "options is not an array")
    assert shop.send(path, asked(FLYER)).status == 200


@pytest.mark.parametrize("name", ["product", "product_reference"])
def test_a_product_may_be_named_either_way(shop: Shop, name: str) -> None:
    item = {**changed(FLYER, "product"), name: "flyer_ss_a5_fc"}
    assert shop.send("prices/lookup", asked(item)).status == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (asked(FLYER, country="XX"), ("country_unknown", "XX")),
        (asked(FLYER, country="US"), ("missing_required_parameter", "state")),
        (asked(FLYER, country="US", state="XX"), ("state_unknown", "XX")),
        (asked(FLYER, currency="XXX"), ("currency_unknown", "XXX")),
        (asked(), ("missing_required_parameter", "items")),
        (asked(changed(FLYER, "reference")), ("missing_required_parameter", "reference")),
        (asked(changed(FLYER, "product")), ("missing_required_parameter", "product")),
        (asked(changed(FLYER, "count")), ("missing_required_parameter", "count")),
        (asked({**FLYER, "product": "x"}), ("product_unknown", "x")),
        (asked(FLYER, FLYER), ("item_reference_not_unique", "f")),
        (asked({**QUOTE["items"][0], "options": []}), ("missing_required_parameter", "total_pages")),
        (
            asked({**FLYER, "options": [{"type": name, "count": 1} for name in ("paper_90off", "paper_300off")]}),
            ("option_type_not_unique", "paper_300off"),
        ),
    ],
)
def test_what_is_wrong_in_a_question_is_named(shop: Shop, body: dict[str, Any], error: tuple[str, str]) -> None:
    reply = shop.send("orders/quote", body)
    assert (reply.status, reply.error) == (400, error)


def test_the_same_question_has_the_same_prices_and_other_hashes(shop: Shop) -> None:
    first, second = (shop.get(path, QUOTE) for path in PATHS)

    def without_hashes(found: Any) -> str:
        return re.sub("[0-9a-f]{64}", "", str(found))

    assert without_hashes(first) == without_hashes(second)
    assert first != second


def test_five_hundred_flyers_are_cheaper_than_half_of_them(shop: Shop) -> None:
    prices = [
        float(shop.get("prices/lookup", asked({**FLYER, "count": count}))["subtotals"]["items"]) for count in (250, 500)
    ]
    assert prices[0] > prices[1]


def test_pages_copies_options_and_places_have_their_price(shop: Shop) -> None:
    def price(body: dict[str, Any]) -> float:
        return float(shop.get("prices/lookup", body)["subtotals"]["items"])

    base = price(QUOTE)
    assert price(changed(QUOTE, "items.0.count", 2)) == pytest.approx(2 * base)
    assert price(changed(QUOTE, "items.0.options.1.count", 240)) == pytest.approx(base + 1.2)
    assert price(changed(QUOTE, "items.0.options.0.type", "pageblock_130mcs")) == pytest.approx(base + 0.36)
    assert price({**QUOTE, "country": "US", "state": "FL"}) == pytest.approx(base * 1.1, abs=0.0001)
    assert price({**QUOTE, "currency": "USD"}) == pytest.approx(base * 1.1, abs=0.0001)


def test_every_amount_has_four_decimals(live_shop: Shop) -> None:
    found = live_shop.get("orders/quote", {**QUOTE, "currency": "JPY"})
    rows = [found, *found["shipments"][0]["quotes"]]
    amounts = [row[name] for row in rows for name in ("price", "vat")]
    assert all(re.fullmatch(r"[0-9]+\.[0-9]{4}", amount) for amount in [*amounts, found["invoice_exchange_rate"]])


def test_what_is_made_apart_travels_apart_and_has_hashes_of_its_own(shop: Shop) -> None:
    mug = {"reference": "m", "product": "mug_330ml_white_fc", "count": 1, "options": []}
    found = shop.get("orders/quote", asked(FLYER, mug, {**FLYER, "reference": "g"}))
    assert [[item["reference"] for item in row["items"]] for row in found["shipments"]] == [["m"], ["f", "g"]]


@pytest.mark.parametrize(
    ("country", "levels"),
    [
        ("BE", ["cp_ground"]),
        ("DE", ["cp_postal", "cp_ground", "cp_saver", "cp_fast"]),
        ("JP", ["cp_postal", "cp_fast"]),
    ],
)
def test_not_every_level_goes_everywhere(shop: Shop, country: str, levels: list[str]) -> None:
    offers = shop.get("orders/quote", {**QUOTE, "country": country})["shipments"][0]["quotes"]
    assert [row["shipping_level"] for row in offers] == levels


def test_a_quote_expires_after_48_hours(shop: Shop) -> None:
    found = shop.get("orders/quote", QUOTE)
    live = shop.sandbox.state.is_live
    assert found["expire_date"] == ("2026-03-03T12:00:00.250000Z" if live else "2026-03-03T12:00:00+00:00")
    name = found["shipments"][0]["quotes"][0]["quote"]
    control = ControlClient(shop.sandbox.control_url)
    control.advance_clock(48 * 3600 - 1)
    info = shop.get("orders/quote/info", {"quote": name})
    assert (info["quote"], info["shipping_level"], info["items"]) == (
        name,
        "cp_postal",
        [{"reference": "ref_id_1234567"}],
    )
    control.advance_clock(1)
    assert shop.send("orders/quote/info", {"quote": name}).status == 204
    shop.get("orders/quote", QUOTE)
    assert shop.sandbox.state.quotes.find(name, shop.sandbox.state.now()) is None
