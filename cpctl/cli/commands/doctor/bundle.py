"""The files of `doctor --bundle`: facts for a bug report, with keys and passwords removed."""

import io
import json
import platform
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from cpctl import __version__
from cpctl.cli.commands.doctor.checks import DoctorContext
from cpctl.config.keys import KEY_VARIABLES
from cpctl.config.profiles import parse_config_yaml, read_config_text
from cpctl.config.settings import OTHER_VARIABLES, SETTINGS, SHOP_SETTINGS
from cpctl.diagnostics.network_checks import mask_credentials
from cpctl.errors import CpctlError
from cpctl.masking import KEY_PATTERN, MASK
from cpctl.outbox.queries import StoreInspection
from cpctl.yaml_reader import Node

# Settings whose values anybody may read. Every other value is masked: it may be a key under a mistyped name.
# The operator's name is private.
_PUBLIC_SETTINGS = {*SETTINGS, *SHOP_SETTINGS, "api_key_file", "api_key_command", "default_profile"} - {"operator"}
_SYSTEM_VARIABLES = ("LANG", "LC_ALL", "LC_CTYPE", "TERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "TZ", "CI")
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_URL_PASSWORD = re.compile(r"(?://|^)[^/:@\s]*:([^/@\s]+)@")
# Finds keys also in a configuration that is not valid YAML.
_INLINE_KEY = re.compile(r"""\bapi_key["']?\s*:\s*["']?([^\s"',}#]+)""")
# The last four characters of a key, as doctor shows them on the screen.
_KEY_ENDING = re.compile(r"…\S{4}(?= )")
_FAILURE_FIELDS = ("id", "type", "order", "item", "state", "attempts", "http_status", "message", "datetime", "held_by")
_MIN_SECRET_LENGTH = 4
_MAX_MESSAGE_LENGTH = 300


class BundleFile(NamedTuple):
    name: str
    description: str
    text: str


def build_bundle(doctor: DoctorContext, check_results: list[dict[str, Any]]) -> list[BundleFile]:
    """The files of a bundle, without keys and passwords."""
    redact = _Redactor(doctor)
    versions = {
        "cpctl": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    files: list[tuple[str, str, Any]] = [
        ("about.json", "versions of cpctl, Python and the system", versions),
        ("doctor.json", "what `cpctl doctor` found", check_results),
        ("configuration.json", "the configuration, keys masked", _collect_configuration(doctor)),
        ("environment.json", "variables that cpctl reads, masked if they may be secret", _collect_variables(doctor)),
        ("outbox.json", "number of signals by state, and messages of the last failures", _collect_outbox(doctor)),
    ]
    return [
        BundleFile(name, description, json.dumps(redact(content), ensure_ascii=False, indent=2) + "\n")
        for name, description, content in files
    ]


def zip_bundle(files: Iterable[BundleFile]) -> bytes:
    """The files as a zip file."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        for each in files:
            file.writestr(each.name, each.text)
    return written.getvalue()


class _Redactor:
    """Masks everything in a value that is known to be secret, or looks like it."""

    def __init__(self, doctor: DoctorContext) -> None:
        self._mask_keys = doctor.context.mask_keys
        self._secrets = sorted(_find_secrets(doctor), key=len, reverse=True)
        self._home = str(Path.home()) if "HOME" in doctor.context.environment else ""

    def __call__(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {self._redact_text(str(name)): self(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self(each) for each in value]
        return self._redact_text(value) if isinstance(value, str) else value

    def _redact_text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        text = _KEY_ENDING.sub(MASK, KEY_PATTERN.sub(MASK, self._mask_keys(text)))
        text = mask_credentials(text)
        return text.replace(self._home, "~") if len(self._home) > 1 else text


def _find_secrets(doctor: DoctorContext) -> set[str]:
    """Every key and password that can be found without running a key command: of all profiles, files and variables."""
    environment = doctor.context.environment
    texts = [environment.get(name, "") for name in KEY_VARIABLES.values()]
    files = [Path(environment[f"{name}_FILE"]) for name in KEY_VARIABLES.values() if f"{name}_FILE" in environment]
    with suppress(CpctlError, OSError, UnicodeDecodeError):
        text = doctor.config_path.read_text(encoding="utf-8-sig")
        texts += _INLINE_KEY.findall(text)
        for name, node in _walk_leaves(parse_config_yaml(text, doctor.config_path)):
            if name == "api_key_file":
                files.append(doctor.config_path.parent / Path(str(node.value)).expanduser())
            elif name not in _PUBLIC_SETTINGS and isinstance(node.value, str):
                texts.append(node.value)
    for file in files:
        with suppress(OSError, UnicodeDecodeError, RuntimeError):
            texts += file.read_text(encoding="utf-8-sig").split()
    passwords = [password for value in environment.values() for password in _URL_PASSWORD.findall(value)]
    texts += [*passwords, *map(unquote, passwords)]
    return {text for text in texts if len(text) >= _MIN_SECRET_LENGTH}


def _walk_leaves(node: Node, name: str = "") -> Iterator[tuple[str, Node]]:
    if isinstance(node.value, Mapping):
        for inner, each in node.value.items():
            yield from _walk_leaves(each, inner)
    elif isinstance(node.value, list):
        for each in node.value:
            yield from _walk_leaves(each, name)
    elif node.value:
        yield name, node


def _collect_configuration(doctor: DoctorContext) -> Any:
    try:
        text = read_config_text(doctor.config_path)
        return None if text is None else _mask_node(parse_config_yaml(text, doctor.config_path))
    except CpctlError as error:
        return {"error": error.message}


def _mask_node(node: Node, name: str = "", is_parent_public: bool = False) -> Any:
    is_public = is_parent_public or name in _PUBLIC_SETTINGS
    if isinstance(node.value, Mapping):
        # The names in a shop setting are the shop's own, such as column headings of its files.
        is_shop_setting = is_public and name in SHOP_SETTINGS
        return {inner: _mask_node(each, inner, is_shop_setting) for inner, each in node.value.items()}
    if isinstance(node.value, list):
        return [_mask_node(each, name, is_parent_public) for each in node.value]
    return node.value if is_public or not node.value else MASK


def _collect_variables(doctor: DoctorContext) -> dict[str, str]:
    """The variables that change how cpctl works. An unknown one is masked: it may be a key under a mistyped name."""
    known = {row.variable for row in SETTINGS.values() if row.variable} | {*OTHER_VARIABLES}
    known |= {f"{name}_FILE" for name in KEY_VARIABLES.values()}
    known -= {"CPCTL_OPERATOR", "CPCTL_SANDBOX_CONTROL"}
    found = {}
    for name, value in sorted(doctor.context.environment.items()):
        if name.startswith("CPCTL_"):
            found[name] = value if name in known else MASK
        elif name in _SYSTEM_VARIABLES or name.upper() in _PROXY_VARIABLES:
            found[name] = mask_credentials(value)
    return found


def _collect_outbox(doctor: DoctorContext) -> Any:
    store = doctor.store_contents
    if not isinstance(store, StoreInspection):
        return {"error": store.message} if store else None
    depth = store.queue_depth
    failures = [{name: signal.to_dict()[name] for name in _FAILURE_FIELDS} for signal in store.problem_signals]
    for each in failures:
        each["message"] = str(each["message"])[:_MAX_MESSAGE_LENGTH]
    return {
        "schema_version": store.schema_version,
        "states": {str(state): count for state, count in depth.counts.items()},
        "paused": depth.is_paused,
        "failures": failures,
    }
