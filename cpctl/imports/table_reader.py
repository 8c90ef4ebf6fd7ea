"""Read files of rows: CSV as spreadsheets and shipping programs write it, as a stream, and JSON."""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

from cpctl.errors import InvalidInput
from cpctl.imports.column_mapping import COLUMN_ALIASES
from cpctl.signals.signal import quote_value

# A JSON row has the fields of a file's columns as its keys.
JSON_HEADINGS = tuple(COLUMN_ALIASES)
_COMMON_DELIMITERS = (";", ",", "\t", "|")
_DELIMITER_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# The encoding of Windows in Western Europe, for files that are not UTF-8.
_FALLBACK_ENCODING = "cp1252"
_CHUNK_SIZE = 65_536
_MAX_HEADER_LINES = 50
_JSON_SEPARATORS = re.compile(r"[ \t\r\n,\[\]]*")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)


class TableRow(NamedTuple):
    """One row: the number of its first line, as an editor counts, its cells, and why it cannot be read."""

    line: int
    cells: list[str]
    problem: str = ""


class Table(NamedTuple):
    """A file of rows; it can be read more than once."""

    name: str
    file: IO[bytes]
    encoding: str
    delimiter: str  # empty for JSON
    headings: list[str]
    skipped_lines: int  # lines before the first row
    note: str = ""

    def read_rows(self) -> Iterator[TableRow]:
        """Yield all rows, from the first. Raises InvalidInput if the rest of the file cannot be read."""
        self.file.seek(0)
        text = io.TextIOWrapper(self.file, self.encoding, newline="")
        try:
            yield from self._read_csv_rows(text) if self.delimiter else _read_json_rows(self.name, text.read())
        except UnicodeError as error:
            raise _encoding_error(self.name, self.encoding) from error
        finally:
            text.detach()

    def _read_csv_rows(self, text: IO[str]) -> Iterator[TableRow]:
        for _ in range(self.skipped_lines):
            text.readline()
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        line = self.skipped_lines + 1
        try:
            for cells in reader:
                if any(map(str.strip, cells)):
                    has_extra = any(map(str.strip, cells[len(self.headings) :]))
                    problem = f"the row has {len(cells)} cells, but there are {len(self.headings)} columns"
                    yield TableRow(line, cells, problem if has_extra else "")
                line = self.skipped_lines + reader.line_num + 1
        except csv.Error as error:
            raise InvalidInput(
                f"{self.name}, line {line}: the row cannot be read ({error}).",
                "A quote may be unclosed, or the file may have been cut off. Nothing was accepted.",
            ) from error


def open_table(
    name: str, file: IO[bytes], encoding: str = "", delimiter: str = "", columns: Sequence[str] = ()
) -> Table:
    """Detect the encoding, delimiter and header of a file, except what is given. Raises InvalidInput.

    `columns` are the headings of a file without a header.
    """
    encoding, note = _detect_encoding(name, file, encoding)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        skipped, line = 0, text.readline(_CHUNK_SIZE)  # JSON may be one line of any length
        while line and not line.strip():
            skipped, line = skipped + 1, text.readline()
        if line.lstrip()[:1] in ("[", "{"):
            return Table(name, file, encoding, "", list(JSON_HEADINGS), 0, note)
        delimiter = _parse_delimiter(delimiter)
        if separator := _SEPARATOR_LINE.fullmatch(line):  # Excel names the delimiter this way
            delimiter = delimiter or separator[1]
            skipped, line = skipped + 1, text.readline()
        delimiter = delimiter or _detect_delimiter(line)
        if columns:
            return Table(name, file, encoding, delimiter, list(columns), skipped, note)
        reader = csv.reader([line, *_read_header_rest(line, text)], delimiter=delimiter)
        headings = next(reader, [])
        return Table(name, file, encoding, delimiter, headings, skipped + max(reader.line_num, 1), note)
    except UnicodeError as error:
        raise _encoding_error(name, encoding) from error
    finally:
        text.detach()


def _encoding_error(name: str, encoding: str) -> InvalidInput:
    return InvalidInput(f"{name} contains bytes that are not valid {encoding}.", "Set its encoding with --encoding.")


def _read_header_rest(line: str, text: IO[str]) -> Iterator[str]:
    """The further lines of a header in which a quoted heading has line breaks."""
    quotes = line.count('"')
    for _ in range(_MAX_HEADER_LINES):
        if quotes % 2 == 0 or not (following := text.readline()):
            return
        quotes += following.count('"')
        yield following


def _detect_encoding(name: str, file: IO[bytes], wanted: str) -> tuple[str, str]:
    file.seek(0)
    head = file.read(4)
    for mark, encoding in _BOMS.items():
        if head.startswith(mark):
            return encoding, ""
    if wanted:
        try:
            codecs.lookup(wanted)
        except LookupError as error:
            message = f"There is no encoding {quote_value(wanted)}."
            raise InvalidInput(message, "Use for example utf-8, cp1252 or latin-1.") from error
        return wanted, ""
    file.seek(0)
    try:
        for _ in codecs.iterdecode(iter(lambda: file.read(_CHUNK_SIZE), b""), "utf-8"):
            pass
    except UnicodeDecodeError:
        note = f"{name} is not UTF-8; it is read as {_FALLBACK_ENCODING}. Use --encoding to set another encoding."
        return _FALLBACK_ENCODING, note
    return "utf-8", ""


def _parse_delimiter(text: str) -> str:
    delimiter = _DELIMITER_NAMES.get(text.lower(), text)
    if len(delimiter) > 1 or delimiter in ('"', "\n", "\r"):
        raise InvalidInput(f"--delimiter {quote_value(text)} is not one character.", "Such as: ';' or tab.")
    return delimiter


def _detect_delimiter(header: str) -> str:
    """The most frequent of the common delimiters outside quotes, or a comma for a file of one column."""
    bare = re.sub(r'"[^"]*"', "", header)
    best = max(_COMMON_DELIMITERS, key=bare.count)
    return best if bare.count(best) else ","


def _read_json_rows(name: str, text: str) -> Iterator[TableRow]:
    for line, value in _read_json_values(name, text):
        if not isinstance(value, dict):
            yield TableRow(line, [""] * len(JSON_HEADINGS), "the row is not an object")
            continue
        parsed = [_parse_json_cell(heading, value.get(heading)) for heading in JSON_HEADINGS]
        problems = [f"there is no field {quote_value(key)}" for key in value if key not in JSON_HEADINGS]
        problems += [problem for _, problem in parsed if problem]
        yield TableRow(line, [cell for cell, _ in parsed], "; ".join(problems))


def _parse_json_cell(heading: str, value: object) -> tuple[str, str]:
    if value is None:
        return "", ""
    if isinstance(value, bool):
        return str(value).lower(), ""
    if isinstance(value, str | int):
        return str(value), ""
    if isinstance(value, float):
        return str(value), f"{heading} is the number {value}; write it as a string, in quotes"
    return "", f"{heading} is neither a string nor a whole number"


def _read_json_values(name: str, text: str) -> Iterator[tuple[int, object]]:
    """Yield the members of an array, or the values of JSON Lines, with their line numbers."""
    decoder = json.JSONDecoder()
    position, line, depth = 0, 1, 0
    while separators := _JSON_SEPARATORS.match(text, position):
        line += separators[0].count("\n")
        depth += separators[0].count("[") - separators[0].count("]")
        if separators.end() == len(text):
            break
        try:
            value, position = decoder.raw_decode(text, separators.end())
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", error)
            raise InvalidInput(f"{name}, line {line}: not JSON ({reason}).", "Nothing was accepted.") from error
        yield line, value
        line += text.count("\n", separators.end(), position)
    if depth:
        raise InvalidInput(f"{name}, line {line}: the array is not closed.", "The file may have been cut off.")
