"""Orders are listed, shown, canceled, followed through their log, and waited for."""

import json
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pexpect
import pytest

from cpctl.sandbox.control.control_client import ControlClient
from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from examples.call_examples import encode_body
from examples.core_requests import CORE_PATH, make_order
from harness.cli_environment import CliEnvironment, CliResult
from harness.servers.scripted_server import ScriptedResponse, scripted_server

Invoke = Callable[..., CliResult]
MakeCli = Callable[[str], CliEnvironment]
WriteDocument = Callable[..., str]
LIST_PATH = f"{CORE_PATH}orders/"
LISTED_ORDERS = [
    {"reference": "a", "order_date": "2026-01-10 08:00:00", "state": 1, "state_code": "order_state_new"},
    {"reference": "b", "order_date": "2026-01-12 08:00:00", "state": "45", "state_code": "order_state_uploaded"},
    {"reference": "c", "order_date": "2026-01-11 08:00:00", "state": 45, "state_code": "order_state_uploaded"},
    {"reference": "d", "order_date": "2026-01-13 08:00:00", "state": 500, "state_code": "order_state_canceled"},
]


def filtered_references(
    invoke: Invoke, make_cli: MakeCli, *options: str, rows: Any = LISTED_ORDERS, **changes: str
) -> list[str]:
    """The references of the orders that the filters keep."""
    with scripted_server({LIST_PATH: ScriptedResponse(200, encode_body(rows))}) as service:
        result = invoke(make_cli(service.url), "orders", "list", *options, "-o", "json", **changes)
    assert result.code == 0, result.err
    return [row["reference"] for row in result.data]


# --- list -----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["45", "order_state_uploaded", "uploaded"])
def test_a_state_is_given_as_number_code_or_short_code(invoke: Invoke, make_cli: MakeCli, state: str) -> None:
    assert filtered_references(invoke, make_cli, "--state", state) == ["b", "c"]
    assert filtered_references(invoke, make_cli, "--state", state, "--state", "new") == ["a", "b", "c"]


def test_orders_without_a_state_number_are_filtered_by_state_code(invoke: Invoke, make_cli: MakeCli) -> None:
    rows = [{"reference": "x", "state_code": "order_state_new"}, {"reference": "y", "state_code": "order_state_odd"}]
    assert filtered_references(invoke, make_cli, "--state", "1", rows=rows) == ["x"]


@pytest.mark.parametrize(("state", "suggestion"), [("uplaoded", "uploaded"), ("cancelled", "canceled"), ("44", "")])
def test_an_unknown_state_gets_a_suggestion_and_makes_no_call(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, state: str, suggestion: str
) -> None:
    result = invoke(cli, "orders", "list", "--state", state)
    assert result.code == 2
    assert f'There is no order state "{state}".' in result.err
    assert f'Did you mean "{suggestion}"?' in result.err if suggestion else "orders states" in result.err
    assert sandbox.state.journal.list_entries() == []


def test_orders_are_filtered_by_time(invoke: Invoke, make_cli: MakeCli) -> None:
    assert filtered_references(invoke, make_cli, "--since", "2026-01-11T00:00Z") == ["b", "c", "d"]
    assert filtered_references(invoke, make_cli, "--until", "2026-01-11T12:00Z") == ["a", "c"]
    assert filtered_references(
        invoke, make_cli, "--since", "2026-01-11T08:00:00Z", "--until", "2026-01-12T08:00:00Z"
    ) == ["b", "c"]
    assert filtered_references(invoke, make_cli, "--since", "2026-01-12T01:00", TZ="UTC") == ["b", "d"]


def test_orders_are_filtered_by_age(invoke: Invoke, make_cli: MakeCli) -> None:
    now = datetime.now(UTC)
    rows = [
        {"reference": name, "order_date": (now - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")}
        for name, days in (("old", 9), ("new", 2))
    ]
    assert filtered_references(invoke, make_cli, "--since", "7d", rows=rows) == ["new"]
    assert filtered_references(invoke, make_cli, "--until", "7d", rows=rows) == ["old"]


def test_a_limit_keeps_the_newest_orders_in_the_order_of_the_service(invoke: Invoke, make_cli: MakeCli) -> None:
    assert filtered_references(invoke, make_cli, "--limit", "2") == ["b", "d"]
    assert filtered_references(invoke, make_cli, "--limit", "1", "--state", "45") == ["b"]
    assert (
        filtered_references(invoke, make_cli, "--limit", "0")
        == filtered_references(invoke, make_cli, "--limit", "9")
        == list("abcd")
    )


@pytest.mark.parametrize("option", [["--since", "yesterday"], ["--until", "2026-13-01"], ["--limit", "-1"]])
def test_an_invalid_filter_is_refused_before_any_call(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, option: list[str]
) -> None:
    result = invoke(cli, "orders", "list", *option)
    assert result.code == 2
    assert option[0] in result.err
    assert sandbox.state.journal.list_entries() == []


def test_a_list_of_a_megabyte_is_filtered_like_a_short_one(invoke: Invoke, make_cli: MakeCli) -> None:
    rows = [{**LISTED_ORDERS[n % 4], "reference": f"{n:06d}"} for n in range(12_000)]
    assert len(encode_body(rows)) > 1_000_000
    assert len(filtered_references(invoke, make_cli, rows=rows)) == 12_000
    found = filtered_references(invoke, make_cli, "--state", "uploaded", "--limit", "2", rows=rows)
    assert found == ["011993", "011997"]


def test_an_unknown_api_gets_a_suggestion(cli: CliEnvironment, invoke: Invoke) -> None:
    for command in ("list", "info x", "add x", "cancel x --yes", "log x"):
        result = invoke(cli, "orders", *command.split(), "--api", "publsh")
        assert (result.code, result.out) == (2, "")
        assert 'Did you mean "publish"?' in result.err


# --- info -----------------------------------------------------------------------------------


def add_orders(invoke: Invoke, cli: CliEnvironment, write: WriteDocument, *references: str) -> None:
    for reference in references:
        assert invoke(cli, "orders", "add", write(make_order(reference))).code == 0


def test_several_orders_are_shown_in_the_given_order(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    add_orders(invoke, cli, write_document, "x", "y")
    references = ["y", "order-2", "x", "order-1", "y"]
    sandbox.add_fault(make_fault("latency", f"{CORE_PATH}orders/info", 1, seconds=0.3))
    result = invoke(cli, "orders", "info", *references, "-o", "json")
    assert result.code == 0
    assert [order["reference"] for order in result.data] == references


def test_one_order_is_an_object_and_several_are_an_array(cli: CliEnvironment, invoke: Invoke) -> None:
    assert invoke(cli, "orders", "info", "order-1", "-o", "json").data["reference"] == "order-1"
    several = invoke(cli, "orders", "info", "order-1", "order-2", "-o", "json").data
    assert [order["reference"] for order in several] == ["order-1", "order-2"]


def test_a_missing_order_among_others_does_not_hide_them(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "orders", "info", "order-1", "nobody", "order-2", "-o", "json")
    assert result.code == 6
    assert [order["reference"] for order in result.data] == ["order-1", "order-2"]
    assert 'There is no order "nobody".' in result.err


def test_orders_that_are_all_missing_were_not_found(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "orders", "info", "nobody", "no-one", "-o", "json")
    assert (result.code, result.data) == (9, [])
    assert result.err.count("There is no order") == 2


def test_a_key_that_cannot_be_read_is_reported_once(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "orders", "info", "a", "b", "c", CPCTL_CORE_KEY_FILE="nowhere.key")
    assert result.code == 3
    assert result.err.count("nowhere.key") == 1


@pytest.mark.parametrize("reference", ["", "  ", "a\nb", "a\x1bb"])
def test_an_empty_reference_or_a_control_character_is_refused(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, reference: str
) -> None:
    for name, *options in (["info"], ["log"], ["cancel", "--yes"], ["wait", "--for", "done"]):
        assert invoke(cli, "orders", name, reference, *options).code == 2
    assert sandbox.state.journal.list_entries() == []


# --- cancel ---------------------------------------------------------------------------------


def test_without_a_terminal_an_order_is_canceled_only_with_yes(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    add_orders(invoke, cli, write_document, "x")
    result = invoke(cli, "orders", "cancel", "x")
    assert result.code == 2
    assert "--yes" in result.err
    assert 'order "x"' in result.err
    assert sandbox.state.orders.find("x").state == 1  # type: ignore[union-attr]


def test_with_yes_an_order_is_canceled_and_the_answer_shown(
    cli: CliEnvironment, invoke: Invoke, write_document: WriteDocument
) -> None:
    add_orders(invoke, cli, write_document, "x")
    result = invoke(cli, "orders", "cancel", "x", "--yes", "-o", "json")
    assert result.code == 0
    assert result.data == {"reference": "x", "state": 500, "state_code": "order_state_canceled", "status": 500}
    assert 'Cancellation of the order "x" was requested.' in result.err


@pytest.mark.parametrize(("answer", "state", "code"), [("y", 500, 0), ("n", 1, 2), ("", 1, 2)])
def test_a_cancellation_is_confirmed_at_a_terminal(
    cli: CliEnvironment,
    invoke: Invoke,
    sandbox: Sandbox,
    write_document: WriteDocument,
    answer: str,
    state: int,
    code: int,
) -> None:
    add_orders(invoke, cli, write_document, "x")
    process = pexpect.spawn(
        sys.executable,
        ["-m", "cpctl", "orders", "cancel", "x"],
        env=cli.process_environment(),
        cwd=str(cli.folder),
        encoding="utf-8",
        timeout=30,
    )
    process.expect_exact('Cancel the order "x" of profile "sandbox"')
    process.sendline(answer)
    process.read()
    process.close()
    assert process.exitstatus == code
    assert sandbox.state.orders.find("x").state == state  # type: ignore[union-attr]


def test_catalogs_and_titles_are_removed_only_with_yes(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    for command in (("catalogs", "remove", "catalog_1"), ("titles", "remove", "1234567890123")):
        result = invoke(cli, *command)
        assert result.code == 2
        assert "--yes" in result.err
    assert sandbox.state.journal.list_entries() == []


# --- log ------------------------------------------------------------------------------------


def test_the_log_shows_codes_and_durations_and_json_the_answer(invoke: Invoke, make_cli: MakeCli) -> None:
    log = [
        {"reference": "x", "create_date": "2026-01-01 10:00:00", "state": 1},
        {"reference": "x", "create_date": "2026-01-01 10:00:40", "state": "5"},
        {"reference": "x", "create_date": "2026-01-01 10:12:40", "state": 45},
        {"reference": "x", "create_date": "2026-01-03 12:12:40", "state": 77},
        {"reference": "x", "create_date": "some day", "state": 500},
    ]
    with scripted_server({f"{CORE_PATH}orders/log": ScriptedResponse(200, encode_body(log))}) as service:
        environment = make_cli(service.url)
        assert invoke(environment, "orders", "log", "x", "-o", "json").data == log
        lines = invoke(environment, "orders", "log", "x").out.splitlines()
    assert lines == [
        "create_date\tstate\tstate_code\tafter",
        "2026-01-01 10:00:00\t1\torder_state_new\t",
        "2026-01-01 10:00:40\t5\torder_state_verify\t40 s",
        "2026-01-01 10:12:40\t45\torder_state_uploaded\t12 min",
        "2026-01-03 12:12:40\t77\t\t2 days",
        "some day\t500\torder_state_canceled\t",
    ]


def test_states_are_listed_without_a_key(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    rows = invoke(unconfigured_cli, "orders", "states", "-o", "json").data
    assert [row["number"] for row in rows] == sorted(row["number"] for row in rows)
    assert {row["number"] for row in rows if row["kind"] == "error"} == {7, 11, 31, 35, 39, 41}
    assert {row["number"] for row in rows if row["kind"] == "ended"} == {100, 500, 501}
    assert len(rows) == 22


# --- wait -----------------------------------------------------------------------------------

POLL_OPTIONS = ("--interval", "0s", "--timeout", "30s")


def test_waiting_for_a_reached_state_ends_at_once(cli: CliEnvironment, invoke: Invoke) -> None:
    for state in ("45", "uploaded", "order_state_uploaded", "new", "10"):
        result = invoke(cli, "orders", "wait", "order-1", "--for", state, "-o", "json")
        assert (result.code, result.data["reference"]) == (0, "order-1")
        assert 'The order "order-1" is in state 45, files are uploaded' in result.err


@pytest.mark.parametrize("state", [100, 501, "100"])
def test_done_is_complete_also_in_sandbox_mode(invoke: Invoke, make_cli: MakeCli, state: object) -> None:
    with scripted_server(
        {f"{CORE_PATH}orders/info": ScriptedResponse(200, encode_body({"reference": "x", "state": state}))}
    ) as service:
        for wanted in ("done", "100", "501", "new"):
            assert invoke(make_cli(service.url), "orders", "wait", "x", "--for", wanted).code == 0


@pytest.mark.parametrize(("state", "wanted"), [(11, "done"), (41, "45"), (500, "done"), (500, "45"), (501, "canceled")])
def test_waiting_ends_when_the_state_can_no_longer_be_reached(
    invoke: Invoke, make_cli: MakeCli, state: int, wanted: str
) -> None:
    with scripted_server(
        {f"{CORE_PATH}orders/info": ScriptedResponse(200, encode_body({"reference": "x", "state": state}))}
    ) as service:
        result = invoke(make_cli(service.url), "orders", "wait", "x", "--for", wanted, "-o", "json")
    assert (result.code, result.data["state"]) == (5, state)
    assert f'and can no longer reach "{wanted}".' in result.err
    assert len(service.requests) == 1


@pytest.mark.parametrize(("state", "wanted"), [(11, "11"), (500, "500"), (500, "canceled")])
def test_an_error_or_a_cancellation_can_be_waited_for(
    invoke: Invoke, make_cli: MakeCli, state: int, wanted: str
) -> None:
    with scripted_server(
        {f"{CORE_PATH}orders/info": ScriptedResponse(200, encode_body({"reference": "x", "state": state}))}
    ) as service:
        assert invoke(make_cli(service.url), "orders", "wait", "x", "--for", wanted).code == 0


def test_a_file_that_cannot_be_downloaded_ends_the_waiting(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    order = make_order("x")
    order["items"][0]["files"][0]["url"] = "https://files.example.invalid/cover.pdf"
    assert invoke(cli, "orders", "add", write_document(order)).code == 0
    sandbox.state.advance(3600)
    result = invoke(cli, "orders", "wait", "x", "--for", "done")
    assert result.code == 5
    assert "in state 11, files could not be downloaded" in result.err


def test_a_timeout_has_its_own_exit_status(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "orders", "wait", "order-1", "--for", "done", "--timeout", "0s", "-o", "json")
    assert (result.code, result.data["state"]) == (8, 45)
    assert 'Timed out waiting for "done"' in result.err


def test_waiting_without_any_answer_ends_in_time_and_shows_nothing(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox
) -> None:
    sandbox.add_fault(make_fault("status", f"{CORE_PATH}orders/info", 0, 503, "60"))
    for output in ("json", "table"):
        result = invoke(cli, "orders", "wait", "order-1", "--for", "done", "--timeout", "0s", "-o", output)
        assert (result.code, result.out) == (8, "")
        assert 'Timed out waiting for "done"' in result.err


def test_waiting_continues_through_failures_until_the_order_is_done(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, write_document: WriteDocument
) -> None:
    add_orders(invoke, cli, write_document, "x")
    control = ControlClient(sandbox.control_url)
    sandbox.add_fault(make_fault("status", f"{CORE_PATH}orders/info", 4, 503, "0"))
    process = cli.start("orders", "wait", "x", "--for", "done", *POLL_OPTIONS, "-o", "json")
    wait_until(lambda: sum(entry["status"] == 200 for entry in info_requests(sandbox)) >= 1)
    assert process.poll() is None
    control.advance_clock(60)
    request_count = len(info_requests(sandbox))
    wait_until(lambda: len(info_requests(sandbox)) > request_count)
    control.advance_clock(7200)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert json.loads(out)["state"] == 501


def test_a_cancellation_ends_the_waiting(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, write_document: WriteDocument
) -> None:
    add_orders(invoke, cli, write_document, "x")
    process = cli.start("orders", "wait", "x", "--for", "done", *POLL_OPTIONS)
    wait_until(lambda: len(info_requests(sandbox)) >= 1)
    assert invoke(cli, "orders", "cancel", "x", "--yes").code == 0
    _, err = process.communicate(timeout=30)
    assert process.returncode == 5
    assert 'is in state 500, canceled, and can no longer reach "done".' in err


def info_requests(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The requests for details of an order."""
    return [entry for entry in sandbox.state.journal.list_entries() if entry["path"] == f"{CORE_PATH}orders/info"]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until another process has made the condition true."""
    deadline, never_set = time.monotonic() + 30, threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        never_set.wait(0.02)


@pytest.mark.parametrize(
    "options",
    [["--for", "printed"], ["--for", "done", "--timeout", "soon"], ["--for", "done", "--interval", "often"], []],
)
def test_invalid_options_of_wait_are_refused(cli: CliEnvironment, invoke: Invoke, options: list[str]) -> None:
    assert invoke(cli, "orders", "wait", "order-1", *options).code == 2


def test_waiting_without_an_answer_says_so(cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke) -> None:
    sandbox.add_fault(make_fault("down"))
    result = invoke(cli, "orders", "wait", "order-1", "--for", "done", "--timeout", "1s", "--interval", "1s")
    assert result.code == 8
    assert 'the order "order-1" is in an unknown state, because the service did not answer' in result.err
