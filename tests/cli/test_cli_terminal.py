"""cpctl on a real terminal: tables that fit, colour, and nothing of a stranger's that steers it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pexpect
import pytest
from cli_server import answering
from cli_terminal import on_terminal
from worlds import ITEM, NOBODY, ORDER, SECOND, THIRD, Result, World, configuration, shipped

Inside = Callable[..., Result]
EVIL = "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202etxt.exe\x7f end"
STEERING = ("\x1b", "\x07", "\x9b", "\u202e", "\x7f")


def test_a_terminal_gets_a_table_and_a_pipe_tsv(world: World) -> None:
    seen = on_terminal(world, *shipped())
    assert seen.code == 0
    assert seen.screen[0].split()[:4] == ["ID", "TYPE", "ORDER", "ITEM"]
    assert ITEM in seen.screen[1]
    assert world.run("signal", "history").out.startswith("id\ttype\torder\titem\t")


@pytest.mark.parametrize("columns", [80, 60, 40, 200])
def test_ids_are_never_cut_however_narrow_the_terminal(world: World, inside: Inside, columns: int) -> None:
    for item in (ITEM, SECOND, THIRD):
        inside(world, *shipped(item, f"JJD0002034567890123-{item}"), "--queue-only")
    seen = on_terminal(world, "outbox", "list", stream="stdout", columns=columns)
    assert seen.code == 0
    assert max(len(line) for line in seen.raw.replace("\x1b[1m", "").replace("\x1b[0m", "").split("\r\n")) <= columns
    assert "…" not in seen.text
    if columns >= 60:
        for item in (ITEM, SECOND, THIRD):
            assert f" {item} " in f"{seen.text} ", seen.text
    if columns >= 100:
        assert ORDER in seen.text


@pytest.mark.parametrize(
    ("options", "changes", "colored"),
    [
        ([], {}, True),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"NO_COLOR": ""}, True),
        ([], {"FORCE_COLOR": "0"}, False),
        ([], {"TERM": "dumb"}, False),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--color", "always"], {"TERM": "dumb"}, True),
    ],
)
def test_a_terminal_has_colour_unless_it_is_told_otherwise(
    empty_world: World, options: list[str], changes: dict[str, str], colored: bool
) -> None:
    seen = on_terminal(empty_world, "signal", "causes", *options, **changes)
    assert ("\x1b[" in seen.raw) is colored
    assert "CancelBookSize" in seen.text
    assert on_terminal(empty_world, "whoami", *options, **changes).raw.startswith("\x1b[31m") is colored


def test_each_stream_is_judged_for_itself(empty_world: World) -> None:
    piped = on_terminal(empty_world, "signal", "causes", stream="stderr")
    assert piped.other.startswith("cause\tmeaning\n")
    shown = on_terminal(empty_world, "whoami", stream="stdout")
    assert shown.raw == ""
    assert "\x1b" not in shown.other, "talk in a pipe has no colour though the data's terminal has"


def test_help_fits_the_terminal(empty_world: World) -> None:
    seen = on_terminal(empty_world, "signal", "shipped", "--help", columns=80)
    assert all(len(line) <= 80 for line in seen.raw.split("\r\n") if "cpctl signal" not in line)


@pytest.mark.parametrize(
    "options", [[], ["-o", "json"], ["-o", "yaml"], ["-o", "csv"], ["-o", "tsv"], ["-v", "--debug"]]
)
def test_what_a_service_says_never_steers_the_terminal(world: World, options: list[str]) -> None:
    with answering(400, lambda body: EVIL.encode()) as address:
        world.configure(configuration(address))
        told = on_terminal(world, *shipped(), *options, "--color", "never", columns=200)
        assert told.code == 5
    listed = on_terminal(world, "outbox", "list", *options, "--color", "never", columns=200)
    single = on_terminal(world, "outbox", "show", "1", *options, "--color", "never", columns=200)
    for seen in (told, listed, single):
        assert "red" in seen.text
        assert not [each for each in STEERING if each in seen.raw], seen.raw


def test_what_was_typed_never_steers_the_terminal(world: World) -> None:
    turned = "1\u202e2"
    for words in (
        ["signal", "packed", ITEM, "--order", ORDER, "-f", f"note={EVIL}"],
        ["signal", "packed", ITEM, "--order", EVIL],
        ["signal", "packed", f"{ITEM}\x1b[2J", "--order", ORDER],
        ["signal", EVIL],
        ["outbox", "list", "--state", EVIL],
        ["outbox", "show", EVIL],
        ["signal", "types", "--query", f"'{EVIL}'", "-o", "value"],
        ["signal", "types", "-o", EVIL],
        ["whoami", "--profile", EVIL],
        ["signal", "shipped", turned, "--order", turned, "--tracking", turned, "--queue-only"],
        ["outbox", "list"],
        ["outbox", "list", "-o", "yaml"],
        ["outbox", "export"],
        ["outbox", "flush", "-n"],
    ):
        seen = on_terminal(world, *words, columns=200, NO_COLOR="1")
        assert not [each for each in STEERING if each in seen.raw], (words, seen.raw)


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
def test_a_question_is_asked_on_the_terminal_and_shows_nothing_that_steers_it(world: World, inside: Inside) -> None:
    inside(world, "signal", "packed", ITEM, "--order", ORDER, "--queue-only")
    with closing(sqlite3.connect(world.store)) as store, store:  # such an id is refused today; an old store may hold it
        store.execute("UPDATE signals SET item = ?", ["1\u202e2"])
    command = world.command("outbox", "drop", "1")
    env = {"TERM": "dumb", **world.env()}
    for answer, code, state in (("n", 2, "queued"), ("\x03", 130, "queued"), ("y", 0, "dropped")):
        child = pexpect.spawn(command[0], command[1:], env=env, encoding="utf-8", timeout=30, dimensions=(24, 200))
        child.expect(r"\[y/N\]")
        assert "\u202e" not in child.before
        assert "sandbox" in child.before, "the question names the profile and its environment"
        child.send(answer if answer == "\x03" else f"{answer}\r")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == code, answer
        assert inside(world, "signal", "history", "-o", "value", "--query", "[].state").out.strip() == state


@pytest.mark.parametrize("how", [["--no-input"], []])
def test_without_a_terminal_nothing_asks(world: World, inside: Inside, how: list[str]) -> None:
    inside(world, "signal", "packed", ITEM, "--order", ORDER, "--queue-only")
    result = world.run("outbox", "drop", "1", *how, input="y\n")
    assert (result.code, result.out) == (2, "")
    assert "Nobody can be asked here." in result.err
    assert "--yes" in result.err
    seen = on_terminal(world, "outbox", "drop", "1", CPCTL_NO_INPUT="1")
    assert seen.code == 2


def test_an_outage_is_told_in_calm_words(world: World) -> None:
    seen = on_terminal(world, *shipped(), "--timeout", "2", columns=200, CPCTL_BASE_URL=NOBODY)
    assert seen.code == 0
    assert "queued" in seen.text
    assert "1 signal safe in the outbox" in seen.text
    assert "Connection refused" in seen.text
