"""Streams with other encodings: files and pipes get UTF-8, terminals what they can show, and nothing crashes."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from cpctl.cli.root import COMMANDS, GROUPS
from harness.cli_environment import ITEM, ORDER, TIMEOUT_SECONDS, CliEnvironment
from harness.terminal import run_on_terminal

ReceivedSignals = Callable[[], list[dict[str, Any]]]
NON_ASCII_CAUSE = "Größe – 再印刷 …"
DELAY_COMMAND = ("signal", "delay", ITEM, "--order", ORDER, "--cause", NON_ASCII_CAUSE)
READ_COMMANDS = (
    ("signal", "history"),
    ("signal", "history", "-o", "table"),
    ("signal", "history", "-o", "yaml"),
    ("orders", "list", "-o", "table"),
    ("signal", "nonsense…"),
    ("whoami", "-o", "table"),
)
ENCODING_ENVIRONMENTS: tuple[dict[str, str | None], ...] = (
    {},
    {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"},
    {"LC_ALL": "C", "LANG": None},
)


@pytest.mark.parametrize("arguments", READ_COMMANDS, ids=" ".join)
def test_pipes_get_utf8_with_any_system_encoding(cli: CliEnvironment, arguments: tuple[str, ...]) -> None:
    assert cli.run(*DELAY_COMMAND).code == 0
    runs = [
        subprocess.Popen(
            cli.command_line(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=cli.process_environment(**changes),
            cwd=cli.folder,
        )
        for changes in ENCODING_ENVIRONMENTS
    ]
    ours, *others = [(*run.communicate(timeout=TIMEOUT_SECONDS), run.returncode) for run in runs]
    assert others == [ours] * len(others)
    assert b"Traceback" not in ours[1]
    assert (NON_ASCII_CAUSE in ours[0].decode("utf-8")) == (arguments[:2] == ("signal", "history"))


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("cp1252", "Größe – ??? …"), ("latin-1", "Größe - ??? ."), ("ascii", "Gr??e - ??? .")],
)
def test_characters_that_a_terminal_cannot_show_are_replaced(cli: CliEnvironment, encoding: str, shown: str) -> None:
    assert cli.run(*DELAY_COMMAND).code == 0
    for arguments in (("signal", "history"), ("outbox", "show", "1"), ("signal", "nonsense…"), ("signal", "report")):
        seen = run_on_terminal(
            cli, *arguments, encoding=encoding, columns=140, PYTHONIOENCODING=encoding, PYTHONUTF8="0"
        )
        assert "Traceback" not in seen.raw
        assert shown in seen.raw or arguments[1] not in ("history", "show"), arguments


def test_a_terminal_with_utf8_shows_every_script(cli: CliEnvironment) -> None:
    assert cli.run(*DELAY_COMMAND).code == 0
    shown = run_on_terminal(cli, "signal", "history", columns=140, PYTHONIOENCODING="utf-8").raw
    assert NON_ASCII_CAUSE in shown


@pytest.mark.parametrize("name", ["", *GROUPS, *COMMANDS])
def test_every_help_can_be_shown_with_an_old_code_page(unconfigured_cli: CliEnvironment, name: str) -> None:
    result = unconfigured_cli.run(*filter(None, [name]), "--help", PYTHONIOENCODING="cp1252:strict", PYTHONUTF8="0")
    assert (result.code, result.err) == (0, "")
    assert "--help" in result.out


def test_lines_end_with_lf_on_every_system(cli: CliEnvironment) -> None:
    """Windows would write CR LF into pipes; a script in a shell there would find the CR in its last column."""
    script = (
        "import io, sys, json\nfrom cpctl.output.streams import prepare_streams\n"
        "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, 'cp1252', newline='\\r\\n')\n"
        "prepare_streams()\nprint('ü')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=cli.process_environment())
    assert done.stdout == "ü\n".encode(), done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("signal", "packed", ITEM, "--order", ORDER), 0), (("signal", "types"), 1), (("signal", "packed"), 2)],
)
def test_commands_work_without_any_streams(
    cli: CliEnvironment, received_signals: ReceivedSignals, arguments: tuple[str, ...], code: int
) -> None:
    """As under pythonw, which has none."""
    script = (
        "import sys\nsys.stdin = sys.stdout = sys.stderr = None\n"
        "from cpctl.cli.main import main\nimport os\nos._exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, env=cli.process_environment()
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")
    assert len(received_signals()) == (1 if arguments[-1] == ORDER else 0)
