"""What all commands share: options in any position, help, and suggestions."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cpctl import __version__
from cpctl.cli.context import SharedOptions
from cpctl.cli.root import COMMANDS, GROUPS
from harness.cli_environment import ITEM, ORDER, CliEnvironment, CliResult, shipped_command
from harness.command_tree import ALL_COMMANDS

Invoke = Callable[..., CliResult]
ROOT = Path(__file__).parent.parent.parent

SHARED_OPTIONS = {
    "profile": ("-p", "--profile", "NAME"),
    "config": ("--config", "FILE"),
    "output": ("-o", "--output", "FORMAT"),
    "query": ("--query", "JMESPATH"),
    "dry_run": ("-n", "--dry-run"),
    "quiet": ("-q", "--quiet"),
    "verbose": ("-v", "--verbose"),
    "debug": ("--debug",),
    "timeout": ("--timeout", "SECONDS"),
    "no_input": ("--no-input",),
    "color": ("--color", "WHEN"),
}


def test_the_shared_options_are_the_documented_ones() -> None:
    assert set(SharedOptions._fields) == set(SHARED_OPTIONS)


def test_cpctl_alone_lists_its_groups_and_commands(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(unconfigured_cli)
    assert (result.code, result.err) == (0, "")
    for name in [*GROUPS, *COMMANDS]:
        assert f"  {name} " in result.out


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_alone_lists_its_commands(unconfigured_cli: CliEnvironment, invoke: Invoke, group: str) -> None:
    for arguments in ([group], [group, "-h"], [group, "--help"]):
        result = invoke(unconfigured_cli, *arguments)
        assert (result.code, result.err) == (0, "")
        for command in ALL_COMMANDS:
            assert command[0] != group or f"  {command[1]} " in result.out


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=" ".join)
def test_the_help_of_every_command_shows_usage_example_and_shared_options(
    unconfigured_cli: CliEnvironment, invoke: Invoke, command: tuple[str, ...]
) -> None:
    short, long = (invoke(unconfigured_cli, *command, option) for option in ("-h", "--help"))
    assert (short.code, short.err, short.out) == (0, "", long.out)
    assert f"Usage: cpctl {' '.join(command)}" in short.out
    assert "Example:\n  " in short.out
    for names in SHARED_OPTIONS.values():
        own = [name for name in names if name.startswith("-")]  # a command may have its own option of that name
        assert all(name in short.out for name in own), names
    assert "\x1b" not in invoke(unconfigured_cli, *command, "-h", FORCE_COLOR="1", GITHUB_ACTIONS="true").out


def test_the_version_is_one_line(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    for option in ("--version", "-V"):
        result = invoke(unconfigured_cli, option)
        assert (result.code, result.out, result.err) == (0, f"cpctl {__version__}\n", "")


def place_options(before: Sequence[str], within: Sequence[str], after: Sequence[str]) -> list[str]:
    group, *command = ("signal", "types")
    return [*before, group, *within, *command, *after]


@pytest.mark.parametrize("place", range(3), ids=["before the group", "after the group", "after the command"])
@pytest.mark.parametrize(
    ("options", "code", "shown"),
    [
        (["-o", "json"], 0, '"command": "signal packed"'),
        (["--output", "csv"], 0, "type,command"),
        (["--output=jsonl"], 0, '{"type"'),
        (["-o", "value", "--query", "[3].type"], 0, "ItemProduced"),
        (["--color", "always", "-o", "table"], 0, "\x1b[1mTYPE"),
        (["--color", "sometimes"], 2, '--color "sometimes" must be auto, always or never'),
        (["-qq", "-vv", "--debug", "--no-input", "-n", "-p", "x", "--config", "y", "--timeout", "3"], 0, "ItemPacked"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_shared_options_work_in_any_position(
    unconfigured_cli: CliEnvironment, invoke: Invoke, place: int, options: list[str], code: int, shown: str
) -> None:
    places = [options if each == place else [] for each in range(3)]
    result = invoke(unconfigured_cli, *place_options(*places))
    assert result.code == code, result
    assert shown in result.out + result.err


def test_the_option_closest_to_the_command_wins(cli: CliEnvironment, invoke: Invoke) -> None:
    assert invoke(cli, *place_options(["-o", "json"], ["-o", "csv"], ["-o", "tsv"])).out.startswith("type\tcommand")
    assert invoke(cli, *place_options(["-o", "json"], ["-o", "csv"], [])).out.startswith("type,command")
    result = invoke(cli, "--timeout", "1", "whoami", "--timeout", "2", "-o", "json")
    assert result.data["settings"]["timeout"]["value"] == "2"
    result = invoke(cli, "-p", "nobody", "profile", "-p", "nobody", "show", "-p", "sandbox")
    assert result.code == 0


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["sgnal"], 'There is no command "sgnal". Did you mean "signal"?', "`cpctl --help`"),
        (["signal", "shiped"], 'There is no command "shiped". Did you mean "shipped"?', "`cpctl signal --help`"),
        (["signal", "SHIPPED"], 'There is no command "SHIPPED". Did you mean "shipped"?', "`cpctl signal --help`"),
        (["signal", "ship"], 'Did you mean "shipped"?', "`cpctl signal --help`"),
        (["zzzz"], "Valid: signal, outbox", "`cpctl --help`"),
        ([*shipped_command(), "--trakking", "1"], "--tracking", "`cpctl signal shipped --help`"),
        (["signal", "packed", ITEM], "'--order'", "`cpctl signal packed --help`"),
        (["signal", "packed", "--order", ORDER], "'ITEM...'", "`cpctl signal packed --help`"),
        (["signal", "packed", ITEM, "--order"], "--order", "--help` shows how."),
        (["outbox", "list", "--limit", "many"], "many", "`cpctl outbox list --help`"),
        (["outbox", "list", "--limit", "-1"], "-1", "`cpctl outbox list --help`"),
        (["signal", "types", "extra"], "extra", "`cpctl signal types --help`"),
        (["whoami", "--profil", "x"], "--profile", "`cpctl whoami --help`"),
        (["signal", "types", "-o"], "-o", "--help` shows how."),
    ],
)
def test_a_mistyped_command_line_exits_with_2_and_a_suggestion(
    cli: CliEnvironment, invoke: Invoke, arguments: list[str], message: str, hint: str
) -> None:
    result = invoke(cli, *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert hint in result.err
    assert len(result.err.splitlines()) == 2
    error = invoke(cli, *arguments[:1], "-ojson", *arguments[1:]).error
    assert message in error["message"]
    assert hint in error["hint"]
    assert not cli.store.exists()


ERROR_KEYS = ["code", "message", "hint", "exit_code", "http_status", "retryable", "profile"]


@pytest.mark.parametrize("options", [["-o", "json"], ["-ojson"], ["--output=json"], ["--output", "jsonl"]])
@pytest.mark.parametrize(
    ("arguments", "code", "name", "profile"),
    [
        (["signal", "packd"], 2, "invalid_input", "sandbox"),
        (["signal", "packed", "1 2", "--order", ORDER], 2, "invalid_input", "sandbox"),
        (["whoami", "--profile", "nobody"], 3, "configuration", None),
        (["outbox", "show", "77"], 9, "not_found", "sandbox"),
    ],
)
def test_with_json_output_a_failure_is_one_json_object(
    cli: CliEnvironment,
    invoke: Invoke,
    options: list[str],
    arguments: list[str],
    code: int,
    name: str,
    profile: str | None,
) -> None:
    result = invoke(cli, *arguments, *options)
    assert (result.code, result.out) == (code, "")
    assert len(result.err.splitlines()) == 1
    error = json.loads(result.err)["error"]
    assert list(error) == ERROR_KEYS
    assert (error["code"], error["exit_code"], error["profile"]) == (name, code, profile)
    assert error["message"]
    assert (error["retryable"], error["http_status"]) == (False, None)


def test_an_id_may_begin_with_a_dash_after_two_dashes(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "-o", "json", "signal", "packed", "--order", ORDER, "--queue-only", "--", "-1")
    assert [row["item"] for row in result.data] == ["-1"]


def test_quiet_hides_notices_and_twice_hides_warnings(cli: CliEnvironment, invoke: Invoke) -> None:
    arguments = ["signal", "canceled", ITEM, "--order", ORDER, "--queue-only"]
    normal, quiet, silent = (invoke(cli, *arguments, *options).err for options in ([], ["-q"], ["-qq"]))
    assert "should name its cause" in normal
    assert quiet.splitlines() == [line for line in normal.splitlines() if line.startswith("Warning: ")]
    assert silent == ""
    assert "is not the id of a signal" in invoke(cli, "outbox", "show", "x", "-qq").err, "errors are always shown"


def test_a_bug_shows_its_traceback_only_with_debug(
    cli: CliEnvironment, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cpctl.cli.commands.signal.SIGNAL_TYPES", None)
    result = invoke(cli, "signal", "types")
    assert (result.code, result.out) == (1, "")
    assert "This is a bug in cpctl: AttributeError" in result.err
    assert "Traceback" not in result.err
    assert "Traceback" in invoke(cli, "signal", "types", "--debug").err


def test_completion_is_printed_for_each_shell(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    for shell, file in (("bash", "cpctl.bash"), ("zsh", "_cpctl"), ("fish", "cpctl.fish")):
        result = invoke(unconfigured_cli, "completion", shell)
        assert result.code == 0
        assert (ROOT / "completions" / file).read_text(encoding="utf-8") == result.out
    result = invoke(unconfigured_cli, "completion", "bsh")
    assert (result.code, result.out) == (2, "")
    assert 'Did you mean "bash"?' in result.err
