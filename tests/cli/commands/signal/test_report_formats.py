"""The shift report in every format, and its charts."""

import csv
import io
from collections.abc import Callable

import pyte
import pytest

from cpctl.output.reports import Bar, Chart, ChartReport, draw_bar, format_report, limit_bars
from cpctl.output.text import TerminalInfo, can_show_blocks, display_width, truncate
from harness.cli_environment import CliEnvironment, CliResult
from harness.outbox.store_rows import HOUR_MS, audit_event_row, fill_store, signal_row, to_ms
from harness.terminal import run_on_terminal

Invoke = Callable[..., CliResult]
REPORT_COMMAND = ("signal", "report", "--date", "2026-01-20")
HOSTILE_NAME = "\x1b[31mred\x1b]0;title\x07\u202e<script>alert(1)</script>\" onload='x' &amp;"
LONG_NAME = "Anastasia-Alexandra von der Weiden zu Hohenstein"
UTF8_TERMINAL = {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}


@pytest.fixture
def cli_with_shift(cli: CliEnvironment) -> CliEnvironment:
    """A store with a shift: 12 shipped, of which 3 by a long name, 2 by a wide one, 1 by a hostile one."""
    at = to_ms("2026-01-20T06:00:00+00:00")
    names = ["Ana"] * 6 + [LONG_NAME] * 3 + ["山田太郎"] * 2 + [HOSTILE_NAME]
    rows = [
        signal_row(str(n), at + n * HOUR_MS // 2, operator=name, station=f"bench-{n % 2}", carrier="ups")
        for n, name in enumerate(names)
    ]
    rows[0]["state"] = "refused"
    rows += [signal_row(str(n), at, type="ItemRegistered", event_at=at - 2 * HOUR_MS) for n in range(10)]
    fill_store(
        cli.store, rows, [audit_event_row("conflict", at), audit_event_row("undo", at), audit_event_row("undo", at)]
    ).close()
    return cli


def test_json_is_one_object_with_all_sections(cli_with_shift: CliEnvironment) -> None:
    found = cli_with_shift.run_json(*REPORT_COMMAND)
    sections = ["totals", "types", "hours", "operators", "stations", "carriers", "waiting_now", "registered_to_shipped"]
    assert list(found) == ["profile", "date", "from", "to", "station", "operator", *sections]
    assert found["totals"]["accepted"] == 22
    assert (found["totals"]["refused"], found["totals"]["conflicts"], found["totals"]["undone"]) == (1, 1, 2)
    assert found["types"] == [{"type": "ItemShipped", "count": 12}, {"type": "ItemRegistered", "count": 10}]
    assert {"operator": HOSTILE_NAME, "count": 1} in found["operators"]
    assert found["registered_to_shipped"]["items"] == 10
    assert found["registered_to_shipped"]["without_registration"] == 2
    assert found["registered_to_shipped"]["slowest_item"] == "9"


@pytest.mark.parametrize(("name", "delimiter"), [("tsv", "\t"), ("csv", ",")])
def test_tsv_and_csv_are_rows_of_section_key_and_count(
    cli_with_shift: CliEnvironment, invoke: Invoke, name: str, delimiter: str
) -> None:
    text = invoke(cli_with_shift, *REPORT_COMMAND, "-o", name).out
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    assert rows[0] == ["section", "key", "count"]
    assert {len(row) for row in rows} == {3}
    assert ["total", "accepted", "22"] in rows
    assert ["operator", "山田太郎", "2"] in rows
    assert ["hour", "06:00", "12"] in rows
    assert ["registered_to_shipped", "items", "10"] in rows
    keys = {tuple(row[:2]) for row in rows}
    assert len(keys) == len(rows)
    assert invoke(cli_with_shift, *REPORT_COMMAND).out.splitlines()[1] == "total\taccepted\t22"


def test_an_empty_day_has_the_same_rows_as_any_other(cli_with_shift: CliEnvironment, invoke: Invoke) -> None:
    def keys(day: str) -> list[str]:
        lines = invoke(cli_with_shift, "signal", "report", "--date", day, "-o", "tsv").out.splitlines()
        return [line.rpartition("\t")[0] for line in lines if line.startswith(("total", "waiting", "registered"))]

    assert keys("2026-01-20") == keys("2026-01-21")


def test_a_query_selects_numbers(cli_with_shift: CliEnvironment, invoke: Invoke) -> None:
    assert invoke(cli_with_shift, *REPORT_COMMAND, "-o", "value", "--query", "totals.accepted").out == "22\n"
    assert invoke(cli_with_shift, *REPORT_COMMAND, "-o", "table", "--query", "types[0].count").out.split() == [
        "VALUE",
        "12",
    ]


@pytest.mark.parametrize("columns", [80, 60, 132])
def test_bars_fit_the_terminal(cli_with_shift: CliEnvironment, columns: int) -> None:
    seen = run_on_terminal(cli_with_shift, *REPORT_COMMAND, columns=columns, **UTF8_TERMINAL)
    assert seen.code == 0
    assert "█" in seen.text
    assert "Shift of 2026-01-20" in seen.screen[0]
    assert "accepted 22" in seen.text and "refused 1" in seen.text
    assert "ItemShipped     12  ████" in seen.text
    assert "12  █" in next(line for line in seen.screen if line.startswith("06:00"))
    # Nothing was folded: as many lines as were written.
    wide = run_on_terminal(cli_with_shift, *REPORT_COMMAND, columns=400, **UTF8_TERMINAL)
    folded = pyte.Screen(columns, 80)
    pyte.Stream(folded).feed(seen.raw)
    assert len([line for line in seen.raw.splitlines() if line.strip()]) == len(
        [line for line in folded.display if line.strip()]
    )
    assert len(wide.screen) <= len(seen.screen)


def test_headings_are_bold_on_a_terminal(cli_with_shift: CliEnvironment) -> None:
    seen = run_on_terminal(cli_with_shift, *REPORT_COMMAND, **UTF8_TERMINAL)
    assert "\x1b[1mShift of " in seen.raw
    assert "\\x1b[1m" not in seen.raw


def test_a_hostile_name_does_not_control_the_terminal(cli_with_shift: CliEnvironment) -> None:
    seen = run_on_terminal(cli_with_shift, *REPORT_COMMAND, color="never", **UTF8_TERMINAL)
    painted = seen.raw.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert not set(painted) & {"\x1b", "\x07", "\u202e"}
    assert "\\x1b[31mred" in seen.text


@pytest.mark.parametrize(
    "changes", [{"LC_ALL": "C"}, {"LC_ALL": "de_DE.ISO-8859-1"}, {"TERM": "dumb", "LC_ALL": "C.UTF-8"}]
)
def test_bars_are_ascii_where_blocks_cannot_be_shown(cli_with_shift: CliEnvironment, changes: dict[str, str]) -> None:
    seen = run_on_terminal(cli_with_shift, *REPORT_COMMAND, **changes)
    assert "█" not in seen.text
    assert "ItemShipped     12  ####" in seen.text


@pytest.mark.parametrize(
    ("terminal", "environment", "windows", "blocks"),
    [
        (True, {"LANG": "de_DE.UTF-8", "TERM": "xterm"}, False, True),
        (True, {"LANG": "en_US.utf8", "TERM": "screen"}, False, True),
        (True, {"LANG": "en_US.UTF-8", "LC_ALL": "C", "TERM": "xterm"}, False, False),
        (True, {"LC_CTYPE": "C", "LANG": "en_US.UTF-8", "TERM": "xterm"}, False, False),
        (True, {"TERM": "xterm"}, False, False),
        (True, {"LANG": "C.UTF-8", "TERM": "linux"}, False, False),
        (True, {"LANG": "C.UTF-8", "TERM": "vt100"}, False, False),
        (True, {"LANG": "C.UTF-8"}, False, False),
        (False, {"LANG": "C.UTF-8"}, False, True),
        (False, {}, False, False),
        (True, {}, True, True),
    ],
)
def test_blocks_need_an_encoding_and_a_terminal_that_support_them(
    terminal: bool, environment: dict[str, str], windows: bool, blocks: bool
) -> None:
    assert can_show_blocks(terminal, environment, windows) is blocks


def test_the_length_of_a_bar_is_proportional() -> None:
    assert draw_bar(0, 10, True) == draw_bar(0, 10, False) == ""
    assert draw_bar(1, 10, True) == "█" * 10
    assert draw_bar(0.5, 10, False) == "#" * 5
    assert draw_bar(0.55, 10, True) == "█████▌"
    assert draw_bar(0.0001, 10, True) == "▏"
    assert draw_bar(0.0001, 10, False) == "#"
    lengths = [len(draw_bar(share / 100, 20, True)) for share in range(101)]
    assert lengths == sorted(lengths)


def test_width_and_truncation_count_columns() -> None:
    assert (display_width("山田"), display_width("Ana"), display_width("e\u0301")) == (4, 3, 1)
    assert truncate("山田太郎", 8, "…") == "山田太郎"
    assert truncate("山田太郎", 7, "…") == "山田太…"
    assert truncate("Anastasia", 6, "...") == "Ana..."


def test_many_bars_are_reduced_to_fifteen_with_the_same_total() -> None:
    bars = [Bar(f"op-{n}", 100 - n) for n in range(40)]
    shown = limit_bars(bars)
    assert len(shown) == 15
    assert shown[-1].label == "26 others"
    assert sum(bar.value for bar in shown) == sum(bar.value for bar in bars)


@pytest.mark.parametrize("width", [None, 20, 40, 80, 200])
def test_no_line_is_wider_than_the_screen(width: int | None) -> None:
    charts = [Chart("By name", [Bar(name, 10**n) for n, name in enumerate(["", LONG_NAME, "山" * 40, "x"])])]
    drawing = ChartReport(
        "Shift " + "of " * 10, " · ".join(["about"] * 30), [("fact", str(n)) for n in range(40)], charts
    )
    text = format_report(drawing, TerminalInfo(True, False, width, True))
    assert max(map(display_width, text.splitlines())) < max(width or 80, 41)
