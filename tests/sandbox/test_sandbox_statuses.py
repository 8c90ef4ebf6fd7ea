"""Every endpoint with every status that its document lists, in both dialects; and nothing breaks the sandbox."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from core_examples import ADD, CORE, CORE_KEY, DIALECTS, PUBLISH, PUBLISH_ADD, QUOTE, Shop, changed, noon
from sandbox_calls import call

from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.routes import ROUTES, respond

OURS, THEIRS = {"reference": "12346"}, {"order_reference": "200012345"}
NOT_JSON = "not json"
NO_KEY: dict[str, Any] = {"apikey": ""}
CATALOG = {"catalog_reference": "catalog_1", "name": "n", "note": "n"}
TITLE = {"isbn": "1234567890123", "name": "n", "note": "n"}
# Path, and for each documented status a request that gets it. 204 of lists needs an empty account: see `_empty`.
CASES: dict[str, dict[int, Any]] = {
    f"{CORE}orders": {200: {}, 204: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{CORE}orders/info": {200: OURS, 400: {}, 410: {"reference": "x"}},
    f"{CORE}orders/add": {201: {**ADD, "reference": "new"}, 400: {}},
    f"{CORE}orders/cancel": {200: OURS, 400: {}, 403: NO_KEY, 409: {"reference": "order-1"}, 410: {"reference": "x"}},
    f"{CORE}orders/log": {200: OURS, 204: {"reference": "x"}, 400: {}},
    f"{CORE}orders/quote": {200: QUOTE, 400: {}},
    f"{CORE}prices/lookup": {200: QUOTE, 400: {}},
    f"{CORE}orders/quote/info": {204: {"quote": "x"}, 400: {}},
    f"{CORE}products": {200: {}, 204: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{CORE}products/info": {200: {"reference": "poster_a3_fc"}, 204: {"reference": "x"}, 400: {}},
    f"{CORE}shipping/levels": {200: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{CORE}shipping/countries": {200: {}, 400: NOT_JSON},
    f"{CORE}shipping/states": {200: {"country_reference": "AE"}, 400: {}},
    f"{PUBLISH}catalogs": {200: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{PUBLISH}catalogs/info": {200: CATALOG, 204: {"catalog_reference": "x"}, 400: {}, 403: NO_KEY},
    f"{PUBLISH}catalogs/add": {200: {**CATALOG, "catalog_reference": "x"}, 400: {}, 403: NO_KEY, 409: CATALOG},
    f"{PUBLISH}catalogs/remove": {200: CATALOG, 400: {}, 403: NO_KEY, 410: {"catalog_reference": "x"}},
    f"{PUBLISH}titles": {200: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{PUBLISH}titles/info": {200: TITLE, 204: {"isbn": "x"}, 400: {}, 403: NO_KEY},
    f"{PUBLISH}titles/add": {200: {**TITLE, "isbn": "x"}, 400: {}, 403: NO_KEY, 409: TITLE},
    f"{PUBLISH}titles/remove": {200: TITLE, 400: {}, 403: NO_KEY, 410: {"isbn": "x"}},
    f"{PUBLISH}products/mixes": {200: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{PUBLISH}products/mixes/info": {
        200: {"product_mix_reference": "product_mix_test"},
        204: {"product_mix_reference": "x"},
        400: {},
        403: NO_KEY,
    },
    f"{PUBLISH}orders": {200: {}, 204: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{PUBLISH}orders/info": {200: {"reference": "200012345"}, 204: {"reference": "x"}, 400: {}, 403: NO_KEY},
    f"{PUBLISH}orders/add": {201: {**PUBLISH_ADD, "order_reference": "new"}, 400: {}},
    f"{PUBLISH}orders/cancel": {200: THEIRS, 400: {}, 403: NO_KEY, 410: {"order_reference": "x"}},
    f"{PUBLISH}orders/log": {200: THEIRS, 204: {"order_reference": "x"}, 400: {}},
}
ROWS = [(path, status, body) for path, cases in CASES.items() for status, body in cases.items()]


def _empty(shop: Shop) -> None:
    """An account without products and orders."""
    state = shop.sandbox.state
    state.products.clear()
    state.orders = type(state.orders)(0, 1, lambda *_: None, lambda *_: None)  # type: ignore[arg-type, return-value]


def test_the_cases_cover_every_endpoint_of_both_services() -> None:
    assert set(CASES) == {path for path in ROUTES if not path.endswith("status")}


@pytest.mark.parametrize(("path", "status", "body"), ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_every_documented_status_can_be_had(shop: Shop, path: str, status: int, body: Any) -> None:
    shop.add()
    shop.get(f"{PUBLISH}orders/add", PUBLISH_ADD, 201)
    if status == 204 and body == {}:
        _empty(shop)
    reply = call(shop.sandbox.base_url, path, b"{") if body == NOT_JSON else shop.send(path, body)
    assert reply.status == status
    if status == 204 or (path, status) == (f"{CORE}orders/cancel", 200 if not shop.sandbox.state.is_live else 0):
        assert reply.body == b""
    elif status in (400, 403) and path.startswith(PUBLISH):
        assert next(iter(json.loads(reply.body)["status"]["errors"].values()))
    elif status >= 400 and path.startswith(CORE):
        assert all(reply.error)


ODD: list[Any] = [None, "", 0, -1, 1.5, 1e300, True, [], {}, [None], [[]], "\ud800", "x" * 5000, "\0", "٣", {"a": {}}]
SEEDS = [*((path, body) for path, _, body in ROWS if body != NOT_JSON), (f"{CORE}orders/add", PUBLISH_ADD)]


def _places(body: Any, above: str = "") -> Iterator[str]:
    rows = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for name, inner in rows:
        yield f"{above}{name}"
        yield from _places(inner, f"{above}{name}.")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_value_in_any_place_breaks_the_sandbox(dialect: str) -> None:
    state = SandboxState(dialect=dialect, real_now=noon)
    seen = set()
    for path, body in SEEDS:
        for place in _places(body):
            for value in ODD:
                asked = {"apikey": CORE_KEY, **changed(body, place, value)}
                found = respond(state, path, json.loads(json.dumps(asked)))
                json.dumps(found.body)
                seen.add(found.status)
        state.reset()
    assert seen <= {200, 201, 204, 400, 403, 409, 410, 500}
    for path in ROUTES:
        for value in ODD:
            respond(state, path, value)


def test_an_order_has_no_more_items_than_there_are_ids(live_shop: Shop) -> None:
    item = {"reference": "", "isbn": "1234567890123", "catalog_reference": "catalog_1", "quantity": 1}
    rows = [{**item, "item_reference": f"{n}"} for n in range(10_000)]
    body = {"apikey": CORE_KEY, **PUBLISH_ADD, "items": rows}
    found = respond(live_shop.sandbox.state, f"{PUBLISH}orders/add", body)
    assert (found.status, found.body) == (
        400,
        {"status": {"errors": {"invalid_parameter": "items has more than 9999 rows"}}},
    )
