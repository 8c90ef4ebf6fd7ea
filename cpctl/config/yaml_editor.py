"""Changes to the text of a configuration file that keep comments, order, quoting and values.

Layout may change: spaces inside braces, indentation and the distance of a comment come out as ruamel.yaml writes
them. This is the only module that uses it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Any

from cpctl.config.keys import SERVICES
from cpctl.config.settings import SETTINGS
from cpctl.errors import ConfigError

# The order in which a profile is written, so that every way to the same profile ends in the same file.
SETTING_ORDER = tuple(dict.fromkeys(("environment", "base_url", *SERVICES, *SETTINGS)))
FILE_HEADER = "# The configuration of cpctl; `cpctl profile --help` lists the commands that change it.\n"
_BOM = "\ufeff"
_NO_WRAP_WIDTH = 1 << 20
# Text that other YAML readers take for a number, a boolean or null.
_TYPED_TEXT = re.compile(r"[-+.]?\d[\d._eE+-]*|true|false|null|yes|no|on|off|~", re.IGNORECASE)

RoundTripMap = Any  # ruamel's CommentedMap
SettingValue = str | Sequence[str] | Mapping[str, str | Sequence[str]]


def with_profile(text: str, name: str, values: Mapping[str, SettingValue], default: str | None) -> str:
    """The text with a profile added, or replaced if it exists; `default` also sets default_profile."""

    def change(root: RoundTripMap) -> None:
        if default is not None:
            _set_default(root, default)
        if not root.get("profiles"):
            root["profiles"] = _make_map({})
        ordered = sorted(values.items(), key=lambda item: SETTING_ORDER.index(item[0]))
        root["profiles"][name] = _make_map({field: _make_value(value) for field, value in ordered})

    return _edit(text or FILE_HEADER, change)


def with_default(text: str, name: str) -> str:
    """The text with that default_profile."""
    return _edit(text, lambda root: _set_default(root, name))


def with_key_file(text: str, profile: str, service: str, file: str) -> str:
    """The text in which a service's key of a profile comes from a file, instead of any other source."""

    def change(root: RoundTripMap) -> None:
        if not root["profiles"][profile]:
            root["profiles"][profile] = _make_map({})
        fields = root["profiles"][profile]
        sources = fields.get(service)
        if not sources:
            fields.pop(service, None)
            fields.insert(_insert_position(fields, service), service, _make_value({"api_key_file": file}))
        elif sources.anchor.value:  # shared with other profiles, which keep their source
            fields[service] = _make_value({"api_key_file": file})
        else:
            _replace_key_source(sources, "api_key_file", file)

    return _edit(text, change)


def _edit(text: str, change: Callable[[RoundTripMap], None]) -> str:
    """The text after a change to its tree. Raises ConfigError if ruamel.yaml cannot read or write it."""
    from ruamel.yaml.error import YAMLError

    mark = _BOM if text.startswith(_BOM) else ""
    line_end = "\r\n" if "\r\n" in text else "\n"
    old = text.removeprefix(_BOM).replace("\r\n", "\n")
    if old and not old.endswith("\n"):
        old += "\n"
    yaml = _make_yaml()
    try:
        root = yaml.load(old)
        if not isinstance(root, Mapping):  # an empty file, or comments alone
            root, kept = _make_map({}), old
        else:
            kept = ""
            yaml.explicit_start = "---" in old.splitlines()
        change(root)
        new = kept + _dump(yaml, root)
    except YAMLError as error:
        raise ConfigError(f"Cannot change the configuration: {error}", "Change it with an editor.") from error
    return mark + new.replace("\n", line_end)


def _make_yaml() -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.resolver import VersionedResolver
    from ruamel.yaml.tag import Tag

    class TextResolver(VersionedResolver):
        """Takes every unquoted value for text, so that 007, 1e3, null and true are written as they were."""

        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
            if kind is ScalarNode and implicit[0]:
                return Tag(suffix="tag:yaml.org,2002:str")
            return super().resolve(kind, value, implicit)

    made = YAML()
    made.Resolver = TextResolver
    made.preserve_quotes = True
    made.width = _NO_WRAP_WIDTH
    return made


def _dump(yaml: Any, root: RoundTripMap) -> str:
    profiles: Any = root.get("profiles")
    if hasattr(profiles, "lc") and not profiles.fa.flow_style() and (indent := profiles.lc.col):
        yaml.indent(mapping=indent, sequence=indent + 2, offset=indent)
    written = StringIO()
    yaml.dump(root, written)
    return written.getvalue()


def _set_default(root: RoundTripMap, name: str) -> None:
    if "default_profile" in root:
        root["default_profile"] = _make_value(name)
    else:
        root.insert(0, "default_profile", _make_value(name))


def _make_map(fields: Mapping[str, Any]) -> RoundTripMap:
    from ruamel.yaml.comments import CommentedMap

    return CommentedMap(fields)


def _make_value(value: SettingValue) -> Any:
    """A value as ruamel.yaml writes it: a mapping on one line, such as `{api_key_file: core.key}`."""
    from ruamel.yaml.comments import CommentedSeq
    from ruamel.yaml.scalarstring import SingleQuotedScalarString

    if isinstance(value, str):
        return SingleQuotedScalarString(value) if _TYPED_TEXT.fullmatch(value) else value
    if isinstance(value, Mapping):
        made = _make_map({name: _make_value(each) for name, each in value.items()})
        made.fa.set_flow_style()
        return made
    return CommentedSeq([_make_value(each) for each in value])


def _insert_position(fields: RoundTripMap, name: str) -> int:
    """The position of a new setting: after those that come before it in SETTING_ORDER."""
    before = SETTING_ORDER[: SETTING_ORDER.index(name)]
    return max((position + 1 for position, field in enumerate(fields) if field in before), default=0)


def _replace_key_source(sources: RoundTripMap, name: str, value: str) -> None:
    """Replace all sources of a key by one, keeping the comment of the first."""
    comment = sources.ca.items.get(next(iter(sources)))
    for each in list(sources):
        del sources[each]
    sources[name] = _make_value(value)
    if comment is not None:
        sources.ca.items[name] = comment
