"""Searching received webhooks: list, show, items, types, and their notes for empty results."""

import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cpctl.signals.webhook_types import WEBHOOK_TYPES
from cpctl.store.store import Store
from harness.cli_environment import ITEM, ORDER, SECOND_ITEM, CliEnvironment, CliResult
from harness.terminal import run_on_terminal
from harness.webhooks.stored_events import (
    DAY_MS,
    ITEM_LIFECYCLE,
    KEY,
    NOON_MS,
    lifecycle_events,
    make_event,
    make_event_store,
    receive_events,
)

Invoke = Callable[..., CliResult]


@pytest.fixture
def event_store(cli: CliEnvironment) -> Store:
    """The store with the events of one item, none of which the target "exec crm" has accepted."""
    return make_event_store(cli.store, lifecycle_events(), ["exec crm"])


def event_ids(result: CliResult) -> list[str]:
    assert result.code == 0, result
    return [each["id"] for each in result.data]


# --- list ------------------------------------------------------------------------------------


def test_events_are_listed_in_the_order_in_which_they_happened(cli: CliEnvironment, invoke: Invoke) -> None:
    events = lifecycle_events(tracking="1A")
    make_event_store(cli.store, [events[n] for n in (4, 2, 0, 1, 3)])
    assert event_ids(invoke(cli, "webhooks", "list", "-o", "json")) == ["3", "4", "2", "5", "1"]
    heading, first, *_ = invoke(cli, "webhooks", "list").out.splitlines()
    assert heading.split("\t")[:5] == ["id", "datetime", "type", "order", "item"]
    assert first.split("\t")[:6] == ["3", "2026-01-20T12:00:00Z", "ItemValidated", ORDER, ITEM, "tracking=1A"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--type", "ItemShipped"], ["5"]),
        (["--type", "ItemShipped", "--type", "ItemProduce"], ["2", "5"]),
        (["--order", ORDER, "--limit", "2"], ["4", "5"]),
        (["--order", "order-1"], ["1", "2", "3", "4", "5"]),
        (["--item", ITEM, "--type", "ItemPacked"], ["4"]),
        (["--item", SECOND_ITEM], []),
        (["--reference", "order-1-1", "--limit", "1"], ["5"]),
        (["--since", "2026-01-20T12:00:03Z"], ["4", "5"]),
        (["--until", "2026-01-20T12:00:02Z"], ["1", "2"]),
        (["--since", "1h"], []),
        (["--undelivered", "--limit", "1"], ["5"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_options_filter_the_list(
    cli: CliEnvironment, invoke: Invoke, event_store: Store, words: list[str], found: list[str]
) -> None:
    assert event_ids(invoke(cli, "webhooks", "list", *words, "-o", "json")) == found


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "No matching events were received.\n"),
        (["--type", "ItemShipped"], "No matching events were received.\n"),
        (["--type", "ItemShiped"], 'The type "ItemShiped" is unknown. Did you mean "ItemShipped"?\n'),
        (["--type", "itemshipped"], 'Did you mean "ItemShipped"?\n'),
        (["--type", "Zzz"], "`cpctl webhooks types` lists the known types.\n"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_an_empty_list_has_a_note_and_creates_no_store(
    cli: CliEnvironment, invoke: Invoke, words: list[str], message: str
) -> None:
    result = invoke(cli, "webhooks", "list", *words, "-o", "json")
    assert (result.code, result.data) == (0, [])
    assert result.err.endswith(message)
    assert not cli.store.exists()


def test_events_of_an_unknown_type_can_be_listed(cli: CliEnvironment, invoke: Invoke) -> None:
    make_event_store(cli.store, [make_event("ItemTeleported")])
    result = invoke(cli, "webhooks", "list", "--type", "ItemTeleported", "-o", "json")
    assert (event_ids(result), result.err) == (["1"], "")


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_an_invalid_time_is_refused_with_its_option(cli: CliEnvironment, invoke: Invoke, option: str) -> None:
    result = invoke(cli, "webhooks", "list", option, "soon")
    assert (result.code, result.out) == (2, "")
    assert f'{option} "soon" is not a time.' in result.err


def test_events_of_other_profiles_are_not_shown(cli: CliEnvironment, invoke: Invoke, event_store: Store) -> None:
    receive_events(event_store, lifecycle_events(SECOND_ITEM), profile="other")
    assert len(invoke(cli, "webhooks", "list", "-o", "json").data) == 5
    assert invoke(cli, "webhooks", "show", "6").code == 2


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell the memory")
def test_a_long_list_needs_little_memory(cli: CliEnvironment) -> None:
    make_event_store(cli.store, [])
    with sqlite3.connect(cli.store) as connection:
        connection.execute(
            "INSERT INTO events (profile, digest, type, order_id, item, order_reference, item_reference, event_at,"
            " occurred_at, stage, payload, received_at, last_received_at)"
            " WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 8000)"
            " SELECT 'sandbox', n, 'ItemPacked', n / 4, n, '', '', n * 1000, n * 1000, 50,"
            " json_object('type', 'ItemPacked', 'note', hex(zeroblob(2500))), n, n FROM n"
        )
    watched = (
        "import sys; from cpctl.cli.main import main; status = main(sys.argv[1:]);"
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0], file=sys.stderr); sys.exit(status)"
    )
    for form in ("tsv", "jsonl"):
        python = [*cli.command_line()[:1], "-c", watched]
        done = subprocess.run(
            [*python, "webhooks", "list", "-o", form], capture_output=True, text=True, env=cli.process_environment()
        )
        lines = done.stdout.splitlines()[-8_000:]
        assert done.returncode == 0, done.stderr
        assert '"1"' in lines[0] if form == "jsonl" else lines[0].startswith("1\t")
        assert len(lines) == 8_000
        assert int(done.stderr.split()[-1]) < 75_000, "kilobytes of memory; the events alone are 40,000"


def test_a_long_list_as_json_is_one_array(cli: CliEnvironment) -> None:
    make_event_store(cli.store, [make_event(note=n) for n in range(1100)])
    listed = cli.run_json("webhooks", "list")
    assert [each["fields"]["note"] for each in listed] == cli.run_json("webhooks", "list", "--query", "[].fields.note")
    assert sorted(each["fields"]["note"] for each in listed) == list(range(1100))


# --- show ------------------------------------------------------------------------------------


def test_one_event_is_an_object_and_several_are_an_array(
    cli: CliEnvironment, invoke: Invoke, event_store: Store
) -> None:
    one = invoke(cli, "webhooks", "show", "5", "-o", "json").data
    assert (one["id"], one["type"], one["payload"]["datetime"]) == ("5", "ItemShipped", "2026-01-20T12:04:00+00:00")
    assert one["targets"] == [
        {"target": "exec crm", "state": "waiting", "attempts": 0, "last_attempt": None, "message": ""}
    ]
    assert "apikey" not in one["payload"]
    assert event_ids(invoke(cli, "webhooks", "show", "5", "2", "5", "-o", "json")) == ["5", "2"]


def test_a_table_shows_each_field_of_an_event_once(cli: CliEnvironment, event_store: Store) -> None:
    receive_events(event_store, [make_event("ItemError", cause="Print error \x1b[31m", delay="24")], ["exec crm"])
    seen = run_on_terminal(cli, "webhooks", "show", "6", columns=100)
    assert seen.code == 0
    assert seen.text.count("24") == 1
    assert "Print error \\x1b[31m" in seen.text
    assert "target exec crm" in seen.text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["7"], 'Event 7 does not exist in profile "sandbox".'),
        (["1", "x"], '"x" is not the id of an event.'),
        (["-1"], "-1"),
        (["1" * 19], "is not the id of an event."),
        (["٣"], "is not the id of an event."),
    ],
    ids=str,
)
@pytest.mark.parametrize("command", ["show", "replay"])
def test_an_invalid_id_is_refused(
    cli: CliEnvironment, invoke: Invoke, event_store: Store, command: str, words: list[str], message: str
) -> None:
    result = invoke(cli, "webhooks", command, *words)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


# --- items -----------------------------------------------------------------------------------


def test_items_shows_the_latest_state_of_each_item_and_order(
    cli: CliEnvironment, invoke: Invoke, event_store: Store
) -> None:
    other = make_event("ItemError", order="9", item="91", order_reference="o9", cause="late")
    receive_events(
        event_store,
        [
            make_event("CloudprinterOrderValidated", item=None, item_reference=None),
            *lifecycle_events(SECOND_ITEM)[:1],
            other,
        ],
    )
    everything = invoke(cli, "webhooks", "items", "-o", "json").data
    assert [(each["order"], each["item"], each["latest"]) for each in everything] == [
        (ORDER, "", "CloudprinterOrderValidated"),
        (ORDER, ITEM, "ItemShipped"),
        (ORDER, SECOND_ITEM, "ItemValidated"),
        ("9", "91", "ItemError"),
    ]
    assert (everything[3]["fields"], everything[3]["event"]) == ({"cause": "late"}, "8")
    for words, number in (
        (["--order", "o9"], 1),
        (["--order", ORDER], 3),
        (["--item", SECOND_ITEM], 1),
        (["--latest", "ItemError", "--latest", "ItemShipped"], 2),
        (["--order", ORDER, "--latest", "ItemError"], 0),
    ):
        result = invoke(cli, "webhooks", "items", *words, "-o", "json")
        assert (result.code, len(result.data)) == (0, number), words
        assert bool(result.err) == (not number)


def test_states_stay_when_their_events_are_pruned(cli: CliEnvironment, invoke: Invoke) -> None:
    make_event_store(cli.store, lifecycle_events(), now=NOON_MS - 300 * DAY_MS)
    assert invoke(cli, "webhooks", "prune", "--older-than", "90d", "--yes").code == 0
    assert invoke(cli, "webhooks", "list", "-o", "json").data == []
    assert invoke(cli, "webhooks", "items", "-o", "json").data[0]["latest"] == "ItemShipped"


def test_items_without_results_has_a_note(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "webhooks", "items", "--latest", "ItemShiped")
    assert result.code == 0
    assert 'Did you mean "ItemShipped"?' in result.err
    assert not cli.store.exists()


# --- types -----------------------------------------------------------------------------------


def test_types_lists_every_type_with_its_fields(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    listed = invoke(unconfigured_cli, "webhooks", "types", "-o", "json").data
    assert [row["type"] for row in listed] == list(WEBHOOK_TYPES)
    shipped = next(row for row in listed if row["type"] == "ItemShipped")
    assert shipped == {
        "type": "ItemShipped",
        "since": "2.0",
        "about": "item",
        "required": "type, order, item, order_reference, item_reference, tracking, shipping_option, datetime",
        "optional": "url",
        "meaning": "the item is shipped",
    }


def test_no_key_is_shown_or_written(cli: CliEnvironment, invoke: Invoke, event_store: Store, tmp_path: Path) -> None:
    receive_events(event_store, [make_event(note=f"my key is {KEY}")])
    message = ""
    for words in (["list"], ["show", "6"], ["tail"], ["items"], ["export", "-"], ["export", "x.jsonl"]):
        for form in ("table", "json"):
            result = invoke(cli, "webhooks", *words, *(["-o", form] if words[0] != "export" else []), "-v", "--debug")
            assert result.code == 0, result
            message += result.out + result.err
    message += (cli.folder / "x.jsonl").read_text()
    assert "my key is ***" in message
    assert KEY not in message
    assert KEY.encode() not in cli.store.read_bytes()


def test_searching_needs_no_key_and_no_network(cli: CliEnvironment, invoke: Invoke, event_store: Store) -> None:
    """Received events can be searched on a machine that has no key."""
    cli.configure("profiles:\n  sandbox:\n    base_url: http://127.0.0.1:9\n")
    for words in (["list"], ["show", "1"], ["tail"], ["items"], ["export"], ["types"]):
        assert invoke(cli, "webhooks", *words).code == 0
    assert json.loads(invoke(cli, "webhooks", "tail", "--lines", "1").out)["type"] == ITEM_LIFECYCLE[-1]
