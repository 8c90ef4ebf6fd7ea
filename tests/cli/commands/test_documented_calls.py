"""Every documented example of CloudCore and CloudPublish, sent and shown."""

import csv
import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pexpect
import pytest
import yaml

from cpctl.api.endpoints import ENDPOINTS
from cpctl.sandbox.server.sandbox_server import Sandbox
from examples.call_examples import EXAMPLES, ORDER_INFO, QUOTE_RESPONSE, Example, encode_body, with_unknown_fields
from harness.cli_environment import CliEnvironment, CliResult
from harness.servers.scripted_server import ScriptedResponse, scripted_server

Invoke = Callable[..., CliResult]
MakeCli = Callable[[str], CliEnvironment]
WriteDocument = Callable[..., str]
each_example = pytest.mark.parametrize("example", EXAMPLES.values(), ids=list(EXAMPLES))


def test_every_endpoint_has_an_example() -> None:
    assert {name for name in ENDPOINTS if not name.startswith("signal")} == set(EXAMPLES)


@each_example
def test_the_service_receives_the_documented_request(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, example: Example
) -> None:
    if example.document:
        write_document(example.document)
    assert invoke(cli, *example.arguments).code in (0, 6, 9)
    (request,) = sandbox.state.journal.list_entries()[-1:]
    assert (request["method"], request["path"]) == ("POST", example.path)
    assert request["body"] == {"apikey": "***", **example.request}
    assert (request["status"] or 0) in (200, 201, 204, 409, 410)


@each_example
def test_a_dry_run_shows_the_documented_request_and_sends_nothing(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument, example: Example
) -> None:
    if example.document:
        write_document(example.document)
    result = invoke(cli, *example.arguments, "--dry-run", "-o", "json")
    assert result.code == 0, result.err
    assert result.data == [
        {"method": "POST", "url": sandbox.base_url + example.path, "body": {"apikey": "***", **example.request}}
    ]
    shown = invoke(cli, *example.arguments, "--dry-run")
    assert shown.out.startswith(f"POST {sandbox.base_url}{example.path}\n")
    assert json.loads(shown.out.partition("\n")[2]) == {"apikey": "***", **example.request}
    assert sandbox.state.journal.list_entries() == []


@each_example
def test_the_documented_response_is_shown_in_every_format_with_unknown_fields(
    invoke: Invoke, make_cli: MakeCli, write_document: WriteDocument, example: Example
) -> None:
    if example.document:
        write_document(example.document)
    answered = with_unknown_fields(example.response)
    expected = answered[example.result_key] if example.result_key else answered
    with scripted_server({example.path: ScriptedResponse(example.status, encode_body(answered))}) as service:
        cli = make_cli(service.url)
        shown = {name: invoke(cli, *example.arguments, "-o", name) for name in ("json", "jsonl", "yaml", "tsv", "csv")}
    assert [result.code for result in shown.values()] == [0] * 5, [result.err for result in shown.values()]
    assert shown["json"].data == expected
    lines = [json.loads(line) for line in shown["jsonl"].out.splitlines()]
    assert lines == (expected if isinstance(expected, list) else [expected])
    assert yaml.safe_load(shown["yaml"].out) == expected
    rows = list(csv.reader(io.StringIO(shown["csv"].out)))
    assert len({len(row) for row in rows}) == 1
    assert shown["tsv"].out.count("\n") >= len(rows)
    assert [line.count("\t") for line in shown["tsv"].out.splitlines()] == [len(rows[0]) - 1] * len(
        shown["tsv"].out.splitlines()
    )
    if isinstance(expected, list):
        assert len(rows) == 1 + len(expected)
    for reference in _record_references(example.result):
        assert reference in shown["tsv"].out, reference
        assert reference in shown["csv"].out, reference


def _record_references(value: Any) -> list[str]:
    """The first value of every record in a result."""
    if isinstance(value, list):
        return [str(next(iter(each.values()))) for each in value if "create_date" not in each or "name" in each]
    return [] if "status" in value or "shipments" in value else [str(next(iter(value.values())))]


def terminal_text(cli: CliEnvironment, *arguments: str) -> str:
    """The output on a wide terminal."""
    process = pexpect.spawn(
        sys.executable,
        ["-m", "cpctl", *arguments],
        env={**cli.process_environment(), "TERM": "dumb"},
        cwd=str(cli.folder),
        dimensions=(80, 200),
        encoding="utf-8",
        timeout=30,
    )
    shown = process.read()
    process.close()
    assert process.exitstatus == 0, shown
    return str(shown)


def test_offers_are_a_table_on_a_terminal(make_cli: MakeCli, write_document: WriteDocument) -> None:
    write_document(EXAMPLES["orders/quote"].document)
    with scripted_server(
        {"/cloudcore/1.0/orders/quote": ScriptedResponse(200, encode_body(QUOTE_RESPONSE))}
    ) as service:
        shown = terminal_text(make_cli(service.url), "quote", "get", "order.json")
    heading, *rows = shown.splitlines()
    assert heading.split()[:1] == ["SHIPMENT"]
    for offer, row in zip(QUOTE_RESPONSE["shipments"][0]["quotes"], rows, strict=False):
        assert row.startswith("1 ")
        for name in ("shipping_level", "shipping_option", "price", "vat", "currency"):
            assert offer[name] in row


def test_an_order_is_shown_as_fields_with_a_line_per_item(make_cli: MakeCli) -> None:
    with scripted_server({"/cloudcore/1.0/orders/info": ScriptedResponse(200, encode_body(ORDER_INFO))}) as service:
        shown = terminal_text(make_cli(service.url), "orders", "info", "123456")
    lines = {line.split()[0]: line for line in shown.splitlines()}
    assert lines["reference"].split() == ["reference", "123456"]
    assert "order_state_uploaded" in lines["state_code"]
    assert "DHL - National Standard (DE)" in lines["item"]
    assert "John" in lines["address"]


def test_leading_zeros_and_long_numbers_survive_every_format(invoke: Invoke, make_cli: MakeCli) -> None:
    order = {"reference": "000123456789012345678909", "order_date": "2026-01-01 00:00:00", "state": "0089"}
    with scripted_server({"/cloudcore/1.0/orders/": ScriptedResponse(200, encode_body([order]))}) as service:
        cli = make_cli(service.url)
        for name in ("json", "jsonl", "yaml", "tsv", "csv"):
            assert "000123456789012345678909" in invoke(cli, "orders", "list", "-o", name).out


@pytest.mark.parametrize(
    "reference", ["0089", "12e3", "1E5", "0o17", ".5e1", "1.e2", "+12", "0x1F", "1_000", "12:30:45"]
)
def test_a_reference_that_looks_like_a_number_is_quoted_in_yaml(
    invoke: Invoke, make_cli: MakeCli, reference: str
) -> None:
    with scripted_server(
        {"/cloudcore/1.0/orders/": ScriptedResponse(200, encode_body([{"reference": reference, "n": 12, "f": 1.5}]))}
    ) as service:
        result = invoke(make_cli(service.url), "orders", "list", "-o", "yaml")
    assert result.out.replace('"', "'") == f"- reference: '{reference}'\n  n: 12\n  f: 1.5\n"


def test_decimals_are_shown_as_the_service_writes_them(invoke: Invoke, make_cli: MakeCli) -> None:
    with scripted_server(
        {"/cloudcore/1.0/orders/quote/info": ScriptedResponse(200, b'{"quote": "x", "price": "4.5000"}')}
    ) as service:
        assert invoke(make_cli(service.url), "quote", "info", "x", "-o", "json").data["price"] == "4.5000"
