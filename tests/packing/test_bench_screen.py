"""The screen as text: sizes, verdicts, wide characters, and the example in the documents."""

from pathlib import Path

import pytest

from cpctl.output.text import display_width
from cpctl.packing.models import Severity, Verdict
from cpctl.packing.screen import ScreenStyle, render_frame, render_lines
from tools.docs.bench_svg import EXAMPLE_VIEW


def test_the_documents_show_the_screen_as_it_is() -> None:
    text = (Path(__file__).parents[2] / "docs" / "bench.md").read_text(encoding="utf-8")
    picture = text.split("```text\n")[1].split("\n```")[0]
    assert picture.split("\n") == [line.rstrip() for line in render_lines(EXAMPLE_VIEW, ScreenStyle(has_color=False))]


@pytest.mark.parametrize("columns", [20, 80, 200])
@pytest.mark.parametrize("lines", [3, 19, 24, 60])
@pytest.mark.parametrize("message", ["a long message " * 30, "再印刷" * 60])
def test_the_screen_fits_every_terminal_size(columns: int, lines: int, message: str) -> None:
    rows = [row._replace(text=message, signal_status=message[:30]) for row in EXAMPLE_VIEW.rows]
    view = EXAMPLE_VIEW._replace(operator=message, parcel=["123456780001"] * 9, rows=rows)
    for severity in Severity:
        shown = render_lines(
            view._replace(verdict=Verdict(severity, message, message)), ScreenStyle(columns, lines, False)
        )
        assert len(shown) <= lines
        assert all(display_width(line) <= columns for line in shown)


def test_counts_have_priority_over_names_in_the_status_line() -> None:
    top = render_lines(EXAMPLE_VIEW._replace(station="a-station-with-a-very-long-name-indeed" * 3), ScreenStyle())[0]
    assert "ONLINE  waiting 1  today 212  14:01" in top and len(top) <= 80


def test_color_is_used_only_if_the_terminal_has_color() -> None:
    assert "\x1b[30;42m" in render_frame(EXAMPLE_VIEW, ScreenStyle(has_color=True))
    assert "\x1b[3" not in render_frame(EXAMPLE_VIEW, ScreenStyle(has_color=False)) and "\x1b[1" not in render_frame(
        EXAMPLE_VIEW, ScreenStyle(has_color=False)
    )


def test_help_replaces_the_last_scans() -> None:
    shown = "\n".join(render_lines(EXAMPLE_VIEW._replace(help_lines=["UNDO   undo the last scan"]), ScreenStyle()))
    assert "undo the last scan" in shown and "3 items" not in shown
