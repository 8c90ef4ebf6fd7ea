"""The operators' sheet agrees with the bench, and is one sheet of paper."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest

from cpctl.packing.controller import NOT_ACCEPTED
from cpctl.packing.models import ConnectionStatus, ScreenView, Severity, Verdict
from cpctl.packing.scanned_codes import BenchCommand
from cpctl.packing.screen import ScreenStyle, choose_large_word, render_lines
from cpctl.packing.sound import BELL, Sound
from harness.browser import count_colors, count_pages
from harness.cli_environment import ITEM, SECOND_ITEM, UNREACHABLE_URL, CliEnvironment, sandbox_configuration
from harness.packing.bench_harness import open_bench
from tools.docs import operators_sheet as operators

SHEET_TEXT = operators.SOURCE.read_text(encoding="utf-8").partition(operators.SCREEN_ONLY_MARK)[0]
SHEET_TABLES = {
    part.partition("\n")[0]: [
        [cell.strip(" *") for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")
    ][2:]
    for part in SHEET_TEXT.split("\n## ")[1:]
}
UPS, OTHER_UPS, DAMAGED_UPS, ISBN = "1Z5R89390357567127", "1Z879E930346834440", "1Z5R89390357567128", "9780131103627"
SHOP_SETTINGS = """\
    shipping_option: GLS
    carriers: [ups, dhl-de]
    item_pattern: '\\d{12}'
    badge_prefix: BADGE-
    order_of_item: {pattern: '(\\d{8})\\d{4}', order: '\\g<1>0000'}
"""
SCAN_TIME = datetime(2026, 1, 20, 13, 0, tzinfo=UTC)
BASE_VIEW = ScreenView(
    environment="live",
    profile="production",
    station="bench-2",
    operator="Ana",
    connection=ConnectionStatus(True),
    waiting_count=0,
    refused_count=0,
    today_count=0,
    now=SCAN_TIME,
    verdict=Verdict(Severity.STEP, ""),
    signal_status="",
    next_step="",
    parcel=(),
    rows=(),
)
# What to scan so that the bench shows the words of that row.
CODES_BY_WORDS = {
    "OK": [ITEM, UPS],
    "DONE": [ITEM, UPS, ITEM, UPS],
    "CHECK": [ITEM, DAMAGED_UPS],
    "STOP": [ITEM, ISBN],
    "ALREADY HAS": [ITEM, UPS, ITEM, OTHER_UPS],
    "THIS IS THE BOOK'S ISBN": [ISBN],
    "THIS IS A LABEL": [UPS],
    "The label looks damaged": [ITEM, DAMAGED_UPS],
    "UNKNOWN CODE": ["hello"],
}
LARGE_WORD_VIEWS = {
    "ITEM": BASE_VIEW,
    "LABEL": BASE_VIEW._replace(parcel=(ITEM,)),
    "PAUSE": BASE_VIEW._replace(is_paused=True),
    **{
        str(level).upper(): BASE_VIEW._replace(verdict=Verdict(level, ""))
        for level in Severity
        if level is not Severity.STEP
    },
}
STATUS_LINE_VIEWS = {
    "OFFLINE": BASE_VIEW._replace(connection=ConnectionStatus(False, SCAN_TIME)),
    "SENDING STOPPED": BASE_VIEW._replace(connection=ConnectionStatus(True, stop_reason="the key is refused")),
    "REFUSED": BASE_VIEW._replace(refused_count=2),
}


def scan_codes(cli: CliEnvironment, *codes: str) -> str:
    """The bench's answers to these codes, as lines."""
    cli.configure(sandbox_configuration(UNREACHABLE_URL, SHOP_SETTINGS))
    return cli.run("signal", "scan", input="".join(f"{code}\n" for code in codes)).out


@pytest.fixture
def bench_cli(unconfigured_cli: CliEnvironment) -> CliEnvironment:
    return CliEnvironment(
        unconfigured_cli.folder, {**unconfigured_cli.environment, "CPCTL_CONFIG": str(unconfigured_cli.config)}
    )


def test_the_sheet_lists_exactly_the_large_words_of_the_bench() -> None:
    assert {row[0] for row in SHEET_TABLES["The large word"]} == set(LARGE_WORD_VIEWS)
    assert {word: choose_large_word(view) for word, view in LARGE_WORD_VIEWS.items()} == {
        word: word for word in LARGE_WORD_VIEWS
    }


@pytest.mark.parametrize("word", CODES_BY_WORDS)
def test_the_bench_shows_the_words_of_the_sheet(bench_cli: CliEnvironment, word: str) -> None:
    last = scan_codes(bench_cli, *CODES_BY_WORDS[word]).splitlines()[-1]
    assert word in (last if len(word) > 5 else last.partition("\t")[0])


def test_a_parcel_refused_later_is_called_as_on_the_sheet(tmp_path: Path) -> None:
    with open_bench(tmp_path / "cpctl.db") as harness:
        harness.scan(ITEM, UPS)
        harness.bench.interrupt_for(harness.queued_signals()[0])
        alert = harness.bench.pop_alert()
    assert alert is not None and alert.message.startswith("PULL THE PARCEL")


def test_every_sentence_of_the_sheet_is_tested() -> None:
    # NOT_ACCEPTED needs a full disk; the tests of the bench show it.
    assert {row[0] for row in SHEET_TABLES["What the line below may say"]} == {
        *CODES_BY_WORDS,
        "PULL THE PARCEL",
        NOT_ACCEPTED,
    } - set(LARGE_WORD_VIEWS)


@pytest.mark.parametrize("words", STATUS_LINE_VIEWS)
def test_the_top_line_uses_the_words_of_the_sheet(words: str) -> None:
    assert words in render_lines(STATUS_LINE_VIEWS[words], ScreenStyle())[0]
    assert f"Top line: **{words}**" in SHEET_TEXT


def test_the_sheet_has_the_right_number_of_bells() -> None:
    for word, sound_on_sheet, *_ in SHEET_TABLES["The large word"]:
        verdict = LARGE_WORD_VIEWS[word].verdict.severity
        rung: list[str] = []
        clock = [0.0]
        sound = Sound("bell", rung.append, lambda clock=clock: clock[0])
        sound.play(verdict)
        for _ in range(10):
            clock[0] += 1.0
            sound.ring_due_bells()
        number = "".join(rung).count(BELL)
        assert {0: "nothing", 1: "one bell", 2: "two bells", 5: "five bells"}[number] == sound_on_sheet, verdict.sound


def test_every_command_code_is_on_the_sheet() -> None:
    assert {row[0] for row in SHEET_TABLES["Command codes"]} == set(BenchCommand)


def test_a_wrong_label_is_corrected_as_the_sheet_says(bench_cli: CliEnvironment) -> None:
    scan_codes(bench_cli, ITEM, OTHER_UPS, "CPCTLUNDO", UPS)
    (row,) = bench_cli.run_json("outbox", "list")
    assert row["fields"]["tracking"] == UPS, "just now"
    scan_codes(bench_cli, ITEM, OTHER_UPS, "CPCTLOK")
    assert bench_cli.run_json("outbox", "list")[-1]["fields"]["tracking"] == OTHER_UPS, "some time ago"


def test_after_a_power_cut_the_bench_asks_for_the_label_as_the_sheet_says(tmp_path: Path) -> None:
    with open_bench(tmp_path / "cpctl.db") as harness:
        harness.scan(SECOND_ITEM)
        harness.store.close()
        asked = harness.reopen().recover()
        assert asked is not None and SECOND_ITEM in asked.message and "Scan its label, or NEXT" in asked.hint
        assert harness.scan(UPS).severity is Severity.OK


# --- on paper -----------------------------------------------------------------------------


def test_the_page_contains_the_text_of_the_document() -> None:
    body = re.sub(r"(?s).*<body>", "", operators.render_page())
    shown = unescape(re.sub(r"</?strong>", "", body))
    words = re.sub(r"(?m)^(#+|\d+\.) |\*\*|^\|[-|]+$", "", SHEET_TEXT).replace("|", " ")
    assert re.sub(r"<[^>]*>", " ", shown).split() == words.split()


def test_the_page_loads_nothing() -> None:
    text = operators.render_page()
    assert not re.search(r"<(script|link|img|iframe|object|a|form)\b|src=|href=|url\(|@import|http:|https:", text)
    assert "default-src 'none'; style-src 'sha256-" in text and "unsafe" not in text


def test_it_is_one_sheet_of_a4(tmp_path: Path, chromium: Callable[..., str]) -> None:
    printed = tmp_path / "sheet.pdf"
    chromium("--no-pdf-header-footer", f"--print-to-pdf={printed}", operators.TARGET.as_uri())
    assert count_pages(printed) == 1
    wide, tall = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed.read_bytes())[0]
    assert (round(float(wide)), round(float(tall))) == (595, 842)


def test_a_browser_shows_the_words_in_the_colors_of_the_bench(tmp_path: Path, chromium: Callable[..., str]) -> None:
    picture = tmp_path / "look.png"
    chromium("--window-size=900,700", f"--screenshot={picture}", operators.TARGET.as_uri())
    seen = count_colors(picture)
    for color in ("9fe0a4", "9fdfe4", "ffe27a", "c81e1e"):
        assert seen[bytes.fromhex(color)] > 500
