"""Every endpoint with every documented status, in both dialects, and unexpected values everywhere."""

import json
from typing import Any

import pytest

from cpctl.sandbox.model.order_store import OrderStore
from cpctl.sandbox.sandbox_state import SandboxState
from cpctl.sandbox.simulated_api.routes import ROUTES, respond
from examples.core_requests import CORE_PATH, ORDER, PUBLISH_ORDER, PUBLISH_PATH, QUOTE
from examples.edits import REMOVED, replace_value, value_paths
from harness.servers.http_calls import post_json
from harness.servers.sandbox_client import CORE_KEY, DIALECTS, SandboxClient, fixed_clock

CORE_REFERENCE, PUBLISH_REFERENCE = {"reference": "12346"}, {"order_reference": "200012345"}
NOT_JSON = "not json"
NO_KEY: dict[str, Any] = {"apikey": ""}
CATALOG = {"catalog_reference": "catalog_1", "name": "n", "note": "n"}
TITLE = {"isbn": "1234567890123", "name": "n", "note": "n"}
# By path, a request for each documented status. The 204 of a list needs an empty account, see `_clear_account`.
STATUS_CASES: dict[str, dict[int, Any]] = {
    f"{CORE_PATH}orders": {200: {}, 204: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{CORE_PATH}orders/info": {200: CORE_REFERENCE, 400: {}, 410: {"reference": "x"}},
    f"{CORE_PATH}orders/add": {201: {**ORDER, "reference": "new"}, 400: {}},
    f"{CORE_PATH}orders/cancel": {
        200: CORE_REFERENCE,
        400: {},
        403: NO_KEY,
        409: {"reference": "order-1"},
        410: {"reference": "x"},
    },
    f"{CORE_PATH}orders/log": {200: CORE_REFERENCE, 204: {"reference": "x"}, 400: {}},
    f"{CORE_PATH}orders/quote": {200: QUOTE, 400: {}},
    f"{CORE_PATH}prices/lookup": {200: QUOTE, 400: {}},
    f"{CORE_PATH}orders/quote/info": {204: {"quote": "x"}, 400: {}},
    f"{CORE_PATH}products": {200: {}, 204: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{CORE_PATH}products/info": {200: {"reference": "poster_a3_fc"}, 204: {"reference": "x"}, 400: {}},
    f"{CORE_PATH}shipping/levels": {200: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{CORE_PATH}shipping/countries": {200: {}, 400: NOT_JSON},
    f"{CORE_PATH}shipping/states": {200: {"country_reference": "AE"}, 400: {}},
    f"{PUBLISH_PATH}catalogs": {200: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{PUBLISH_PATH}catalogs/info": {200: CATALOG, 204: {"catalog_reference": "x"}, 400: {}, 403: NO_KEY},
    f"{PUBLISH_PATH}catalogs/add": {200: {**CATALOG, "catalog_reference": "x"}, 400: {}, 403: NO_KEY, 409: CATALOG},
    f"{PUBLISH_PATH}catalogs/remove": {200: CATALOG, 400: {}, 403: NO_KEY, 410: {"catalog_reference": "x"}},
    f"{PUBLISH_PATH}titles": {200: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{PUBLISH_PATH}titles/info": {200: TITLE, 204: {"isbn": "x"}, 400: {}, 403: NO_KEY},
    f"{PUBLISH_PATH}titles/add": {200: {**TITLE, "isbn": "x"}, 400: {}, 403: NO_KEY, 409: TITLE},
    f"{PUBLISH_PATH}titles/remove": {200: TITLE, 400: {}, 403: NO_KEY, 410: {"isbn": "x"}},
    f"{PUBLISH_PATH}products/mixes": {200: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{PUBLISH_PATH}products/mixes/info": {
        200: {"product_mix_reference": "product_mix_test"},
        204: {"product_mix_reference": "x"},
        400: {},
        403: NO_KEY,
    },
    f"{PUBLISH_PATH}orders": {200: {}, 204: {}, 400: NOT_JSON, 403: NO_KEY},
    f"{PUBLISH_PATH}orders/info": {200: {"reference": "200012345"}, 204: {"reference": "x"}, 400: {}, 403: NO_KEY},
    f"{PUBLISH_PATH}orders/add": {201: {**PUBLISH_ORDER, "order_reference": "new"}, 400: {}},
    f"{PUBLISH_PATH}orders/cancel": {200: PUBLISH_REFERENCE, 400: {}, 403: NO_KEY, 410: {"order_reference": "x"}},
    f"{PUBLISH_PATH}orders/log": {200: PUBLISH_REFERENCE, 204: {"order_reference": "x"}, 400: {}},
}
STATUS_ROWS = [(path, status, body) for path, cases in STATUS_CASES.items() for status, body in cases.items()]


def _clear_account(client: SandboxClient) -> None:
    """Remove all products and orders."""
    state = client.sandbox.state
    state.products.clear()
    state.orders = OrderStore(0, 1, state.now())


def test_the_cases_cover_every_endpoint_of_both_services() -> None:
    assert set(STATUS_CASES) == {path for path in ROUTES if not path.endswith("status")}


@pytest.mark.parametrize(("path", "status", "body"), STATUS_ROWS, ids=[f"{row[0]} {row[1]}" for row in STATUS_ROWS])
def test_every_documented_status_is_reachable(client: SandboxClient, path: str, status: int, body: Any) -> None:
    client.add_order()
    client.get(f"{PUBLISH_PATH}orders/add", PUBLISH_ORDER, 201)
    if status == 204 and body == {}:
        _clear_account(client)
    reply = post_json(client.sandbox.base_url, path, b"{") if body == NOT_JSON else client.send(path, body)
    assert reply.status == status
    if status == 204 or (path, status) == (f"{CORE_PATH}orders/cancel", 200 if not client.sandbox.state.is_live else 0):
        assert reply.body == b""
    elif status in (400, 403) and path.startswith(PUBLISH_PATH):
        assert next(iter(json.loads(reply.body)["status"]["errors"].values()))
    elif status >= 400 and path.startswith(CORE_PATH):
        assert all(reply.error)


UNEXPECTED_VALUES: list[Any] = [
    None,
    "",
    0,
    -1,
    1.5,
    1e300,
    True,
    [],
    {},
    [None],
    [[]],
    "\ud800",
    "x" * 5000,
    "\0",
    "٣",
    {"a": {}},
]
VALID_REQUESTS = [
    *((path, body) for path, _, body in STATUS_ROWS if body != NOT_JSON),
    (f"{CORE_PATH}orders/add", PUBLISH_ORDER),
]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_unexpected_value_breaks_the_sandbox(dialect: str) -> None:
    state = SandboxState(dialect=dialect, real_now=fixed_clock)
    seen = set()
    for path, body in VALID_REQUESTS:
        for value_path in value_paths(body):
            for value in (REMOVED, *UNEXPECTED_VALUES):
                request = {"apikey": CORE_KEY, **replace_value(body, value_path, value)}
                response = respond(state, path, json.loads(json.dumps(request)))
                json.dumps(response.body)
                seen.add(response.status)
        state.reset()
    assert seen <= {200, 201, 204, 400, 403, 409, 410, 500}
    for path in ROUTES:
        for value in UNEXPECTED_VALUES:
            respond(state, path, value)


def test_an_order_has_at_most_9999_items(live_client: SandboxClient) -> None:
    item = {"reference": "", "isbn": "1234567890123", "catalog_reference": "catalog_1", "quantity": 1}
    rows = [{**item, "item_reference": f"{n}"} for n in range(10_000)]
    body = {"apikey": CORE_KEY, **PUBLISH_ORDER, "items": rows}
    response = respond(live_client.sandbox.state, f"{PUBLISH_PATH}orders/add", body)
    assert (response.status, response.body) == (
        400,
        {"status": {"errors": {"invalid_parameter": "items has more than 9999 rows"}}},
    )
