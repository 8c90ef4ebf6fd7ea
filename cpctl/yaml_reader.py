"""Reading YAML as a tree whose values know their line and column. yaml is imported only when it is needed."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cpctl.errors import CpctlError
from cpctl.masking import KEY_PATTERN, MASK

MAX_DEPTH = 100
# Far more than any configuration or order needs; they bound what a few lines of aliases can expand to.
MAX_VALUES = 1_000_000
MAX_CHARACTERS = 50_000_000

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_TYPES = ("str", "int", "float", "timestamp", "bool", "null", "map", "seq")
_ALLOWED_TAGS = {"!", *(f"tag:yaml.org,2002:{name}" for name in _TYPES)}
# The invalid characters, not the complement of the valid ones: that would take 5 ms more to compile at every start.
_INVALID_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


class Location(NamedTuple):
    """A location in a file; line and column count from 1."""

    file: str
    line: int
    column: int
    error_type: type[CpctlError]

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, column {self.column}"

    def error(self, message: str, hint: str = "") -> CpctlError:
        """An error that names this location."""
        return self.error_type(f"{self}: {message}", hint)

    def duplicate_error(self, name: str, first_line: int) -> CpctlError:
        """The error for a name that is given twice in one mapping."""
        shown = json.dumps(name, ensure_ascii=False)
        return self.error(f"{shown} is given twice; the first time in line {first_line}.")


class Node(NamedTuple):
    """A value with its location: text as it was written (007, 1e3, 2026-01-20), a list, a mapping, or None for null.

    The location of a value in a mapping is that of its name, which is what a person searches for.
    """

    value: "str | list[Node] | Mapping[str, Node] | None"
    location: Location
    is_plain: bool = False  # not in quotes

    @property
    def is_empty(self) -> bool:
        """Whether it is null or an empty text."""
        return self.value is None or self.value == ""

    def error(self, message: str, hint: str = "") -> CpctlError:
        """An error that names this location. What looks like an API key is masked: it may be one under a wrong name."""
        return self.location.error(KEY_PATTERN.sub(MASK, message), hint)

    def as_mapping(self, name: str) -> "Mapping[str, Node]":
        """The value as a mapping; an empty value is an empty one."""
        if self.is_empty:
            return {}
        if not isinstance(self.value, Mapping):
            raise self.error(f"{name} must be a list of `name: value` lines.")
        return self.value

    def as_text(self, name: str) -> str | None:
        """The value as the text that was written, also what YAML calls a number; None if it is empty."""
        if isinstance(self.value, str) or self.value is None:
            return self.value or None
        raise self.error(f"{name} must be a single value.")

    def as_texts(self, name: str) -> tuple[str, ...]:
        """The value as a list of texts."""
        if not isinstance(self.value, list) or not self.value:
            raise self.error(f"{name} must be a list, such as [pass, show, cpctl/signal].")
        return tuple(node.as_text(f"each part of {name}") or "" for node in self.value)

    def to_plain(self, constants: Mapping[str | None, Any] | None = None) -> Any:
        """The value without locations; `constants` replaces unquoted texts, such as true."""
        if isinstance(self.value, list):
            return [each.to_plain(constants) for each in self.value]
        if isinstance(self.value, Mapping):
            return {name: each.to_plain(constants) for name, each in self.value.items()}
        return constants.get(self.value, self.value) if constants and self.is_plain else self.value


def parse_yaml(text: str, file: str, error_type: type[CpctlError]) -> Node:
    """The tree of a text; an empty one is a Node of None.

    `file` is the name for error messages. Raises `error_type`, naming file, line and column.
    """
    import yaml

    start = Location(file, 1, 1, error_type)
    if bad := _INVALID_CHARACTER.search(text):
        raise locate(text, bad.start(), start).error(f"not YAML: the character {bad.group()!r} is not allowed.")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _TreeBuilder(start, yaml.parse(text, Loader=loader)).build()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(text, start, error) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise error_type(f"{file}: not YAML: {error}") from error


def locate(text: str, position: int, start: Location) -> Location:
    """The location of a character in a text that begins at `start`."""
    return start._replace(line=text.count("\n", 0, position) + 1, column=position - text.rfind("\n", 0, position))


def _syntax_error(text: str, start: Location, error: Any) -> CpctlError:
    context = error.context_mark
    mark = error.problem_mark or context
    line = "".join(text.split("\n")[mark.line : mark.line + 1])
    has_tab = "\t" in line[: len(line) - len(line.lstrip())]
    hint = "YAML is indented with spaces; replace the tab by spaces." if has_tab else ""
    begins = (
        f", {error.context} that begins in line {context.line + 1}" if context and context.line != mark.line else ""
    )
    location = start._replace(line=mark.line + 1, column=mark.column + 1)
    return location.error(f"not YAML: {error.problem or error.context}{begins}.", hint)


class _Anchor(NamedTuple):
    """A node that aliases repeat, and what each of them adds: values, characters and levels of nesting."""

    node: Node
    value_count: int
    character_count: int
    height: int


class _TreeBuilder:
    """Builds the tree from the parser's events: libyaml's own trees overflow its stack if nesting is deep.

    An alias shares the node of its anchor, but its values and levels count again, so that a walk of the tree
    finds at most MAX_VALUES values and MAX_DEPTH levels.
    """

    def __init__(self, start: Location, events: Iterator[Any]) -> None:
        self._start, self._events = start, events
        self._anchors: dict[str, _Anchor | None] = {}  # None while the anchor's own value is being read
        self._value_count = self._character_count = self._deepest = 0

    def build(self) -> Node:
        root: Node | None = None
        documents = 0
        for event in self._events:
            kind = _kind(event)
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise self._locate(event).error("a second document starts here.", "Put each into its own file.")
            elif kind not in ("StreamStartEvent", "StreamEndEvent", "DocumentEndEvent"):
                root = self._build_node(event, self._locate(event), 0)
        return root or Node(None, self._start)

    def _build_node(self, event: Any, location: Location, depth: int) -> Node:
        """`location` is that of the node: a name's for the value of a mapping."""
        if _kind(event) == "AliasEvent":
            return self._resolve_alias(event, depth)._replace(location=location)
        if event.tag is not None and event.tag not in _ALLOWED_TAGS:
            raise self._locate(event).error(f'the tag "{event.tag}" is not supported.')
        values, characters, deepest = self._value_count, self._character_count, self._deepest
        self._add_values(event, 1, len(getattr(event, "value", "")))
        if not event.anchor:
            return self._read_value(event, location, depth)
        self._anchors[event.anchor] = None
        self._deepest = depth
        node = self._read_value(event, location, depth)
        self._anchors[event.anchor] = _Anchor(
            node, self._value_count - values, self._character_count - characters, self._deepest - depth
        )
        self._deepest = max(self._deepest, deepest)
        return node

    def _read_value(self, event: Any, location: Location, depth: int) -> Node:
        kind = _kind(event)
        if kind == "ScalarEvent":
            is_plain = event.implicit[0] and event.tag is None
            return Node(None if is_plain and event.value in _NULLS else event.value, location, is_plain)
        self._check_depth(event, depth + 1)
        if kind == "SequenceStartEvent":
            members = self._iter_until("SequenceEndEvent")
            return Node([self._build_node(each, self._locate(each), depth + 1) for each in members], location)
        return Node(self._read_mapping(depth), location)

    def _read_mapping(self, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for name in self._iter_until("MappingEndEvent"):
            location = self._locate(name)
            if _kind(name) != "ScalarEvent":
                raise location.error("a name must be plain text.")
            if name.value in lines:
                raise location.duplicate_error(name.value, lines[name.value])
            lines[name.value] = location.line
            self._add_values(name, 1, len(name.value))
            node = self._build_node(next(self._events), location, depth + 1)
            if name.value == "<<" and name.implicit[0]:
                merged = _merge(node)
            else:
                found[name.value] = node
        return found | {name: node for name, node in merged.items() if name not in found}

    def _resolve_alias(self, event: Any, depth: int) -> Node:
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            problem = "is within its own anchor" if event.anchor in self._anchors else "has no anchor above it"
            raise self._locate(event).error(f"the alias *{event.anchor} {problem}.")
        self._add_values(event, anchor.value_count, anchor.character_count)
        self._check_depth(event, depth + anchor.height)
        return anchor.node

    def _add_values(self, event: Any, values: int, characters: int) -> None:
        self._value_count += values
        self._character_count += characters
        if self._value_count > MAX_VALUES or self._character_count > MAX_CHARACTERS:
            limit = f"{MAX_VALUES:,} values or {MAX_CHARACTERS // 1_000_000} MB"
            raise self._locate(event).error(f"here the file grows beyond {limit}, with its aliases counted.")

    def _check_depth(self, event: Any, depth: int) -> None:
        self._deepest = max(self._deepest, depth)
        if depth > MAX_DEPTH:
            raise self._locate(event).error(f"nested more than {MAX_DEPTH} levels deep.")

    def _iter_until(self, end: str) -> Iterator[Any]:
        for event in self._events:
            if _kind(event) == end:
                return
            yield event

    def _locate(self, event: Any) -> Location:
        return self._start._replace(line=event.start_mark.line + 1, column=event.start_mark.column + 1)


def _merge(node: Node) -> dict[str, Node]:
    """What `<<: *anchor` brings in; of several mappings, the first that has a name gives its value."""
    merged: dict[str, Node] = {}
    for each in node.value if isinstance(node.value, list) else [node]:
        if not isinstance(each.value, Mapping):
            raise node.location.error("`<<` takes the alias of a mapping, such as `<<: *address`.")
        merged = {**each.value, **merged}
    return merged


def _kind(event: Any) -> str:
    return type(event).__name__  # by name, because yaml is imported only where it is needed
