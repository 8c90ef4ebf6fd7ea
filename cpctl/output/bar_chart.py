"""Bars as text: blocks where they can be shown, ASCII elsewhere."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cpctl.output.text import Screen, escaped

NARROWEST, USUAL, WIDEST = 40, 80, 100
LONGEST_LABEL = 28
# A chart shows so many bars; what is beyond is one bar.
MOST_BARS = 15
_EIGHTHS = " ▏▎▍▌▋▊▉"
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


class Bar(NamedTuple):
    """One bar: what it stands for, and how much."""

    label: str
    number: int


class Chart(NamedTuple):
    """Bars under a heading; `upright` ones are hours, in a row, and all of them are shown on paper."""

    heading: str
    bars: Sequence[Bar]
    upright: bool = False


class Drawing(NamedTuple):
    """A page of numbers: what it is, single facts, and charts."""

    title: str
    about: str
    facts: Sequence[tuple[str, str]]
    charts: Sequence[Chart]


def drawing_text(drawing: Drawing, screen: Screen) -> str:
    """A drawing as lines that fit the screen, or 80 columns where there is none."""
    return "".join(f"{line.rstrip()}\n" for line in _lines(drawing, screen))


def few(bars: Sequence[Bar]) -> list[Bar]:
    """The first bars, and one for all others."""
    if len(bars) <= MOST_BARS:
        return list(bars)
    others = bars[MOST_BARS - 1 :]
    return [*bars[: MOST_BARS - 1], Bar(f"{len(others)} others", sum(bar.number for bar in others))]


def _lines(drawing: Drawing, screen: Screen) -> Iterator[str]:
    width = min(max((screen.width or USUAL) - 1, NARROWEST), WIDEST)
    yield from (_heading(line, screen) for line in _wrapped([drawing.title], width, ""))
    yield from _wrapped(drawing.about.split(" · "), width, " | ")
    yield ""
    yield from _wrapped([f"{name} {value}" for name, value in drawing.facts], width, "   ")
    for chart in drawing.charts:
        bars = _busy(chart.bars) if chart.upright else few(chart.bars)
        if bars:
            yield ""
            yield _heading(chart.heading.upper(), screen)
            yield from _bars(bars, width, screen)


def _heading(text: str, screen: Screen) -> str:
    return f"{_BOLD}{escaped(text)}{_PLAIN}" if screen.color else escaped(text)


def _wrapped(parts: Sequence[str], width: int, between: str) -> Iterator[str]:
    line = ""
    for part in map(escaped, parts):
        joined = f"{line}{between}{part}" if line else part
        if line and cells(joined) > width:
            yield line
            joined = part
        line = joined
    yield line


def _busy(bars: Sequence[Bar]) -> list[Bar]:
    """From the first hour in which something happened to the last."""
    at = [place for place, bar in enumerate(bars) if bar.number]
    return list(bars[at[0] : at[-1] + 1]) if at else []


def _bars(bars: Sequence[Bar], width: int, screen: Screen) -> Iterator[str]:
    labels = [fitted(escaped(bar.label), LONGEST_LABEL, "…" if screen.blocks else "...") for bar in bars]
    first = max(map(cells, labels))
    last = max(len(str(bar.number)) for bar in bars)
    room = max(width - first - last - 4, 1)
    most = max(bar.number for bar in bars) or 1
    for label, bar in zip(labels, bars, strict=True):
        drawn = bar_text(bar.number / most, room, screen.blocks)
        yield f"{label}{' ' * (first - cells(label))}  {bar.number:>{last}}  {drawn}"


def bar_text(share: float, room: int, blocks: bool) -> str:
    """A bar that fills a share of the room; what is more than nothing shows."""
    if share <= 0:
        return ""
    if not blocks:
        return "#" * max(round(share * room), 1)
    eighths = max(round(share * room * 8), 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def fitted(text: str, most: int, sign: str) -> str:
    """A text that takes at most so many columns; `sign` ends one that was cut."""
    if cells(text) <= most:
        return text
    kept = ""
    for character in text:
        if cells(kept + character) > most - len(sign):
            break
        kept += character
    return kept + sign


def cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
