"""What becomes of orders as the sandbox's time goes by."""

from typing import Any

import pytest
from core_examples import ADD, NOON, Shop, changed
from sandbox_calls import call

from cpctl.errors import InvalidInput
from cpctl.sandbox.control.control_client import ControlClient
from cpctl.sandbox.server.sandbox_server import Sandbox

PATH = [1, 5, 6, 10, 15, 30, 32, 33, 34, 37, 38, 40, 45]
SIGNALS = ["ItemRegistered", "ItemProduce", "ItemProduced", "ItemPacked", "ItemShipped"]
ITEM = "123456800001"


def control(shop: Shop) -> ControlClient:
    return ControlClient(shop.sandbox.control_url)


def signal(shop: Shop, kind: str, order: str, item: str, **more: str) -> int:
    body = {"apikey": "sandbox-signal-key", "type": kind, "order": order, "item": item, **more}
    body["datetime"] = "2026-03-01 13:00:00 GMT"
    return call(shop.sandbox.base_url, "/cloudsignal/2.0/status/", body).status


def test_an_order_goes_through_all_states_and_keeps_a_log_of_them(shop: Shop) -> None:
    shop.add()
    for count, state in enumerate(PATH):
        assert shop.state() == state
        assert shop.log() == PATH[: count + 1]
        control(shop).advance_clock(5)
    log = shop.get("orders/log", {"reference": "12346"})
    assert log[1]["create_date"] == "2026-03-01 12:00:05"
    assert log[1]["reference"] == "12346"


def test_time_that_passes_at_once_leaves_the_same_log(shop: Shop) -> None:
    shop.add()
    control(shop).advance_clock(86400)
    assert shop.log() == [*PATH, 501]
    times = [entry["create_date"] for entry in shop.get("orders/log", {"reference": "12346"})]
    assert times[12:] == ["2026-03-01 12:01:00", "2026-03-01 12:11:00"]


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://files.example.invalid/book.pdf"},
        {"url": "https://download.example.com/missing/book.pdf"},
        {"md5sum": "0" * 32},
    ],
)
def test_files_that_cannot_be_fetched_end_an_order_in_state_11(shop: Shop, change: dict[str, str]) -> None:
    shop.get("orders/add", changed(ADD, "items.0.files.1", {**ADD["items"][0]["files"][1], **change}), 201)
    control(shop).advance_clock(86400)
    assert shop.log() == [1, 5, 6, 10, 11]
    found = shop.get("orders/info", {"reference": "12346"})
    assert found["state_code"] == "order_state_download_error"
    if shop.sandbox.state.is_live:
        item = found["items"][0]
        assert (item["state"], item["state_code"], found["is_cancelable"]) == (25, "item_state_verified", True)


def test_the_simulated_production_reports_every_item_minutes_apart(shop: Shop) -> None:
    shop.add()
    control(shop).advance_clock(60)
    item = shop.sandbox.state.items[ITEM]
    for count in range(len(SIGNALS)):
        assert [said["type"] for said in item.signals] == SIGNALS[:count]
        assert shop.state() == 45
        control(shop).advance_clock(120)
    assert item.signals[-1] == {
        "type": "ItemShipped",
        "order": "123456800000",
        "item": ITEM,
        "tracking": "SANDBOX_12346-1",
        "shipping_option": "postal",
        "datetime": "2026-03-01 12:11:00 GMT",
    }
    found = shop.get("orders/info", {"reference": "12346"})
    assert found["items"][0]["tracking"] == "SANDBOX_12346-1"
    assert found["state_code"] == "order_state_sandbox_complete"
    assert shop.state() == 501


def test_tracking_is_empty_or_absent_until_it_is_known(shop: Shop) -> None:
    shop.add()
    item = shop.get("orders/info", {"reference": "12346"})["items"][0]
    assert item.get("tracking") == (None if shop.sandbox.state.is_live else "")


@pytest.mark.parametrize("steps", range(13))
def test_an_order_can_be_canceled_until_its_files_go_to_the_production(shop: Shop, steps: int) -> None:
    shop.add()
    control(shop).advance_clock(5 * steps)
    state, live = PATH[steps], shop.sandbox.state.is_live
    if live:
        assert shop.get("orders/info", {"reference": "12346"})["is_cancelable"] is (state < 40)
    reply = shop.send("orders/cancel", {"reference": "12346"})
    if state < 40:
        assert reply.status == 200
        assert shop.log() == [*PATH[: steps + 1], 500]
        assert shop.sandbox.state.items[ITEM].latest_signal_type == "ItemCanceled"
    else:
        assert (reply.status, reply.error[0]) == (409, "order_state_not_valid")
        assert shop.state() == state


def test_a_canceled_order_stays_so_and_cannot_be_canceled_again(shop: Shop) -> None:
    shop.add()
    found = shop.get("orders/cancel", {"reference": "12346"})
    if shop.sandbox.state.is_live:
        assert found == {"reference": "12346", "state": 500, "state_code": "order_state_canceled", "status": 500}
    control(shop).advance_clock(86400)
    assert shop.log() == [1, 500]
    assert shop.send("orders/cancel", {"reference": "12346"}).status == 409
    assert signal(shop, "ItemPacked", "123456800000", ITEM) == 400


def test_orders_of_the_start_wait_for_the_partner(shop: Shop) -> None:
    control(shop).advance_clock(86400)
    assert shop.log("order-1") == PATH
    assert shop.send("orders/cancel", {"reference": "order-1"}).status == 409
    for count in (1, 2, 3):
        more = {"tracking": f"T{count}", "shipping_option": "GLS"}
        assert signal(shop, "ItemShipped", "123456780000", f"12345678000{count}", **more) == 200
    assert shop.state("order-1") == (501 if shop.sandbox.state.is_live else 100)
    found = shop.get("orders/info", {"reference": "order-1"})["items"]
    assert [item["tracking"] for item in found] == ["T1", "T2", "T3"]
    assert shop.state("order-2") == 45


def test_an_order_ends_with_its_last_item_shipped_or_canceled(shop: Shop) -> None:
    shipped = {"tracking": "T", "shipping_option": "GLS"}
    signal(shop, "ItemCanceled", "123456780000", "123456780001", cause="CancelBookSize")
    signal(shop, "ItemShipped", "123456780000", "123456780002", **shipped)
    assert shop.state("order-1") == 45
    signal(shop, "ItemCanceled", "123456780000", "123456780003", cause="CancelBookSize")
    assert shop.state("order-1") in (100, 501)


def test_an_order_whose_items_are_all_canceled_is_canceled(shop: Shop) -> None:
    for count in (1, 2, 3):
        signal(shop, "ItemCanceled", "123456780000", f"12345678000{count}", cause="CancelBookSize")
    assert shop.state("order-1") == 500


def test_the_tester_may_be_the_production_of_an_added_order(shop: Shop) -> None:
    shop.add()
    control(shop).advance_clock(60 + 130)
    assert signal(shop, "ItemShipped", "123456800000", ITEM, tracking="T9", shipping_option="GLS") == 200
    control(shop).advance_clock(86400)
    said = [entry["type"] for entry in shop.sandbox.state.items[ITEM].signals]
    assert said == ["ItemRegistered", "ItemShipped"]
    assert shop.get("orders/info", {"reference": "12346"})["items"][0]["tracking"] == "T9"
    assert shop.state() == 501


def test_orders_of_the_start_have_references_products_and_addresses(shop: Shop) -> None:
    found = shop.get("orders/info", {"reference": "order-2"})
    assert [item["reference"] for item in found["items"]] == ["order-2-1", "order-2-2", "order-2-3"]
    assert found["addresses"][0]["country"] == "DE"
    assert [row["reference"] for row in shop.get("orders/")] == ["order-1", "order-2"]
    assert shop.get("orders/info", {"reference": "order-2"}) == found


@pytest.mark.parametrize("reference", ["order-0", "order-3", "order-01", "order-1 x", "order-٣", "order-", "-1"])
def test_no_other_word_is_a_reference_of_the_start(shop: Shop, reference: str) -> None:
    assert shop.send("orders/info", {"reference": reference}).status == 410


def test_the_clock_is_put_forward_at_the_panel(shop: Shop) -> None:
    panel = control(shop)
    assert panel.get_time() == NOON
    assert panel.advance_clock(1.5).isoformat() == "2026-03-01T12:00:01.750000+00:00"
    assert panel.get_time() == shop.sandbox.state.now()
    panel.reset()
    assert panel.get_time() == NOON


@pytest.mark.parametrize("body", [{}, [], {"advance_seconds": 1, "x": 1}, {"advance_seconds": -1}])
def test_the_clock_takes_nothing_but_seconds(shop: Shop, body: Any) -> None:
    assert call(shop.sandbox.control_url, "/_sandbox/time", body).status == 400


@pytest.mark.parametrize("seconds", [-1, 1e12, True, "5"])
def test_the_clock_never_goes_back(shop: Shop, seconds: Any) -> None:
    with pytest.raises(InvalidInput, match="advance_seconds"):
        control(shop).advance_clock(seconds)
    assert shop.sandbox.state.now() == NOON


def test_a_clock_that_nobody_moves_is_the_real_one(sandbox: Sandbox) -> None:
    first = ControlClient(sandbox.control_url).get_time()
    assert first <= sandbox.state.now()
    assert first > NOON


def test_a_reset_forgets_orders_and_quotes(shop: Shop) -> None:
    shop.add()
    control(shop).reset()
    assert shop.send("orders/info", {"reference": "12346"}).status == 410
    shop.add()
