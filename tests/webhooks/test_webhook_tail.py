"""`webhooks tail`: the last events, then each new one, to a person or to a program."""

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
from cli.cli_terminal import on_terminal, reader_gone
from shelf_filling import LIFE, event, fill, filled, life
from worlds import ITEM, ORDER, SECONDS, Result, World

from cpctl.store.store import Store

Inside = Callable[..., Result]
FOLLOW = ("webhooks", "tail", "-f")


class Following:
    """A `tail -f` whose lines can be waited for."""

    def __init__(self, world: World, *words: str) -> None:
        self.process = world.start(*FOLLOW, *words)
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def next(self) -> Any:
        """The next event that it writes."""
        return json.loads(self._lines.get(timeout=SECONDS))

    def nothing_more(self) -> bool:
        """Whether it has written nothing else so far."""
        try:
            self._lines.get_nowait()
        except Empty:
            return True
        return False

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal; its exit status, and what it said."""
        self.process.send_signal(number)
        status = self.process.wait(SECONDS)
        assert self.process.stderr is not None
        return status, self.process.stderr.read()


@pytest.fixture
def follow(world: World) -> Iterator[Callable[..., Following]]:
    """Start followers; whatever is left of them ends with the test."""
    started: list[Following] = []

    def start(*words: str) -> Following:
        started.append(Following(world, *words))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.wait(SECONDS)
        for stream in (each.process.stdout, each.process.stderr):
            assert stream is not None
            stream.close()


def test_the_last_events_are_shown_as_they_happened(world: World, inside: Inside) -> None:
    filled(world.store, list(reversed(life())))
    lines = [json.loads(line)["type"] for line in inside(world, "webhooks", "tail", "--lines", "3").out.splitlines()]
    assert lines == list(LIFE[:3])
    assert len(inside(world, "webhooks", "tail").out.splitlines()) == 5
    assert inside(world, "webhooks", "tail", "--lines", "0").out == ""
    assert inside(world, "webhooks", "tail", "--type", "ItemPacked", "-o", "json").out.count("\n") == 1


def test_a_person_gets_one_line_an_event(world: World) -> None:
    filled(world.store, [*life(tracking="1A"), event("ItemError", cause="a\x1b[2Jb\nc", datetime=None)])
    seen = on_terminal(world, "webhooks", "tail", columns=120)
    assert seen.screen == [
        *(f"2026-01-20T12:0{n}:00Z {kind} {ORDER} {ITEM} tracking=1A" for n, kind in list(enumerate(LIFE))[:1]),
        f"2026-01-20T12:00:05Z ItemError {ORDER} {ITEM} cause=a\\x1b[2Jb\\nc",
        *(f"2026-01-20T12:0{n}:00Z {kind} {ORDER} {ITEM} tracking=1A" for n, kind in list(enumerate(LIFE))[1:]),
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
def test_a_query_is_asked_of_each_event(world: World, inside: Inside, words: list[str], expected: str) -> None:
    filled(world.store, life())
    assert inside(world, "webhooks", "tail", "--lines", "1", *words).out == expected


@pytest.mark.parametrize("form", ["tsv", "csv", "yaml"])
def test_formats_of_whole_lists_are_refused_with_what_to_use(world: World, inside: Inside, form: str) -> None:
    result = inside(world, *FOLLOW, "-o", form)
    assert (result.code, result.out) == (2, "")
    assert f"{form} is for whole lists" in result.err
    assert f"`cpctl webhooks list -o {form}`" in result.err


def test_each_new_event_is_written_when_it_arrives(world: World, follow: Callable[..., Following]) -> None:
    events = life()
    store = filled(world.store, events[:2])
    tail = follow("--lines", "1")
    assert tail.next()["type"] == LIFE[1]
    for one, kind in zip(events[2:], LIFE[2:], strict=True):
        fill(store, [one])
        assert tail.next()["type"] == kind
    fill(store, [events[0], event("ItemCanceled")], profile="other")
    fill(store, [events[0]])  # a repeat
    fill(store, [event("ItemCanceled")])
    assert tail.next()["type"] == "ItemCanceled"
    assert tail.nothing_more()
    assert tail.end(signal.SIGINT) == (130, "")


def test_only_what_is_asked_for_is_followed(world: World, follow: Callable[..., Following]) -> None:
    store = filled(world.store, life())
    tail = follow("--type", "ItemError", "--item", ITEM, "-o", "json")
    for number in range(3):
        fill(store, [event("ItemPacked", note=number), event("ItemError", item="9", note=number)])
    fill(store, [event("ItemError", note="this")])
    assert tail.next()["fields"] == {"note": "this"}
    assert tail.nothing_more()


def test_many_new_events_at_once_are_all_written_in_the_order_of_their_arrival(
    world: World, follow: Callable[..., Following]
) -> None:
    store = filled(world.store, life())
    tail = follow("--lines", "1")
    assert tail.next()["type"] == LIFE[-1]
    fill(store, [event(note=number) for number in range(1200)])
    assert [tail.next()["fields"]["note"] for _ in range(1200)] == list(range(1200))


def test_a_store_that_is_not_there_yet_is_waited_for(world: World, follow: Callable[..., Following]) -> None:
    tail = follow()
    assert not world.store.exists()
    filled(world.store, life()[:1])
    assert tail.next()["type"] == LIFE[0]
    assert tail.end(signal.SIGTERM)[0] == 143


def test_a_reader_that_has_enough_ends_it(world: World) -> None:
    """`tail -f | grep -m 1` is over when grep is, and not with the next event."""
    filled(world.store, life())
    assert reader_gone(world, *FOLLOW) == (141, "")
    assert reader_gone(world, *FOLLOW, "--lines", "0") == (141, "")
    done = subprocess.run(
        ["/bin/bash", "-c", '"$@" | grep -m 1 ItemPacked; exit ${PIPESTATUS[0]}', "bash", *world.command(*FOLLOW)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=world.env(),
        timeout=SECONDS,
    )
    assert (done.returncode, json.loads(done.stdout)["type"], done.stderr) == (141, "ItemPacked", "")


def test_a_full_disk_is_told(world: World) -> None:
    filled(world.store, life())
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            world.command(*FOLLOW), stdout=full, stderr=subprocess.PIPE, text=True, env=world.env(), timeout=SECONDS
        )
    assert done.returncode == 1
    assert "could not be written" in done.stderr


def test_ctrl_c_at_a_terminal_ends_it_quietly(world: World) -> None:
    store: Store = filled(world.store, life()[:1])
    command, *arguments = world.command(*FOLLOW)
    child = pexpect.spawn(
        command,
        arguments,
        env={"TERM": "xterm", **world.env()},
        encoding="utf-8",
        timeout=SECONDS,
        dimensions=(24, 120),
    )
    child.expect_exact(f"ItemValidated {ORDER} {ITEM}\r\n")
    fill(store, life()[1:2])
    child.expect_exact(f"ItemProduce {ORDER} {ITEM}\r\n")
    child.sendintr()
    rest = child.read()
    child.close()
    assert (os.WEXITSTATUS(child.status) if child.exitstatus is None else child.exitstatus) == 130
    assert rest.replace("^C", "").strip() == ""
