"""Documents as files hold them, JSON or YAML, each value as it was written. The only file here that knows yaml."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

from cpctl.errors import InvalidInput

Document = dict[str, Any]

MAX_BYTES = 50_000_000
# Far above any order, and what keeps a few lines of YAML aliases from growing without end.
MAX_VALUES = 1_000_000
MAX_DEPTH = 100
_TOO_DEEP_MESSAGE = f"objects and lists stand in each other more than {MAX_DEPTH} deep."
_MAX_NUMBER_LENGTH = 100

# YAML 1.1 would read NO as false, 0123 as 83 and 2026-01-20 as a date; an order means what it says.
_YAML_CONSTANTS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_ALLOWED_TAGS = {"!"} | {
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "timestamp", "bool", "null", "map", "seq")
}
_INVALID_YAML_CHARACTER = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[-+.\w]+')
_COLON = re.compile(r"\s*:")


class _Location(NamedTuple):
    """A place in a file, from 1."""

    name: str
    line: int
    column: int

    def error(self, message: str, hint: str = "") -> InvalidInput:
        return InvalidInput(f"{self.name}, line {self.line}, column {self.column}: {message}", hint)


def read_document(name: str, content: bytes) -> Document:
    """Read an order or a quote: JSON where it starts with `{`, YAML otherwise.

    Texts and numbers of YAML arrive as the text that was written, `count: 5` as "5" and `zip: 01234`
    as "01234". Raises InvalidInput naming file, line and column.
    """
    if len(content) > MAX_BYTES:
        limit = f"{MAX_BYTES // 1_000_000} MB"
        raise InvalidInput(
            f"{name} has more than {limit}, which is the limit for a document.",
            "Files to print are named by their URL, not written into the document.",
        )
    text = _decode(name, content)
    value = _parse_json(name, text) if text.lstrip().startswith("{") else _parse_yaml(name, text)
    if not isinstance(value, dict):
        _refuse_non_object(name, text, value)
    return value


def _refuse_non_object(name: str, text: str, value: object) -> NoReturn:
    if value is None:
        raise InvalidInput(f"{name} is empty.", "`cpctl orders add --skeleton` prints a document to start from.")
    kind = "a list" if isinstance(value, list) else "a single value"
    start = re.search(r"^[^\s#]", text, re.MULTILINE)
    raise _locate(name, text, start.start() if start else 0).error(
        f"{kind} stands here, not an order or a quote with fields such as `items`.",
        "A document is one object: put each order into a file of its own."
        if isinstance(value, list)
        else "`cpctl orders add --skeleton` prints a document to start from.",
    )


def _decode(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        place = _Location(name, before.count(b"\n") + 1, column)
        utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        hint = "It is UTF-16; save it as UTF-8." if utf16 else "Save it as UTF-8; a file to print is no document."
        raise place.error("not UTF-8 text.", hint) from error


def _locate(name: str, text: str, position: int) -> _Location:
    return _Location(name, text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position))


# JSON


class _DuplicateField(Exception):
    """An object names a field twice; where, only a second look tells."""


class _InvalidNumber(Exception):
    """A number that no other reader would take: NaN, 1e999, thousands of digits."""


class _NestedTooDeep(Exception):
    """Objects and lists stand in each other deeper than MAX_DEPTH."""


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
            raise _NestedTooDeep
    except json.JSONDecodeError as error:
        raise _json_error(name, text, error) from error
    except _DuplicateField as error:
        raise _find_duplicate(name, text) from error
    except _InvalidNumber as error:
        written = str(error)
        at = next(token.start() for token in _JSON_TOKEN.finditer(text) if token.group() == written)
        raise _locate(name, text, at).error(f"{written[:40]} is no number to send.") from error
    except (RecursionError, _NestedTooDeep) as error:
        raise _too_deep_error(name, text) from error
    return value


def _json_error(name: str, text: str, error: json.JSONDecodeError) -> InvalidInput:
    before, after = text[: error.pos].rstrip()[-1:], text[error.pos :].lstrip()[:1]
    hint = "A document that starts with { is read as JSON."
    if before == "," and after in ("}", "]"):
        hint = "Take away the comma before the closing bracket."
    return _Location(name, error.lineno, error.colno).error(f"not JSON: {error.msg}.", hint)


def _build_object(pairs: list[tuple[str, Any]]) -> Document:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _DuplicateField
    return found


def _refuse_number(written: str) -> NoReturn:
    raise _InvalidNumber(written)


def _parse_float(written: str) -> float:
    number = float(written)
    return number if math.isfinite(number) else _refuse_number(written)


def _parse_int(written: str) -> int:
    return int(written) if len(written) <= _MAX_NUMBER_LENGTH else _refuse_number(written)


def _is_deeper_than(value: Any, depth: int) -> bool:
    """Whether lists and objects stand in each other deeper than that; without recursion."""
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


def _too_deep_error(name: str, text: str) -> InvalidInput:
    depth = 0
    for token in _JSON_TOKEN.finditer(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token.group(), 0)
        if depth > MAX_DEPTH:
            return _locate(name, text, token.start()).error(_TOO_DEEP_MESSAGE)
    return InvalidInput(f"{name}: {_TOO_DEEP_MESSAGE}")


def _find_duplicate(name: str, text: str) -> InvalidInput:
    """Find the field that stands twice. The text is JSON up to there: the reader came that far.

    The reader meets the inner objects first, so that the one found here may be another one; it is
    as wrong.
    """
    objects: list[dict[str, int] | None] = []
    for token in _JSON_TOKEN.finditer(text):
        word = token.group()
        if word in "{[":
            objects.append({} if word == "{" else None)
        elif word in "}]":
            objects.pop()
        elif (seen := objects[-1]) is not None and _COLON.match(text, token.end()):
            key = json.loads(word)
            if key in seen:
                return _duplicate_error(_locate(name, text, token.start()), key, _locate(name, text, seen[key]).line)
            seen[key] = token.start()
    return InvalidInput(f"{name}: a field stands twice in one object.")


def _duplicate_error(place: _Location, key: str, first: int) -> InvalidInput:
    shown = json.dumps(key, ensure_ascii=False)
    return place.error(f"{shown} stands here a second time; the first is in line {first}.")


# YAML


def _parse_yaml(name: str, text: str) -> Any:
    import yaml  # a JSON document does without

    bad = _INVALID_YAML_CHARACTER.search(text)
    if bad:
        raise _locate(name, text, bad.start()).error(f"not YAML: the character {bad.group()!r} may not stand here.")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _YamlBuilder(name, yaml.parse(text, Loader=loader)).build()
    except yaml.MarkedYAMLError as error:
        raise _yaml_error(name, text, error) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidInput(f"{name}: not YAML: {error}") from error


def _yaml_error(name: str, text: str, error: Any) -> InvalidInput:
    mark = error.problem_mark or error.context_mark
    line = text.split("\n")[mark.line : mark.line + 1]
    tab = any("\t" in each[: len(each) - len(each.lstrip())] for each in line)
    hint = "YAML is indented with blanks; put blanks in place of the tab." if tab else ""
    begun = error.context_mark
    where = f", {error.context} that begins in line {begun.line + 1}" if begun and begun.line != mark.line else ""
    message = f"not YAML: {error.problem or error.context}{where}."
    return _Location(name, mark.line + 1, mark.column + 1).error(message, hint)


class _Anchor(NamedTuple):
    """A value that aliases repeat, with how many values and characters each of them adds."""

    value: Any
    value_count: int
    character_count: int


class _YamlBuilder:
    """Builds a document from YAML's events: they nest no deeper than we let them, whatever the file."""

    def __init__(self, name: str, events: Iterator[Any]) -> None:
        self.name = name
        self.events = events
        self.anchors: dict[str, _Anchor | None] = {}
        self.value_count = 0
        self.character_count = 0

    def build(self) -> Any:
        """The one document of the file; None if there is none."""
        root = None
        documents = 0
        for event in self.events:
            if _is_event(event, "DocumentStart"):
                documents += 1
                if documents > 1:
                    raise self._location(event).error(
                        "a second document starts here.", "Put each into a file of its own."
                    )
            elif not _is_event(event, "StreamStart", "StreamEnd", "DocumentEnd"):
                root = self._build_value(event, 0)
        return root

    def _build_value(self, event: Any, depth: int) -> Any:
        if depth >= MAX_DEPTH and not _is_event(event, "Scalar", "Alias"):
            raise self._location(event).error(_TOO_DEEP_MESSAGE)
        if _is_event(event, "Alias"):
            return self._resolve_alias(event)
        if event.tag is not None and event.tag not in _ALLOWED_TAGS:
            raise self._location(event).error(f'the tag "{event.tag}" has no meaning in a document.')
        if event.anchor:
            self.anchors[event.anchor] = None
        before = self.value_count, self.character_count
        self._add_size(event, 1, len(getattr(event, "value", "")))
        value = self._build_node(event, depth)
        if event.anchor:
            self.anchors[event.anchor] = _Anchor(value, self.value_count - before[0], self.character_count - before[1])
        return value

    def _build_node(self, event: Any, depth: int) -> Any:
        if _is_event(event, "Scalar"):
            plain = event.implicit[0] and event.tag is None
            return _YAML_CONSTANTS.get(event.value, event.value) if plain else event.value
        if _is_event(event, "SequenceStart"):
            return [self._build_value(member, depth + 1) for member in self._iter_until("SequenceEnd")]
        return self._build_mapping(depth)

    def _iter_until(self, end: str) -> Iterator[Any]:
        for event in self.events:
            if _is_event(event, end):
                return
            yield event

    def _build_mapping(self, depth: int) -> Document:
        found: Document = {}
        merged: Document = {}
        lines: dict[str, int] = {}
        for key in self._iter_until("MappingEnd"):
            if not _is_event(key, "Scalar"):
                raise self._location(key).error("the name of a field must be plain text.")
            if key.value in lines:
                raise _duplicate_error(self._location(key), key.value, lines[key.value])
            lines[key.value] = self._location(key).line
            self._add_size(key, 1, len(key.value))
            value = self._build_value(next(self.events), depth + 1)
            if key.value == "<<" and key.implicit[0]:
                merged = self._merge(key, value)
            else:
                found[key.value] = value
        return found | {name: value for name, value in merged.items() if name not in found}

    def _merge(self, key: Any, value: Any) -> Document:
        """What `<<: *anchor` brings in; of several, the first that has a field gives it."""
        merged: Document = {}
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, dict):
                raise self._location(key).error("`<<` takes the alias of an object, such as `<<: *address`.")
            merged = each | merged
        return merged

    def _resolve_alias(self, event: Any) -> Any:
        anchor = self.anchors.get(event.anchor)
        if anchor is None:
            what = "stands within its own anchor" if event.anchor in self.anchors else "has no anchor above it"
            raise self._location(event).error(f"the alias *{event.anchor} {what}.")
        self._add_size(event, anchor.value_count, anchor.character_count)
        return anchor.value

    def _add_size(self, event: Any, values: int, characters: int) -> None:
        self.value_count += values
        self.character_count += characters
        if self.value_count > MAX_VALUES or self.character_count > MAX_BYTES:
            limit = f"{MAX_VALUES:,} values or {MAX_BYTES // 1_000_000} MB"
            raise self._location(event).error(f"here the document grows beyond {limit}, its aliases counted.")

    def _location(self, event: Any) -> _Location:
        return _Location(self.name, event.start_mark.line + 1, event.start_mark.column + 1)


def _is_event(event: Any, *names: str) -> bool:
    """Whether an event is one of these kinds; by name, because yaml is not imported for JSON."""
    return type(event).__name__.removesuffix("Event") in names
