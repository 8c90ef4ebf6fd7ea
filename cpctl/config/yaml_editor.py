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
SETTING_ORDER = ("environment", "base_url", "core", "signal", "webhooks", "signal_version", "shipping_option")
FILE_HEADER = "# The configuration of cpctl; `cpctl profile --help` says what can change it.\n"
_BOM = "\ufeff"
_NO_WRAP_WIDTH = 1 << 20

RoundTripMap = Any  # ruamel's own kind of dict
SettingValue = str | Sequence[str] | Mapping[str, str | Sequence[str]]


def with_profile(text: str, name: str, values: Mapping[str, SettingValue], default: str | None) -> str:
    """The text with a profile in it, in place of one of that name; `default` also sets default_profile."""

    def change(root: RoundTripMap) -> None:
        from ruamel.yaml.comments import CommentedMap

        if default is not None:
            _set_default(root, default)
        if not root.get("profiles"):
            root["profiles"] = CommentedMap()
        root["profiles"][name] = _profile_map(values)

    return edit_yaml(text or FILE_HEADER, change)


def with_default(text: str, name: str) -> str:
    """The text with that default_profile."""
    return edit_yaml(text, lambda root: _set_default(root, name))


def with_key_file(text: str, profile: str, service: str, file: str) -> str:
    """The text in which a service's key of a profile comes from a file, whatever it came from before."""

    def change(root: RoundTripMap) -> None:
        from ruamel.yaml.comments import CommentedMap

        if profile not in root["profiles"]:  # written without quotes, 007 is a number to YAML and no name
            raise ConfigError(f"The name of the profile {profile} must stand in quotes before cpctl can change it.")
        if not root["profiles"][profile]:
            root["profiles"][profile] = CommentedMap()
        fields = root["profiles"][profile]
        if not fields.get(service):
            fields.pop(service, None)
            fields.insert(_insert_position(fields, service), service, _flow_map({"api_key_file": file}))
            return
        if fields[service].anchor.value:  # shared with other profiles, which keep theirs
            fields[service] = _flow_map({"api_key_file": file})
        else:
            _replace_key_source(fields[service], "api_key_file", file)

    return edit_yaml(text, change)


def edit_yaml(text: str, change: Callable[[RoundTripMap], None]) -> str:
    """The text with a change made to what it says. Raises ConfigError where it cannot be changed."""
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    mark = _BOM if text.startswith(_BOM) else ""
    end = "\r\n" if "\r\n" in text else "\n"
    old = text.removeprefix(_BOM).replace("\r\n", "\n")
    if old and not old.endswith("\n"):
        old += "\n"
    try:
        root = _make_yaml(old).load(old)
        if root is None:  # nothing, or comments alone
            root = CommentedMap()
            change(root)
            new = old + _dump("", root)
        else:
            before = _dump(old, root)
            change(root)
            new = _merge_lines(old, before, _dump(old, root))
    except YAMLError as error:
        raise ConfigError(f"The configuration cannot be changed: {error}", "Change it with an editor.") from error
    return mark + new.replace("\n", end)


def _merge_lines(old: str, before: str, after: str) -> str:
    """`old` with the difference between `before` and `after`; `after` where lines do not correspond.

    Empty lines, of which some get lost on the way, belong to the line that they stand above.
    """
    groups, tail = _group_with_blank_lines(old.splitlines())
    plain, changed = ([line for line in text.splitlines() if line.strip()] for text in (before, after))
    if [_without_whitespace(group[-1]) for group in groups] != [_without_whitespace(line) for line in plain]:
        return after
    found: list[str] = []
    for what, start, stop, first, last in SequenceMatcher(None, plain, changed, autojunk=False).get_opcodes():
        there, new = [line for group in groups[start:stop] for line in group], changed[first:last]
        if what == "equal":
            found += there
        elif what == "insert":
            shift = _indent_shift(new[0], start, groups, plain)
            new = [_shift_line(line, shift) for line in new]
            above = _count_attached_lines(found, _indent_width(new[0]))
            found[len(found) - above : len(found) - above] = new
        else:
            empty, indent = groups[start][:-1], _indent_width(groups[start][-1])
            below = _count_attached_lines(there[len(empty) :], indent)
            shift = indent - _indent_width(plain[start])
            found += [*empty, *(_shift_line(line, shift) for line in new), *there[len(there) - below :]]
    merged = "".join(f"{line}\n" for line in [*found, *tail])
    return merged if _parse_plain(merged) == _parse_plain(after) else after


def _indent_shift(new: str, at: int, groups: Sequence[Sequence[str]], plain: Sequence[str]) -> int:
    """How far the lines beside a new one, which stand as deep as it does, stand elsewhere in the text itself."""
    for number in [*range(at - 1, -1, -1), *range(at, len(plain))]:
        if _indent_width(plain[number]) == _indent_width(new) and not plain[number].lstrip().startswith("#"):
            return _indent_width(groups[number][-1]) - _indent_width(plain[number])
    return 0


def _group_with_blank_lines(lines: Sequence[str]) -> tuple[list[list[str]], list[str]]:
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


def _count_attached_lines(lines: Sequence[str], indent: int) -> int:
    """How many lines above belong to what comes below: blank ones, and comments that stand further left."""
    count = 0
    for line in reversed(lines):
        bare = line.lstrip()
        if bare and not (bare.startswith("#") and _indent_width(line) < indent):
            break
        count += 1
    return count


def _indent_width(line: str) -> int:
    return len(line) - len(line.lstrip())


def _shift_line(line: str, by: int) -> str:
    return " " * (_indent_width(line) + by) + line.lstrip()


def _without_whitespace(line: str) -> str:
    return "".join(line.split())


def _parse_plain(text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return object()  # equal to nothing


def _make_yaml(text: str) -> Any:
    from ruamel.yaml import YAML

    made = YAML()
    made.preserve_quotes = True
    made.width = _NO_WRAP_WIDTH
    made.explicit_start = any(line == "---" for line in text.splitlines())
    return made


def _dump(old: str, root: RoundTripMap) -> str:
    yaml, written = _make_yaml(old), StringIO()
    profiles: Any = root.get("profiles")
    if hasattr(profiles, "lc") and not profiles.fa.flow_style() and (indent := profiles.lc.col):
        yaml.indent(mapping=indent, sequence=indent + 2, offset=indent)
    yaml.dump(root, written)
    return written.getvalue()


def _set_default(root: RoundTripMap, name: str) -> None:
    if "default_profile" in root:
        root["default_profile"] = name
    else:
        root.insert(0, "default_profile", name)


def _profile_map(values: Mapping[str, SettingValue]) -> RoundTripMap:
    from ruamel.yaml.comments import CommentedMap

    made = CommentedMap()
    for name in sorted(values, key=SETTING_ORDER.index):
        value = values[name]
        made[name] = _flow_map(value) if isinstance(value, Mapping) else value
    return made


def _flow_map(ways: Mapping[str, Any]) -> RoundTripMap:
    """A mapping on one line: `{api_key_file: core.key}`."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    made = CommentedMap()
    for name, value in ways.items():
        made[name] = value if isinstance(value, str) else CommentedSeq(value)
    made.fa.set_flow_style()
    return made


def _insert_position(fields: RoundTripMap, name: str) -> int:
    """Where a new name of a profile stands: behind those that cpctl would write before it."""
    before = SETTING_ORDER[: SETTING_ORDER.index(name)]
    return max((number + 1 for number, each in enumerate(fields) if each in before), default=0)


def _replace_key_source(ways: RoundTripMap, name: str, value: str) -> None:
    """Put one way to a key in the place of all others, with the comment that stood there."""
    old = next(iter(ways))
    comment = ways.ca.items.get(old)
    for each in list(ways):
        del ways[each]
    ways[name] = value
    if comment is not None:
        ways.ca.items[name] = comment
