"""`webhooks tail`: the last events, then each new one, for people and programs."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from queue import Empty, Queue
from typing import Any

import pexpect
import pytest

from cpctl.store.store import Store
from harness.cli_environment import ITEM, ORDER, TIMEOUT_SECONDS, CliEnvironment, CliResult
from harness.terminal import run_on_terminal, run_with_closed_pipe
from harness.webhooks.stored_events import (
    ITEM_LIFECYCLE,
    lifecycle_events,
    make_event,
    make_event_store,
    receive_events,
)

Invoke = Callable[..., CliResult]
FOLLOW_COMMAND = ("webhooks", "tail", "-f")


class TailProcess:
    """A running `tail -f` whose lines a test can wait for."""

    def __init__(self, cli: CliEnvironment, *words: str) -> None:
        self.process = cli.start(*FOLLOW_COMMAND, *words)
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def next_event(self) -> Any:
        """Wait for the next event."""
        return json.loads(self._lines.get(timeout=TIMEOUT_SECONDS))

    def is_drained(self) -> bool:
        """Whether there is no more output so far."""
        try:
            self._lines.get_nowait()
        except Empty:
            return True
        return False

    def stop(self, number: int) -> tuple[int, str]:
        """Send a signal; returns the exit status and stderr."""
        self.process.send_signal(number)
        status = self.process.wait(TIMEOUT_SECONDS)
        assert self.process.stderr is not None
        return status, self.process.stderr.read()


@pytest.fixture
def start_tail(cli: CliEnvironment) -> Iterator[Callable[..., TailProcess]]:
    """Start `tail -f` processes, which are killed at the end of the test."""
    started: list[TailProcess] = []

    def start(*words: str) -> TailProcess:
        started.append(TailProcess(cli, *words))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.wait(TIMEOUT_SECONDS)
        for stream in (each.process.stdout, each.process.stderr):
            assert stream is not None
            stream.close()


def test_the_last_events_are_shown_in_the_order_in_which_they_happened(cli: CliEnvironment, invoke: Invoke) -> None:
    make_event_store(cli.store, list(reversed(lifecycle_events())))
    lines = [json.loads(line)["type"] for line in invoke(cli, "webhooks", "tail", "--lines", "3").out.splitlines()]
    assert lines == list(ITEM_LIFECYCLE[:3])
    assert len(invoke(cli, "webhooks", "tail").out.splitlines()) == 5
    assert invoke(cli, "webhooks", "tail", "--lines", "0").out == ""
    assert invoke(cli, "webhooks", "tail", "--type", "ItemPacked", "-o", "json").out.count("\n") == 1


def test_a_terminal_shows_one_line_per_event(cli: CliEnvironment) -> None:
    make_event_store(
        cli.store, [*lifecycle_events(tracking="1A"), make_event("ItemError", cause="a\x1b[2Jb\nc", datetime=None)]
    )
    seen = run_on_terminal(cli, "webhooks", "tail", columns=120)
    assert seen.screen == [
        *(
            f"2026-01-20T12:0{n}:00Z {kind} {ORDER} {ITEM} tracking=1A"
            for n, kind in list(enumerate(ITEM_LIFECYCLE))[:1]
        ),
        f"2026-01-20T12:00:05Z ItemError {ORDER} {ITEM} cause=a\\x1b[2Jb\\nc",
        *(
            f"2026-01-20T12:0{n}:00Z {kind} {ORDER} {ITEM} tracking=1A"
            for n, kind in list(enumerate(ITEM_LIFECYCLE))[1:]
        ),
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-o", "value", "--query", "type"], "ItemShipped\n"),
        (["-o", "jsonl", "--query", "{kind: type, item: item}"], f'{{"kind": "ItemShipped", "item": "{ITEM}"}}\n'),
        (["--query", "type"], '"ItemShipped"\n'),
    ],
    ids=str,
)
def test_a_query_is_applied_to_each_event(cli: CliEnvironment, invoke: Invoke, words: list[str], expected: str) -> None:
    make_event_store(cli.store, lifecycle_events())
    assert invoke(cli, "webhooks", "tail", "--lines", "1", *words).out == expected


@pytest.mark.parametrize("form", ["tsv", "csv", "yaml"])
def test_formats_that_need_a_complete_list_are_refused(cli: CliEnvironment, invoke: Invoke, form: str) -> None:
    result = invoke(cli, *FOLLOW_COMMAND, "-o", form)
    assert (result.code, result.out) == (2, "")
    assert f"{form} needs a complete list" in result.err
    assert f"`cpctl webhooks list -o {form}`" in result.err


def test_each_new_event_is_written_when_it_arrives(cli: CliEnvironment, start_tail: Callable[..., TailProcess]) -> None:
    events = lifecycle_events()
    store = make_event_store(cli.store, events[:2])
    tail = start_tail("--lines", "1")
    assert tail.next_event()["type"] == ITEM_LIFECYCLE[1]
    for one, kind in zip(events[2:], ITEM_LIFECYCLE[2:], strict=True):
        receive_events(store, [one])
        assert tail.next_event()["type"] == kind
    receive_events(store, [events[0], make_event("ItemCanceled")], profile="other")
    receive_events(store, [events[0]])  # a repeat
    receive_events(store, [make_event("ItemCanceled")])
    assert tail.next_event()["type"] == "ItemCanceled"
    assert tail.is_drained()
    assert tail.stop(signal.SIGINT) == (130, "")


def test_follow_shows_only_matching_events(cli: CliEnvironment, start_tail: Callable[..., TailProcess]) -> None:
    store = make_event_store(cli.store, lifecycle_events())
    tail = start_tail("--type", "ItemError", "--item", ITEM, "-o", "json")
    for number in range(3):
        receive_events(store, [make_event("ItemPacked", note=number), make_event("ItemError", item="9", note=number)])
    receive_events(store, [make_event("ItemError", note="this")])
    assert tail.next_event()["fields"] == {"note": "this"}
    assert tail.is_drained()


def test_many_new_events_are_written_in_the_order_of_arrival(
    cli: CliEnvironment, start_tail: Callable[..., TailProcess]
) -> None:
    store = make_event_store(cli.store, lifecycle_events())
    tail = start_tail("--lines", "1")
    assert tail.next_event()["type"] == ITEM_LIFECYCLE[-1]
    receive_events(store, [make_event(note=number) for number in range(1200)])
    assert [tail.next_event()["fields"]["note"] for _ in range(1200)] == list(range(1200))


def test_follow_waits_for_a_missing_store(cli: CliEnvironment, start_tail: Callable[..., TailProcess]) -> None:
    tail = start_tail()
    assert not cli.store.exists()
    make_event_store(cli.store, lifecycle_events()[:1])
    assert tail.next_event()["type"] == ITEM_LIFECYCLE[0]
    assert tail.stop(signal.SIGTERM)[0] == 143


def test_follow_ends_with_its_reader(cli: CliEnvironment) -> None:
    """`tail -f | grep -m 1` ends when grep ends, not with the next event."""
    make_event_store(cli.store, lifecycle_events())
    assert run_with_closed_pipe(cli, *FOLLOW_COMMAND) == (141, "")
    assert run_with_closed_pipe(cli, *FOLLOW_COMMAND, "--lines", "0") == (141, "")
    done = subprocess.run(
        [
            "/bin/bash",
            "-c",
            '"$@" | grep -m 1 ItemPacked; exit ${PIPESTATUS[0]}',
            "bash",
            *cli.command_line(*FOLLOW_COMMAND),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=cli.process_environment(),
        timeout=TIMEOUT_SECONDS,
    )
    assert (done.returncode, json.loads(done.stdout)["type"], done.stderr) == (141, "ItemPacked", "")


def test_a_full_disk_is_reported(cli: CliEnvironment) -> None:
    make_event_store(cli.store, lifecycle_events())
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            cli.command_line(*FOLLOW_COMMAND),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=cli.process_environment(),
            timeout=TIMEOUT_SECONDS,
        )
    assert done.returncode == 1
    assert "could not be written" in done.stderr


def test_ctrl_c_ends_follow_without_a_message(cli: CliEnvironment) -> None:
    store: Store = make_event_store(cli.store, lifecycle_events()[:1])
    command, *arguments = cli.command_line(*FOLLOW_COMMAND)
    child = pexpect.spawn(
        command,
        arguments,
        env={"TERM": "xterm", **cli.process_environment()},
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
        dimensions=(24, 120),
    )
    child.expect_exact(f"ItemValidated {ORDER} {ITEM}\r\n")
    receive_events(store, lifecycle_events()[1:2])
    child.expect_exact(f"ItemProduce {ORDER} {ITEM}\r\n")
    child.sendintr()
    rest = child.read()
    child.close()
    assert (os.WEXITSTATUS(child.status) if child.exitstatus is None else child.exitstatus) == 130
    assert rest.replace("^C", "").strip() == ""
