"""Changes to the text of a configuration that leave all else as it was written. The only file that knows ruamel.yaml.

ruamel.yaml keeps comments, order and quoting, and still writes a file anew: blanks inside
braces, indentation and ends of lines come out as it likes them. So it is asked twice, for the
text without the change and with it; only the lines in which the two differ are changed in the
text that was there.
"""

from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from io import StringIO
from typing import Any

from cpctl.errors import ConfigError

# The order in which cpctl writes what it knows, so that two ways to the same profile end in the same file.
ORDER = ("environment", "base_url", "core", "signal", "webhooks", "signal_version", "shipping_option")
HEADING = "# The configuration of cpctl; `cpctl profile --help` says what can change it.\n"
_MARK = "\ufeff"
_NEVER_FOLDED = 1 << 20

Tree = Any  # ruamel's own kind of dict
Value = str | Sequence[str] | Mapping[str, str | Sequence[str]]


def with_profile(text: str, name: str, values: Mapping[str, Value], default: str | None) -> str:
    """The text with a profile in it, in place of one of that name; `default` also sets default_profile."""

    def change(root: Tree) -> None:
        from ruamel.yaml.comments import CommentedMap

        if default is not None:
            _set_default(root, default)
        if not root.get("profiles"):
            root["profiles"] = CommentedMap()
        root["profiles"][name] = _block(values)

    return edited(text or HEADING, change)


def with_default(text: str, name: str) -> str:
    """The text with that default_profile."""
    return edited(text, lambda root: _set_default(root, name))


def with_key_file(text: str, profile: str, service: str, file: str) -> str:
    """The text in which a service's key of a profile comes from a file, whatever it came from before."""

    def change(root: Tree) -> None:
        from ruamel.yaml.comments import CommentedMap

        if profile not in root["profiles"]:  # written without quotes, 007 is a number to YAML and no name
            raise ConfigError(f"The name of the profile {profile} must stand in quotes before cpctl can change it.")
        if not root["profiles"][profile]:
            root["profiles"][profile] = CommentedMap()
        fields = root["profiles"][profile]
        if not fields.get(service):
            fields.pop(service, None)
            fields.insert(_place(fields, service), service, _line({"api_key_file": file}))
            return
        if fields[service].anchor.value:  # shared with other profiles, which keep theirs
            fields[service] = _line({"api_key_file": file})
        else:
            _replace(fields[service], "api_key_file", file)

    return edited(text, change)


def edited(text: str, change: Callable[[Tree], None]) -> str:
    """The text with a change made to what it says. Raises ConfigError where it cannot be changed."""
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    mark = _MARK if text.startswith(_MARK) else ""
    end = "\r\n" if "\r\n" in text else "\n"
    old = text.removeprefix(_MARK).replace("\r\n", "\n")
    if old and not old.endswith("\n"):
        old += "\n"
    try:
        root = _yaml(old).load(old)
        if root is None:  # nothing, or comments alone
            root = CommentedMap()
            change(root)
            new = old + _dumped("", root)
        else:
            before = _dumped(old, root)
            change(root)
            new = _merged(old, before, _dumped(old, root))
    except YAMLError as error:
        raise ConfigError(f"The configuration cannot be changed: {error}", "Change it with an editor.") from error
    return mark + new.replace("\n", end)


def _merged(old: str, before: str, after: str) -> str:
    """`old` with the difference between `before` and `after`; `after` where lines do not correspond.

    Empty lines, of which some get lost on the way, belong to the line that they stand above.
    """
    groups, tail = _grouped(old.splitlines())
    plain, changed = ([line for line in text.splitlines() if line.strip()] for text in (before, after))
    if [_bare(group[-1]) for group in groups] != [_bare(line) for line in plain]:
        return after
    found: list[str] = []
    for what, start, stop, first, last in SequenceMatcher(None, plain, changed, autojunk=False).get_opcodes():
        there, new = [line for group in groups[start:stop] for line in group], changed[first:last]
        if what == "equal":
            found += there
        elif what == "insert":
            shift = _shift_of(new[0], start, groups, plain)
            new = [_shifted(line, shift) for line in new]
            above = _steps_up(found, _indent(new[0]))
            found[len(found) - above : len(found) - above] = new
        else:
            empty, indent = groups[start][:-1], _indent(groups[start][-1])
            below = _steps_up(there[len(empty) :], indent)
            shift = indent - _indent(plain[start])
            found += [*empty, *(_shifted(line, shift) for line in new), *there[len(there) - below :]]
    merged = "".join(f"{line}\n" for line in [*found, *tail])
    return merged if _meaning(merged) == _meaning(after) else after


def _shift_of(new: str, at: int, groups: Sequence[Sequence[str]], plain: Sequence[str]) -> int:
    """How far the lines beside a new one, which stand as deep as it does, stand elsewhere in the text itself."""
    for number in [*range(at - 1, -1, -1), *range(at, len(plain))]:
        if _indent(plain[number]) == _indent(new) and not plain[number].lstrip().startswith("#"):
            return _indent(groups[number][-1]) - _indent(plain[number])
    return 0


def _grouped(lines: Sequence[str]) -> tuple[list[list[str]], list[str]]:
    """Every line with the empty ones above it, and the empty ones at the end."""
    groups: list[list[str]] = []
    empty: list[str] = []
    for line in lines:
        if line.strip():
            groups.append([*empty, line])
            empty = []
        else:
            empty.append(line)
    return groups, empty


def _steps_up(lines: Sequence[str], indent: int) -> int:
    """How many lines above belong to what comes below: blank ones, and comments that stand further left."""
    count = 0
    for line in reversed(lines):
        bare = line.lstrip()
        if bare and not (bare.startswith("#") and _indent(line) < indent):
            break
        count += 1
    return count


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _shifted(line: str, by: int) -> str:
    return " " * (_indent(line) + by) + line.lstrip()


def _bare(line: str) -> str:
    return "".join(line.split())


def _meaning(text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return object()  # equal to nothing


def _yaml(text: str) -> Any:
    from ruamel.yaml import YAML

    made = YAML()
    made.preserve_quotes = True
    made.width = _NEVER_FOLDED
    made.explicit_start = any(line == "---" for line in text.splitlines())
    return made


def _dumped(old: str, root: Tree) -> str:
    yaml, written = _yaml(old), StringIO()
    profiles: Any = root.get("profiles")
    if hasattr(profiles, "lc") and not profiles.fa.flow_style() and (indent := profiles.lc.col):
        yaml.indent(mapping=indent, sequence=indent + 2, offset=indent)
    yaml.dump(root, written)
    return written.getvalue()


def _set_default(root: Tree, name: str) -> None:
    if "default_profile" in root:
        root["default_profile"] = name
    else:
        root.insert(0, "default_profile", name)


def _block(values: Mapping[str, Value]) -> Tree:
    from ruamel.yaml.comments import CommentedMap

    made = CommentedMap()
    for name in sorted(values, key=ORDER.index):
        value = values[name]
        made[name] = _line(value) if isinstance(value, Mapping) else value
    return made


def _line(ways: Mapping[str, Any]) -> Tree:
    """A mapping on one line: `{api_key_file: core.key}`."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    made = CommentedMap()
    for name, value in ways.items():
        made[name] = value if isinstance(value, str) else CommentedSeq(value)
    made.fa.set_flow_style()
    return made


def _place(fields: Tree, name: str) -> int:
    """Where a new name of a profile stands: behind those that cpctl would write before it."""
    before = ORDER[: ORDER.index(name)]
    return max((number + 1 for number, each in enumerate(fields) if each in before), default=0)


def _replace(ways: Tree, name: str, value: str) -> None:
    """Put one way to a key in the place of all others, with the comment that stood there."""
    old = next(iter(ways))
    comment = ways.ca.items.get(old)
    for each in list(ways):
        del ways[each]
    ways[name] = value
    if comment is not None:
        ways.ca.items[name] = comment
