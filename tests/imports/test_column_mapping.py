"""How columns are found, and the presets for shipping programs."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cpctl.imports.column_mapping import COLUMN_ALIASES, PRESETS, find_signal_type, normalize_heading
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import CliEnvironment, CliResult, sandbox_configuration
from harness.outbox.csv_files import ITEMS, ORDER, Invoke, send_file, stored_signals

ReceivedSignals = Callable[[], list[dict[str, Any]]]
SHOP_SETTINGS = (
    "    shipping_option: Default\n"
    "    carrier_options: {ups: UPS Saver, gls: GLS Business, dhl-de: DHL Paket}\n"
    "    order_of_item: {pattern: '(\\d{8})\\d{4}', order: '\\g<1>0000'}\n"
    "    maps:\n"
    "      own: {tracking: Sendung, item: Artikel, order: Auftrag, at: Tag, void: Weg, type: Was}\n"
    "      fixed: {tracking: Sendung, item: Artikel, type: ItemShipped}\n"
    "      broken: {traking: Sendung}\n"
)


@pytest.fixture
def shop_cli(cli: CliEnvironment, sandbox: Sandbox) -> CliEnvironment:
    """An environment whose profile has mappings, carrier options, and a rule for orders."""
    cli.configure(sandbox_configuration(sandbox.base_url, SHOP_SETTINGS))
    return cli


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Tracking Number", "tracking_number"),
        ("Numéro de suivi", "NUMERO DE SUIVI"),
        ("Verzögerung", "Verzoegerung"),
        ("Verzögerung", "verzogerung"),
        ("Order #", "order"),
    ],
)
def test_case_spaces_and_umlauts_of_headings_do_not_matter(first: str, second: str) -> None:
    assert normalize_heading(first) == normalize_heading(second)


@pytest.mark.parametrize("field", COLUMN_ALIASES)
def test_no_heading_means_two_fields(field: str) -> None:
    others = {normalize_heading(name) for other, names in COLUMN_ALIASES.items() if other != field for name in names}
    assert not others & {normalize_heading(name) for name in COLUMN_ALIASES[field]}


@pytest.mark.parametrize(
    ("heading", "field"), [(name, field) for field in ("tracking", "item") for name in COLUMN_ALIASES[field]]
)
def test_every_known_heading_is_found(invoke: Invoke, shop_cli: CliEnvironment, heading: str, field: str) -> None:
    other = "item" if field == "tracking" else "tracking"
    values = {"tracking": "T1", "item": ITEMS[0]}
    text = f"{heading.upper()};{other}\n{values[field]};{values[other]}\n"
    assert send_file(invoke, shop_cli, text, "--type", "shipped", "--queue-only").code == 0
    row = stored_signals(shop_cli.store)[0]
    assert (row["item"], json.loads(row["fields"])["tracking"]) == (ITEMS[0], "T1")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_reads_the_export_of_its_program(invoke: Invoke, shop_cli: CliEnvironment, name: str) -> None:
    preset = PRESETS[name]
    values = {"tracking": "T1", "item": ITEMS[0], "order": ORDER, "carrier": "UPS", "datetime": "20260120", "void": "N"}
    head = ";".join(names[0] for names in preset.columns.values())
    text = head + "\n" + ";".join(values[field] for field in preset.columns) + "\n"
    result = send_file(invoke, shop_cli, text, "--map", name, "--queue-only")
    assert result.code == 0, result.err
    row = stored_signals(shop_cli.store)[0]
    assert (row["type"], row["item"], row["order_id"]) == ("ItemShipped", ITEMS[0], ORDER)
    assert row["carrier"] == (preset.carrier or "ups")


def test_worldship_dates_have_no_dashes_and_its_carrier_sets_the_shipping_option(
    invoke: Invoke, shop_cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    text = f"PackageTrackingNumber,PackageReference1,CollectionDate,VoidIndicator\n1Z1,{ITEMS[0]},20260120,N\n"
    assert send_file(invoke, shop_cli, text, "--map", "ups-worldship").code == 0
    body = received_signals()[0]
    assert (body["shipping_option"], body["order"]) == ("UPS Saver", ORDER)
    assert body["datetime"].startswith(("2026-01-20", "2026-01-19"))


@pytest.mark.parametrize(
    ("carrier", "option"),
    [
        ("gls", "GLS Business"),
        ("GLS", "GLS Business"),
        ("DHL Paket", "DHL Paket"),
        ("Pigeon", "Default"),
        ("", "Default"),
    ],
)
def test_the_carrier_of_a_row_sets_its_shipping_option(
    invoke: Invoke, shop_cli: CliEnvironment, received_signals: ReceivedSignals, carrier: str, option: str
) -> None:
    text = f"Tracking Number,Reference 1,Carrier\nT1,{ITEMS[0]},{carrier}\n"
    assert send_file(invoke, shop_cli, text, "--type", "shipped").code == 0
    assert received_signals()[0]["shipping_option"] == option


def test_a_mapping_of_the_profile_names_its_columns(
    invoke: Invoke, shop_cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    text = f"Sendung;Artikel;Auftrag;Tag;Weg;Was\nT1;{ITEMS[0]};{ORDER};20.01.2026 13:00;;shipped\n"
    assert send_file(invoke, shop_cli, text, "--map", "own").code == 0
    assert received_signals()[0]["tracking"] == "T1"


def test_a_mapping_may_name_a_signal_type(
    invoke: Invoke, shop_cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    assert send_file(invoke, shop_cli, f"Sendung;Artikel\nT1;{ITEMS[0]}\n", "--map", "fixed").code == 0
    assert received_signals()[0]["type"] == "ItemShipped"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("owm", 'There is no map "owm"'),
        ("own", 'needs a column "Auftrag"'),
        ("broken", '"traking"'),
        ("gls", "tracking code"),
    ],
)
def test_a_mapping_that_does_not_fit_is_an_error(
    invoke: Invoke, shop_cli: CliEnvironment, name: str, message: str
) -> None:
    result = send_file(invoke, shop_cli, f"Sendung;Artikel\nT1;{ITEMS[0]}\n", "--map", name)
    assert result.code == 2
    assert message in result.err


def test_two_columns_that_could_hold_the_same_field_are_an_error(invoke: Invoke, shop_cli: CliEnvironment) -> None:
    result = send_file(
        invoke, shop_cli, f"Tracking Number,Sendungsnummer,item\nT1,T2,{ITEMS[0]}\n", "--type", "shipped"
    )
    assert result.code == 2
    assert '"Tracking Number" and "Sendungsnummer" could both hold the tracking' in result.err


def test_an_order_is_taken_from_earlier_signals_and_never_guessed(invoke: Invoke, cli: CliEnvironment) -> None:
    text = f"item;tracking\n{ITEMS[0]};T1\n"
    unknown: CliResult = send_file(invoke, cli, text, "--type", "shipped")
    assert unknown.code == 2
    assert f'order of item "{ITEMS[0]}" is missing' in unknown.err
    assert invoke(cli, "signal", "packed", ITEMS[0], "--order", ORDER).code == 0
    assert send_file(invoke, cli, text, "--type", "shipped").code == 0
    assert stored_signals(cli.store)[1]["order_id"] == ORDER


def test_an_item_of_two_orders_needs_its_order_named(invoke: Invoke, cli: CliEnvironment) -> None:
    for order in (ORDER, "999999990000"):
        invoke(cli, "signal", "packed", ITEMS[0], "--order", order, "--queue-only")
    result = send_file(invoke, cli, f"item;tracking\n{ITEMS[0]};T1\n", "--type", "shipped")
    assert result.code == 2
    assert "known in 2 orders" in result.err


def test_a_type_is_found_by_its_name_or_command() -> None:
    for text in ("ItemShipped", "itemshipped", "shipped", "SHIPPED", "Item Shipped"):
        kind = find_signal_type(text)
        assert kind is not None and kind.name == "ItemShipped"
    assert find_signal_type("parcel") is None


@pytest.mark.parametrize(
    "arguments", [("--set", "colour=red"), ("--set", "item"), ("--type", "parcel"), ("--delimiter", "ab")]
)
def test_invalid_option_values_are_rejected(invoke: Invoke, cli: CliEnvironment, arguments: tuple[str, str]) -> None:
    assert send_file(invoke, cli, f"item;tracking\n{ITEMS[0]};T1\n", *arguments).code == 2
