"""Streams that are closed, full or left by their reader: the work counts, and its status is kept."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cli_terminal import in_shell, reader_gone
from worlds import ITEM, ORDER, World, shipped

Received = Callable[[], list[dict[str, Any]]]
SIGNAL = ("signal", "packed", ITEM, "--order", ORDER)
LIST = ("signal", "types")
WORDS = "Größe – 再印刷"
DELAY = ("signal", "delay", ITEM, "--order", ORDER, "--cause", WORDS)


def states(world: World) -> list[str]:
    return [row["state"] for row in world.json("signal", "history")]


@pytest.mark.parametrize(
    ("line", "status", "said"),
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
def test_a_signal_keeps_the_status_of_its_work_whatever_becomes_of_its_output(
    world: World, received: Received, line: str, status: int, said: str
) -> None:
    code, _, err = in_shell(world, line, SIGNAL)
    assert code == status
    assert said in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert [body["item"] for body in received()] == ([ITEM] if status == 0 else [])
    if status == 0:
        assert states(world) == ["delivered"]


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ('"$@"', 0, ""),
        ('"$@" >&-', 1, "The result could not be written: standard output is closed."),
        ('"$@" >/dev/full', 1, "The result could not be written: No space left on device."),
        ('"$@" >/dev/full 2>/dev/full', 1, ""),
        ('"$@" <&-', 0, ""),
        ('"$@" 2>&-', 0, ""),
    ],
)
def test_a_list_says_what_became_of_it(empty_world: World, line: str, status: int, said: str) -> None:
    code, _, err = in_shell(empty_world, line, LIST)
    assert "Traceback" not in err
    assert said in err
    assert code == status


@pytest.mark.parametrize("words", [("--help",), ("signal",), ("signal", "packed", "-h"), ("--version",), ("help",)])
def test_help_that_cannot_be_written_is_no_bug(empty_world: World, words: tuple[str, ...]) -> None:
    code, _, err = in_shell(empty_world, '"$@" >/dev/full', words)
    assert (code, err) == (1, "cpctl: The result could not be written: No space left on device.\n")


@pytest.mark.parametrize("words", [LIST, ("--help",), ("signal", "-h"), ("--version",), (*LIST, "-o", "json")])
def test_a_reader_that_goes_away_is_no_failure_worth_a_word(empty_world: World, words: tuple[str, ...]) -> None:
    assert reader_gone(empty_world, *words) == (141, "")


def test_a_signal_whose_reader_went_away_is_delivered(world: World) -> None:
    assert reader_gone(world, *SIGNAL) == (0, "")
    assert states(world) == ["delivered"]
    assert reader_gone(world, "signal", "packed", ITEM, "--order", "unknown")[0] == 5


def test_where_the_result_goes_nowhere_the_next_run_says_what_happened(world: World) -> None:
    assert in_shell(world, '"$@" >&- 2>&-', SIGNAL)[0] == 0
    again = world.json(*SIGNAL)
    assert [row["state"] for row in again] == ["duplicate"]


def test_data_goes_to_stdout_and_talk_to_stderr(world: World) -> None:
    result = world.run(*shipped(), "-o", "json", CPCTL_BASE_URL="http://127.0.0.1:9")
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
def test_words_of_every_script_survive_every_locale(
    world: World, received: Received, changes: dict[str, str | None]
) -> None:
    result = world.run(*DELAY, "-o", "json", **changes)
    assert result.code == 0, result
    assert result.data[0]["fields"]["cause"] == WORDS
    assert [body["cause"] for body in received()] == [WORDS]
    assert WORDS in world.run("outbox", "list", "--state", "delivered", "-o", "tsv", **changes).out


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_bytes_that_are_no_text_are_bad_input_and_no_crash(world: World, received: Received, locale: str) -> None:
    code, out, err = in_shell(world, "exec \"$@\" $'M\\xfcnchen' --order 1", ("signal", "packed"), LC_ALL=locale)
    assert (code, out) == (2, "")
    assert "item" in err
    assert "not UTF-8" in err
    assert not world.store.exists()
    assert received() == []


def test_cron_with_nothing_in_its_environment(world: World) -> None:
    """`env -i`: no HOME, no PATH, no LANG. All that cpctl needs is named on its command line."""
    line = f'cd / && exec env -i PYTHONPATH="$PYTHONPATH" "$@" --config {world.config}'
    store = f"    store: {world.store}\n"
    world.configure(world.config.read_text(encoding="utf-8") + store)
    code, out, err = in_shell(world, line, (*DELAY, "-o", "json"))
    assert (code, err) == (0, "")
    assert json.loads(out)[0]["state"] == "delivered"
    code, out, err = in_shell(world, line, ("outbox", "flush"))
    assert (code, out, err) == (0, "", ""), "a flush with nothing to do sends no mail"


def test_without_a_home_folder_one_is_asked_for_or_found(empty_world: World) -> None:
    """Where HOME is missing, the user's folder of the system's list of users is taken; nothing crashes."""
    result = empty_world.run("whoami", HOME=None, CPCTL_DATA_DIR=None)
    assert result.code == 3
    assert "No profile" in result.err or "There is no home folder" in result.err
    assert "bug" not in result.err
    for variable in ("CPCTL_CONFIG", "CPCTL_DATA_DIR"):
        result = empty_world.run("profile", "path", **{variable: "~nobody-of-that-name/x"})
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
def test_a_pipe_gets_colour_only_where_it_is_asked_for(
    empty_world: World, options: list[str], changes: dict[str, str], colored: bool
) -> None:
    result = empty_world.run("signal", "causes", "-o", "table", *options, **changes)
    assert ("\x1b[" in result.out) is colored
