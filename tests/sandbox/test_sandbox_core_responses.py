"""Responses of CloudCore: their shape and JSON types in both dialects, and their contents."""

import re
from typing import Any

import pytest

from cpctl.sandbox.server.sandbox_server import Sandbox
from cpctl.sandbox.simulated_api.routes import ROUTES
from examples.core_requests import CORE_PATH, ORDER, PUBLISH_PATH, QUOTE
from harness.servers.http_calls import post_json
from harness.servers.sandbox_client import SandboxClient, json_shape

_LOG = {"reference": str, "create_date": str, "state": int}
_OPTION, _FILE = {"type": str, "count": str}, {"type": str, "url": str, "md5sum": str}
_ADDRESS = dict.fromkeys(("type", "firstname", "lastname", "street1", "zip", "city", "state", "country"), str)
_OFFER = dict.fromkeys(("quote", "service", "shipping_level", "shipping_option", "price", "vat", "currency"), str)
_SHIPMENT = {"total_weight": str, "items": [{"reference": str}], "quotes": [_OFFER]}
_LIVE_ITEM = {
    **dict.fromkeys(("reference", "name", "product_reference", "title", "type"), str),
    "count": int,
    "state": int,
    "state_code": str,
    "shipping_option": str,
    "shipping_option_reference": str,
    "is_reordable": bool,
    "options": [_OPTION],
    "files": [{"type": str, "format": str, "url": str, "md5sum": str}],
}
_LEVELS = [dict.fromkeys(("shipping_level_reference", "shipping_level", "name", "note"), str)]
_COUNTRIES = [{"country_reference": str, "note": str, "require_state": int}]
_STATES = [dict.fromkeys(("state_reference", "name", "note"), str)]
_PRICES = dict.fromkeys(
    ("price", "min", "max", "note", "reference", "currency", "price_unit", "price_unit_type", "type"), str
)
_MONEY = {"items": str, "fee": str, "app_fee": str}
_REFERENCE = {"reference": "12346"}

# Path, request, and the shape of the response: documented and live.
SHAPE_EXAMPLES: list[tuple[str, dict[str, Any], Any, Any]] = [
    (
        "orders/",
        {},
        [{"reference": str, "order_date": str, "state": str, "state_code": str}],
        [{"reference": str, "order_date": str, "state": int, "state_code": str}],
    ),
    (
        "orders/info",
        _REFERENCE,
        {
            **dict.fromkeys(("reference", "state", "state_code", "order_date", "email"), str),
            "addresses": [_ADDRESS],
            "items": [
                {
                    **dict.fromkeys(("reference", "name", "count", "shipping_option", "tracking"), str),
                    "options": [_OPTION],
                    "files": [_FILE],
                }
            ],
        },
        {
            "reference": str,
            "state": int,
            "state_code": str,
            "order_date": str,
            "email": str,
            "is_cancelable": bool,
            "status_logs": [_LOG],
            "addresses": [{**_ADDRESS, "email": str, "phone": str}],
            "items": [_LIVE_ITEM],
        },
    ),
    ("orders/log", _REFERENCE, [{**_LOG, "state": str}], [_LOG]),
    (
        "orders/cancel",
        _REFERENCE,
        type(None),
        {"reference": str, "state": int, "state_code": str, "status": int},
    ),
    (
        "orders/quote",
        QUOTE,
        {
            **dict.fromkeys(("price", "vat", "currency", "expire_date"), str),
            "subtotals": _MONEY,
            "shipments": [_SHIPMENT],
            "invoice_currency": str,
            "invoice_exchange_rate": str,
        },
        {
            "price": str,
            "vat": str,
            "vat_rate": int,
            "currency": str,
            "expire_date": str,
            "production_sla_days": int,
            "subtotals": {**_MONEY, "currency": str},
            "shipments": [_SHIPMENT],
            "invoice_currency": str,
            "invoice_exchange_rate": str,
        },
    ),
    (
        "products",
        {},
        [dict.fromkeys(("name", "note", "reference", "category", "from_price", "currency"), str)],
        [dict.fromkeys(("name", "note", "reference", "category", "availability"), str)],
    ),
    (
        "products/info",
        {"reference": "textbook_cw_a6_p_bw"},
        {
            **dict.fromkeys(("name", "note", "reference"), str),
            "prices": [_PRICES],
            "options": [{"reference": str, "note": str, "type": str, "default": int}],
            "specs": [{"note": str, "value": str}],
        },
        {
            **dict.fromkeys(("name", "note", "reference", "availability"), str),
            "sub_category_type_id": int,
            "files": [{"type": str, "format": str, "template": str}],
            "options": [
                {
                    **dict.fromkeys(("type", "type_name", "reference", "note"), str),
                    "default": int,
                    "availability": str,
                    "files": [{"type": str, "format": str}],
                }
            ],
            "specs": [{"reference": str, "note": str, "value": str}],
        },
    ),
    ("shipping/levels", {}, _LEVELS, _LEVELS),
    ("shipping/countries", {}, _COUNTRIES, _COUNTRIES),
    ("shipping/states", {"country_reference": "AE"}, _STATES, _STATES),
]


@pytest.mark.parametrize(("path", "body", "documented", "live"), SHAPE_EXAMPLES, ids=[row[0] for row in SHAPE_EXAMPLES])
def test_every_response_has_the_shape_of_the_dialect(
    client: SandboxClient, path: str, body: dict[str, Any], documented: Any, live: Any
) -> None:
    client.add_order()
    found = json_shape(client.get(path, body))
    assert found == (live if client.sandbox.state.is_live else documented)
    if isinstance(found, dict):
        assert list(found) == list(live if client.sandbox.state.is_live else documented)


def test_adding_an_order_returns_only_its_reference(client: SandboxClient) -> None:
    assert client.get("orders/add/", ORDER, 201) == {"order": "12346"}


def test_an_added_order_is_returned_as_it_was_sent(client: SandboxClient) -> None:
    client.add_order()
    found = client.get("orders/info", {"reference": "12346"})
    item = found["items"][0]
    assert (found["reference"], found["order_date"]) == ("12346", "2026-03-01 12:00:00")
    assert found["state_code"] == "order_state_new"
    assert found["addresses"][0]["city"] == "Example city"
    assert item["options"] == ORDER["items"][0]["options"]
    assert [file["md5sum"] for file in item["files"]] == [file["md5sum"] for file in ORDER["items"][0]["files"]]
    assert item["shipping_option"] == "DHL - National Standard (DE)"
    assert item["count"] == (5 if client.sandbox.state.is_live else "5")


def test_the_prices_of_the_example_quote_are_those_of_the_document(client: SandboxClient) -> None:
    found = client.get("orders/quote", QUOTE)
    offers = found["shipments"][0]["quotes"]
    assert (found["price"], found["subtotals"]["items"], found["subtotals"]["fee"]) == ("4.5412", "1.7912", "2.7500")
    assert [(row["shipping_level"], row["price"]) for row in offers] == [
        ("cp_postal", "4.2000"),
        ("cp_ground", "6.2300"),
        ("cp_fast", "14.5000"),
    ]
    assert all(re.fullmatch("[0-9a-f]{64}", row["quote"]) for row in offers)


def test_the_example_products_are_those_of_the_document(client: SandboxClient) -> None:
    rows = {row["reference"]: row for row in client.get("products")}
    assert rows["textbook_cw_a6_p_bw"]["category"] == "Textbook BW"
    assert any(row["category"] == "z_1_DEPRECATED" for row in rows.values())
    info = client.get("products/info", {"reference": "textbook_cw_a6_p_bw"})
    defaults = {row["reference"] for row in info["options"] if row["default"] == 1}
    assert defaults == {"cover_finish_gloss", "pageblock_80off", "cover_130mcg"}
    assert {"note": "Cover wrap in mm", "value": "18"}.items() <= info["specs"][4].items()


def test_every_product_has_one_default_in_each_family(client: SandboxClient) -> None:
    for row in client.get("products"):
        options = client.get("products/info", {"reference": row["reference"]})["options"]
        families = {option["type"] for option in options}
        assert sorted(families) == sorted(option["type"] for option in options if option["default"] == 1)


def test_a_live_option_may_end_in_a_blank_and_a_documented_one_never_does(client: SandboxClient) -> None:
    found = client.get("prices/lookup", {**QUOTE, "country": "FR"})
    offers = found["shipments"][0]["quotes"]
    levels = [row["shipping_level"] for row in offers]
    if client.sandbox.state.is_live:
        assert levels == ["cp_ground", "cp_fast", "cp_fast", "cp_limited"]
        assert offers[0]["shipping_option"] == "Colissimo "
    else:
        assert levels == ["cp_ground", "cp_fast", "cp_fast"]
        assert offers[0]["shipping_option"] == "Colissimo"


def test_only_the_documented_price_includes_vat(client: SandboxClient) -> None:
    found = client.get("orders/quote", {**QUOTE, "country": "FR"})
    assert found["price"] == ("4.5412" if client.sandbox.state.is_live else "5.4494")
    assert found["vat"] == ("0.9082" if client.sandbox.state.is_live else "0.91")
    if client.sandbox.state.is_live:
        assert (found["vat_rate"], found["shipments"][0]["quotes"][0]["vat"]) == (20, "1.8432")


@pytest.mark.parametrize("code", ["US", "CA", "AE", "AU", "BR", "MX", "IN"])
def test_a_country_that_requires_a_state_has_a_list_of_them(client: SandboxClient, code: str) -> None:
    rows = {row["country_reference"]: row["require_state"] for row in client.get("shipping/countries")}
    assert len(rows) == 249
    assert (rows[code], rows["AF"]) == (1, 0)
    assert len(client.get("shipping/states", {"country_reference": code})) > 5
    assert client.get("shipping/states", {"country_reference": "AF"}) == []


NOT_FOUND_CASES = [
    ("orders/log", {"reference": "none"}, 204),
    ("orders/info", {"reference": "none"}, 410),
    ("orders/cancel", {"reference": "none"}, 410),
    ("orders/quote/info", {"quote": "0" * 64}, 204),
    ("products/info", {"reference": "none"}, 204),
]


@pytest.mark.parametrize(("path", "body", "status"), NOT_FOUND_CASES, ids=[row[0] for row in NOT_FOUND_CASES])
def test_missing_resources_have_the_documented_status(
    client: SandboxClient, path: str, body: dict[str, Any], status: int
) -> None:
    reply = client.send(path, body)
    assert reply.status == status
    assert reply.body == b"" if status == 204 else reply.error == ("order_unknown", "none")


MISSING_PARAMETER_CASES = [
    ("orders/info", "reference"),
    ("orders/cancel", "reference"),
    ("orders/log", "reference"),
    ("orders/add", "reference"),
    ("orders/quote", "country"),
    ("prices/lookup", "country"),
    ("orders/quote/info", "quote"),
    ("products/info", "reference"),
    ("shipping/states", "country_reference"),
]


@pytest.mark.parametrize(("path", "name"), MISSING_PARAMETER_CASES)
def test_a_missing_field_is_named(client: SandboxClient, path: str, name: str) -> None:
    for value in ({}, {name: ""}, {name: None}):
        reply = client.send(path, value)
        assert (reply.status, reply.error) == (400, ("missing_required_parameter", name))


def test_cloudcore_accepts_only_the_core_key(live_client: SandboxClient) -> None:
    for path in [path for path in ROUTES if path.startswith(CORE_PATH)]:
        for key, info in {
            "sandbox-signal-key": "apikey is the signal key, not the core key",
            "13b37bb1ed6d3403e158abe719b4f6d0": "apikey is unknown",
            "": "apikey is missing",
        }.items():
            reply = live_client.send(path, {"apikey": key})
            assert (path, reply.status, reply.error) == (path, 403, ("authentication_failed", info))


def test_every_endpoint_refuses_other_bodies_and_methods(sandbox: Sandbox) -> None:
    for path in [path for path in ROUTES if not path.endswith("status")]:
        assert (path, post_json(sandbox.base_url, path, b"[]").status) == (path, 400)
        assert (path, post_json(sandbox.base_url, path, method="GET").status) == (path, 405)


def test_every_documented_endpoint_exists() -> None:
    core = (
        "orders orders/info orders/add orders/cancel orders/log orders/quote orders/quote/info prices/lookup products \
products/info shipping/levels shipping/countries shipping/states"
    )
    publish = "catalogs catalogs/info catalogs/add catalogs/remove titles titles/info titles/add titles/remove \
products/mixes products/mixes/info orders orders/info orders/add orders/cancel orders/log"
    expected = {CORE_PATH + path for path in core.split()} | {PUBLISH_PATH + path for path in publish.split()}
    assert {path for path in ROUTES if not path.endswith("status")} == expected


def test_unknown_fields_are_ignored(client: SandboxClient) -> None:
    unknown = {"zip": "1000", "city": ["x"], "street1": {}, "shipping_level": "cp_x", "count": None}
    assert client.send("orders/", unknown).status == 200
    assert client.send("orders/quote", {**QUOTE, **unknown}).status == 200


def test_an_unknown_dialect_is_refused() -> None:
    from cpctl.errors import InvalidInput

    with pytest.raises(InvalidInput, match="dutch"):
        Sandbox(dialect="dutch")


def test_a_hundred_thousand_orders_are_listed(live_client: SandboxClient) -> None:
    with Sandbox(orders=100_000) as sandbox:
        many = SandboxClient(sandbox)
        rows = many.get("orders/")
        assert (len(rows), rows[0]["reference"], rows[-1]["reference"]) == (100_000, "order-1", "order-100000")
        assert many.get("orders/info", {"reference": "order-100000"})["items"][2]["reference"] == "order-100000-3"
        assert many.get("orders/info", {"reference": "order-100001"}, 410)["error"]["info"] == "order-100001"
        many.add_order()
        assert many.get("orders/")[-1]["reference"] == "12346"
