"""Chromium for tests of pages: its output, screenshots and prints."""

import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
CHROMIUM_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)


def chromium_runner(make_home: Callable[[], Path]) -> Callable[..., str]:
    """A function that runs Chromium with flags and a new profile, and returns its output."""
    if CHROMIUM is None:
        pytest.skip("chromium is missing (apt package chromium): the page was not tested")

    def run(*flags: str) -> str:
        home = make_home()
        command = [CHROMIUM, *CHROMIUM_FLAGS, f"--user-data-dir={home}", *flags]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=home, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def count_pages(pdf: Path) -> int:
    """The number of pages of a PDF."""
    return len(re.findall(rb"/Type /Page\b", pdf.read_bytes()))


def count_colors(png: Path) -> dict[bytes, int]:
    """The colors of a picture, with the number of their pixels."""
    raw = png.read_bytes()
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    at, packed = 8, b""
    while at < len(raw):
        size, kind = struct.unpack(">I4s", raw[at : at + 8])
        body = raw[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, form = struct.unpack(">IIBB", body[:10])
            step = {2: 3, 6: 4}[form]
            assert depth == 8
        packed += body if kind == b"IDAT" else b""
        at += size + 12
    return _count_pixels(zlib.decompress(packed), width * step, height, step)


def _count_pixels(data: bytes, line: int, height: int, step: int) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    above = bytearray(line)
    for row in range(height):
        start = row * (line + 1)
        now = bytearray(data[start + 1 : start + 1 + line])
        _undo_filter(data[start], now, above, step)
        for place in range(0, line, step):
            pixel = bytes(now[place : place + 3])
            found[pixel] = found.get(pixel, 0) + 1
        above = now
    return found


def _undo_filter(kind: int, now: bytearray, above: bytearray, step: int) -> None:
    """Undo one line's filter (PNG specification, section 9)."""
    for place in range(len(now)):
        left = now[place - step] if place >= step else 0
        up, corner = above[place], above[place - step] if place >= step else 0
        guess = left + up - corner
        near = min((left, up, corner), key=lambda value: abs(guess - value))
        now[place] = (now[place] + (0, left, up, (left + up) // 2, near)[kind]) & 255
