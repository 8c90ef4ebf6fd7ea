"""CloudPublish: catalogs, titles, mixes and orders, with their counters and their own error bodies."""

from typing import Any

import pytest

from cpctl.sandbox.control.control_client import ControlClient
from cpctl.sandbox.simulated_api.routes import ROUTES
from examples.core_requests import CORE_PATH, ORDER, PUBLISH_ORDER, PUBLISH_PATH
from examples.edits import replace_value
from harness.servers.sandbox_client import SandboxClient, json_shape

_DATES = {"create_date": str, "modify_date": str}
_CATALOG = {"catalog_reference": str, "name": str, "note": str, **_DATES}
_TITLE = {"isbn": str, "title": str, "version": int, **_DATES, "catalog_reference": str, "catalog_name": str}
_FILE = {"url": str, "size": int, "md5sum": str, "type": str, "format": str}
_MIX = {"product_mix_reference": str, "name": str, "note": str}
SHAPE_EXAMPLES: list[tuple[str, dict[str, Any], Any]] = [
    ("catalogs", {}, {"catalogs": [_CATALOG]}),
    ("catalogs/info", {"catalog_reference": "catalog_1"}, {**_CATALOG, "titles": int}),
    ("titles", {"catalog_reference": "catalog_1"}, {"titles": [_TITLE]}),
    (
        "titles/info",
        {"isbn": "1234567890123"},
        {**_TITLE, "pages": int, "used_count": int, "product_mix_reference": str, "files": [_FILE]},
    ),
    ("products/mixes", {}, {"mixes": [_MIX]}),
    (
        "products/mixes/info",
        {"product_mix_reference": "textbook_a4_cw_matte_80gsm"},
        {**_MIX, "product": {"name": str, "note": str}, "options": [{"name": str, "note": str}]},
    ),
    ("orders", {}, {"orders": [{"order_reference": str, "order_date": str, "state_code": str}]}),
    (
        "orders/info",
        {"reference": "200012345"},
        {
            **dict.fromkeys(("order_reference", "state_code", "order_date", "email"), str),
            "addresses": [dict.fromkeys(PUBLISH_ORDER["addresses"][0], str)],
            "items": [{"item_reference": str, "catalog_reference": str, "isbn": str, "quantity": int, "tracking": str}],
        },
    ),
    (
        "orders/log",
        {"order_reference": "200012345"},
        {"logs": [{"order_reference": str, "create_date": str, "state_code": str}]},
    ),
]
CATALOG = {"catalog_reference": "catalog_9", "name": "Ninth catalog", "note": "The ninth catalog"}
TITLE = {"isbn": "title_1", "name": "First title", "note": "The first title for all my titles"}
each_base_path = pytest.mark.parametrize("base", [CORE_PATH, PUBLISH_PATH])


def add_publish_order(client: SandboxClient, base: str = PUBLISH_PATH) -> None:
    assert client.get(f"{base}orders/add", PUBLISH_ORDER, 201) == {"order": "200012345"}


@pytest.mark.parametrize(("path", "body", "expected"), SHAPE_EXAMPLES, ids=[row[0] for row in SHAPE_EXAMPLES])
def test_every_response_has_the_documented_shape(
    client: SandboxClient, path: str, body: dict[str, Any], expected: Any
) -> None:
    add_publish_order(client)
    assert json_shape(client.get(PUBLISH_PATH + path, body)) == expected


def test_the_seed_data_is_that_of_the_examples(client: SandboxClient) -> None:
    found = client.get(PUBLISH_PATH + "catalogs")["catalogs"]
    assert found[0] == {
        "catalog_reference": "catalog_1",
        "name": "First catalog",
        "note": "The first catalog for all my titles",
        "create_date": "2018-10-10T06:58:10+00:00",
        "modify_date": "2018-10-10T06:58:10+00:00",
    }
    title = client.get(PUBLISH_PATH + "titles/info", {"isbn": "1234567890123"})
    assert (title["title"], title["pages"], title["used_count"]) == ("The book - Vol 1", 244, 142)
    assert [file["type"] for file in title["files"]] == ["book", "cover"]
    mix = client.get(PUBLISH_PATH + "products/mixes/info", {"product_mix_reference": "textbook_a4_cw_matte_80gsm"})
    assert mix["options"][0] == {"name": "Cover finish matte", "note": "Cover lamination Matte finish"}


COLLECTIONS = [("catalogs", "catalog_reference", CATALOG), ("titles", "isbn", TITLE)]


@pytest.mark.parametrize(("resource", "name", "body"), COLLECTIONS)
def test_counters_report_additions_and_removals(
    client: SandboxClient, resource: str, name: str, body: dict[str, Any]
) -> None:
    def call(action: str, status: int) -> Any:
        request = body if action == "add" else {name: body[name]}
        return client.get(f"{PUBLISH_PATH}{resource}/{action}", request, status)

    assert call("info", 204) is None
    assert call("add", 200) == {"status": {resource: {"added": 1}}}
    assert call("add", 409) == {"status": {resource: {"added" if client.sandbox.state.is_live else "radded": 0}}}
    assert call("info", 200)[name] == body[name]
    assert call("remove", 200) == {"status": {resource: {"removed": 1}}}
    assert call("remove", 410) == {"status": {resource: {"removed": 0}}}


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        *(("catalogs/add", CATALOG, name) for name in CATALOG),
        *(("titles/add", TITLE, name) for name in TITLE),
        ("catalogs/info", {"catalog_reference": "x"}, "catalog_reference"),
        ("titles/remove", {"isbn": "x"}, "isbn"),
        ("products/mixes/info", {"product_mix_reference": "x"}, "product_mix_reference"),
    ],
)
def test_a_missing_field_is_named_in_an_error_of_cloudpublish(
    client: SandboxClient, path: str, body: dict[str, Any], name: str
) -> None:
    found = client.get(PUBLISH_PATH + path, replace_value(body, name), 400)
    assert found == {"status": {"errors": {"missing_required_parameter": name}}}


@pytest.mark.parametrize(
    ("path", "body", "name", "max_length"),
    [
        ("catalogs/add", CATALOG, "catalog_reference", 128),
        ("catalogs/add", CATALOG, "name", 64),
        ("catalogs/add", CATALOG, "note", 256),
        ("titles/add", TITLE, "isbn", 128),
        ("titles/add", TITLE, "name", 64),
        ("titles/add", TITLE, "note", 256),
    ],
)
def test_values_have_a_maximum_length(
    client: SandboxClient, path: str, body: dict[str, Any], name: str, max_length: int
) -> None:
    assert client.send(PUBLISH_PATH + path, {**body, name: "x" * (max_length + 1)}).status == 400
    assert client.send(PUBLISH_PATH + path, {**body, name: "x" * max_length}).status == 200


def test_cloudpublish_accepts_only_the_core_key(live_client: SandboxClient) -> None:
    for path in [path for path in ROUTES if path.startswith(PUBLISH_PATH)]:
        found = live_client.get(path, {"apikey": "sandbox-signal-key"}, 403)
        assert found == {"status": {"errors": {"authentication_failed": "apikey is the signal key, not the core key"}}}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("catalogs/info", {"catalog_reference": "x"}, 204),
        ("titles/info", {"isbn": "x"}, 204),
        ("products/mixes/info", {"product_mix_reference": "x"}, 204),
        ("orders", {}, 204),
        ("orders/info", {"reference": "x"}, 204),
        ("orders/log", {"order_reference": "x"}, 204),
        ("orders/cancel", {"order_reference": "x"}, 410),
        ("orders/info", {"reference": "order-1"}, 204),
    ],
)
def test_missing_resources_have_the_documented_status(
    client: SandboxClient, path: str, body: dict[str, Any], status: int
) -> None:
    reply = client.send(PUBLISH_PATH + path, body)
    assert (reply.status, reply.body == b"") == (status, status == 204)


def test_empty_lists_without_a_documented_204_are_empty_arrays(client: SandboxClient) -> None:
    for reference in ("catalog_1", "catalog_2"):
        client.get(PUBLISH_PATH + "catalogs/remove", {"catalog_reference": reference})
    assert client.get(PUBLISH_PATH + "catalogs") == {"catalogs": []}
    assert client.get(PUBLISH_PATH + "titles") == {"titles": []}
    assert client.get(PUBLISH_PATH + "titles", {"catalog_reference": "x"}) == {"titles": []}


def test_removing_a_catalog_removes_its_titles(client: SandboxClient) -> None:
    def count_titles() -> Any:
        return client.get(PUBLISH_PATH + "catalogs/info", {"catalog_reference": "catalog_1"})["titles"]

    assert count_titles() == 2
    client.get(PUBLISH_PATH + "titles/add", TITLE)
    assert count_titles() == 3
    client.get(PUBLISH_PATH + "catalogs/remove", {"catalog_reference": "catalog_1"})
    assert client.send(PUBLISH_PATH + "titles/info", {"isbn": "title_1"}).status == 204
    assert [row["catalog_name"] for row in client.get(PUBLISH_PATH + "titles")["titles"]] == ["Second catalog"] * 2


@each_base_path
def test_an_order_is_added_and_read_at_both_paths(client: SandboxClient, base: str) -> None:
    add_publish_order(client, base)
    for other in (CORE_PATH, PUBLISH_PATH):
        found = client.get(f"{other}orders/info", {"reference": "200012345"})
        assert (found["order_reference"], found["state_code"]) == ("200012345", "order_state_new")
        assert found["order_date"] == "2026-03-01T12:00:00+00:00"
        assert found["items"][1] == {
            "item_reference": "123456-0002",
            "catalog_reference": "catalog_1",
            "isbn": "1234567890124",
            "quantity": 1,
            "tracking": "",
        }
    assert client.get(f"{CORE_PATH}orders/info", {"reference": 200012345}) == found
    assert client.get("orders/")[-1]["reference"] == "200012345"
    assert client.get(PUBLISH_PATH + "titles/info", {"isbn": "1234567890123"})["used_count"] == 143


@each_base_path
def test_the_log_of_an_order_has_state_codes_only(client: SandboxClient, base: str) -> None:
    add_publish_order(client)
    ControlClient(client.sandbox.control_url).advance_clock(10)
    logs = client.get(f"{base}orders/log", {"order_reference": "200012345"})["logs"]
    assert [row["state_code"] for row in logs] == ["order_state_new", "order_state_verify", "order_state_verified"]
    assert logs[1]["create_date"] == "2026-03-01T12:00:05+00:00"


@each_base_path
def test_an_order_is_canceled_once_and_counted(client: SandboxClient, base: str) -> None:
    add_publish_order(client)
    for status, count in ((200, 1), (409, 0)):
        found = client.get(f"{base}orders/cancel", {"order_reference": "200012345"}, status)
        assert found == {"status": {"orders": {"cancelled": count}}}
    assert client.get(f"{base}orders/cancel", {"order_reference": "x"}, 410) == {"status": {"orders": {"cancelled": 0}}}


def test_a_completed_order_has_tracking_codes(client: SandboxClient) -> None:
    add_publish_order(client)
    ControlClient(client.sandbox.control_url).advance_clock(3600)
    found = client.get(PUBLISH_PATH + "orders/info", {"reference": "200012345"})
    assert found["state_code"] == "order_state_sandbox_complete"
    assert [item["tracking"] for item in found["items"]] == ["SANDBOX_123456-0001", "SANDBOX_123456-0002"]


def test_a_reference_must_be_unique_in_both_services(client: SandboxClient) -> None:
    add_publish_order(client)
    status = 409 if client.sandbox.state.is_live else 400
    found = client.get(PUBLISH_PATH + "orders/add", PUBLISH_ORDER, status)
    assert found == {"status": {"errors": {"reference_not_unique": "200012345"}}}
    assert client.send("orders/add", {**ORDER, "reference": "200012345"}).status == status


@pytest.mark.parametrize(
    ("value_path", "value", "error"),
    [
        ("email", None, {"missing_required_parameter": "email"}),
        ("addresses.0.phone", None, {"missing_required_parameter": "phone"}),
        ("addresses.0.state", None, {"missing_required_parameter": "state"}),
        ("items", None, {"missing_required_parameter": "items"}),
        ("items.0.item_reference", None, {"missing_required_parameter": "item_reference"}),
        ("items.0.catalog_reference", None, {"missing_required_parameter": "catalog_reference"}),
        ("items.0.isbn", None, {"missing_required_parameter": "isbn"}),
        ("items.0.quantity", None, {"missing_required_parameter": "quantity"}),
        ("items.0.isbn", "x", {"isbn_unknown": "x"}),
        ("items.0.isbn", "9780306406157", {"isbn_unknown": "9780306406157"}),
        ("items.0.catalog_reference", "x", {"catalog_unknown": "x"}),
        ("items.0.quantity", "none", {"invalid_parameter": "quantity none is not a number from 1"}),
        ("items.0.shipping_level", "x", {"shipping_level_unknown": "x"}),
        ("items.1.item_reference", "123456-0001", {"item_reference_not_unique": "123456-0001"}),
    ],
)
def test_an_invalid_order_is_refused_with_an_error_of_cloudpublish(
    client: SandboxClient, value_path: str, value: Any, error: dict[str, str]
) -> None:
    found = client.get(f"{PUBLISH_PATH}orders/add", replace_value(PUBLISH_ORDER, value_path, value), 400)
    assert found == {"status": {"errors": error}}
    assert len(client.sandbox.state.orders) == 2


def test_an_order_without_a_reference_is_recognized_by_its_isbn(client: SandboxClient) -> None:
    body = replace_value(PUBLISH_ORDER, "order_reference")
    for base in (CORE_PATH, PUBLISH_PATH):
        found = client.get(f"{base}orders/add", body, 400)
        assert found == {"status": {"errors": {"missing_required_parameter": "order_reference"}}}
    assert client.send(PUBLISH_PATH + "orders/log").status == 400
