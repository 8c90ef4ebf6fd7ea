"""Reading order and quote documents: JSON or YAML, each value as it was written."""

import json
import math
import re
from typing import Any, NoReturn

from cpctl import yaml_reader
from cpctl.errors import CpctlError, InvalidInput
from cpctl.yaml_reader import Location, parse_yaml

Document = dict[str, Any]

MAX_BYTES = 50_000_000
MAX_DEPTH = yaml_reader.MAX_DEPTH
_MAX_NUMBER_LENGTH = 100

# YAML 1.1 would also read NO as false and 0123 as 83; in an order they are text.
_YAML_BOOLEANS: dict[str | None, bool] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[-+.\w]+')
_COLON = re.compile(r"\s*:")


def read_document(name: str, content: bytes) -> Document:
    """Read an order or a quote: JSON if it starts with `{`, YAML otherwise.

    Numbers and dates of YAML stay the text that was written: `count: 5` is "5" and `zip: 01234` is "01234".
    Raises InvalidInput naming file, line and column.
    """
    if len(content) > MAX_BYTES:
        limit = f"{MAX_BYTES // 1_000_000} MB"
        raise InvalidInput(
            f"{name} is larger than {limit}, the limit for a document.",
            "A document names the files to print by their URL; it does not contain them.",
        )
    text = _decode(name, content)
    if text.lstrip().startswith("{"):
        value = _parse_json(name, text)
    else:
        value = parse_yaml(text, name, InvalidInput).to_plain(_YAML_BOOLEANS)
    if not isinstance(value, dict):
        _refuse_non_object(name, text, value)
    return value


def _refuse_non_object(name: str, text: str, value: object) -> NoReturn:
    if value is None:
        raise InvalidInput(f"{name} is empty.", "`cpctl orders add --skeleton` prints a document to start from.")
    kind = "a list" if isinstance(value, list) else "a single value"
    start = re.search(r"^[^\s#]", text, re.MULTILINE)
    raise _locate(name, text, start.start() if start else 0).error(
        f"this is {kind}, not an order or a quote with fields such as `items`.",
        "A document is one object: put each order into its own file."
        if isinstance(value, list)
        else "`cpctl orders add --skeleton` prints a document to start from.",
    )


def _decode(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        location = Location(name, before.count(b"\n") + 1, column, InvalidInput)
        is_utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        hint = "It is UTF-16; save it as UTF-8." if is_utf16 else "Save it as UTF-8; a file to print is not a document."
        raise location.error("not UTF-8 text.", hint) from error


def _locate(name: str, text: str, position: int) -> Location:
    return yaml_reader.locate(text, position, Location(name, 1, 1, InvalidInput))


class _InvalidDocument(Exception):
    """JSON that is not accepted, or not by all readers; json does not report where, so its text is read again."""


def _parse_json(name: str, text: str) -> Any:
    try:
        value = json.loads(
            text,
            object_pairs_hook=_build_object,
            parse_constant=_refuse_number,
            parse_float=_parse_float,
            parse_int=_parse_int,
        )
        if _is_deeper_than(value, MAX_DEPTH):
            raise _InvalidDocument
    except json.JSONDecodeError as error:
        before, after = text[: error.pos].rstrip()[-1:], text[error.pos :].lstrip()[:1]
        has_extra_comma = before == "," and after in ("}", "]")
        raise Location(name, error.lineno, error.colno, InvalidInput).error(
            f"not JSON: {error.msg}.",
            "Remove the comma before the closing bracket."
            if has_extra_comma
            else "A document that starts with { is read as JSON.",
        ) from error
    except (_InvalidDocument, RecursionError) as error:
        raise _find_problem(name, text, str(error)) from error
    return value


def _build_object(pairs: list[tuple[str, Any]]) -> Document:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _InvalidDocument
    return found


def _refuse_number(written: str) -> NoReturn:
    raise _InvalidDocument(written)


def _parse_float(written: str) -> float:
    number = float(written)
    return number if math.isfinite(number) else _refuse_number(written)


def _parse_int(written: str) -> int:
    return int(written) if len(written) <= _MAX_NUMBER_LENGTH else _refuse_number(written)


def _is_deeper_than(value: Any, depth: int) -> bool:
    """Whether lists and objects are nested deeper than that; without recursion."""
    level = [value]
    for _ in range(depth):
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _find_problem(name: str, text: str, invalid_number: str) -> CpctlError:
    """The error for the first problem in the text, which is valid JSON up to there.

    json reports inner objects first, so this may be another problem than it found; it is as wrong.
    """
    objects: list[dict[str, int] | None] = []  # the fields of each open object; None for a list
    for token in _JSON_TOKEN.finditer(text):
        word = token.group()
        if word in "{[":
            objects.append({} if word == "{" else None)
            if len(objects) > MAX_DEPTH:
                return _locate(name, text, token.start()).error(f"nested more than {MAX_DEPTH} levels deep.")
        elif word in "}]":
            objects.pop()
        elif word == invalid_number:
            return _locate(name, text, token.start()).error(f"{word[:40]} is not a number that can be sent.")
        elif (seen := objects[-1]) is not None and _COLON.match(text, token.end()):
            key = json.loads(word)
            if key in seen:
                first = _locate(name, text, seen[key]).line
                return _locate(name, text, token.start()).duplicate_error(key, first)
            seen[key] = token.start()
    return InvalidInput(f"{name}: not a valid document.")
