"""Changing the configuration file: one change at a time, completely or not at all, and only to a valid file.

A change of the text keeps comments, order, quoting and values. Layout may change: spaces inside braces, indentation and
the distance of a comment come out as ruamel.yaml writes them. This is the only module that uses it.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import SingleQuotedScalarString
from ruamel.yaml.tag import Tag

from cpctl.config.keys import SERVICES, Key
from cpctl.config.profiles import Configuration, check_profile, choose_profile, parse_configuration, read_config_text
from cpctl.config.settings import SETTINGS
from cpctl.errors import ConfigError, InvalidInput
from cpctl.files import write_private

FOLDER_MODE = 0o700
EditText = Callable[[Configuration, str], str]
# The order in which a profile is written, so that every way to the same profile ends in the same file.
SETTING_ORDER = tuple(dict.fromkeys(("environment", "base_url", *SERVICES, *SETTINGS)))
FILE_HEADER = "# The configuration of cpctl; `cpctl profile --help` lists the commands that change it.\n"
_BOM = "\ufeff"
_NO_WRAP_WIDTH = 1 << 20
# Text that other YAML readers take for a number, a boolean or null.
_TYPED_TEXT = re.compile(r"[-+.]?\d[\d._eE+-]*|true|false|null|yes|no|on|off|~", re.IGNORECASE)

RoundTripMap = Any  # ruamel's CommentedMap
SettingValue = str | Sequence[str] | Mapping[str, str | Sequence[str]]


def change_configuration(file: Path, profile: str, edit: EditText) -> Configuration:
    """Replace the file's text by what `edit` returns for its configuration and text.

    `profile` is the only profile that may differ afterwards. A link is followed. Raises ConfigError; then the file
    is unchanged.
    """
    _create_private_folder(file.parent)
    target = file.resolve()
    with _lock_folder(target.parent):
        old = read_config_text(target) or ""
        before = parse_configuration(old, file)
        new = edit(before, old)
        after = parse_configuration(new, file)
        _refuse_other_changes(before, after, profile)
        # An editor does not take the lock, and some file systems have none.
        if (read_config_text(target) or "") != old:
            raise ConfigError(f"Another program changed {file} at the same time.", "Repeat the command.")
        if new != old:
            _write_config_or_key(target, new)
    return after


def set_default_profile(file: Path, name: str) -> None:
    """Make a profile the default. Raises ConfigError."""

    def edit(before: Configuration, old: str) -> str:
        choose_profile(before, name, {})
        return old if before.default == name else with_default(old, name)

    change_configuration(file, name, edit)


@contextmanager
def key_files_transaction(keys: Mapping[Path, Key]) -> Iterator[None]:
    """Write key files; restore what was there if the body fails. Raises ConfigError."""
    before: dict[Path, bytes | None] = {}
    try:
        for file, key in keys.items():
            _create_private_folder(file.parent)
            before[file] = _read_if_exists(file)
            _write_config_or_key(file, f"{key.value}\n")
        yield
    except BaseException:
        for file, content in before.items():
            with suppress(OSError, ConfigError):
                if content is None:
                    file.unlink(missing_ok=True)
                else:
                    _write_config_or_key(file, content)
        raise


def _read_if_exists(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"Cannot replace the key file {file}: {error.strerror}.") from error


def _create_private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"Cannot create the folder {folder}: {error.strerror}.", "Name another file with --config or CPCTL_CONFIG."
        ) from error


def _write_config_or_key(file: Path, content: str | bytes) -> None:
    if file.exists() and not os.access(file, os.W_OK):  # replacing it would work, and undo what somebody meant
        raise ConfigError(f"{file} cannot be written: it is read-only.", "Nothing was changed.")
    try:
        write_private(file, content)
    except InvalidInput as error:
        raise ConfigError(error.message, "Nothing was changed.") from error


def _refuse_other_changes(before: Configuration, after: Configuration, profile: str) -> None:
    """Anchors and aliases can carry a change of one profile to others."""
    for name, node in before.profiles.items():
        if name != profile and (name not in after.profiles or after.profiles[name].to_plain() != node.to_plain()):
            raise ConfigError(
                f'{before.file}: the change would also affect the profile "{name}"; nothing was changed.',
                "Change the file with an editor, then check it with `cpctl profile check`.",
            )
    if profile in after.profiles:
        check_profile(after, profile)


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Keep other changes away: of two at the same time, one would overwrite the other.

    The folder itself is locked, so that no lock file is left behind. Windows and file systems that cannot lock
    folders go without; change_configuration compares the text again before it writes.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class _TextResolver(VersionedResolver):
    """Takes every unquoted value for text, so that 007, 1e3, null and true are written as they were."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and implicit[0]:
            return Tag(suffix="tag:yaml.org,2002:str")
        return super().resolve(kind, value, implicit)


def with_profile(text: str, name: str, values: Mapping[str, SettingValue], default: str | None) -> str:
    """The text with a profile added, or replaced if it exists; `default` also sets default_profile."""

    def change(root: RoundTripMap) -> None:
        if default is not None:
            _set_default(root, default)
        if not root.get("profiles"):
            root["profiles"] = CommentedMap()
        ordered = sorted(values.items(), key=lambda item: SETTING_ORDER.index(item[0]))
        root["profiles"][name] = CommentedMap({field: _make_value(value) for field, value in ordered})

    return _edit(text or FILE_HEADER, change)


def with_default(text: str, name: str) -> str:
    """The text with that default_profile."""
    return _edit(text, lambda root: _set_default(root, name))


def with_key_file(text: str, profile: str, service: str, file: str) -> str:
    """The text in which a service's key of a profile comes from a file, instead of any other source."""

    def change(root: RoundTripMap) -> None:
        if not root["profiles"][profile]:
            root["profiles"][profile] = CommentedMap()
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
    mark = _BOM if text.startswith(_BOM) else ""
    line_end = "\r\n" if "\r\n" in text else "\n"
    old = text.removeprefix(_BOM).replace("\r\n", "\n")
    if old and not old.endswith("\n"):
        old += "\n"
    yaml = YAML()
    yaml.Resolver = _TextResolver
    yaml.preserve_quotes = True
    yaml.width = _NO_WRAP_WIDTH
    try:
        root = yaml.load(old)
        if not isinstance(root, Mapping):  # an empty file, or comments alone
            root, kept = CommentedMap(), old
        else:
            kept = ""
            yaml.explicit_start = "---" in old.splitlines()
        change(root)
        new = kept + _dump(yaml, root)
    except YAMLError as error:
        raise ConfigError(f"Cannot change the configuration: {error}", "Change it with an editor.") from error
    return mark + new.replace("\n", line_end)


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


def _make_value(value: SettingValue) -> Any:
    """A value as ruamel.yaml writes it: a mapping on one line, such as `{api_key_file: core.key}`."""
    if isinstance(value, str):
        return SingleQuotedScalarString(value) if _TYPED_TEXT.fullmatch(value) else value
    if isinstance(value, Mapping):
        made = CommentedMap({name: _make_value(each) for name, each in value.items()})
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
