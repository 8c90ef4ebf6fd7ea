"""The screen as text: every size, every verdict, and the picture in the documents."""

from pathlib import Path

import pytest

from cpctl.packing.models import Severity, Verdict
from cpctl.packing.screen import ScreenStyle, render_frame, render_lines
from tools.docs.bench_svg import EXAMPLE_VIEW


def test_the_picture_in_the_documents_is_the_screen() -> None:
    text = (Path(__file__).parents[2] / "docs" / "bench.md").read_text(encoding="utf-8")
    picture = text.split("```text\n")[1].split("\n```")[0]
    assert picture.split("\n") == [line.rstrip() for line in render_lines(EXAMPLE_VIEW, ScreenStyle(has_color=False))]


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
@pytest.mark.parametrize("lines", [3, 10, 19, 24, 60])
@pytest.mark.parametrize("level", Severity)
def test_a_screen_of_any_size_is_never_overrun(columns: int, lines: int, level: Severity) -> None:
    view = EXAMPLE_VIEW._replace(verdict=Verdict(level, "long words " * 30, "more " * 40), parcel=["123456780001"] * 9)
    shown = render_lines(view, ScreenStyle(columns, lines, False))
    assert len(shown) <= lines
    assert all(len(line) <= columns for line in shown)


def test_the_counts_are_seen_before_the_names() -> None:
    top = render_lines(EXAMPLE_VIEW._replace(station="a-station-with-a-very-long-name-indeed" * 3), ScreenStyle())[0]
    assert "ONLINE  waiting 1  today 212  14:01" in top and len(top) <= 80


def test_colour_is_used_only_where_it_may_be() -> None:
    assert "\x1b[30;42m" in render_frame(EXAMPLE_VIEW, ScreenStyle(has_color=True))
    assert "\x1b[3" not in render_frame(EXAMPLE_VIEW, ScreenStyle(has_color=False)) and "\x1b[1" not in render_frame(
        EXAMPLE_VIEW, ScreenStyle(has_color=False)
    )


def test_help_takes_the_place_of_the_last_scans() -> None:
    shown = "\n".join(render_lines(EXAMPLE_VIEW._replace(help_lines=["UNDO   take the last scan back"]), ScreenStyle()))
    assert "take the last scan back" in shown and "3 items" not in shown
