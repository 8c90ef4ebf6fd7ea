"""Streams in other encodings than ours: files and pipes get UTF-8, a terminal what it can show, nobody a crash."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from cli_terminal import on_terminal
from worlds import ITEM, ORDER, SECONDS, World

from cpctl.cli.root import COMMANDS, GROUPS

Received = Callable[[], list[dict[str, Any]]]
WORDS = "Größe – 再印刷 …"
DELAY = ("signal", "delay", ITEM, "--order", ORDER, "--cause", WORDS)
TELLING = (
    ("signal", "history"),
    ("signal", "history", "-o", "table"),
    ("signal", "history", "-o", "yaml"),
    ("orders", "list", "-o", "table"),
    ("signal", "nonsense…"),
    ("whoami", "-o", "table"),
)
ENCODINGS: tuple[dict[str, str | None], ...] = (
    {},
    {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"},
    {"LC_ALL": "C", "LANG": None},
)


@pytest.mark.parametrize("words", TELLING, ids=" ".join)
def test_pipes_get_the_same_bytes_whatever_the_encoding_of_the_system(world: World, words: tuple[str, ...]) -> None:
    assert world.run(*DELAY).code == 0
    runs = [
        subprocess.Popen(
            world.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=world.env(**changes),
            cwd=world.folder,
        )
        for changes in ENCODINGS
    ]
    ours, *others = [(*run.communicate(timeout=SECONDS), run.returncode) for run in runs]
    assert others == [ours] * len(others)
    assert b"Traceback" not in ours[1]
    assert (WORDS in ours[0].decode("utf-8")) == (words[:2] == ("signal", "history"))


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("cp1252", "Größe – ??? …"), ("latin-1", "Größe - ??? ."), ("ascii", "Gr??e - ??? .")],
)
def test_a_terminal_gets_what_it_can_show_and_stand_ins_for_the_rest(world: World, encoding: str, shown: str) -> None:
    assert world.run(*DELAY).code == 0
    for words in (("signal", "history"), ("outbox", "show", "1"), ("signal", "nonsense…"), ("signal", "report")):
        seen = on_terminal(world, *words, encoding=encoding, columns=140, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert "Traceback" not in seen.raw
        assert shown in seen.raw or words[1] not in ("history", "show"), words


def test_a_terminal_with_utf8_shows_every_script(world: World) -> None:
    assert world.run(*DELAY).code == 0
    shown = on_terminal(world, "signal", "history", columns=140, PYTHONIOENCODING="utf-8").raw
    assert WORDS in shown


@pytest.mark.parametrize("name", ["", *GROUPS, *COMMANDS])
def test_every_help_fits_a_console_with_an_old_code_page(empty_world: World, name: str) -> None:
    result = empty_world.run(*filter(None, [name]), "--help", PYTHONIOENCODING="cp1252:strict", PYTHONUTF8="0")
    assert (result.code, result.err) == (0, "")
    assert "--help" in result.out


def test_lines_end_with_lf_everywhere(world: World) -> None:
    """Windows would write CR LF into pipes; a script in a shell there would find the CR in its last column."""
    script = (
        "import io, sys, json\nfrom cpctl.output.streams import prepare_streams\n"
        "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, 'cp1252', newline='\\r\\n')\n"
        "prepare_streams()\nprint('ü')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=world.env())
    assert done.stdout == "ü\n".encode(), done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [(("signal", "packed", ITEM, "--order", ORDER), 0), (("signal", "types"), 1), (("signal", "packed"), 2)],
)
def test_without_any_streams_the_work_is_done_and_the_status_is_right(
    world: World, received: Received, words: tuple[str, ...], code: int
) -> None:
    """As under pythonw, which has none."""
    script = (
        "import sys\nsys.stdin = sys.stdout = sys.stderr = None\n"
        "from cpctl.cli.main import main\nimport os\nos._exit(main(sys.argv[1:]))"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, env=world.env())
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")
    assert len(received()) == (1 if words[-1] == ORDER else 0)
