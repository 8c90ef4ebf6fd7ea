"""The progress of orders as the sandbox's time passes."""

import json
from datetime import datetime
from typing import Any

import pytest

from cpctl.errors import InvalidInput
from cpctl.sandbox.control.control_client import ControlClient
from cpctl.sandbox.server.sandbox_server import Sandbox
from examples.core_requests import ORDER
from examples.edits import replace_value
from harness.servers.http_calls import post_json
from harness.servers.sandbox_client import NOON, SandboxClient, find_item

STATE_SEQUENCE = [1, 5, 6, 10, 15, 30, 32, 33, 34, 37, 38, 40, 45]
SIGNAL_SEQUENCE = ["ItemRegistered", "ItemProduce", "ItemProduced", "ItemPacked", "ItemShipped"]
ITEM = "123456800001"


def make_control(client: SandboxClient) -> ControlClient:
    return ControlClient(client.sandbox.control_url)


def send_signal(client: SandboxClient, kind: str, order: str, item: str, **fields: str) -> int:
    body = {"apikey": "sandbox-signal-key", "type": kind, "order": order, "item": item, **fields}
    body["datetime"] = "2026-03-01 13:00:00 GMT"
    return post_json(client.sandbox.base_url, "/cloudsignal/2.0/status/", body).status


def test_an_order_passes_through_all_states_and_logs_them(client: SandboxClient) -> None:
    client.add_order()
    for count, state in enumerate(STATE_SEQUENCE):
        assert client.order_state() == state
        assert client.order_log() == STATE_SEQUENCE[: count + 1]
        make_control(client).advance_clock(5)
    log = client.get("orders/log", {"reference": "12346"})
    assert log[1]["create_date"] == "2026-03-01 12:00:05"
    assert log[1]["reference"] == "12346"


def test_one_long_advance_leaves_the_same_log(client: SandboxClient) -> None:
    client.add_order()
    make_control(client).advance_clock(86400)
    assert client.order_log() == [*STATE_SEQUENCE, 501]
    times = [entry["create_date"] for entry in client.get("orders/log", {"reference": "12346"})]
    assert times[12:] == ["2026-03-01 12:01:00", "2026-03-01 12:11:00"]


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://files.example.invalid/book.pdf"},
        {"url": "https://download.example.com/missing/book.pdf"},
        {"md5sum": "0" * 32},
    ],
)
def test_an_order_with_unreachable_files_ends_in_state_11(client: SandboxClient, change: dict[str, str]) -> None:
    client.get(
        "orders/add",
        replace_value(ORDER, "items.0.files.1", {**ORDER["items"][0]["files"][1], **change}),
        201,
    )
    make_control(client).advance_clock(86400)
    assert client.order_log() == [1, 5, 6, 10, 11]
    found = client.get("orders/info", {"reference": "12346"})
    assert found["state_code"] == "order_state_download_error"
    if client.sandbox.state.is_live:
        item = found["items"][0]
        assert (item["state"], item["state_code"], found["is_cancelable"]) == (25, "item_state_verified", True)


def test_the_simulated_production_reports_every_item_in_turn(client: SandboxClient) -> None:
    client.add_order()
    make_control(client).advance_clock(60)
    item = find_item(client.sandbox, ITEM)
    for count in range(len(SIGNAL_SEQUENCE)):
        assert [signal["type"] for signal in item.signals] == SIGNAL_SEQUENCE[:count]
        assert client.order_state() == 45
        make_control(client).advance_clock(120)
    assert item.signals[-1] == {
        "type": "ItemShipped",
        "order": "123456800000",
        "item": ITEM,
        "tracking": "SANDBOX_12346-1",
        "shipping_option": "postal",
        "datetime": "2026-03-01 12:11:00 GMT",
    }
    found = client.get("orders/info", {"reference": "12346"})
    assert found["items"][0]["tracking"] == "SANDBOX_12346-1"
    assert found["state_code"] == "order_state_sandbox_complete"
    assert client.order_state() == 501


def test_tracking_is_empty_or_absent_before_shipping(client: SandboxClient) -> None:
    client.add_order()
    item = client.get("orders/info", {"reference": "12346"})["items"][0]
    assert item.get("tracking") == (None if client.sandbox.state.is_live else "")


@pytest.mark.parametrize("steps", [0, 10, 11, 12])
def test_an_order_can_be_canceled_until_its_files_are_uploaded(client: SandboxClient, steps: int) -> None:
    client.add_order()
    make_control(client).advance_clock(5 * steps)
    state, live = STATE_SEQUENCE[steps], client.sandbox.state.is_live
    if live:
        assert client.get("orders/info", {"reference": "12346"})["is_cancelable"] is (state < 40)
    reply = client.send("orders/cancel", {"reference": "12346"})
    if state < 40:
        assert reply.status == 200
        assert client.order_log() == [*STATE_SEQUENCE[: steps + 1], 500]
        assert find_item(client.sandbox, ITEM).latest_signal_type == "ItemCanceled"
    else:
        assert (reply.status, reply.error[0]) == (409, "order_state_not_valid")
        assert client.order_state() == state


def test_a_canceled_order_cannot_be_canceled_again(client: SandboxClient) -> None:
    client.add_order()
    found = client.get("orders/cancel", {"reference": "12346"})
    if client.sandbox.state.is_live:
        assert found == {"reference": "12346", "state": 500, "state_code": "order_state_canceled", "status": 500}
    make_control(client).advance_clock(86400)
    assert client.order_log() == [1, 500]
    assert client.send("orders/cancel", {"reference": "12346"}).status == 409
    assert send_signal(client, "ItemPacked", "123456800000", ITEM) == 400


def test_seed_orders_wait_for_signals_of_the_partner(client: SandboxClient) -> None:
    make_control(client).advance_clock(86400)
    assert client.order_log("order-1") == STATE_SEQUENCE
    assert client.send("orders/cancel", {"reference": "order-1"}).status == 409
    for count in (1, 2, 3):
        fields = {"tracking": f"T{count}", "shipping_option": "GLS"}
        assert send_signal(client, "ItemShipped", "123456780000", f"12345678000{count}", **fields) == 200
    assert client.order_state("order-1") == (501 if client.sandbox.state.is_live else 100)
    found = client.get("orders/info", {"reference": "order-1"})["items"]
    assert [item["tracking"] for item in found] == ["T1", "T2", "T3"]
    assert client.order_state("order-2") == 45


def test_an_order_ends_with_its_last_item_shipped_or_canceled(client: SandboxClient) -> None:
    shipped = {"tracking": "T", "shipping_option": "GLS"}
    send_signal(client, "ItemCanceled", "123456780000", "123456780001", cause="CancelBookSize")
    send_signal(client, "ItemShipped", "123456780000", "123456780002", **shipped)
    assert client.order_state("order-1") == 45
    send_signal(client, "ItemCanceled", "123456780000", "123456780003", cause="CancelBookSize")
    assert client.order_state("order-1") in (100, 501)


def test_an_order_whose_items_are_all_canceled_is_canceled(client: SandboxClient) -> None:
    for count in (1, 2, 3):
        send_signal(client, "ItemCanceled", "123456780000", f"12345678000{count}", cause="CancelBookSize")
    assert client.order_state("order-1") == 500


def test_a_tester_can_play_the_production_of_an_added_order(client: SandboxClient) -> None:
    client.add_order()
    make_control(client).advance_clock(60 + 130)
    assert send_signal(client, "ItemShipped", "123456800000", ITEM, tracking="T9", shipping_option="GLS") == 200
    make_control(client).advance_clock(86400)
    types = [signal["type"] for signal in find_item(client.sandbox, ITEM).signals]
    assert types == ["ItemRegistered", "ItemShipped"]
    assert client.get("orders/info", {"reference": "12346"})["items"][0]["tracking"] == "T9"
    assert client.order_state() == 501


def test_seed_orders_have_references_products_and_addresses(client: SandboxClient) -> None:
    found = client.get("orders/info", {"reference": "order-2"})
    assert [item["reference"] for item in found["items"]] == ["order-2-1", "order-2-2", "order-2-3"]
    assert found["addresses"][0]["country"] == "DE"
    assert [row["reference"] for row in client.get("orders/")] == ["order-1", "order-2"]
    assert client.get("orders/info", {"reference": "order-2"}) == found


@pytest.mark.parametrize("reference", ["order-0", "order-3", "order-01", "order-1 x", "order-٣", "order-", "-1"])
def test_only_exact_references_find_seed_orders(client: SandboxClient, reference: str) -> None:
    assert client.send("orders/info", {"reference": reference}).status == 410


def get_time(sandbox: Sandbox) -> datetime:
    reply = post_json(sandbox.control_url, "/_sandbox/time", method="GET")
    return datetime.fromisoformat(json.loads(reply.body)["now"])


def test_the_control_interface_advances_the_clock(client: SandboxClient) -> None:
    control = make_control(client)
    assert get_time(client.sandbox) == NOON
    assert control.advance_clock(1.5).isoformat() == "2026-03-01T12:00:01.750000+00:00"
    assert get_time(client.sandbox) == client.sandbox.state.now()
    control.reset()
    assert get_time(client.sandbox) == NOON


@pytest.mark.parametrize("body", [{}, [], {"advance_seconds": 1, "x": 1}, {"advance_seconds": -1}])
def test_only_seconds_advance_the_clock(client: SandboxClient, body: Any) -> None:
    assert post_json(client.sandbox.control_url, "/_sandbox/time", body).status == 400


@pytest.mark.parametrize("seconds", [-1, 1e12, True, "5"])
def test_the_clock_refuses_invalid_times(client: SandboxClient, seconds: Any) -> None:
    with pytest.raises(InvalidInput, match="advance_seconds"):
        make_control(client).advance_clock(seconds)
    assert client.sandbox.state.now() == NOON


def test_the_clock_starts_at_the_real_time(sandbox: Sandbox) -> None:
    first = get_time(sandbox)
    assert first <= sandbox.state.now()
    assert first > NOON


def test_a_reset_removes_added_orders(client: SandboxClient) -> None:
    client.add_order()
    make_control(client).reset()
    assert client.send("orders/info", {"reference": "12346"}).status == 410
    client.add_order()
