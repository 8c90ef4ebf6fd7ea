"""`webhooks export` and `prune`, and the orders that `orders add` records for the receiver."""

import json
import re
import stat
import time
from collections.abc import Callable
from typing import Any

import pexpect
import pytest

from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.server.sandbox_server import Sandbox
from cpctl.store.store import Store
from cpctl.webhooks.events.event_search import EventSearch, find_events
from cpctl.webhooks.events.event_store import is_known_order
from examples.core_requests import make_order
from harness.cli_environment import SECOND_ITEM, TIMEOUT_SECONDS, CliEnvironment, CliResult
from harness.terminal import run_on_terminal
from harness.webhooks.stored_events import DAY_MS, lifecycle_events, make_event, make_event_store, receive_events

Invoke = Callable[..., CliResult]
NOW_MS = int(time.time() * 1000)
PRUNE_COMMAND = ("webhooks", "prune", "--older-than", "90d")


@pytest.fixture
def event_store(cli: CliEnvironment) -> Store:
    """A store with old events that every target has, old ones that "exec crm" does not have, and new ones."""
    made = make_event_store(cli.store, lifecycle_events(), now=NOW_MS - 100 * DAY_MS)
    receive_events(
        made, lifecycle_events(SECOND_ITEM), ["exec crm", "forward http://127.0.0.1:9/in"], NOW_MS - 95 * DAY_MS
    )
    receive_events(made, lifecycle_events("new"), ["exec crm"], NOW_MS - 10 * DAY_MS)
    return made


def count_stored(store: Store) -> int:
    return len(find_events(store, EventSearch("sandbox")))


# --- export ----------------------------------------------------------------------------------


def test_an_export_has_one_line_per_event_in_the_order_of_arrival(cli: CliEnvironment, invoke: Invoke) -> None:
    make_event_store(cli.store, list(reversed([make_event(note=n) for n in range(1100)])))
    result = invoke(cli, "webhooks", "export")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert (result.code, result.err) == (0, "1100 exported.\n")
    assert [line["fields"]["note"] for line in lines] == list(range(1099, -1, -1))
    assert lines[:2] == invoke(cli, "webhooks", "show", "1", "2", "-o", "json").data
    assert invoke(cli, "webhooks", "export", "-", "--type", "ItemShipped").out == ""


def test_an_exported_file_is_private_and_replaces_the_old_one(
    cli: CliEnvironment, invoke: Invoke, event_store: Store
) -> None:
    file = cli.folder / "events.jsonl"
    file.write_text("old\n")
    result = invoke(cli, "webhooks", "export", "events.jsonl", "--item", "new", "--type", "ItemPacked")
    assert (result.code, result.out, result.err) == (0, "", "1 exported.\n")
    assert [json.loads(line)["item"] for line in file.read_text().splitlines()] == ["new"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    refused = invoke(cli, "webhooks", "export", "missing/events.jsonl")
    assert (refused.code, "missing/events.jsonl cannot be written" in refused.err) == (2, True)


def test_a_dry_run_of_an_export_counts_and_writes_nothing(
    cli: CliEnvironment, invoke: Invoke, event_store: Store
) -> None:
    result = invoke(cli, "webhooks", "export", "events.jsonl", "--dry-run", "--undelivered")
    assert (result.code, result.out) == (0, "")
    assert result.err == "Dry run: nothing was written; 10 events would be exported.\n"
    assert not (cli.folder / "events.jsonl").exists()


def test_an_export_shows_progress_on_a_terminal(cli: CliEnvironment) -> None:
    make_event_store(cli.store, [make_event(note=n) for n in range(700)])
    seen = run_on_terminal(cli, "webhooks", "export", "x.jsonl", stream="stderr")
    assert "\r\x1b[K500 exported" in seen.raw
    assert seen.screen == ["700 exported."]


def test_an_export_without_a_store_is_empty_and_creates_none(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "webhooks", "export")
    assert (result.code, result.out, result.err) == (0, "", "0 exported.\n")
    assert not cli.store.exists()


# --- prune -----------------------------------------------------------------------------------


def test_pruning_deletes_old_events_and_says_which_stay(
    cli: CliEnvironment, invoke: Invoke, event_store: Store
) -> None:
    result = invoke(cli, *PRUNE_COMMAND, "--yes", "-o", "json")
    counts = result.data
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", counts.pop("before"))
    assert (result.code, counts) == (0, {"pruned": 5, "kept_for_targets": 5, "dropped": 0})
    assert "5 deleted." in result.err
    assert "5 events of that age are kept" in result.err
    assert '"exec crm", "forward http://127.0.0.1:9/in"' in result.err
    assert count_stored(event_store) == 10
    again = invoke(cli, *PRUNE_COMMAND, "-o", "json")
    assert (again.code, again.data["pruned"]) == (0, 0), "where nothing would go, nobody is asked"


def test_events_of_a_dropped_target_can_be_pruned(cli: CliEnvironment, invoke: Invoke, event_store: Store) -> None:
    for name, pruned, retained, number in (("http://127.0.0.1:9/in", 5, 5, 5), ("exec crm", 5, 0, 10)):
        dry = invoke(cli, *PRUNE_COMMAND, "--drop-target", name, "--dry-run", "-o", "json").data
        result = invoke(cli, *PRUNE_COMMAND, "--drop-target", name, "--yes", "-o", "json").data
        assert (result["pruned"], result["kept_for_targets"], result["dropped"]) == (pruned, retained, number)
        assert (dry["would_prune"], dry["pruned"], dry["dropped"]) == (pruned, 0, 0)
    assert count_stored(event_store) == 5
    unknown = invoke(cli, *PRUNE_COMMAND, "--drop-target", "exec crm", "--yes")
    assert (unknown.code, "Every target has every event." in unknown.err) == (2, True)


def test_an_unknown_target_is_refused_with_a_suggestion(
    cli: CliEnvironment, invoke: Invoke, event_store: Store
) -> None:
    result = invoke(cli, *PRUNE_COMMAND, "--drop-target", "exec crn", "--yes")
    assert (result.code, count_stored(event_store)) == (2, 15)
    assert 'Did you mean "exec crm"?' in result.err


def test_nothing_is_deleted_without_confirmation(cli: CliEnvironment, invoke: Invoke, event_store: Store) -> None:
    result = invoke(cli, *PRUNE_COMMAND)
    assert (result.code, result.out, count_stored(event_store)) == (2, "", 15)
    assert "Cannot prompt: input is not a terminal." in result.err
    assert "5 events" in result.err
    assert "Add --yes" in result.err
    dry = invoke(cli, *PRUNE_COMMAND, "--dry-run", "-o", "json")
    assert (dry.code, dry.data["would_prune"], count_stored(event_store)) == (0, 5, 15)
    assert "Dry run: nothing was deleted. Would delete 5 events." in dry.err


@pytest.mark.parametrize(("answer", "code", "number"), [("n", 2, 15), ("y", 0, 10)])
def test_the_confirmation_names_count_time_and_profile(
    cli: CliEnvironment, event_store: Store, answer: str, code: int, number: int
) -> None:
    command, *arguments = cli.command_line(*PRUNE_COMMAND)
    child = pexpect.spawn(
        command,
        arguments,
        env={"TERM": "dumb", **cli.process_environment()},
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
        dimensions=(24, 200),
    )
    child.expect(r'Delete events of profile "sandbox" \(sandbox\) received before 20\d\d-.*: 5 events\? \[y/N\]: ')
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, count_stored(event_store)) == (code, number)


@pytest.mark.parametrize("span", ["7d", "0d", "1", "191h"])
def test_events_that_the_service_may_repeat_are_never_pruned(
    cli: CliEnvironment, invoke: Invoke, event_store: Store, span: str
) -> None:
    result = invoke(cli, "webhooks", "prune", "--older-than", span, "--yes")
    assert (result.code, count_stored(event_store)) == (2, 15)
    assert "keep them for 8d or more" in result.err
    assert invoke(cli, "webhooks", "prune", "--older-than", "8d", "--yes").code == 0


def test_an_invalid_time_span_is_refused(cli: CliEnvironment, invoke: Invoke, event_store: Store) -> None:
    result = invoke(cli, "webhooks", "prune", "--older-than", "long ago")
    assert (result.code, "is not a span of time" in result.err) == (2, True)


def test_without_a_store_there_is_nothing_to_prune(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, *PRUNE_COMMAND)
    assert (result.code, "No events are old enough" in result.err) == (0, True)
    assert not cli.store.exists()


# --- known orders ----------------------------------------------------------------------------


def knows_order(cli: CliEnvironment, reference: str) -> bool:
    if not cli.store.exists():
        return False
    store = Store(cli.store, print)
    asked = make_event(order="999", order_reference=reference)
    known = store.read(lambda transaction: is_known_order(transaction, "sandbox", asked))
    store.close()
    return known


@pytest.fixture
def write_order_document(cli: CliEnvironment) -> Callable[[str], str]:
    """A document with an order of that reference."""

    def write(reference: str) -> str:
        (cli.folder / "order.json").write_text(json.dumps(make_order(reference)))
        return "order.json"

    return write


def test_an_added_order_is_known_to_the_receiver(
    cli: CliEnvironment, invoke: Invoke, write_order_document: Callable[[str], str]
) -> None:
    assert invoke(cli, "orders", "add", write_order_document("a")).code == 0
    assert (knows_order(cli, "a"), knows_order(cli, "b")) == (True, False)


def test_an_order_that_exists_already_is_known(
    cli: CliEnvironment, invoke: Invoke, write_order_document: Callable[[str], str]
) -> None:
    invoke(cli, "orders", "add", write_order_document("a"))
    cli.store.unlink()
    assert invoke(cli, "orders", "add", write_order_document("a")).code == 6
    assert knows_order(cli, "a")


def test_an_order_whose_response_was_lost_is_known(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_order_document: Callable[[str], str]
) -> None:
    sandbox.add_fault(make_fault("reset-after", "/cloudcore/1.0/orders/add", 1))
    assert invoke(cli, "orders", "add", write_order_document("a")).code == 0
    assert knows_order(cli, "a")


def test_an_order_that_may_have_been_created_is_known(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, write_order_document: Callable[[str], str]
) -> None:
    sandbox.add_fault(make_fault("reset-after", "/cloudcore/1.0/orders/", 0))
    assert invoke(cli, "orders", "add", write_order_document("a")).code == 75
    assert knows_order(cli, "a")


@pytest.mark.parametrize("words", [["--dry-run"], ["--check"]], ids=str)
def test_an_order_that_was_not_sent_is_unknown(
    cli: CliEnvironment, invoke: Invoke, write_order_document: Callable[[str], str], words: list[str]
) -> None:
    assert invoke(cli, "orders", "add", write_order_document("a"), *words).code == 0
    assert not knows_order(cli, "a")
    assert not cli.store.exists()


def test_an_order_is_created_even_if_the_store_fails(
    cli: CliEnvironment, invoke: Invoke, write_order_document: Callable[[str], str]
) -> None:
    blocked = cli.folder / "file"
    blocked.write_text("")
    result: Any = invoke(
        cli, "orders", "add", write_order_document("a"), "-o", "json", CPCTL_STORE=str(blocked / "cpctl.db")
    )
    assert (result.code, result.data) == (0, {"order": "a"})
    assert 'The order "a" was created.' in result.err
    assert "Warning: The store" in result.err
    assert "will not know this order" in result.err
