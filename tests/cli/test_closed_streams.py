"""Closed and full streams: the exit status is that of the work."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.cli_environment import ITEM, ORDER, CliEnvironment, shipped_command
from harness.terminal import run_in_shell, run_with_closed_pipe

ReceivedSignals = Callable[[], list[dict[str, Any]]]
SIGNAL_COMMAND = ("signal", "packed", ITEM, "--order", ORDER)
LIST_COMMAND = ("signal", "types")
NON_ASCII_CAUSE = "Größe – 再印刷"
DELAY_COMMAND = ("signal", "delay", ITEM, "--order", ORDER, "--cause", NON_ASCII_CAUSE)


def history_states(cli: CliEnvironment) -> list[str]:
    return [row["state"] for row in cli.run_json("signal", "history")]


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ('"$@"', 0, ""),
        ('"$@" >&-', 0, "standard output is closed"),
        ('"$@" >/dev/full', 0, "No space left on device"),
        ('"$@" <&-', 0, ""),
        ('"$@" 2>&-', 0, ""),
        ('"$@" 2>/dev/full', 0, ""),
        ('"$@" <&- >&- 2>&-', 0, ""),
        ('"$@" >/dev/full 2>&1', 0, ""),
        ('set -o pipefail; "$@" | head -c 0', 0, ""),
        ('set -o pipefail; "$@" | true', 0, ""),
        ('"$@" | cat; exit ${PIPESTATUS[0]}', 0, ""),
        ('"$@" >/dev/full -o nonsense', 2, "There is no output format"),
        ('"$@" --profile nobody >&- 2>&-', 3, ""),
    ],
)
def test_a_signal_keeps_its_exit_status_if_output_fails(
    cli: CliEnvironment, received_signals: ReceivedSignals, line: str, status: int, message: str
) -> None:
    code, _, err = run_in_shell(cli, line, SIGNAL_COMMAND)
    assert code == status
    assert message in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert [body["item"] for body in received_signals()] == ([ITEM] if status == 0 else [])
    if status == 0:
        assert history_states(cli) == ["delivered"]


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ('"$@"', 0, ""),
        ('"$@" >&-', 1, "The result could not be written: standard output is closed."),
        ('"$@" >/dev/full', 1, "The result could not be written: No space left on device."),
        ('"$@" >/dev/full 2>/dev/full', 1, ""),
        ('"$@" <&-', 0, ""),
        ('"$@" 2>&-', 0, ""),
    ],
)
def test_a_list_fails_if_its_output_fails(
    unconfigured_cli: CliEnvironment, line: str, status: int, message: str
) -> None:
    code, _, err = run_in_shell(unconfigured_cli, line, LIST_COMMAND)
    assert "Traceback" not in err
    assert message in err
    assert code == status


@pytest.mark.parametrize("words", [("--help",), ("signal",), ("signal", "packed", "-h"), ("--version",), ("help",)])
def test_help_that_cannot_be_written_is_not_reported_as_a_bug(
    unconfigured_cli: CliEnvironment, words: tuple[str, ...]
) -> None:
    code, _, err = run_in_shell(unconfigured_cli, '"$@" >/dev/full', words)
    assert (code, err) == (1, "cpctl: The result could not be written: No space left on device.\n")


@pytest.mark.parametrize(
    "arguments", [LIST_COMMAND, ("--help",), ("signal", "-h"), ("--version",), (*LIST_COMMAND, "-o", "json")]
)
def test_a_closed_pipe_ends_a_list_without_a_message(
    unconfigured_cli: CliEnvironment, arguments: tuple[str, ...]
) -> None:
    assert run_with_closed_pipe(unconfigured_cli, *arguments) == (141, "")


def test_a_signal_is_delivered_even_if_its_pipe_is_closed(cli: CliEnvironment) -> None:
    assert run_with_closed_pipe(cli, *SIGNAL_COMMAND) == (0, "")
    assert history_states(cli) == ["delivered"]
    assert run_with_closed_pipe(cli, "signal", "packed", ITEM, "--order", "unknown")[0] == 5


def test_after_a_lost_result_the_next_run_reports_a_duplicate(cli: CliEnvironment) -> None:
    assert run_in_shell(cli, '"$@" >&- 2>&-', SIGNAL_COMMAND)[0] == 0
    again = cli.run_json(*SIGNAL_COMMAND)
    assert [row["state"] for row in again] == ["duplicate"]


def test_data_goes_to_stdout_and_messages_to_stderr(cli: CliEnvironment) -> None:
    result = cli.run(*shipped_command(), "-o", "json", CPCTL_BASE_URL="http://127.0.0.1:9")
    assert [row["state"] for row in result.data] == ["queued"]
    assert "safe in the outbox" in result.err
    assert "safe in the outbox" not in result.out


@pytest.mark.parametrize(
    "changes",
    [
        {"LANG": "C", "LC_ALL": None},
        {"LANG": None, "LC_ALL": "C"},
        {"LANG": "de_DE.ISO-8859-1", "LC_ALL": "POSIX"},
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"},
    ],
    ids=str,
)
def test_text_in_any_script_survives_any_locale(
    cli: CliEnvironment, received_signals: ReceivedSignals, changes: dict[str, str | None]
) -> None:
    result = cli.run(*DELAY_COMMAND, "-o", "json", **changes)
    assert result.code == 0, result
    assert result.data[0]["fields"]["cause"] == NON_ASCII_CAUSE
    assert [body["cause"] for body in received_signals()] == [NON_ASCII_CAUSE]
    assert NON_ASCII_CAUSE in cli.run("outbox", "list", "--state", "delivered", "-o", "tsv", **changes).out


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_arguments_that_are_not_utf8_are_refused(
    cli: CliEnvironment, received_signals: ReceivedSignals, locale: str
) -> None:
    code, out, err = run_in_shell(cli, "exec \"$@\" $'M\\xfcnchen' --order 1", ("signal", "packed"), LC_ALL=locale)
    assert (code, out) == (2, "")
    assert "item" in err
    assert "not UTF-8" in err
    assert not cli.store.exists()
    assert received_signals() == []


def test_cron_works_with_an_empty_environment(cli: CliEnvironment) -> None:
    """`env -i`: no HOME, no PATH, no LANG. The command line names everything that cpctl needs."""
    line = f'cd / && exec env -i PYTHONPATH="$PYTHONPATH" "$@" --config {cli.config}'
    store = f"    store: {cli.store}\n"
    cli.configure(cli.config.read_text(encoding="utf-8") + store)
    code, out, err = run_in_shell(cli, line, (*DELAY_COMMAND, "-o", "json"))
    assert (code, err) == (0, "")
    assert json.loads(out)[0]["state"] == "delivered"
    code, out, err = run_in_shell(cli, line, ("outbox", "flush"))
    assert (code, out, err) == (0, "", ""), "a flush with nothing to do sends no mail"


def test_a_missing_home_folder_is_not_a_bug(unconfigured_cli: CliEnvironment) -> None:
    """Without HOME, the folder in the system's list of users is used; nothing crashes."""
    result = unconfigured_cli.run("whoami", HOME=None, CPCTL_DATA_DIR=None)
    assert result.code == 3
    assert "No profile" in result.err or "There is no home folder" in result.err
    assert "bug" not in result.err
    for variable in ("CPCTL_CONFIG", "CPCTL_DATA_DIR"):
        result = unconfigured_cli.run("profile", "path", **{variable: "~nobody-of-that-name/x"})
        assert result.code == 3, (variable, result)
        assert "bug" not in result.err


@pytest.mark.parametrize(
    ("options", "changes", "colored"),
    [
        ([], {}, False),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "0"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1", "TERM": "dumb"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_a_pipe_gets_color_only_on_request(
    unconfigured_cli: CliEnvironment, options: list[str], changes: dict[str, str], colored: bool
) -> None:
    result = unconfigured_cli.run("signal", "causes", "-o", "table", *options, **changes)
    assert ("\x1b[" in result.out) is colored
