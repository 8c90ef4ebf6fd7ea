"""The sheet of command barcodes: its bars are read back as a scanner reads them."""

import re
import xml.etree.ElementTree as ET

import pytest

from cpctl.packing.command_sheet import (
    MODULE_PX,
    QUIET_ZONE_MODULES,
    SheetRow,
    list_codes,
    render_barcode,
    render_sheet,
)
from harness.cli_environment import CliEnvironment

# Code 128 (ISO/IEC 15417): the widths of the bars and spaces of each value, 0 to 106.
CODE128_WIDTHS = re.findall(
    r"\S+",
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222"
    " 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321"
    " 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121"
    " 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224"
    " 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111"
    " 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113"
    " 114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112",
)  # fmt: skip
START_B, START_C, SWITCH_TO_C, SWITCH_TO_B, STOP_CODE = 104, 105, 99, 100, 106


def decode_barcode(picture: str) -> str:
    """The text in an SVG of bars; fails where quiet zone, check sum or end are wrong."""
    root = ET.fromstring(picture)
    bars = [(int(rect.attrib["x"]), int(rect.attrib["width"])) for rect in root]
    assert bars[0][0] >= QUIET_ZONE_MODULES * MODULE_PX
    assert int(root.attrib["width"]) - sum(bars[-1]) >= QUIET_ZONE_MODULES * MODULE_PX
    widths = []
    for (left, width), following in zip(bars, [*bars[1:], None], strict=True):
        widths.append(width // MODULE_PX)
        if following is not None:
            widths.append((following[0] - left - width) // MODULE_PX)
    text = "".join(map(str, widths))
    values = [CODE128_WIDTHS.index(text[place : place + 6]) for place in range(0, len(text) - 7, 6)]
    assert text[-7:] == CODE128_WIDTHS[STOP_CODE]
    *data, check = values
    assert (data[0] + sum(place * value for place, value in enumerate(data))) % 103 == check
    mode, found = data[0], ""
    for value in data[1:]:
        if mode == START_C and value < 100:
            found += f"{value:02d}"
        elif value in (SWITCH_TO_B, SWITCH_TO_C):
            mode = START_B if value == SWITCH_TO_B else START_C
        else:
            found += chr(value + 32)
    return found


@pytest.mark.parametrize("line", list_codes(), ids=lambda line: line.command)
def test_every_barcode_of_the_sheet_reads_back(line: SheetRow) -> None:
    assert decode_barcode(render_barcode(line.code)) == line.code


def test_the_page_contains_all_codes_and_loads_nothing(cli: CliEnvironment) -> None:
    result = cli.run("signal", "sheet", "--html", "sheet.html")
    assert result.code == 0
    text = (cli.folder / "sheet.html").read_text(encoding="utf-8")
    assert text == render_sheet()
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert [decode_barcode(picture) for picture in pictures] == [line.code for line in list_codes()]
    assert "src=" not in text and "href=" not in text


def test_without_html_the_codes_are_listed(cli: CliEnvironment) -> None:
    rows = cli.run_json("signal", "sheet")
    assert [row["code"] for row in rows][:3] == ["CPCTLUNDO", "CPCTLOK", "CPCTLNEXT"]


def test_a_sheet_that_cannot_be_written_is_an_error(cli: CliEnvironment) -> None:
    result = cli.run("signal", "sheet", "--html", "no/such/folder.html")
    assert result.code == 2 and "cannot be written" in result.err
