"""The configuration file as a tree whose every value knows its line. The only file that knows yaml's parser."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cpctl.config.keys import refuse_readable_by_others
from cpctl.errors import ConfigError
from cpctl.masking import MASK

# Keys are 32 hexadecimal digits in every example of the documents.
_MAX_DEPTH = 100
# libyaml composes by recursion: some ten thousand levels overflow its stack and end the process without a word.
_MAX_UNCHECKED_LENGTH = 5_000
KEY_PATTERN = re.compile(r"[0-9A-Fa-f]{24,}")


class Node(NamedTuple):
    """A value of the file: a text, a list or a mapping, with where it stands (from 1)."""

    value: "str | list[Node] | Mapping[str, Node] | None"
    file: Path
    line: int
    column: int

    @property
    def location(self) -> str:
        """The place as error messages name it."""
        return f"{self.file}, line {self.line}, column {self.column}"

    def error(self, message: str, hint: str = "") -> ConfigError:
        """An error that names this place. What looks like a key in the wrong place is not repeated."""
        return ConfigError(f"{self.location}: {KEY_PATTERN.sub(MASK, message)}", hint)

    def as_mapping(self, what: str) -> "Mapping[str, Node]":
        """The value as a mapping; nothing at all is an empty one."""
        if self.value is None:
            return {}
        if not isinstance(self.value, Mapping):
            raise self.error(f"{what} must be a list of `name: value` lines.")
        return self.value

    def as_text(self, what: str) -> str | None:
        """The value as the text that was written, also for what YAML would call a number: 2.0, 007."""
        if isinstance(self.value, str) or self.value is None:
            return self.value
        raise self.error(f"{what} must be one value.")

    def as_texts(self, what: str) -> tuple[str, ...]:
        """The value as a list of texts."""
        if not isinstance(self.value, list) or not self.value:
            raise self.error(f"{what} must be a list, such as [pass, show, cpctl/signal].")
        return tuple(node.as_text(f"each part of {what}") or "" for node in self.value)


def read_yaml(file: Path) -> Node:
    """Read a configuration file. Raises ConfigError naming file, line and column."""
    return parse_yaml(read_config_text(file), file)


def parse_yaml(text: str, file: Path) -> Node:
    """The tree of a text that stands, or is to stand, in that file. Raises ConfigError naming file, line and column."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if len(text) > _MAX_UNCHECKED_LENGTH:
            _refuse_deep_nesting(yaml.parse(text, Loader=loader), file)
        root = yaml.compose(text, Loader=loader)
        return Node(None, file, 1, 1) if root is None else _shared_node(root, file, {})
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(file, text, error) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{file}: not YAML: {error}") from error


def read_config_text(file: Path, encoding: str = "utf-8-sig") -> str:
    """The text of a configuration file, its line ends as they are. Raises ConfigError."""
    try:
        refuse_readable_by_others(file)
        return file.read_bytes().decode(encoding)
    except OSError as error:
        raise ConfigError(f"The configuration {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text (byte {error.start}).") from error


def _syntax_error(file: Path, text: str, error: Any) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    place = f"{file}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(file)
    line = text.splitlines()[mark.line : mark.line + 1] if mark else []
    tab = any("\t" in each[: len(each) - len(each.lstrip())] for each in line)
    hint = "YAML is indented with blanks; put blanks in place of the tab." if tab else ""
    return ConfigError(f"{place}: {error.problem or error.context}.", hint)


def _refuse_deep_nesting(events: Iterable[Any], file: Path) -> None:
    """Refuse what is nested deeper than any configuration; `events` are read one by one."""
    depth = 0
    for event in events:
        kind = type(event).__name__
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        if depth > _MAX_DEPTH:
            mark = event.start_mark
            raise ConfigError(f"{file}, line {mark.line + 1}, column {mark.column + 1}: nested too deep.")


def _shared_node(raw: Any, file: Path, known: dict[int, Node]) -> Node:
    """The tree below; what aliases name again is the same, or a few lines of them would be billions of values."""
    if id(raw) not in known:
        known[id(raw)] = _build_node(raw, file, known)
    return known[id(raw)]


def _build_node(raw: Any, file: Path, known: dict[int, Node]) -> Node:
    line, column = raw.start_mark.line + 1, raw.start_mark.column + 1
    if raw.id == "mapping":
        return Node(dict(_mapping_items(raw, file, known)), file, line, column)
    if raw.id == "sequence":
        return Node([_shared_node(child, file, known) for child in raw.value], file, line, column)
    empty = raw.tag == "tag:yaml.org,2002:null" or raw.value == ""
    return Node(None if empty else raw.value, file, line, column)


def _mapping_items(raw: Any, file: Path, known: dict[int, Node]) -> Iterator[tuple[str, Node]]:
    seen: dict[str, int] = {}
    for key, value in raw.value:
        line = key.start_mark.line + 1
        place = f"{file}, line {line}, column {key.start_mark.column + 1}"
        if key.id != "scalar":
            raise ConfigError(f"{place}: a name must be plain text.")
        if key.value in seen:
            raise ConfigError(
                f'{place}: "{key.value}" stands here a second time; the first is in line {seen[key.value]}.'
            )
        seen[key.value] = line
        node = _shared_node(value, file, known)
        # A name is what a person searches for, also where its value begins lines below.
        yield key.value, Node(node.value, file, line, key.start_mark.column + 1)
