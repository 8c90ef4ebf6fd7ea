"""The CloudSignal endpoints of the sandbox, over real HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from cpctl.sandbox.server.sandbox_server import Sandbox
from cpctl.signals.signal_types import SIGNAL_TYPES
from examples.edits import REMOVED, replace_value
from examples.signal_examples import (
    BUNDLE_EXAMPLE,
    CANCELED_EXAMPLE,
    ORDER,
    SHIPPED_EXAMPLE,
    SIGNAL_EXAMPLES,
    SIGNAL_PATHS,
    simple_signal,
)
from harness.servers.http_calls import HttpReply, post_json
from harness.servers.sandbox_client import find_item, list_items

Send = Callable[..., HttpReply]
PATHS_AND_BODIES = [
    (path, body) for version, paths in SIGNAL_PATHS.items() for path in paths for body in SIGNAL_EXAMPLES[version]
]


def item_signal_types(sandbox: Sandbox, item: str) -> list[Any]:
    return [signal["type"] for signal in find_item(sandbox, item).signals]


def test_the_examples_cover_every_signal_type() -> None:
    for version, bodies in SIGNAL_EXAMPLES.items():
        assert {body["type"] for body in bodies} == {
            row.name for row in SIGNAL_TYPES.values() if version in row.required
        }


@pytest.mark.parametrize(
    ("path", "body"), PATHS_AND_BODIES, ids=[f"{path} {body['type']}" for path, body in PATHS_AND_BODIES]
)
def test_every_documented_example_is_accepted(
    sandbox: Sandbox, send_signal: Send, path: str, body: dict[str, Any]
) -> None:
    reply = send_signal(body, path)
    assert (reply.status, reply.body) == (200, b"")
    assert find_item(sandbox, "123456780001").signals == [body]
    assert find_item(sandbox, "123456780001").latest_signal_type == body["type"]


@pytest.mark.parametrize("path", [path for paths in SIGNAL_PATHS.values() for path in paths])
def test_the_trailing_slash_is_optional(send_signal: Send, path: str) -> None:
    assert send_signal(simple_signal("ItemPacked"), path.removesuffix("/")).status == 200


@pytest.mark.parametrize(
    ("version", "body"),
    [(version, body) for version, bodies in SIGNAL_EXAMPLES.items() for body in bodies],
    ids=lambda value: str(value)[:30],
)
def test_a_required_field_that_is_missing_or_empty_is_named(
    sandbox: Sandbox, send_signal: Send, version: str, body: dict[str, Any]
) -> None:
    for name in ("type", *SIGNAL_TYPES[body["type"]].required[version], "datetime"):
        for value in (REMOVED, None, "  "):
            reply = send_signal(replace_value(body, name, value), SIGNAL_PATHS[version][0])
            assert (reply.status, reply.error) == (400, ("missing_required_parameter", name))
    assert item_signal_types(sandbox, "123456780001") == []


def test_the_first_of_several_missing_fields_is_named(send_signal: Send) -> None:
    body = {
        key: text for key, text in SHIPPED_EXAMPLE.items() if key not in ("tracking", "shipping_option", "datetime")
    }
    assert send_signal(body).error == ("missing_required_parameter", "tracking")


@pytest.mark.parametrize(
    ("key", "info"),
    [
        ("0123456789abcdef", "apikey is unknown"),
        ("", "apikey is missing"),
        (None, "apikey is missing"),
        (["sandbox-signal-key"], "apikey is unknown"),
        ("sandbox-core-key", "apikey is the core key, not the signal key"),
        ("sandbox-webhook-key", "apikey is the webhooks key, not the signal key"),
    ],
)
@pytest.mark.parametrize("path", ["/1.1/status/", "/cloudsignal/2.0/status/"])
def test_signals_need_the_signal_key(sandbox: Sandbox, send_signal: Send, path: str, key: object, info: str) -> None:
    reply = send_signal({"apikey": key, **simple_signal("ItemPacked")}, path)
    assert (reply.status, reply.error) == (401, ("authentication_failed", info))
    assert item_signal_types(sandbox, "123456780001") == []


def test_a_bundle_affects_every_item(sandbox: Sandbox, send_signal: Send) -> None:
    reply = send_signal(BUNDLE_EXAMPLE)
    assert (reply.status, reply.body) == (200, b"")
    assert [item.latest_signal_type for item in sandbox.state.orders[ORDER].items.values()] == [
        "ItemRegistered"
    ] * 2 + [""]


PACKED_SIGNAL = simple_signal("ItemPacked")


@pytest.mark.parametrize(
    ("items", "error"),
    [
        ([PACKED_SIGNAL, {**PACKED_SIGNAL, "item": "123"}], ("item_unknown", "items[1].item 123 is unknown")),
        ([PACKED_SIGNAL, {**PACKED_SIGNAL, "order": "1"}], ("order_unknown", "items[1].order 1 is unknown")),
        ([PACKED_SIGNAL, {**PACKED_SIGNAL, "datetime": ""}], ("missing_required_parameter", "items[1].datetime")),
        ([{"order": ORDER}], ("missing_required_parameter", "items[0].type")),
        ([PACKED_SIGNAL, "ItemPacked"], ("invalid_parameter", "items[1] is not an object")),
        ([CANCELED_EXAMPLE, PACKED_SIGNAL], ("item_canceled", "items[1].item 123456780001 is canceled")),
        ([], ("missing_required_parameter", "items")),
        ({"0": PACKED_SIGNAL}, ("invalid_parameter", "items is not an array")),
    ],
)
def test_a_bundle_with_one_invalid_signal_has_no_effect(
    sandbox: Sandbox, send_signal: Send, items: object, error: tuple[str, str]
) -> None:
    reply = send_signal({"items": items})
    assert (reply.status, reply.error) == (400, error)
    assert all(item.signals == [] for item in list_items(sandbox))


def test_a_bundle_has_no_type_of_its_own(send_signal: Send) -> None:
    assert send_signal({"type": "ItemRegistered", **BUNDLE_EXAMPLE}).error[0] == "invalid_parameter"


@pytest.mark.parametrize("path", SIGNAL_PATHS["1.1"])
def test_version_1_1_has_no_bundles(send_signal: Send, path: str) -> None:
    assert send_signal(BUNDLE_EXAMPLE, path).error == ("missing_required_parameter", "type")


@pytest.mark.parametrize(
    ("path", "change", "error"),
    [
        ("2.0", {"type": "ItemLost"}, ("invalid_parameter", "type ItemLost is unknown in version 2.0")),
        ("2.0", {"type": "OrderRegistered"}, ("invalid_parameter", "type OrderRegistered is unknown in version 2.0")),
        ("1.1", {"type": "ItemRegistered"}, ("invalid_parameter", "type ItemRegistered is unknown in version 1.1")),
        ("1.1", {"type": "ItemDelay"}, ("invalid_parameter", "type ItemDelay is unknown in version 1.1")),
        ("2.0", {"order": "99"}, ("order_unknown", "order 99 is unknown")),
        ("2.0", {"item": "99"}, ("item_unknown", "item 99 is unknown")),
        ("2.0", {"item": "123456790001"}, ("item_unknown", "item 123456790001 is not of order 123456780000")),
        ("2.0", {"item": ["1"]}, ("invalid_parameter", "item is neither a string nor a number")),
        ("2.0", {"item": True}, ("invalid_parameter", "item is neither a string nor a number")),
        ("2.0", {"message": {}}, ("invalid_parameter", "message is neither a string nor a number")),
        ("2.0", {"cause": "190"}, ("invalid_parameter", "cause 190 is unknown")),
    ],
)
def test_an_invalid_value_is_named(
    send_signal: Send, path: str, change: dict[str, Any], error: tuple[str, str]
) -> None:
    reply = send_signal({**CANCELED_EXAMPLE, **change}, SIGNAL_PATHS[path][0])
    assert (reply.status, reply.error) == (400, error)


@pytest.mark.parametrize(
    "time", ["2016-01-20T13:00:00Z", "2016-01-20 13:00:00", "2016-02-30 13:00:00 GMT", "2016-1-20 13:00:00 GMT"]
)
def test_a_time_must_have_the_documented_format(send_signal: Send, time: str) -> None:
    code, info = send_signal({**PACKED_SIGNAL, "datetime": time}).error
    assert (code, info) == ("invalid_parameter", f"datetime {time} is not like 2016-01-20 13:00:00 GMT")


def test_numbers_are_accepted_as_strings(sandbox: Sandbox, send_signal: Send) -> None:
    delay = {**simple_signal("ItemDelay"), "order": 123456780000, "item": 123456780001, "delay": 24}
    assert send_signal(delay).status == 200
    assert item_signal_types(sandbox, "123456780001") == ["ItemDelay"]


def test_an_unknown_field_is_ignored(send_signal: Send) -> None:
    assert send_signal({**PACKED_SIGNAL, "color": {"red": 1}}).status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"delay": NaN}'])
def test_a_body_that_is_not_a_json_object_is_refused(sandbox: Sandbox, body: bytes) -> None:
    reply = post_json(sandbox.base_url, "/cloudsignal/2.0/status/", body)
    assert (reply.status, reply.error) == (400, ("invalid_json", "the body is not a JSON object"))


def test_a_canceled_item_accepts_only_another_cancellation(sandbox: Sandbox, send_signal: Send) -> None:
    assert send_signal(CANCELED_EXAMPLE).status == 200
    assert send_signal(CANCELED_EXAMPLE).status == 200
    assert send_signal(SHIPPED_EXAMPLE).error == ("item_canceled", "item 123456780001 is canceled")
    assert send_signal(simple_signal("ItemPacked") | {"item": "123456780002"}).status == 200
    assert item_signal_types(sandbox, "123456780001") == ["ItemCanceled", "ItemCanceled"]


def test_order_registered_affects_all_items_of_its_order(sandbox: Sandbox, send_signal: Send) -> None:
    assert send_signal(SIGNAL_EXAMPLES["1.1"][0], "/1.1/status/").status == 200
    registered = [item.id for item in list_items(sandbox) if item.latest_signal_type == "OrderRegistered"]
    assert registered == ["123456780001", "123456780002", "123456780003"]
