"""`signal send`: the rows of a file are accepted together, sent once, and each has a result."""

import json
import os
from collections.abc import Callable
from typing import Any

import pexpect
import pytest

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import UNREACHABLE_URL, CliEnvironment, sandbox_configuration
from harness.outbox.csv_files import (
    CSV_HEADER,
    ITEMS,
    ORDER,
    OTHER_ITEMS,
    OTHER_ORDER,
    Invoke,
    all_items_csv,
    generate_csv,
    read_rows,
    send_file,
    shipped_row,
    signal_states,
    stored_signals,
)
from harness.terminal import run_in_shell

ReceivedSignals = Callable[[], list[dict[str, Any]]]
HEADER_WITH_VOID = "type,order,item,tracking,void\n"


def count_requests(sandbox: Sandbox) -> int:
    """How many calls the sandbox has had."""
    return len(sandbox.state.journal.list_entries())


def test_nothing_is_accepted_while_a_row_is_wrong(invoke: Invoke, cli: CliEnvironment, sandbox: Sandbox) -> None:
    result = send_file(invoke, cli, all_items_csv() + shipped_row(ITEMS[0], ""), "--result", "result.csv")
    assert result.code == 2
    assert "line 8: tracking is missing" in result.err
    assert (signal_states(cli.store), count_requests(sandbox)) == ([], 0)
    rows = read_rows((cli.folder / "result.csv").read_text(encoding="utf-8"))
    assert [row["cpctl_state"] for row in rows] == ["unaccepted"] * 6 + ["invalid"]


def test_partial_accepts_the_valid_rows_and_exits_with_6(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    result = send_file(invoke, cli, CSV_HEADER + shipped_row(ITEMS[0], "") + shipped_row(ITEMS[1]), "--partial")
    assert (result.code, len(received_signals())) == (6, 1)
    assert "line 2: tracking is missing" in result.err


def test_only_the_first_of_many_wrong_rows_are_shown(invoke: Invoke, cli: CliEnvironment) -> None:
    result = send_file(invoke, cli, CSV_HEADER + shipped_row(ITEMS[0], "") * 25)
    assert result.err.count("line ") == 10
    assert "and 15 more" in result.err


def test_the_items_of_one_order_are_sent_together(invoke: Invoke, cli: CliEnvironment, sandbox: Sandbox) -> None:
    assert send_file(invoke, cli, all_items_csv()).code == 0
    assert count_requests(sandbox) == 2


def test_the_same_file_again_sends_nothing_twice(invoke: Invoke, cli: CliEnvironment, sandbox: Sandbox) -> None:
    send_file(invoke, cli, all_items_csv())
    again = send_file(invoke, cli, all_items_csv(), name="copy.csv")
    assert (again.code, count_requests(sandbox)) == (0, 2)
    assert "6 rows: 6 duplicate" in again.err


def test_a_delay_without_a_time_is_a_duplicate_when_the_file_is_sent_again(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    text = f"type,order,item,cause\ndelay,{ORDER},{ITEMS[0]},Reprint\n"
    assert [send_file(invoke, cli, text).code for _ in range(2)] == [0, 0]
    assert len(received_signals()) == 1
    assert send_file(invoke, cli, text.replace("Reprint", "Again")).code == 0
    assert len(received_signals()) == 2


def test_the_same_row_twice_is_a_duplicate_and_another_tracking_code_a_conflict(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    text = CSV_HEADER + shipped_row(ITEMS[0]) * 2 + shipped_row(ITEMS[0], "OTHER")
    result = send_file(invoke, cli, text, "-o", "json")
    assert result.code == 6
    assert [(row["line"], row["state"]) for row in result.data] == [(2, "delivered"), (3, "duplicate"), (4, "conflict")]
    assert "tracking=OTHER" in result.data[2]["message"]
    assert len(received_signals()) == 1


@pytest.mark.parametrize("output", ["table", "tsv", "json", "jsonl", "yaml", "csv"])
def test_each_format_shows_a_duplicate_and_a_conflict(invoke: Invoke, cli: CliEnvironment, output: str) -> None:
    send_file(invoke, cli, CSV_HEADER + shipped_row(ITEMS[0]))
    text = CSV_HEADER + shipped_row(ITEMS[0]) + shipped_row(ITEMS[0], "OTHER")
    result = send_file(invoke, cli, text, "-o", output)
    assert result.code == 6, result.err
    assert "duplicate" in result.out and "conflict" in result.out


def test_the_result_file_has_the_original_columns_and_a_result_for_each_row(
    invoke: Invoke, cli: CliEnvironment
) -> None:
    text = "﻿Note;type;order;item;tracking\n" + "".join(
        f'"a ""note""; {at}";shipped;{ORDER};{item};="00{at}"\n' for at, item in enumerate(reversed(ITEMS))
    )
    assert send_file(invoke, cli, text, "--result", "result.csv").code == 0
    raw = (cli.folder / "result.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = read_rows(raw.decode("utf-8-sig"), ";")
    assert [row["item"] for row in rows] == list(reversed(ITEMS))
    assert rows[1]["Note"] == 'a "note"; 1'
    assert rows[1]["tracking"] == '="001"'
    assert [row["cpctl_id"] for row in rows] == ["1", "2", "3"]
    assert {row["cpctl_state"] for row in rows} == {"delivered"}


def test_a_result_file_can_be_sent_again_and_keeps_one_set_of_results(invoke: Invoke, cli: CliEnvironment) -> None:
    send_file(invoke, cli, all_items_csv(), "--result", "first.csv")
    again = invoke(cli, "signal", "send", "first.csv", "--result", "second.csv")
    assert again.code == 0
    head = (cli.folder / "second.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head == CSV_HEADER.strip() + ",cpctl_state,cpctl_id,cpctl_message"


def test_the_result_file_must_be_another_file(invoke: Invoke, cli: CliEnvironment) -> None:
    assert send_file(invoke, cli, all_items_csv(), "--result", "rows.csv").code == 2
    assert (cli.folder / "rows.csv").read_text(encoding="utf-8") == all_items_csv()


@pytest.mark.parametrize("format", ["json", "jsonl", "tsv", "csv", "yaml", "table"])
def test_results_are_available_in_every_format(invoke: Invoke, cli: CliEnvironment, format: str) -> None:
    result = send_file(invoke, cli, all_items_csv(), "-o", format, "-q")
    assert result.code == 0
    assert result.out.count("delivered") == 6
    assert result.err == ""


def test_a_dry_run_shows_calls_and_stores_nothing(invoke: Invoke, cli: CliEnvironment, sandbox: Sandbox) -> None:
    result = send_file(invoke, cli, all_items_csv(), "--dry-run")
    assert (result.code, count_requests(sandbox), signal_states(cli.store)) == (0, 0, [])
    assert "6 rows, 6 signals, about 2 calls" in result.err
    assert result.out.count("POST ") == 2
    assert '"apikey": "***"' in result.out


def test_a_dry_run_of_one_row_uses_the_singular(invoke: Invoke, cli: CliEnvironment) -> None:
    result = send_file(invoke, cli, CSV_HEADER + shipped_row(ITEMS[0]), "--dry-run")
    assert "1 row, 1 signal, about 1 call; the first:" in result.err
    wrong = send_file(invoke, cli, CSV_HEADER + shipped_row(ITEMS[0], ""), "--dry-run")
    assert "cpctl: 1 row is wrong.\n" in wrong.err


def test_a_dry_run_shows_signals_of_one_item_in_separate_calls(invoke: Invoke, cli: CliEnvironment) -> None:
    text = f"type,order,item\npacked,{ORDER},{ITEMS[0]}\nproduced,{ORDER},{ITEMS[0]}\npacked,{ORDER},{ITEMS[1]}\n"
    result = send_file(invoke, cli, text, "--dry-run", "-o", "json", "--connections", "2")
    assert [len(call["body"].get("items", [0])) for call in result.data] == [2, 1]
    assert "about 2 calls" in result.err


def test_queue_only_needs_no_key_and_sends_nothing(invoke: Invoke, cli: CliEnvironment, sandbox: Sandbox) -> None:
    cli.configure(f"profiles:\n  s:\n    base_url: {sandbox.base_url}\n    shipping_option: GLS\n")
    assert send_file(invoke, cli, all_items_csv(), "--queue-only").code == 0
    assert (signal_states(cli.store), count_requests(sandbox)) == (["queued"] * 6, 0)
    assert send_file(invoke, cli, all_items_csv()).code == 3
    assert invoke(cli, "signal", "send", "rows.csv", CPCTL_SIGNAL_KEY="sandbox-signal-key").code == 0
    assert signal_states(cli.store) == ["delivered"] * 6


def test_signals_of_one_item_are_sent_in_the_order_of_the_file(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    kinds = ("registered", "produce", "produced", "packed", "shipped")
    text = "type,order,item,tracking\n"
    for kind in kinds:
        for order, items in ((ORDER, ITEMS), (OTHER_ORDER, OTHER_ITEMS)):
            text += "".join(f"{kind},{order},{item},{'T1' if kind == 'shipped' else ''}\n" for item in items)
    assert send_file(invoke, cli, text, "--connections", "8").code == 0
    for item in (*ITEMS, *OTHER_ITEMS):
        said = [body["type"] for body in received_signals() if body["item"] == item]
        assert said == ["ItemRegistered", "ItemProduce", "ItemProduced", "ItemPacked", "ItemShipped"]


def test_one_refused_row_does_not_stop_the_others(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    text = all_items_csv() + shipped_row("123456780099") + shipped_row("999999990001", "T1", "999999990000")
    result = send_file(invoke, cli, text, "-o", "json")
    assert result.code == 6
    assert [row["state"] for row in result.data] == ["delivered"] * 6 + ["refused"] * 2
    assert len(received_signals()) == 6


def test_a_service_outage_costs_one_call_and_loses_nothing(invoke: Invoke, cli: CliEnvironment) -> None:
    cli.configure(sandbox_configuration(UNREACHABLE_URL))
    result = send_file(invoke, cli, all_items_csv())
    assert result.code == 0
    assert "6 queued" in result.err and "safe in the outbox" in result.err
    assert sorted(row["attempts"] for row in stored_signals(cli.store)) == [0, 0, 0, 1, 1, 1]
    assert send_file(invoke, cli, all_items_csv(), "--require-delivery").code == 75


def test_an_outage_during_a_file_stops_all_connections(invoke: Invoke, cli: CliEnvironment, sandbox: Sandbox) -> None:
    (cli.folder / "many.csv").write_text(generate_csv(200), encoding="utf-8")
    sandbox.add_fault(make_fault("status", status=429, times=1, retry_after="3600"))
    result = invoke(cli, "signal", "send", "many.csv", "--connections", "4")
    assert result.code == 0, result.err
    assert count_requests(sandbox) == 1
    assert signal_states(cli.store) == ["queued"] * 200


def test_a_refused_key_pauses_the_queue_and_exits_with_4(invoke: Invoke, cli: CliEnvironment, sandbox: Sandbox) -> None:
    sandbox.add_fault(make_fault("status", status=401, times=1))
    result = send_file(invoke, cli, all_items_csv())
    assert result.code == 4
    assert count_requests(sandbox) == 1
    assert "paused" in result.err
    assert send_file(invoke, cli, all_items_csv()).code == 4
    invoke(cli, "outbox", "release")
    assert send_file(invoke, cli, all_items_csv()).code == 0
    assert signal_states(cli.store) == ["delivered"] * 6


def test_signals_that_waited_before_are_sent_too(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    invoke(cli, "signal", "packed", ITEMS[0], "--order", ORDER, "--queue-only")
    assert send_file(invoke, cli, CSV_HEADER + shipped_row(ITEMS[0]) + shipped_row(ITEMS[1])).code == 0
    assert [body["type"] for body in received_signals() if body["item"] == ITEMS[0]] == ["ItemPacked", "ItemShipped"]


@pytest.mark.parametrize("mark", ["Y", "1", "true", "yes", "Storniert", "void", "VOID"])
def test_a_voided_row_is_skipped(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals, mark: str
) -> None:
    text = HEADER_WITH_VOID + f"shipped,{ORDER},{ITEMS[0]},T1,{mark}\nshipped,{ORDER},{ITEMS[1]},T2,N\n"
    result = send_file(invoke, cli, text, "-o", "json")
    assert result.code == 0
    assert [row["state"] for row in result.data] == ["skipped", "delivered"]
    assert len(received_signals()) == 1


def test_a_label_issued_and_voided_in_one_file_is_never_sent(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    text = HEADER_WITH_VOID + "".join(
        f"shipped,{ORDER},{ITEMS[0]},{code},{mark}\n" for code, mark in (("T1", "N"), ("T2", "N"), ("T1", "Y"))
    )
    for _ in range(2):
        assert send_file(invoke, cli, text).code == 0
    assert [body["tracking"] for body in received_signals()] == ["T2"]


def test_a_void_drops_the_waiting_signal_and_the_new_label_replaces_it(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    assert send_file(invoke, cli, CSV_HEADER + shipped_row(ITEMS[0], "T1"), "--queue-only").code == 0
    text = HEADER_WITH_VOID + f"shipped,{ORDER},{ITEMS[0]},T2,N\nshipped,{ORDER},{ITEMS[0]},T1,Y\n"
    result = send_file(invoke, cli, text, "-o", "json")
    assert result.code == 0, result.err
    assert [row["state"] for row in result.data] == ["delivered", "dropped"]
    assert signal_states(cli.store) == ["dropped", "delivered"]
    assert [body["tracking"] for body in received_signals()] == ["T2"]


def test_a_void_of_a_delivered_signal_is_a_conflict(invoke: Invoke, cli: CliEnvironment) -> None:
    send_file(invoke, cli, CSV_HEADER + shipped_row(ITEMS[0], "T1"))
    result = send_file(invoke, cli, HEADER_WITH_VOID + f"shipped,{ORDER},{ITEMS[0]},T1,Y\n", "-o", "json")
    assert result.code == 6
    assert result.data[0]["state"] == "conflict"
    assert "is delivered" in result.data[0]["message"]


def test_version_1_1_has_no_bundles(invoke: Invoke, cli: CliEnvironment, sandbox: Sandbox) -> None:
    assert send_file(invoke, cli, all_items_csv(), "--api-version", "1.1").code == 0
    assert count_requests(sandbox) == 6
    assert send_file(invoke, cli, all_items_csv(), "--api-version", "3").code == 2


def test_a_store_that_cannot_be_written_accepts_nothing(invoke: Invoke, cli: CliEnvironment, sandbox: Sandbox) -> None:
    cli.store.mkdir(parents=True)
    result = send_file(invoke, cli, all_items_csv())
    assert (result.code, count_requests(sandbox)) == (7, 0)


def test_an_unwritable_result_file_is_an_error_before_anything_is_sent(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    result = send_file(invoke, cli, all_items_csv(), "--result", "missing/result.csv")
    assert (result.code, received_signals()) == (2, [])
    assert "There is no folder missing" in result.err


def test_results_are_written_to_a_pipe_without_replacing_it(invoke: Invoke, cli: CliEnvironment) -> None:
    pipe = cli.folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert send_file(invoke, cli, all_items_csv(), "--result", "pipe").code == 0
        rows = read_rows(os.read(reader, 65536).decode())
    finally:
        os.close(reader)
    assert [row["cpctl_state"] for row in rows] == ["delivered"] * 6
    assert pipe.is_fifo()


def test_results_are_written_to_a_process_substitution(cli: CliEnvironment) -> None:
    (cli.folder / "rows.csv").write_text(all_items_csv(), encoding="utf-8")
    line = '"$@" --result >(cat > seen.csv; touch done); until [ -e done ]; do sleep 0.05; done'
    code, out, err = run_in_shell(cli, line, ("signal", "send", "rows.csv"))
    assert (code, out, err) == (0, "", "6 rows: 6 delivered.\n")
    assert len(read_rows((cli.folder / "seen.csv").read_text(encoding="utf-8"))) == 6


def test_a_dash_as_result_file_is_rejected_with_a_hint(
    invoke: Invoke, cli: CliEnvironment, received_signals: ReceivedSignals
) -> None:
    result = send_file(invoke, cli, all_items_csv(), "--result", "-")
    assert (result.code, received_signals()) == (2, [])
    assert "Add -o csv" in result.err
    assert not (cli.folder / "-").exists()


def test_a_terminal_shows_the_rate_and_the_remaining_time(cli: CliEnvironment) -> None:
    (cli.folder / "rows.csv").write_text(all_items_csv(), encoding="utf-8")
    program, *words = cli.command_line("signal", "send", "rows.csv")
    child = pexpect.spawn(
        program, words, cwd=str(cli.folder), env=cli.process_environment(TERM="xterm"), encoding="utf-8"
    )
    child.expect(r"6 of 6 sent, \d+ a second, 0 s left", timeout=30)
    child.expect("6 rows: 6 delivered", timeout=30)
    child.expect(pexpect.EOF)


def test_a_query_selects_from_the_results(invoke: Invoke, cli: CliEnvironment) -> None:
    result = send_file(invoke, cli, all_items_csv(), "--query", "[?state=='delivered'].id", "-o", "json")
    assert json.loads(result.out) == [str(number) for number in range(1, 7)]
