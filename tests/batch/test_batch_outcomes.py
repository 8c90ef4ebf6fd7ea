"""What becomes of the rows of a file: accepted together, sent once, told one by one."""

import json
import os
from collections.abc import Callable
from typing import Any

import pexpect
import pytest
from batch_files import (
    HEAD,
    ITEMS,
    ORDER,
    OTHER_ITEMS,
    OTHER_ORDER,
    many,
    read_rows,
    shipped_row,
    six,
    states_of,
    stored,
)
from cli.cli_terminal import in_shell
from test_batch_files import Inside, send
from worlds import NOBODY, World, configuration

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox

Received = Callable[[], list[dict[str, Any]]]
VOIDING = "type,order,item,tracking,void\n"


def posts(sandbox: Sandbox) -> int:
    """How many calls the sandbox has had."""
    return len(sandbox.state.journal.list_entries())


def test_nothing_is_accepted_while_a_row_is_wrong(inside: Inside, world: World, sandbox: Sandbox) -> None:
    result = send(inside, world, six() + shipped_row(ITEMS[0], ""), "--result", "result.csv")
    assert result.code == 2
    assert "line 8: tracking is missing" in result.err
    assert (states_of(world.store), posts(sandbox)) == ([], 0)
    rows = read_rows((world.folder / "result.csv").read_text(encoding="utf-8"))
    assert [row["cpctl_state"] for row in rows] == ["unaccepted"] * 6 + ["invalid"]


def test_partial_accepts_the_good_rows_and_ends_with_6(inside: Inside, world: World, received: Received) -> None:
    result = send(inside, world, HEAD + shipped_row(ITEMS[0], "") + shipped_row(ITEMS[1]), "--partial")
    assert (result.code, len(received())) == (6, 1)
    assert "line 2: invalid: tracking is missing" in result.err


def test_only_the_first_of_many_wrong_rows_are_told(inside: Inside, world: World) -> None:
    result = send(inside, world, HEAD + shipped_row(ITEMS[0], "") * 25)
    assert result.err.count("line ") == 10
    assert "and 15 more" in result.err


def test_the_items_of_one_order_travel_together(inside: Inside, world: World, sandbox: Sandbox) -> None:
    assert send(inside, world, six()).code == 0
    assert posts(sandbox) == 2


def test_the_same_file_again_sends_nothing_twice(inside: Inside, world: World, sandbox: Sandbox) -> None:
    send(inside, world, six())
    again = send(inside, world, six(), name="copy.csv")
    assert (again.code, posts(sandbox)) == (0, 2)
    assert "6 rows: 6 duplicate" in again.err


def test_a_delay_without_a_time_is_the_earlier_one_when_the_file_comes_again(
    inside: Inside, world: World, received: Received
) -> None:
    text = f"type,order,item,cause\ndelay,{ORDER},{ITEMS[0]},Reprint\n"
    assert [send(inside, world, text).code for _ in range(2)] == [0, 0]
    assert len(received()) == 1
    assert send(inside, world, text.replace("Reprint", "Again")).code == 0
    assert len(received()) == 2


def test_the_same_row_twice_is_a_duplicate_and_another_tracking_code_a_conflict(
    inside: Inside, world: World, received: Received
) -> None:
    text = HEAD + shipped_row(ITEMS[0]) * 2 + shipped_row(ITEMS[0], "OTHER")
    result = send(inside, world, text, "-o", "json")
    assert result.code == 6
    assert [(row["line"], row["state"]) for row in result.data] == [(2, "delivered"), (3, "duplicate"), (4, "conflict")]
    assert "tracking=OTHER" in result.data[2]["message"]
    assert len(received()) == 1


def test_results_stand_row_for_row_beside_the_original_columns(inside: Inside, world: World) -> None:
    text = "﻿Note;type;order;item;tracking\n" + "".join(
        f'"a ""note""; {at}";shipped;{ORDER};{item};="00{at}"\n' for at, item in enumerate(reversed(ITEMS))
    )
    assert send(inside, world, text, "--result", "result.csv").code == 0
    raw = (world.folder / "result.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = read_rows(raw.decode("utf-8-sig"), ";")
    assert [row["item"] for row in rows] == list(reversed(ITEMS))
    assert rows[1]["Note"] == 'a "note"; 1'
    assert rows[1]["tracking"] == '="001"'
    assert [row["cpctl_id"] for row in rows] == ["1", "2", "3"]
    assert {row["cpctl_state"] for row in rows} == {"delivered"}


def test_a_result_file_may_be_sent_again_and_keeps_one_set_of_results(inside: Inside, world: World) -> None:
    send(inside, world, six(), "--result", "first.csv")
    again = inside(world, "signal", "send", "first.csv", "--result", "second.csv")
    assert again.code == 0
    head = (world.folder / "second.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head == HEAD.strip() + ",cpctl_state,cpctl_id,cpctl_message"


def test_the_file_itself_is_no_place_for_its_results(inside: Inside, world: World) -> None:
    assert send(inside, world, six(), "--result", "rows.csv").code == 2
    assert (world.folder / "rows.csv").read_text(encoding="utf-8") == six()


@pytest.mark.parametrize("format", ["json", "jsonl", "tsv", "csv", "yaml", "table"])
def test_results_come_in_every_format(inside: Inside, world: World, format: str) -> None:
    result = send(inside, world, six(), "-o", format, "-q")
    assert result.code == 0
    assert result.out.count("delivered") == 6
    assert result.err == ""


def test_a_dry_run_tells_calls_and_stores_nothing(inside: Inside, world: World, sandbox: Sandbox) -> None:
    result = send(inside, world, six(), "--dry-run")
    assert (result.code, posts(sandbox), states_of(world.store)) == (0, 0, [])
    assert "6 rows, 6 signals, about 2 calls" in result.err
    assert result.out.count("POST ") == 2
    assert '"apikey": "***"' in result.out


def test_a_dry_run_of_one_row_speaks_of_one(inside: Inside, world: World) -> None:
    result = send(inside, world, HEAD + shipped_row(ITEMS[0]), "--dry-run")
    assert "1 row, 1 signal, about 1 call; the first:" in result.err
    wrong = send(inside, world, HEAD + shipped_row(ITEMS[0], ""), "--dry-run")
    assert "cpctl: 1 row is wrong.\n" in wrong.err


def test_a_dry_run_shows_signals_of_one_item_in_calls_of_their_own(inside: Inside, world: World) -> None:
    text = f"type,order,item\npacked,{ORDER},{ITEMS[0]}\nproduced,{ORDER},{ITEMS[0]}\npacked,{ORDER},{ITEMS[1]}\n"
    result = send(inside, world, text, "--dry-run", "-o", "json", "--connections", "2")
    assert [len(call["body"].get("items", [0])) for call in result.data] == [2, 1]
    assert "about 2 calls" in result.err


def test_queue_only_needs_no_key_and_sends_nothing(inside: Inside, world: World, sandbox: Sandbox) -> None:
    world.configure(f"profiles:\n  s:\n    base_url: {sandbox.base_url}\n    shipping_option: GLS\n")
    assert send(inside, world, six(), "--queue-only").code == 0
    assert (states_of(world.store), posts(sandbox)) == (["queued"] * 6, 0)
    assert send(inside, world, six()).code == 3
    assert inside(world, "signal", "send", "rows.csv", CPCTL_SIGNAL_KEY="sandbox-signal-key").code == 0
    assert states_of(world.store) == ["delivered"] * 6


def test_many_types_of_one_item_go_in_their_order(inside: Inside, world: World, received: Received) -> None:
    kinds = ("registered", "produce", "produced", "packed", "shipped")
    text = "type,order,item,tracking\n"
    for kind in kinds:
        for order, items in ((ORDER, ITEMS), (OTHER_ORDER, OTHER_ITEMS)):
            text += "".join(f"{kind},{order},{item},{'T1' if kind == 'shipped' else ''}\n" for item in items)
    assert send(inside, world, text, "--connections", "8").code == 0
    for item in (*ITEMS, *OTHER_ITEMS):
        said = [body["type"] for body in received() if body["item"] == item]
        assert said == ["ItemRegistered", "ItemProduce", "ItemProduced", "ItemPacked", "ItemShipped"]


def test_one_bad_row_takes_no_other_down(inside: Inside, world: World, received: Received) -> None:
    text = six() + shipped_row("123456780099") + shipped_row("999999990001", "T1", "999999990000")
    result = send(inside, world, text, "-o", "json")
    assert result.code == 6
    assert [row["state"] for row in result.data] == ["delivered"] * 6 + ["refused"] * 2
    assert len(received()) == 6


def test_a_service_that_is_down_costs_one_call_and_loses_nothing(inside: Inside, world: World) -> None:
    world.configure(configuration(NOBODY))
    result = send(inside, world, six())
    assert result.code == 0
    assert "6 queued" in result.err and "safe in the outbox" in result.err
    assert sorted(row["attempts"] for row in stored(world.store)) == [0, 0, 0, 1, 1, 1]
    assert send(inside, world, six(), "--require-delivery").code == 75


def test_a_service_that_goes_down_in_mid_file_stops_all_connections(
    inside: Inside, world: World, sandbox: Sandbox
) -> None:
    (world.folder / "many.csv").write_text(many(200), encoding="utf-8")
    sandbox.add_fault(make_fault("status", status=429, times=1, retry_after="3600"))
    result = inside(world, "signal", "send", "many.csv", "--connections", "4")
    assert result.code == 0, result.err
    assert posts(sandbox) == 1
    assert states_of(world.store) == ["queued"] * 200


def test_a_refused_key_pauses_the_queue_and_ends_with_4(inside: Inside, world: World, sandbox: Sandbox) -> None:
    sandbox.add_fault(make_fault("status", status=401, times=1))
    result = send(inside, world, six())
    assert result.code == 4
    assert posts(sandbox) == 1
    assert "paused" in result.err
    assert send(inside, world, six()).code == 4
    inside(world, "outbox", "release")
    assert send(inside, world, six()).code == 0
    assert states_of(world.store) == ["delivered"] * 6


def test_what_waited_before_goes_along(inside: Inside, world: World, received: Received) -> None:
    inside(world, "signal", "packed", ITEMS[0], "--order", ORDER, "--queue-only")
    assert send(inside, world, HEAD + shipped_row(ITEMS[0]) + shipped_row(ITEMS[1])).code == 0
    assert [body["type"] for body in received() if body["item"] == ITEMS[0]] == ["ItemPacked", "ItemShipped"]


@pytest.mark.parametrize("mark", ["Y", "1", "true", "yes", "Storniert", "void", "VOID"])
def test_a_voided_row_is_skipped(inside: Inside, world: World, received: Received, mark: str) -> None:
    text = VOIDING + f"shipped,{ORDER},{ITEMS[0]},T1,{mark}\nshipped,{ORDER},{ITEMS[1]},T2,N\n"
    result = send(inside, world, text, "-o", "json")
    assert result.code == 0
    assert [row["state"] for row in result.data] == ["skipped", "delivered"]
    assert len(received()) == 1


def test_a_label_issued_and_voided_in_one_file_is_never_sent(inside: Inside, world: World, received: Received) -> None:
    text = VOIDING + "".join(
        f"shipped,{ORDER},{ITEMS[0]},{code},{mark}\n" for code, mark in (("T1", "N"), ("T2", "N"), ("T1", "Y"))
    )
    for _ in range(2):
        assert send(inside, world, text).code == 0
    assert [body["tracking"] for body in received()] == ["T2"]


def test_a_void_takes_back_what_still_waits_and_the_new_label_takes_its_place(
    inside: Inside, world: World, received: Received
) -> None:
    assert send(inside, world, HEAD + shipped_row(ITEMS[0], "T1"), "--queue-only").code == 0
    text = VOIDING + f"shipped,{ORDER},{ITEMS[0]},T2,N\nshipped,{ORDER},{ITEMS[0]},T1,Y\n"
    result = send(inside, world, text, "-o", "json")
    assert result.code == 0, result.err
    assert [row["state"] for row in result.data] == ["delivered", "dropped"]
    assert states_of(world.store) == ["dropped", "delivered"]
    assert [body["tracking"] for body in received()] == ["T2"]


def test_a_void_of_what_is_delivered_is_a_conflict(inside: Inside, world: World) -> None:
    send(inside, world, HEAD + shipped_row(ITEMS[0], "T1"))
    result = send(inside, world, VOIDING + f"shipped,{ORDER},{ITEMS[0]},T1,Y\n", "-o", "json")
    assert result.code == 6
    assert result.data[0]["state"] == "conflict"
    assert "is delivered" in result.data[0]["message"]


def test_version_1_1_has_no_bundles(inside: Inside, world: World, sandbox: Sandbox) -> None:
    assert send(inside, world, six(), "--api-version", "1.1").code == 0
    assert posts(sandbox) == 6
    assert send(inside, world, six(), "--api-version", "3").code == 2


def test_a_store_that_cannot_be_written_accepts_nothing(inside: Inside, world: World, sandbox: Sandbox) -> None:
    world.store.mkdir(parents=True)
    result = send(inside, world, six())
    assert (result.code, posts(sandbox)) == (7, 0)


def test_results_that_cannot_be_written_are_told_before_the_work(
    inside: Inside, world: World, received: Received
) -> None:
    result = send(inside, world, six(), "--result", "missing/result.csv")
    assert (result.code, received()) == (2, [])
    assert "There is no folder missing" in result.err


def test_results_go_into_a_pipe_and_do_not_take_its_place(inside: Inside, world: World) -> None:
    pipe = world.folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert send(inside, world, six(), "--result", "pipe").code == 0
        rows = read_rows(os.read(reader, 65536).decode())
    finally:
        os.close(reader)
    assert [row["cpctl_state"] for row in rows] == ["delivered"] * 6
    assert pipe.is_fifo()


def test_results_go_to_a_program_that_the_shell_named(world: World) -> None:
    (world.folder / "rows.csv").write_text(six(), encoding="utf-8")
    line = '"$@" --result >(cat > seen.csv; touch done); until [ -e done ]; do sleep 0.05; done'
    code, out, err = in_shell(world, line, ("signal", "send", "rows.csv"))
    assert (code, out, err) == (0, "", "6 rows: 6 delivered.\n")
    assert len(read_rows((world.folder / "seen.csv").read_text(encoding="utf-8"))) == 6


def test_results_for_standard_output_are_asked_for_with_o(inside: Inside, world: World, received: Received) -> None:
    result = send(inside, world, six(), "--result", "-")
    assert (result.code, received()) == (2, [])
    assert "Add -o csv" in result.err
    assert not (world.folder / "-").exists()


def test_a_terminal_shows_how_fast_it_goes_and_how_long_it_takes(world: World) -> None:
    (world.folder / "rows.csv").write_text(six(), encoding="utf-8")
    program, *words = world.command("signal", "send", "rows.csv")
    child = pexpect.spawn(program, words, cwd=str(world.folder), env=world.env(TERM="xterm"), encoding="utf-8")
    child.expect(r"6 of 6 sent, \d+ a second, 0 s left", timeout=30)
    child.expect("6 rows: 6 delivered", timeout=30)
    child.expect(pexpect.EOF)


def test_a_query_picks_from_the_results(inside: Inside, world: World) -> None:
    result = send(inside, world, six(), "--query", "[?state=='delivered'].id", "-o", "json")
    assert json.loads(result.out) == [str(number) for number in range(1, 7)]
