"""The checks of `orders/add`, as documented and as the live service is known to make them."""

from threading import Barrier, Thread
from typing import Any

import pytest

from examples.core_requests import ADDRESS, FILES, ORDER, QUOTE
from examples.edits import replace_value
from harness.servers.sandbox_client import SandboxClient

REQUIRED_FIELDS = [
    ("reference", "reference"),
    ("email", "email"),
    ("addresses", "addresses"),
    *((f"addresses.0.{name}", name) for name in ("type", "firstname", "lastname", "street1", "zip", "city")),
    *((f"addresses.0.{name}", name) for name in ("country", "email", "phone")),
    ("items", "items"),
    *((f"items.0.{name}", name) for name in ("reference", "product", "count", "shipping_level", "files")),
    *((f"items.0.files.0.{name}", name) for name in ("type", "url", "md5sum")),
    ("items.0.options.0.count", "count"),
    ("items.0.options.0", "total_pages"),
]


@pytest.mark.parametrize(("path", "name"), REQUIRED_FIELDS, ids=[row[0] for row in REQUIRED_FIELDS])
def test_a_missing_field_is_named_and_no_order_is_added(client: SandboxClient, path: str, name: str) -> None:
    reply = client.send("orders/add", replace_value(ORDER, path))
    assert (reply.status, reply.error) == (400, ("missing_required_parameter", name))
    assert len(client.sandbox.state.orders) == 2


def test_the_first_of_several_missing_fields_is_named(client: SandboxClient) -> None:
    body = replace_value(
        replace_value(replace_value(ORDER, "addresses.0.phone"), "items.0.product"), "addresses.0.city"
    )
    assert client.send("orders/add", body).error == ("missing_required_parameter", "city")


INVALID_FIELDS = [
    ("email", "nobody", "invalid_parameter"),
    ("price", "ten", "invalid_parameter"),
    ("currency", "EURO", "currency_unknown"),
    ("addresses", {}, "invalid_parameter"),
    ("addresses", ["x"], "invalid_parameter"),
    ("addresses.0.type", "billing", "invalid_parameter"),
    ("addresses.0.country", "XX", "country_unknown"),
    ("addresses.0.country", "US", "missing_required_parameter"),
    ("addresses.0.firstname", ["a"], "invalid_parameter"),
    ("files", [{**FILES[0], "type": "cover"}], "invalid_parameter"),
    ("items", [], "missing_required_parameter"),
    ("items.0.product", "book_of_sand", "product_unknown"),
    ("items.0.count", "0", "invalid_parameter"),
    ("items.0.count", "-1", "invalid_parameter"),
    ("items.0.count", 1.5, "invalid_parameter"),
    ("items.0.count", True, "invalid_parameter"),
    ("items.0.shipping_level", "cp_rocket", "shipping_level_unknown"),
    ("items.0.quote", "0" * 64, "quote_not_found"),
    ("items.0.currency", "€", "currency_unknown"),
    ("items.0.options", {}, "invalid_parameter"),
    ("items.0.options.1.type", "paper_300off", "option_unknown"),
    ("items.0.files.0.type", "content", "invalid_parameter"),
    ("items.0.files.0.type", "book", "missing_required_parameter"),
    ("items.0.files.0.url", "ftp://example.com/x", "invalid_parameter"),
    ("items.0.files.0.url", "http://[", "invalid_parameter"),
    ("items.0.files.0.md5sum", "abc", "invalid_parameter"),
    ("items.0.reorder_order_reference", "none", "reorder_order_unknown"),
    ("items.0.reorder_item_reference", "x", "missing_required_parameter"),
]


@pytest.mark.parametrize(
    ("path", "value", "error_type"), INVALID_FIELDS, ids=[f"{row[0]} {row[1]}" for row in INVALID_FIELDS]
)
def test_an_invalid_value_is_refused(client: SandboxClient, path: str, value: Any, error_type: str) -> None:
    reply = client.send("orders/add", replace_value(ORDER, path, value))
    assert (reply.status, reply.error[0]) == (400, error_type)
    assert len(client.sandbox.state.orders) == 2


def test_a_reference_must_be_unique(client: SandboxClient) -> None:
    client.add_order()
    for reference in ("12346", "order-1"):
        reply = client.send("orders/add", {**ORDER, "reference": reference})
        assert reply.status == (409 if client.sandbox.state.is_live else 400)
        assert reply.error == ("reference_not_unique", reference)


def test_item_references_must_be_unique_within_their_order(client: SandboxClient) -> None:
    twice = {**ORDER, "items": ORDER["items"] * 2}
    assert client.send("orders/add", twice).error == ("item_reference_not_unique", "12346-1")
    client.add_order("a")
    client.add_order("b")


def test_numbers_are_accepted_as_strings(client: SandboxClient) -> None:
    body = replace_value(
        replace_value(replace_value(ORDER, "items.0.count", 5), "items.0.options.0.count", 36), "reference", 777
    )
    assert client.get("orders/add", body, 201) == {"order": "777"}
    assert client.order_state("777") == 1


def test_customs_data_metadata_and_order_files_are_accepted(client: SandboxClient) -> None:
    fields: dict[str, Any] = {"price": "12,50", "currency": "USD", "hc": "4901", "meta": {"a": 1}}
    client.add_order("a", **fields, files=[{**FILES[0], "type": "delivery_note"}])
    client.add_order("b", price=12.5)


@pytest.mark.parametrize(
    ("country", "change"),
    [
        ("AE", {"state": "DU", "zip": None}),
        ("HK", {"zip": ""}),
        ("US", {"state": "FL"}),
        ("BR", {"state": "SP", "customer_identification": "123.456.789-09"}),
        ("NL", {}),
    ],
)
def test_a_valid_address_of_each_kind_is_accepted(client: SandboxClient, country: str, change: dict[str, Any]) -> None:
    body = replace_value(ORDER, "addresses.0", {**ADDRESS, "country": country, **change})
    body = replace_value(body, "items.0.shipping_level", "cp_fast")
    assert client.send("orders/add", body).status == 201


@pytest.mark.parametrize(
    ("country", "change", "error"),
    [
        ("US", {"state": "ZZ"}, ("state_unknown", "ZZ")),
        ("AE", {}, ("missing_required_parameter", "state")),
        ("NL", {"zip": ""}, ("missing_required_parameter", "zip")),
        ("BR", {"state": "SP"}, ("missing_required_parameter", "customer_identification")),
    ],
)
def test_an_address_that_is_invalid_in_its_country_is_refused(
    client: SandboxClient, country: str, change: dict[str, Any], error: tuple[str, str]
) -> None:
    body = replace_value(ORDER, "addresses.0", {**ADDRESS, "country": country, **change})
    reply = client.send("orders/add", body)
    assert (reply.status, reply.error) == (400, error)


@pytest.mark.parametrize(
    ("country", "level", "option"),
    [
        ("DE", "cp_saver", "DHL - National Standard (DE)"),
        ("NL", "cp_saver", "DHL - International Express"),
        ("BE", "cp_postal", "bpost"),
        ("FR", "cp_limited", "Mondial Relay"),
    ],
)
def test_a_higher_level_replaces_one_that_is_not_available(
    client: SandboxClient, country: str, level: str, option: str
) -> None:
    body = replace_value(replace_value(ORDER, "addresses.0.country", country), "items.0.shipping_level", level)
    client.get("orders/add", body, 201)
    found = client.get("orders/info", {"reference": "12346"})["items"][0]["shipping_option"]
    assert found.rstrip() == option


def test_an_order_without_an_available_level_is_refused(client: SandboxClient) -> None:
    body = replace_value(replace_value(ORDER, "addresses.0.country", "BE"), "items.0.shipping_level", "cp_fast")
    assert client.send("orders/add", body).error[0] == "shipping_level_not_available"


def test_a_shipping_option_replaces_a_level(client: SandboxClient) -> None:
    body = replace_value(ORDER, "items.0.shipping_level")
    for name, kind in (
        ("gls_euro", ""),
        ("colissimo", "shipping_option_not_available"),
        ("x", "shipping_option_unknown"),
    ):
        reply = client.send("orders/add", {**replace_value(body, "items.0.shipping_option", name), "reference": name})
        assert (reply.status, reply.error[0] if kind else "") == (400 if kind else 201, kind)


def test_stock_items_need_no_files(client: SandboxClient) -> None:
    body = replace_value(replace_value(ORDER, "items.0.files"), "items.0.type", "stock")
    client.get("orders/add", body, 201)


def test_a_printed_box_needs_its_own_file(client: SandboxClient) -> None:
    box = {"type": "puzzle_box_printed_373x273x56_mm", "count": 1}
    item = {**ORDER["items"][0], "product": "puzzle_30x40_1000pcs", "options": [box]}
    product, printed = ({**FILES[0], "type": kind} for kind in ("product", "box"))
    reply = client.send("orders/add", {**ORDER, "items": [{**item, "files": [product]}]})
    assert reply.error == ("missing_required_parameter", "file of type box")
    client.get("orders/add", {**ORDER, "items": [{**item, "files": [product, printed]}]}, 201)


def test_a_reorder_names_items_of_one_order_and_needs_no_level(client: SandboxClient) -> None:
    client.add_order("first")
    client.add_order("second")
    item = replace_value(ORDER, "items.0.shipping_level")["items"][0]
    again = {**item, "reorder_cause": "reorder_print_quality", "reorder_desc": "stripes"}

    def reply(*rows: dict[str, Any]) -> Any:
        return client.send(
            "orders/add", {**ORDER, "items": [{**row, "reference": f"r{n}"} for n, row in enumerate(rows)]}
        )

    good = {**again, "reorder_order_reference": "first", "reorder_item_reference": "12346-1"}
    assert reply({**good, "reorder_item_reference": "x"}).error == ("reorder_item_unknown", "x")
    assert reply({**good, "reorder_item_reference": ""}).error == (
        "missing_required_parameter",
        "reorder_item_reference",
    )
    several = reply(good, {**good, "reorder_order_reference": "second"})
    assert several.error == ("reorder_of_several_orders", "first, second")
    assert reply(good).status == 201


def test_a_quote_must_cover_the_ordered_item(client: SandboxClient) -> None:
    quoted = client.get("orders/quote", {**QUOTE, "country": "DE"})
    name = quoted["shipments"][0]["quotes"][-1]["quote"]
    wanted = QUOTE["items"][0]
    item = {**wanted, "files": FILES, "quote": name}
    not_found = ("quote_not_found", "Quote hash not found or expired")
    for change in ({"reference": "other"}, {"product": "textbook_pb_a5_p_bw"}, {"quote": name[::-1]}):
        assert client.send("orders/add", {**ORDER, "items": [{**item, **change}]}).error == not_found
    client.get("orders/add", {**ORDER, "items": [item]}, 201)
    found = client.get("orders/info", {"reference": "12346"})["items"][0]
    assert found["shipping_option"] == "DHL - International Express"


def test_added_orders_have_consecutive_ids(live_client: SandboxClient) -> None:
    live_client.add_order("a")
    live_client.add_order("b")
    assert list(live_client.sandbox.state.orders)[2:] == ["123456800000", "123456810000"]
    assert list(live_client.sandbox.state.orders["123456800000"].items) == ["123456800001"]


def test_concurrent_clients_each_add_their_orders(live_client: SandboxClient) -> None:
    ready = Barrier(6)

    def work(client: int) -> None:
        ready.wait()
        for count in range(5):
            live_client.add_order(f"{client}-{count}")

    threads = [Thread(target=work, args=(client,)) for client in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [order.id for order in live_client.sandbox.state.orders.values()]
    assert ids == [f"{12345678 + index}0000" for index in range(32)]
    assert len(live_client.get("orders/")) == 32
