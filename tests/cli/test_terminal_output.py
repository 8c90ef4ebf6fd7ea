"""cpctl on a real terminal: tables that fit, color, and no control characters from data."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pexpect
import pytest

from harness.cli_environment import (
    ITEM,
    ORDER,
    SECOND_ITEM,
    THIRD_ITEM,
    UNREACHABLE_URL,
    CliEnvironment,
    CliResult,
    sandbox_configuration,
    shipped_command,
)
from harness.servers.fixed_status_server import fixed_status_server
from harness.terminal import run_on_terminal

Invoke = Callable[..., CliResult]
HOSTILE_TEXT = "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202etxt.exe\x7f end"
CONTROL_CHARACTERS = ("\x1b", "\x07", "\x9b", "\u202e", "\x7f")


def test_a_terminal_gets_a_table_and_a_pipe_tsv(cli: CliEnvironment) -> None:
    seen = run_on_terminal(cli, *shipped_command())
    assert seen.code == 0
    assert seen.screen[0].split()[:4] == ["ID", "TYPE", "ORDER", "ITEM"]
    assert ITEM in seen.screen[1]
    assert cli.run("signal", "history").out.startswith("id\ttype\torder\titem\t")


@pytest.mark.parametrize("columns", [80, 60, 40, 200])
def test_ids_are_never_cut_however_narrow_the_terminal(cli: CliEnvironment, invoke: Invoke, columns: int) -> None:
    for item in (ITEM, SECOND_ITEM, THIRD_ITEM):
        invoke(cli, *shipped_command(item, f"JJD0002034567890123-{item}"), "--queue-only")
    seen = run_on_terminal(cli, "outbox", "list", stream="stdout", columns=columns)
    assert seen.code == 0
    assert max(len(line) for line in seen.raw.replace("\x1b[1m", "").replace("\x1b[0m", "").split("\r\n")) <= columns
    assert "…" not in seen.text
    if columns >= 60:
        for item in (ITEM, SECOND_ITEM, THIRD_ITEM):
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
def test_a_terminal_gets_color_by_default(
    unconfigured_cli: CliEnvironment, options: list[str], changes: dict[str, str], colored: bool
) -> None:
    seen = run_on_terminal(unconfigured_cli, "signal", "causes", *options, **changes)
    assert ("\x1b[" in seen.raw) is colored
    assert "CancelBookSize" in seen.text
    assert run_on_terminal(unconfigured_cli, "whoami", *options, **changes).raw.startswith("\x1b[31m") is colored


def test_color_depends_on_each_stream_alone(unconfigured_cli: CliEnvironment) -> None:
    piped = run_on_terminal(unconfigured_cli, "signal", "causes", stream="stderr")
    assert piped.piped_output.startswith("cause\tmeaning\n")
    shown = run_on_terminal(unconfigured_cli, "whoami", stream="stdout")
    assert shown.raw == ""
    assert "\x1b" not in shown.piped_output, "messages in a pipe have no color, although the data's terminal has"


def test_help_fits_the_terminal(unconfigured_cli: CliEnvironment) -> None:
    seen = run_on_terminal(unconfigured_cli, "signal", "shipped", "--help", columns=80)
    assert all(len(line) <= 80 for line in seen.raw.split("\r\n") if "cpctl signal" not in line)


@pytest.mark.parametrize(
    "options", [[], ["-o", "json"], ["-o", "yaml"], ["-o", "csv"], ["-o", "tsv"], ["-v", "--debug"]]
)
def test_control_characters_from_the_service_are_escaped(cli: CliEnvironment, options: list[str]) -> None:
    with fixed_status_server(400, lambda body: HOSTILE_TEXT.encode()) as address:
        cli.configure(sandbox_configuration(address))
        sent = run_on_terminal(cli, *shipped_command(), *options, "--color", "never", columns=200)
        assert sent.code == 5
    listed = run_on_terminal(cli, "outbox", "list", *options, "--color", "never", columns=200)
    single = run_on_terminal(cli, "outbox", "show", "1", *options, "--color", "never", columns=200)
    for seen in (sent, listed, single):
        assert "red" in seen.text
        assert not [character for character in CONTROL_CHARACTERS if character in seen.raw], seen.raw


def test_control_characters_in_arguments_are_escaped(cli: CliEnvironment) -> None:
    reversed_id = "1\u202e2"
    for arguments in (
        ["signal", "packed", ITEM, "--order", ORDER, "-f", f"note={HOSTILE_TEXT}"],
        ["signal", "packed", ITEM, "--order", HOSTILE_TEXT],
        ["signal", "packed", f"{ITEM}\x1b[2J", "--order", ORDER],
        ["signal", HOSTILE_TEXT],
        ["outbox", "list", "--state", HOSTILE_TEXT],
        ["outbox", "show", HOSTILE_TEXT],
        ["signal", "types", "--query", f"'{HOSTILE_TEXT}'", "-o", "value"],
        ["signal", "types", "-o", HOSTILE_TEXT],
        ["whoami", "--profile", HOSTILE_TEXT],
        ["signal", "shipped", reversed_id, "--order", reversed_id, "--tracking", reversed_id, "--queue-only"],
        ["outbox", "list"],
        ["outbox", "list", "-o", "yaml"],
        ["outbox", "export"],
        ["outbox", "flush", "-n"],
    ):
        seen = run_on_terminal(cli, *arguments, columns=200, NO_COLOR="1")
        assert not [character for character in CONTROL_CHARACTERS if character in seen.raw], (arguments, seen.raw)


@pytest.mark.filterwarnings("ignore:.*forkpty.*:DeprecationWarning")
def test_a_prompt_names_the_profile_and_escapes_control_characters(cli: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli, "signal", "packed", ITEM, "--order", ORDER, "--queue-only")
    with closing(sqlite3.connect(cli.store)) as store, store:  # such an id is refused today; an old store may hold it
        store.execute("UPDATE signals SET item = ?", ["1\u202e2"])
    command = cli.command_line("outbox", "drop", "1")
    env = {"TERM": "dumb", **cli.process_environment()}
    for answer, code, state in (("n", 2, "queued"), ("\x03", 130, "queued"), ("y", 0, "dropped")):
        child = pexpect.spawn(command[0], command[1:], env=env, encoding="utf-8", timeout=30, dimensions=(24, 200))
        child.expect(r"\[y/N\]")
        assert "\u202e" not in child.before
        assert "sandbox" in child.before, "the question names the profile and its environment"
        child.send(answer if answer == "\x03" else f"{answer}\r")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == code, answer
        assert invoke(cli, "signal", "history", "-o", "value", "--query", "[].state").out.strip() == state


@pytest.mark.parametrize("how", [["--no-input"], []])
def test_without_a_terminal_there_are_no_prompts(cli: CliEnvironment, invoke: Invoke, how: list[str]) -> None:
    invoke(cli, "signal", "packed", ITEM, "--order", ORDER, "--queue-only")
    result = cli.run("outbox", "drop", "1", *how, input="y\n")
    assert (result.code, result.out) == (2, "")
    assert "Cannot prompt: input is not a terminal." in result.err
    assert "--yes" in result.err
    seen = run_on_terminal(cli, "outbox", "drop", "1", CPCTL_NO_INPUT="1")
    assert seen.code == 2


def test_an_outage_leaves_the_signal_in_the_outbox_with_the_reason(cli: CliEnvironment) -> None:
    seen = run_on_terminal(cli, *shipped_command(), "--timeout", "2", columns=200, CPCTL_BASE_URL=UNREACHABLE_URL)
    assert seen.code == 0
    assert "queued" in seen.text
    assert "1 signal safe in the outbox" in seen.text
    assert "Connection refused" in seen.text
