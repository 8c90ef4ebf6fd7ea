"""Orders listed, shown, canceled and followed through their log."""

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
    """The references that a list keeps."""
    with scripted_server({LIST_PATH: ScriptedResponse(200, encode_body(rows))}) as service:
        result = invoke(make_cli(service.url), "orders", "list", *options, "-o", "json", **changes)
    assert result.code == 0, result.err
    return [row["reference"] for row in result.data]


# --- list -----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["45", "order_state_uploaded", "uploaded"])
def test_a_state_is_chosen_by_number_code_or_short_code(invoke: Invoke, make_cli: MakeCli, state: str) -> None:
    assert filtered_references(invoke, make_cli, "--state", state) == ["b", "c"]
    assert filtered_references(invoke, make_cli, "--state", state, "--state", "new") == ["a", "b", "c"]


def test_a_state_is_read_from_its_code_where_there_is_no_number(invoke: Invoke, make_cli: MakeCli) -> None:
    rows = [{"reference": "x", "state_code": "order_state_new"}, {"reference": "y", "state_code": "order_state_odd"}]
    assert filtered_references(invoke, make_cli, "--state", "1", rows=rows) == ["x"]


@pytest.mark.parametrize(("state", "near"), [("uplaoded", "uploaded"), ("cancelled", "canceled"), ("44", "")])
def test_a_state_that_does_not_exist_names_the_nearest_and_asks_nobody(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, state: str, near: str
) -> None:
    result = invoke(cli, "orders", "list", "--state", state)
    assert result.code == 2
    assert f'There is no order state "{state}".' in result.err
    assert f'Did you mean "{near}"?' in result.err if near else "orders states" in result.err
    assert sandbox.state.journal.list_entries() == []


def test_orders_of_a_time_are_kept(invoke: Invoke, make_cli: MakeCli) -> None:
    assert filtered_references(invoke, make_cli, "--since", "2026-01-11T00:00Z") == ["b", "c", "d"]
    assert filtered_references(invoke, make_cli, "--until", "2026-01-11T12:00Z") == ["a", "c"]
    assert filtered_references(
        invoke, make_cli, "--since", "2026-01-11T08:00:00Z", "--until", "2026-01-12T08:00:00Z"
    ) == ["b", "c"]
    assert filtered_references(invoke, make_cli, "--since", "2026-01-12T01:00", TZ="UTC") == ["b", "d"]


def test_orders_of_the_last_days_are_kept(invoke: Invoke, make_cli: MakeCli) -> None:
    now = datetime.now(UTC)
    rows = [
        {"reference": name, "order_date": (now - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")}
        for name, days in (("old", 9), ("new", 2))
    ]
    assert filtered_references(invoke, make_cli, "--since", "7d", rows=rows) == ["new"]
    assert filtered_references(invoke, make_cli, "--until", "7d", rows=rows) == ["old"]


def test_a_limit_keeps_the_newest_in_the_order_of_the_service(invoke: Invoke, make_cli: MakeCli) -> None:
    assert filtered_references(invoke, make_cli, "--limit", "2") == ["b", "d"]
    assert filtered_references(invoke, make_cli, "--limit", "1", "--state", "45") == ["b"]
    assert (
        filtered_references(invoke, make_cli, "--limit", "0")
        == filtered_references(invoke, make_cli, "--limit", "9")
        == list("abcd")
    )


@pytest.mark.parametrize("option", [["--since", "yesterday"], ["--until", "2026-13-01"], ["--limit", "-1"]])
def test_a_filter_that_cannot_be_is_refused_before_anybody_is_asked(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, option: list[str]
) -> None:
    result = invoke(cli, "orders", "list", *option)
    assert result.code == 2
    assert option[0] in result.err
    assert sandbox.state.journal.list_entries() == []


def test_a_list_of_a_megabyte_is_limited_and_filtered_like_a_short_one(invoke: Invoke, make_cli: MakeCli) -> None:
    rows = [{**LISTED_ORDERS[n % 4], "reference": f"{n:06d}"} for n in range(12_000)]
    assert len(encode_body(rows)) > 1_000_000
    assert len(filtered_references(invoke, make_cli, rows=rows)) == 12_000
    assert filtered_references(invoke, make_cli, "--limit", "2", rows=rows) == ["011995", "011999"]
    assert len(filtered_references(invoke, make_cli, "--state", "uploaded", rows=rows)) == 6_000
    assert len(filtered_references(invoke, make_cli, "--state", "uploaded", "--limit", "5", rows=rows)) == 5


def test_an_api_that_does_not_exist_names_the_nearest(cli: CliEnvironment, invoke: Invoke) -> None:
    for words in ("list", "info x", "add x", "cancel x --yes", "log x"):
        result = invoke(cli, "orders", *words.split(), "--api", "publsh")
        assert (result.code, result.out) == (2, "")
        assert 'Did you mean "publish"?' in result.err


# --- info -----------------------------------------------------------------------------------


def add_orders(invoke: Invoke, cli: CliEnvironment, write: WriteDocument, *references: str) -> None:
    for reference in references:
        assert invoke(cli, "orders", "add", write(make_order(reference))).code == 0


def test_several_orders_come_in_the_order_they_were_asked_for(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    add_orders(invoke, cli, write_document, "x", "y")
    asked = ["y", "order-2", "x", "order-1", "y"]
    sandbox.add_fault(make_fault("latency", f"{CORE_PATH}orders/info", 1, seconds=0.3))
    result = invoke(cli, "orders", "info", *asked, "-o", "json")
    assert result.code == 0
    assert [order["reference"] for order in result.data] == asked


def test_one_order_is_an_object_and_several_are_an_array(cli: CliEnvironment, invoke: Invoke) -> None:
    assert invoke(cli, "orders", "info", "order-1", "-o", "json").data["reference"] == "order-1"
    several = invoke(cli, "orders", "info", "order-1", "order-2", "-o", "json").data
    assert [order["reference"] for order in several] == ["order-1", "order-2"]


def test_a_missing_order_among_others_does_not_hide_them(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "orders", "info", "order-1", "nobody", "order-2", "-o", "json")
    assert result.code == 6
    assert [order["reference"] for order in result.data] == ["order-1", "order-2"]
    assert 'There is no order "nobody".' in result.err


def test_where_all_are_missing_they_were_not_found(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "orders", "info", "nobody", "no-one", "-o", "json")
    assert (result.code, result.data) == (9, [])
    assert result.err.count("There is no order") == 2


def test_a_key_that_cannot_be_had_is_said_once(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "orders", "info", "a", "b", "c", CPCTL_CORE_KEY_FILE="nowhere.key")
    assert result.code == 3
    assert result.err.count("nowhere.key") == 1


@pytest.mark.parametrize("reference", ["", "  ", "a\nb", "a\x1bb"])
def test_a_reference_that_says_nothing_is_refused(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, reference: str
) -> None:
    for words in (["info"], ["log"], ["cancel", "--yes"], ["wait", "--for", "done"]):
        assert invoke(cli, "orders", words[0], reference, *words[1:]).code == 2
    assert sandbox.state.journal.list_entries() == []


# --- cancel ---------------------------------------------------------------------------------


def test_without_a_terminal_nothing_is_canceled_unasked(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    add_orders(invoke, cli, write_document, "x")
    result = invoke(cli, "orders", "cancel", "x")
    assert result.code == 2
    assert "--yes" in result.err
    assert 'order "x"' in result.err
    assert sandbox.state.orders.find("x").state == 1  # type: ignore[union-attr]


def test_with_yes_an_order_is_canceled_and_its_answer_shown(
    cli: CliEnvironment, invoke: Invoke, write_document: WriteDocument
) -> None:
    add_orders(invoke, cli, write_document, "x")
    result = invoke(cli, "orders", "cancel", "x", "--yes", "-o", "json")
    assert result.code == 0
    assert result.data == {"reference": "x", "state": 500, "state_code": "order_state_canceled", "status": 500}
    assert 'The cancellation of the order "x" is asked for.' in result.err


@pytest.mark.parametrize(("answer", "state", "code"), [("y", 500, 0), ("n", 1, 2), ("", 1, 2)])
def test_a_person_at_a_terminal_is_asked(
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


def test_catalogs_and_titles_are_not_removed_unasked(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    for words in (("catalogs", "remove", "catalog_1"), ("titles", "remove", "1234567890123")):
        result = invoke(cli, *words)
        assert result.code == 2
        assert "--yes" in result.err
    assert sandbox.state.journal.list_entries() == []


# --- log ------------------------------------------------------------------------------------


def test_the_log_shows_codes_and_spans_to_people_and_the_answer_to_scripts(invoke: Invoke, make_cli: MakeCli) -> None:
    log = [
        {"reference": "x", "create_date": "2026-01-01 10:00:00", "state": 1},
        {"reference": "x", "create_date": "2026-01-01 10:00:40", "state": "5"},
        {"reference": "x", "create_date": "2026-01-01 10:12:40", "state": 45},
        {"reference": "x", "create_date": "2026-01-03 12:12:40", "state": 77},
        {"reference": "x", "create_date": "some day", "state": 500},
    ]
    with scripted_server({f"{CORE_PATH}orders/log": ScriptedResponse(200, encode_body(log))}) as service:
        world = make_cli(service.url)
        assert invoke(world, "orders", "log", "x", "-o", "json").data == log
        lines = invoke(world, "orders", "log", "x").out.splitlines()
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


def test_waiting_ends_at_once_where_the_state_is_there_or_passed(cli: CliEnvironment, invoke: Invoke) -> None:
    for state in ("45", "uploaded", "order_state_uploaded", "new", "10"):
        result = invoke(cli, "orders", "wait", "order-1", "--for", state, "-o", "json")
        assert (result.code, result.data["reference"]) == (0, "order-1")
        assert 'The order "order-1" is in state 45, files are uploaded' in result.err


@pytest.mark.parametrize("state", [100, 501, "100"])
def test_done_is_complete_of_either_kind(invoke: Invoke, make_cli: MakeCli, state: object) -> None:
    with scripted_server(
        {f"{CORE_PATH}orders/info": ScriptedResponse(200, encode_body({"reference": "x", "state": state}))}
    ) as service:
        for wanted in ("done", "100", "501", "new"):
            assert invoke(make_cli(service.url), "orders", "wait", "x", "--for", wanted).code == 0


@pytest.mark.parametrize(("state", "wanted"), [(11, "done"), (41, "45"), (500, "done"), (500, "45"), (501, "canceled")])
def test_waiting_ends_where_the_state_can_no_longer_come(
    invoke: Invoke, make_cli: MakeCli, state: int, wanted: str
) -> None:
    with scripted_server(
        {f"{CORE_PATH}orders/info": ScriptedResponse(200, encode_body({"reference": "x", "state": state}))}
    ) as service:
        result = invoke(make_cli(service.url), "orders", "wait", "x", "--for", wanted, "-o", "json")
    assert (result.code, result.data["state"]) == (5, state)
    assert f'The order "x" will not be {wanted}' in result.err
    assert len(service.requests) == 1


@pytest.mark.parametrize(("state", "wanted"), [(11, "11"), (500, "500"), (500, "canceled")])
def test_an_error_or_a_cancellation_can_be_waited_for(
    invoke: Invoke, make_cli: MakeCli, state: int, wanted: str
) -> None:
    with scripted_server(
        {f"{CORE_PATH}orders/info": ScriptedResponse(200, encode_body({"reference": "x", "state": state}))}
    ) as service:
        assert invoke(make_cli(service.url), "orders", "wait", "x", "--for", wanted).code == 0


def test_a_file_that_cannot_be_fetched_ends_the_waiting(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_document: WriteDocument
) -> None:
    order = make_order("x")
    order["items"][0]["files"][0]["url"] = "https://files.example.invalid/cover.pdf"
    assert invoke(cli, "orders", "add", write_document(order)).code == 0
    sandbox.state.advance(3600)
    result = invoke(cli, "orders", "wait", "x", "--for", "done")
    assert result.code == 5
    assert "in state 11, files could not be downloaded" in result.err


def test_time_that_is_up_ends_the_waiting_with_its_own_status(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "orders", "wait", "order-1", "--for", "done", "--timeout", "0s", "-o", "json")
    assert (result.code, result.data["state"]) == (8, 45)
    assert "Time is up" in result.err


def test_waiting_without_ever_an_answer_ends_in_time_and_shows_nothing(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox
) -> None:
    sandbox.add_fault(make_fault("status", f"{CORE_PATH}orders/info", 0, 503, "60"))
    for output in ("json", "tsv", "table"):
        result = invoke(cli, "orders", "wait", "order-1", "--for", "done", "--timeout", "0s", "-o", output)
        assert (result.code, result.out) == (8, "")
        assert "Time is up" in result.err


def test_waiting_goes_on_through_failures_until_the_order_is_done(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, write_document: WriteDocument
) -> None:
    add_orders(invoke, cli, write_document, "x")
    control = ControlClient(sandbox.control_url)
    sandbox.add_fault(make_fault("status", f"{CORE_PATH}orders/info", 4, 503, "0"))
    process = cli.start("orders", "wait", "x", "--for", "done", *POLL_OPTIONS, "-o", "json")
    wait_until(lambda: sum(entry["status"] == 200 for entry in info_requests(sandbox)) >= 1)
    assert process.poll() is None
    control.advance_clock(60)
    seen = len(info_requests(sandbox))
    wait_until(lambda: len(info_requests(sandbox)) > seen)
    control.advance_clock(7200)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert json.loads(out)["state"] == 501


def test_an_order_that_is_canceled_meanwhile_ends_the_waiting(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke, write_document: WriteDocument
) -> None:
    add_orders(invoke, cli, write_document, "x")
    process = cli.start("orders", "wait", "x", "--for", "done", *POLL_OPTIONS)
    wait_until(lambda: len(info_requests(sandbox)) >= 1)
    assert invoke(cli, "orders", "cancel", "x", "--yes").code == 0
    _, err = process.communicate(timeout=30)
    assert process.returncode == 5
    assert "will not be done: in state 500, canceled" in err


def info_requests(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The requests for an order."""
    return [entry for entry in sandbox.state.journal.list_entries() if entry["path"] == f"{CORE_PATH}orders/info"]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    deadline, moment = time.monotonic() + 30, threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        moment.wait(0.02)


@pytest.mark.parametrize(
    "words",
    [["--for", "printed"], ["--for", "done", "--timeout", "soon"], ["--for", "done", "--interval", "often"], []],
)
def test_what_cannot_be_waited_for_is_refused(cli: CliEnvironment, invoke: Invoke, words: list[str]) -> None:
    assert invoke(cli, "orders", "wait", "order-1", *words).code == 2


def test_waiting_for_an_order_nobody_answered_about_says_so(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    sandbox.add_fault(make_fault("down"))
    result = invoke(cli, "orders", "wait", "order-1", "--for", "done", "--timeout", "1s", "--interval", "1s")
    assert result.code == 8
    assert 'the order "order-1" is not known: the service did not answer' in result.err
