"""The page of a shift: whole, sealed, and looked at in a browser."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from browser import colors, pages_of
from report_rows import HOUR, filled, ms, signal_row
from worlds import Result, World

from cpctl.output.bar_chart import Bar, Chart, ChartReport
from cpctl.output.html_page import render_page

Inside = Callable[..., Result]
DAY = ("signal", "report", "--date", "2026-01-20")
HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=1">',
    "</style><style>@import url(http://example.com/x.css)",
    "' onload='x' &lt;b&gt;",
    "]]><!-- \x00\x1b[2J\u202e",
)
VOID = {"meta", "rect", "line"}


class Reader(HTMLParser):
    """Reads a page strictly: what is opened is closed, in order; keeps tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@pytest.fixture
def busy(world: World) -> World:
    """A world with a shift of hostile names."""
    at = ms("2026-01-20T06:00:00+00:00")
    rows = [
        signal_row(f"{n}", at + n * HOUR // 20, operator=HOSTILE[n % 5], station=HOSTILE[n % 3], carrier=HOSTILE[n % 2])
        for n in range(117)
    ]
    filled(world.store, rows).close()
    return world


def written(world: World, inside: Inside, *options: str) -> str:
    result = inside(world, *DAY, "--html", "shift.html", *options)
    assert result.code == 0, result.err
    assert "Written: shift.html" in result.err
    return (world.folder / "shift.html").read_text(encoding="utf-8")


def test_the_page_is_well_formed_and_shows_the_numbers(busy: World, inside: Inside) -> None:
    read = Reader(written(busy, inside))
    assert {"117", "Shift of 2026-01-20", "Signals by hour", "06:00", "20"} <= set(read.said)
    assert read.tags.count("svg") >= 2
    assert ("lang", "en") in read.attributes


def test_the_page_needs_and_runs_nothing(busy: World, inside: Inside) -> None:
    text = written(busy, inside)
    read = Reader(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "a", "form", "image", "use"} & {
        *read.tags
    }
    names = {name for name, _ in read.attributes}
    assert not names & {"src", "href", "xlink:href", "srcset", "style", "action", "data"}
    assert not [name for name in names if name.startswith("on")]
    style = re.search("<style>(.*?)</style>", text, re.S)
    assert style and not re.search(r"url\(|@import|@font-face|http", style[1])
    assert "prefers-color-scheme: dark" in style[1] and "@media print" in style[1]
    policy = next(value for name, value in read.attributes if value.startswith("default-src"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "apikey" not in text and "://" not in re.sub("http://example.com/x.css", "", text)


def test_names_stay_text(busy: World, inside: Inside) -> None:
    read = Reader(written(busy, inside))
    assert read.tags.count("style") == 1
    for name in HOSTILE[:4]:
        assert name in read.said
    assert not [text for text in read.said if set(text) & {"\x00", "\x1b", "\u202e"}]


def test_a_page_can_go_to_standard_output_and_then_it_is_all_that_does(busy: World, inside: Inside) -> None:
    shown = inside(busy, *DAY, "--html", "-").out
    assert shown.startswith("<!DOCTYPE html>") and shown.endswith("</html>\n")
    assert shown == written(busy, inside)


def test_beside_a_page_the_numbers_are_shown_as_ever(busy: World, inside: Inside) -> None:
    assert inside(busy, *DAY, "--html", "shift.html", "-o", "json").data["totals"]["accepted"] == 117


def test_a_dry_run_writes_no_page(busy: World, inside: Inside) -> None:
    assert "was not written" in inside(busy, *DAY, "--html", "shift.html", "--dry-run").err
    assert not (busy.folder / "shift.html").exists()


def test_a_page_that_cannot_be_written_is_said(busy: World, inside: Inside) -> None:
    result = inside(busy, *DAY, "--html", "no/such/folder.html")
    assert result.code == 2
    assert "folder.html cannot be written" in result.err


@pytest.mark.parametrize("charts", [[], [Chart("Empty", [], True)], [Chart("Zero", [Bar("a", 0)], True)]])
def test_a_page_without_numbers_is_still_a_page(charts: list[Chart]) -> None:
    Reader(render_page(ChartReport("Nothing", "", [], charts)))


# --- in a browser -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "paper", "bar"),
    [("1", "ffffff", "0b6bcb"), ("0", "14181d", "58a6ff")],
    ids=["light", "dark"],
)
def test_a_browser_shows_bars_on_paper_in_light_and_in_dark(
    busy: World, inside: Inside, chromium: Callable[..., str], scheme: str, paper: str, bar: str
) -> None:
    written(busy, inside)
    picture = busy.folder / "look.png"
    chromium(
        f"--blink-settings=preferredColorScheme={scheme}",
        "--window-size=800,700",
        f"--screenshot={picture}",
        (busy.folder / "shift.html").as_uri(),
    )
    seen = colors(picture)
    assert seen[bytes.fromhex(paper)] > 800 * 700 * 0.5, "the paper"
    assert seen[bytes.fromhex(bar)] > 800 * 700 * 0.01, "the bars"
    assert len(seen) > 10, "and text, with its soft edges"


def test_a_browser_reads_the_numbers_and_runs_nothing(
    busy: World, inside: Inside, chromium: Callable[..., str]
) -> None:
    written(busy, inside)
    dump = chromium("--dump-dom", (busy.folder / "shift.html").as_uri())
    assert "<title>Shift of 2026-01-20</title>" in dump, "no name has run as a script"
    assert "<dd>117</dd>" in dump
    assert re.search(r'<rect class="bar"[^>]*height="120"', dump)
    assert dump.count("<style>") == 1 and "<script" not in dump and "<img" not in dump


def test_on_paper_a_shift_is_one_page(busy: World, inside: Inside, chromium: Callable[..., str]) -> None:
    written(busy, inside)
    printed = busy.folder / "shift.pdf"
    chromium("--no-pdf-header-footer", f"--print-to-pdf={printed}", (busy.folder / "shift.html").as_uri())
    assert pages_of(printed) == 1
