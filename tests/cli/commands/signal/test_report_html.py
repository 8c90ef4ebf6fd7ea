"""The page of a shift: complete, self-contained, and checked in a browser."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from cpctl.output.reports import Bar, Chart, ChartReport, render_page
from harness.browser import count_colors, count_pages
from harness.cli_environment import CliEnvironment, CliResult
from harness.outbox.store_rows import HOUR_MS, fill_store, signal_row, to_ms

Invoke = Callable[..., CliResult]
REPORT_COMMAND = ("signal", "report", "--date", "2026-01-20")
HOSTILE_NAMES = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=1">',
    "</style><style>@import url(http://example.com/x.css)",
    "' onload='x' &lt;b&gt;",
    "]]><!-- \x00\x1b[2J\u202e",
)
VOID_ELEMENTS = {"meta", "rect", "line"}


class StrictHtmlReader(HTMLParser):
    """Fails if elements are not closed in order; keeps tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID_ELEMENTS
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def cli_with_shift(cli: CliEnvironment) -> CliEnvironment:
    """A store with a shift of hostile names."""
    at = to_ms("2026-01-20T06:00:00+00:00")
    rows = [
        signal_row(
            f"{n}",
            at + n * HOUR_MS // 20,
            operator=HOSTILE_NAMES[n % 5],
            station=HOSTILE_NAMES[n % 3],
            carrier=HOSTILE_NAMES[n % 2],
        )
        for n in range(117)
    ]
    fill_store(cli.store, rows).close()
    return cli


def write_report(cli: CliEnvironment, invoke: Invoke, *options: str) -> str:
    result = invoke(cli, *REPORT_COMMAND, "--html", "shift.html", *options)
    assert result.code == 0, result.err
    assert "Written: shift.html" in result.err
    return (cli.folder / "shift.html").read_text(encoding="utf-8")


def test_the_page_is_well_formed_and_shows_the_numbers(cli_with_shift: CliEnvironment, invoke: Invoke) -> None:
    reader = StrictHtmlReader(write_report(cli_with_shift, invoke))
    assert {"117", "Shift of 2026-01-20", "Signals by hour", "06:00", "20"} <= set(reader.texts)
    assert reader.tags.count("svg") >= 2
    assert ("lang", "en") in reader.attributes


def test_the_page_loads_and_runs_nothing(cli_with_shift: CliEnvironment, invoke: Invoke) -> None:
    text = write_report(cli_with_shift, invoke)
    reader = StrictHtmlReader(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "a", "form", "image", "use"} & {
        *reader.tags
    }
    names = {name for name, _ in reader.attributes}
    assert not names & {"src", "href", "xlink:href", "srcset", "style", "action", "data"}
    assert not [name for name in names if name.startswith("on")]
    style = re.search("<style>(.*?)</style>", text, re.S)
    assert style and not re.search(r"url\(|@import|@font-face|http", style[1])
    assert "prefers-color-scheme: dark" in style[1] and "@media print" in style[1]
    policy = next(value for name, value in reader.attributes if value.startswith("default-src"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "apikey" not in text and "://" not in re.sub("http://example.com/x.css", "", text)


def test_hostile_names_stay_text(cli_with_shift: CliEnvironment, invoke: Invoke) -> None:
    reader = StrictHtmlReader(write_report(cli_with_shift, invoke))
    assert reader.tags.count("style") == 1
    for name in HOSTILE_NAMES[:4]:
        assert name in reader.texts
    assert not [text for text in reader.texts if set(text) & {"\x00", "\x1b", "\u202e"}]


def test_a_page_on_standard_output_is_the_only_output(cli_with_shift: CliEnvironment, invoke: Invoke) -> None:
    shown = invoke(cli_with_shift, *REPORT_COMMAND, "--html", "-").out
    assert shown.startswith("<!DOCTYPE html>") and shown.endswith("</html>\n")
    assert shown == write_report(cli_with_shift, invoke)


def test_writing_a_page_still_shows_the_numbers(cli_with_shift: CliEnvironment, invoke: Invoke) -> None:
    assert (
        invoke(cli_with_shift, *REPORT_COMMAND, "--html", "shift.html", "-o", "json").data["totals"]["accepted"] == 117
    )


def test_a_dry_run_writes_no_page(cli_with_shift: CliEnvironment, invoke: Invoke) -> None:
    assert "was not written" in invoke(cli_with_shift, *REPORT_COMMAND, "--html", "shift.html", "--dry-run").err
    assert not (cli_with_shift.folder / "shift.html").exists()


def test_a_page_that_cannot_be_written_is_an_error(cli_with_shift: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli_with_shift, *REPORT_COMMAND, "--html", "no/such/folder.html")
    assert result.code == 2
    assert "folder.html cannot be written" in result.err


@pytest.mark.parametrize("charts", [[], [Chart("Empty", [], True)], [Chart("Zero", [Bar("a", 0)], True)]])
def test_a_page_without_numbers_is_valid(charts: list[Chart]) -> None:
    StrictHtmlReader(render_page(ChartReport("Nothing", "", [], charts)))


# --- in a browser -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "paper", "bar"),
    [("1", "ffffff", "0b6bcb"), ("0", "14181d", "58a6ff")],
    ids=["light", "dark"],
)
def test_a_browser_shows_bars_in_light_and_dark_mode(
    cli_with_shift: CliEnvironment, invoke: Invoke, chromium: Callable[..., str], scheme: str, paper: str, bar: str
) -> None:
    write_report(cli_with_shift, invoke)
    picture = cli_with_shift.folder / "look.png"
    chromium(
        f"--blink-settings=preferredColorScheme={scheme}",
        "--window-size=800,700",
        f"--screenshot={picture}",
        (cli_with_shift.folder / "shift.html").as_uri(),
    )
    seen = count_colors(picture)
    assert seen[bytes.fromhex(paper)] > 800 * 700 * 0.5, "the paper"
    assert seen[bytes.fromhex(bar)] > 800 * 700 * 0.01, "the bars"
    assert len(seen) > 10, "and text, with its antialiased edges"


def test_a_browser_reads_the_numbers_and_runs_nothing(
    cli_with_shift: CliEnvironment, invoke: Invoke, chromium: Callable[..., str]
) -> None:
    write_report(cli_with_shift, invoke)
    dump = chromium("--dump-dom", (cli_with_shift.folder / "shift.html").as_uri())
    assert "<title>Shift of 2026-01-20</title>" in dump, "no name has run as a script"
    assert "<dd>117</dd>" in dump
    assert re.search(r'<rect class="bar"[^>]*height="120"', dump)
    assert dump.count("<style>") == 1 and "<script" not in dump and "<img" not in dump


def test_a_printed_shift_is_one_page(
    cli_with_shift: CliEnvironment, invoke: Invoke, chromium: Callable[..., str]
) -> None:
    write_report(cli_with_shift, invoke)
    printed = cli_with_shift.folder / "shift.pdf"
    chromium("--no-pdf-header-footer", f"--print-to-pdf={printed}", (cli_with_shift.folder / "shift.html").as_uri())
    assert count_pages(printed) == 1
