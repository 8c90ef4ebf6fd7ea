"""The webhooks of the sandbox, received by a server on loopback."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cpctl.errors import InvalidInput
from cpctl.sandbox.control.control_client import ControlClient
from cpctl.sandbox.server.sandbox_server import Sandbox
from cpctl.signals.webhook_types import WEBHOOK_TYPES
from examples.core_requests import make_order
from examples.edits import replace_value
from harness.certificates import make_key_pair, needs_openssl
from harness.servers.http_calls import post_json
from harness.servers.sandbox_client import SandboxClient, find_item, fixed_clock
from harness.webhooks.webhook_receiver import WebhookReceiver

KEY = "sandbox-webhook-key"
ORDER, ITEM = "123456780000", "123456780001"


@pytest.fixture
def webhook_receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as running:
        yield running


@pytest.fixture
def webhook_client(webhook_receiver: WebhookReceiver) -> Iterator[SandboxClient]:
    """A client of a sandbox with a fixed clock that sends webhooks to the receiver."""
    with Sandbox(webhook_url=webhook_receiver.url, real_now=fixed_clock) as running:
        yield SandboxClient(running)


@pytest.fixture
def webhook_control(webhook_client: SandboxClient) -> ControlClient:
    return ControlClient(webhook_client.sandbox.control_url)


def wait_for_webhooks(client: SandboxClient) -> None:
    assert client.sandbox.state.webhooks.wait_until_idle()


def send_signal(client: SandboxClient, signal_type: str, version: str = "2.0", **fields: str) -> None:
    body = {"apikey": "sandbox-signal-key", "type": signal_type, "order": ORDER, "item": ITEM, **fields}
    body["datetime"] = "2016-01-20 13:00:00 GMT"
    assert post_json(client.sandbox.base_url, f"/cloudsignal/{version}/status/", body).status == 200
    wait_for_webhooks(client)


def test_an_order_sends_webhooks_through_its_lifecycle(
    webhook_client: SandboxClient, webhook_control: ControlClient, webhook_receiver: WebhookReceiver
) -> None:
    webhook_client.add_order()
    wait_for_webhooks(webhook_client)
    assert webhook_receiver.received == []
    webhook_control.advance_clock(86400)
    wait_for_webhooks(webhook_client)
    assert webhook_receiver.types == [
        "CloudprinterOrderValidated",
        "ItemValidated",
        "ItemProduce",
        "ItemProduced",
        "ItemPacked",
        "ItemShipped",
    ]
    assert webhook_receiver.received[0] == {
        "apikey": KEY,
        "type": "CloudprinterOrderValidated",
        "order": "123456800000",
        "order_reference": "12346",
        "datetime": "2026-03-01T12:00:10+00:00",
    }
    assert webhook_receiver.received[-1] == {
        "apikey": KEY,
        "type": "ItemShipped",
        "order": "123456800000",
        "item": "123456800001",
        "order_reference": "12346",
        "item_reference": "12346-1",
        "tracking": "SANDBOX_12346-1",
        "shipping_option": "postal",
        "datetime": "2026-03-01T12:11:00+00:00",
    }
    assert webhook_receiver.paths[0] == "/hooks?x=1"


def test_a_canceled_order_sends_webhooks_for_all_its_items(
    webhook_client: SandboxClient, webhook_receiver: WebhookReceiver
) -> None:
    first = make_order()["items"][0]
    webhook_client.add_order(items=[first, {**first, "reference": "b"}])
    webhook_client.get("orders/cancel", {"reference": "12346"})
    wait_for_webhooks(webhook_client)
    assert webhook_receiver.types == ["CloudprinterOrderCanceled", "ItemCanceled", "ItemCanceled"]
    assert [body["cause"] for body in webhook_receiver.received] == ["CancelUserRequest"] * 3
    assert webhook_receiver.received[2]["item_reference"] == "b"


def test_an_order_with_missing_files_sends_only_its_validation(
    webhook_client: SandboxClient, webhook_control: ControlClient, webhook_receiver: WebhookReceiver
) -> None:
    webhook_client.get("orders/add", replace_value(make_order(), "items.0.files.0.md5sum", "0" * 32), 201)
    webhook_control.advance_clock(86400)
    wait_for_webhooks(webhook_client)
    assert webhook_receiver.types == ["CloudprinterOrderValidated"]


@pytest.mark.parametrize(
    ("signal_type", "version", "fields", "webhook_type", "webhook_fields"),
    [
        ("ItemRegistered", "2.0", {}, "ItemValidated", {}),
        ("ItemProduce", "2.0", {}, "ItemProduce", {}),
        ("ItemProduced", "1.1", {}, "ItemProduced", {}),
        ("ItemPacked", "2.0", {}, "ItemPacked", {}),
        (
            "ItemShipped",
            "2.0",
            {"tracking": "1A2B", "shipping_option": "GLS"},
            "ItemShipped",
            {"tracking": "1A2B", "shipping_option": "GLS"},
        ),
        ("ItemDelay", "2.0", {"cause": "late", "delay": "24"}, "ItemError", {"cause": "late", "delay": "24"}),
        ("ItemError", "1.1", {"cause": "late"}, "ItemError", {"cause": "late"}),
        (
            "ItemCanceled",
            "2.0",
            {"cause": "CancelBookSize", "message": "m", "delay": "1"},
            "ItemCanceled",
            {"cause": "CancelBookSize", "message": "m"},
        ),
    ],
)
def test_a_signal_of_the_partner_becomes_a_webhook(
    webhook_client: SandboxClient,
    webhook_receiver: WebhookReceiver,
    signal_type: str,
    version: str,
    fields: dict[str, str],
    webhook_type: str,
    webhook_fields: dict[str, str],
) -> None:
    send_signal(webhook_client, signal_type, version, **fields)
    assert webhook_receiver.received == [
        {
            "apikey": KEY,
            "type": webhook_type,
            "order": ORDER,
            "item": ITEM,
            "order_reference": "order-1",
            "item_reference": "order-1-1",
            **webhook_fields,
            "datetime": "2016-01-20T13:00:00+00:00",
        }
    ]


@pytest.mark.parametrize(
    ("last", "cause", "message"),
    [
        ({"cause": "CancelBookSize", "message": "too wide"}, "CancelBookSize", "too wide"),
        ({}, "CancelMiscError", "All items are canceled"),
    ],
)
def test_canceling_the_last_item_cancels_its_order(
    webhook_client: SandboxClient, webhook_receiver: WebhookReceiver, last: dict[str, str], cause: str, message: str
) -> None:
    for count in (1, 2, 3):
        send_signal(webhook_client, "ItemCanceled", item=f"12345678000{count}", **(last if count == 3 else {}))
    assert webhook_receiver.types == ["ItemCanceled"] * 3 + ["CloudprinterOrderCanceled"]
    body = webhook_receiver.received[-1]
    assert (body["order"], body["cause"], body["message"]) == (ORDER, cause, message)
    assert "item" not in body


def test_order_registered_sends_a_webhook_for_every_item(
    webhook_client: SandboxClient, webhook_receiver: WebhookReceiver
) -> None:
    send_signal(webhook_client, "OrderRegistered", "1.1")
    assert webhook_receiver.types == ["ItemValidated"] * 3


@pytest.mark.parametrize("status", [200, 204])
def test_a_webhook_is_delivered_by_two_statuses(
    webhook_client: SandboxClient, webhook_control: ControlClient, webhook_receiver: WebhookReceiver, status: int
) -> None:
    webhook_receiver.status = status
    send_signal(webhook_client, "ItemPacked")
    assert webhook_control.list_webhooks() == [
        {
            "n": 1,
            "type": "ItemPacked",
            "order": ORDER,
            "item": ITEM,
            "attempts": 1,
            "status": status,
            "delivered": True,
            "next_attempt_at": None,
        }
    ]


@pytest.mark.parametrize("status", [201, 302, 404, 500])
def test_after_any_other_status_a_webhook_is_retried(
    webhook_client: SandboxClient, webhook_control: ControlClient, webhook_receiver: WebhookReceiver, status: int
) -> None:
    webhook_receiver.statuses = [status, status]
    send_signal(webhook_client, "ItemPacked")
    row = webhook_control.list_webhooks()[0]
    assert (row["attempts"], row["status"], row["delivered"]) == (1, status, False)
    assert row["next_attempt_at"] == "2026-03-01T12:01:00+00:00"
    for seconds, attempts in ((59, 1), (1, 2), (119, 2), (1, 3)):
        webhook_control.advance_clock(seconds)
        wait_for_webhooks(webhook_client)
        assert webhook_control.list_webhooks()[0]["attempts"] == attempts
    assert webhook_control.list_webhooks()[0]["delivered"] is True
    assert webhook_receiver.received[0] == webhook_receiver.received[2]


def test_a_failed_webhook_does_not_delay_others(
    webhook_client: SandboxClient, webhook_control: ControlClient, webhook_receiver: WebhookReceiver
) -> None:
    webhook_receiver.statuses = [500]
    send_signal(webhook_client, "ItemProduce")
    send_signal(webhook_client, "ItemPacked")
    assert [row["delivered"] for row in webhook_control.list_webhooks()] == [False, True]


def test_a_receiver_that_is_not_reached_has_no_status(
    webhook_control: ControlClient, webhook_client: SandboxClient, webhook_receiver: WebhookReceiver
) -> None:
    webhook_receiver.server_close()
    send_signal(webhook_client, "ItemPacked")
    row = webhook_control.list_webhooks()[0]
    assert (row["attempts"], row["status"], row["delivered"]) == (1, None, False)


def test_a_webhook_fails_after_100_attempts(
    webhook_client: SandboxClient, webhook_control: ControlClient, webhook_receiver: WebhookReceiver
) -> None:
    webhook_receiver.status = 500
    send_signal(webhook_client, "ItemPacked")
    start = webhook_client.sandbox.state.now()
    while (row := webhook_control.list_webhooks()[0])["next_attempt_at"]:
        webhook_control.advance_clock(
            (datetime.fromisoformat(row["next_attempt_at"]) - webhook_client.sandbox.state.now()).total_seconds() + 1
        )
        wait_for_webhooks(webhook_client)
    assert (row["attempts"], len(webhook_receiver.received), row["delivered"]) == (100, 100, False)
    assert timedelta(days=6) < webhook_client.sandbox.state.now() - start < timedelta(days=7)


def test_a_webhook_fails_after_7_days(
    webhook_client: SandboxClient, webhook_control: ControlClient, webhook_receiver: WebhookReceiver
) -> None:
    webhook_receiver.status = 500
    send_signal(webhook_client, "ItemPacked")
    webhook_control.advance_clock(7 * 86400 + 60)
    wait_for_webhooks(webhook_client)
    row = webhook_control.list_webhooks()[0]
    assert (row["attempts"], row["next_attempt_at"], row["delivered"]) == (2, None, False)


@pytest.mark.parametrize("webhook_type", WEBHOOK_TYPES)
def test_every_type_can_be_triggered_without_side_effects(
    webhook_client: SandboxClient, webhook_control: ControlClient, webhook_receiver: WebhookReceiver, webhook_type: str
) -> None:
    row = webhook_control.trigger_webhook(webhook_type)
    wait_for_webhooks(webhook_client)
    assert (row["n"], row["type"], row["order"]) == (1, webhook_type, ORDER)
    body = webhook_receiver.received[0]
    names = ["apikey", "type", "order", "order_reference", *WEBHOOK_TYPES[webhook_type].fields, "datetime"]
    assert set(body) == {*names, *(("item", "item_reference") if WEBHOOK_TYPES[webhook_type].is_about_item else ())}
    assert (body["apikey"], body["order_reference"]) == (KEY, "order-1")
    assert find_item(webhook_client.sandbox, ITEM).signals == []


def test_a_triggered_webhook_has_the_given_fields(
    webhook_client: SandboxClient, webhook_control: ControlClient, webhook_receiver: WebhookReceiver
) -> None:
    webhook_control.trigger_webhook(
        "ItemShipped", order="order-2", item="order-2-3", tracking="T", color="red", datetime="now"
    )
    webhook_control.trigger_webhook("ItemError", order="99", item="98", order_reference="mine", delay=24)
    wait_for_webhooks(webhook_client)
    first, second = webhook_receiver.received
    assert first == {
        "apikey": KEY,
        "type": "ItemShipped",
        "order": "123456790000",
        "item": "123456790003",
        "order_reference": "order-2",
        "item_reference": "order-2-3",
        "tracking": "T",
        "shipping_option": "GLS",
        "color": "red",
        "datetime": "now",
    }
    assert (second["order"], second["item"], second["order_reference"], second["item_reference"]) == (
        "99",
        "98",
        "mine",
        "",
    )
    assert second["delay"] == 24


def test_an_unknown_type_is_refused_with_a_suggestion(webhook_control: ControlClient) -> None:
    with pytest.raises(InvalidInput, match="ItemShiped") as caught:
        webhook_control.trigger_webhook("ItemShiped")
    assert "ItemShipped" in caught.value.hint


@pytest.mark.parametrize("body", [{}, [], {"type": 1}, {"type": None}])
def test_a_trigger_needs_a_type(webhook_client: SandboxClient, body: Any) -> None:
    assert post_json(webhook_client.sandbox.control_url, "/_sandbox/trigger", body).status == 400


def test_without_a_receiver_nothing_is_queued_and_a_trigger_is_refused(
    sandbox: Sandbox, control: ControlClient
) -> None:
    SandboxClient(sandbox).add_order()
    control.advance_clock(86400)
    assert control.list_webhooks() == []
    with pytest.raises(InvalidInput, match="no receiver") as caught:
        control.trigger_webhook("ItemPacked")
    assert "sandbox webhooks --to" in caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://10.0.0.1/",
        "http://127.0.0.1.example.com/",
        "https://0.0.0.0/",
        "http://127.0.0.1@example.com/",
        "http://[::2]/",
        "http://127.0.0.1:x/",
        "http://127.0.0.1/a b",
        "ftp://127.0.0.1/",
        "127.0.0.1:80",
        "http://",
    ],
)
def test_webhooks_never_leave_this_machine(url: str) -> None:
    with pytest.raises(InvalidInput, match="never reaches another machine"):
        Sandbox(webhook_url=url)


@pytest.mark.parametrize("url", ["http://localhost:1/", "https://127.0.0.1/x", "http://[::1]:9/", "HTTP://127.9.9.9"])
def test_every_address_of_loopback_is_accepted(url: str) -> None:
    assert Sandbox(webhook_url=url).state.webhooks.endpoint is not None


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(InvalidInput, match="version"):
        Sandbox(webhook_version="3.0")


def test_version_2_1_adds_the_tracking_url(webhook_receiver: WebhookReceiver) -> None:
    with Sandbox(webhook_url=webhook_receiver.url, webhook_version="2.1") as sandbox:
        send_signal(SandboxClient(sandbox), "ItemShipped", tracking="T1", shipping_option="GLS")
    assert webhook_receiver.received[0]["url"] == "https://tracking.example.com/T1"


@needs_openssl
def test_any_certificate_of_a_receiver_is_accepted(tmp_path: Path) -> None:
    with WebhookReceiver(make_key_pair(tmp_path, "unknown")) as receiver, Sandbox(webhook_url=receiver.url) as sandbox:
        send_signal(SandboxClient(sandbox), "ItemPacked")
        assert receiver.types == ["ItemPacked"]


def test_a_reset_clears_webhooks(
    webhook_client: SandboxClient, webhook_control: ControlClient, webhook_receiver: WebhookReceiver
) -> None:
    webhook_receiver.status = 500
    send_signal(webhook_client, "ItemPacked")
    webhook_control.reset()
    assert webhook_control.list_webhooks() == []
    webhook_control.advance_clock(86400)
    wait_for_webhooks(webhook_client)
    send_signal(webhook_client, "ItemProduce")
    assert [row["n"] for row in webhook_control.list_webhooks()] == [1]
    assert webhook_receiver.types == ["ItemPacked", "ItemProduce"]


def test_webhooks_are_sent_as_real_time_passes(webhook_receiver: WebhookReceiver) -> None:
    now = [fixed_clock()]
    with Sandbox(webhook_url=webhook_receiver.url, real_now=lambda: now[0]) as sandbox:
        SandboxClient(sandbox).add_order()
        now[0] += timedelta(seconds=30)
        sandbox.state.webhooks.wake()
        with sandbox.state.lock:
            sandbox.state.run_due_steps()
        assert sandbox.state.webhooks.wait_until_idle()
    assert webhook_receiver.types == ["CloudprinterOrderValidated"]


def test_a_restarted_sandbox_sends_webhooks_again(webhook_receiver: WebhookReceiver) -> None:
    sandbox = Sandbox(webhook_url=webhook_receiver.url, real_now=fixed_clock)
    for count in (1, 2):
        with sandbox:
            send_signal(SandboxClient(sandbox), "ItemPacked")
            assert len(webhook_receiver.received) == count


def test_the_list_of_webhooks_contains_no_key(webhook_client: SandboxClient, webhook_control: ControlClient) -> None:
    send_signal(webhook_client, "ItemPacked")
    assert KEY not in str(webhook_control.list_webhooks())
