"""What a bug report needs and nobody minds to send: facts of the machine, with all that is secret taken out."""

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
from cpctl.cli.commands.doctor.doctor_context import DoctorContext
from cpctl.config.keys import KEY_VARIABLES
from cpctl.config.profiles import OTHER_VARIABLES, SETTINGS, SHOP_SETTINGS
from cpctl.config.yaml_reader import KEY_PATTERN, Node, parse_yaml, read_yaml
from cpctl.diagnostics.network_checks import mask_credentials
from cpctl.errors import CpctlError
from cpctl.masking import MASK
from cpctl.outbox.queries import StoreInspection

# Names of the configuration whose values may be read by anybody; whatever else stands there is masked,
# as it may be a key under a name that was mistyped. Who works here is nobody's business.
_PUBLIC_SETTINGS = frozenset({*SETTINGS, *SHOP_SETTINGS, "api_key_file", "api_key_command", "default_profile"}) - {
    "operator"
}
_SYSTEM_VARIABLES = ("LANG", "LC_ALL", "LC_CTYPE", "TERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "TZ", "CI")
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_URL_PASSWORD = re.compile(r"(?://|^)[^/:@\s]*:([^/@\s]+)@")
# Also where the configuration cannot be read as YAML.
_INLINE_KEY = re.compile(r"""\bapi_key["']?\s*:\s*["']?([^\s"',}#]+)""")
# On its own screen a key is told by its last four characters.
_KEY_ENDING = re.compile(r"…\S{4}(?= )")
_FAILURE_FIELDS = ("id", "type", "order", "item", "state", "attempts", "http_status", "message", "datetime", "held_by")
_MIN_SECRET_LENGTH = 4
_MAX_MESSAGE_LENGTH = 300


class BundleFile(NamedTuple):
    """One file of the bundle."""

    name: str
    description: str
    text: str


def build_bundle(doctor: DoctorContext, check_results: list[dict[str, Any]]) -> list[BundleFile]:
    """The files of a bundle, with no secret in any of them."""
    clean = _Redactor(doctor)
    found: list[tuple[str, str, Any]] = [
        ("about.json", "versions of cpctl, Python and the system", _collect_versions()),
        ("doctor.json", "what `cpctl doctor` found", check_results),
        ("configuration.json", "the configuration, keys masked", _collect_configuration(doctor)),
        (
            "environment.json",
            "variables that cpctl reads, values masked where they may be secret",
            _collect_variables(doctor),
        ),
        (
            "outbox.json",
            "how many signals are in which state, and what the last failures said",
            _collect_outbox(doctor),
        ),
    ]
    return [
        BundleFile(name, about, json.dumps(clean(value), ensure_ascii=False, indent=2) + "\n")
        for name, about, value in found
    ]


def zip_bundle(files: Iterable[BundleFile]) -> bytes:
    """The parts as a zip file."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        for part in files:
            file.writestr(part.name, part.text)
    return written.getvalue()


class _Redactor:
    """Takes everything out of a value that is known to be secret, or looks like it."""

    def __init__(self, doctor: DoctorContext) -> None:
        self._hide = doctor.context.mask_keys
        self._secrets = sorted(set(_find_secrets(doctor)), key=len, reverse=True)
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
        text = _KEY_ENDING.sub(MASK, KEY_PATTERN.sub(MASK, self._hide(text)))
        text = mask_credentials(text)
        return text.replace(self._home, "~") if len(self._home) > 1 else text


def _find_secrets(doctor: DoctorContext) -> Iterator[str]:
    """Every key and password that can be found without running anything: of all profiles, files and variables."""
    environment = doctor.context.environment
    texts = [environment.get(name, "") for name in KEY_VARIABLES.values()]
    files = [Path(environment[f"{name}_FILE"]) for name in KEY_VARIABLES.values() if f"{name}_FILE" in environment]
    with suppress(CpctlError, OSError, UnicodeDecodeError):
        text = doctor.config_path.read_text(encoding="utf-8-sig")
        texts += _INLINE_KEY.findall(text)
        for name, node in _walk_leaves(parse_yaml(text, doctor.config_path)):
            if name == "api_key_file":
                files.append(node.file.parent / Path(str(node.value)).expanduser())
            elif name not in _PUBLIC_SETTINGS and isinstance(node.value, str):
                texts.append(node.value)
    for file in files:
        with suppress(OSError, UnicodeDecodeError, RuntimeError):
            texts += file.read_text(encoding="utf-8-sig").split()
    for value in environment.values():
        for password in _URL_PASSWORD.findall(value):
            texts += [password, unquote(password)]
    yield from (text for text in texts if len(text) >= _MIN_SECRET_LENGTH)


def _walk_leaves(node: Node, name: str = "") -> Iterator[tuple[str, Node]]:
    if isinstance(node.value, Mapping):
        for inner, each in node.value.items():
            yield from _walk_leaves(each, inner)
    elif isinstance(node.value, list):
        for each in node.value:
            yield from _walk_leaves(each, name)
    elif node.value:
        yield name, node


def _collect_versions() -> dict[str, Any]:
    return {
        "cpctl": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _collect_configuration(doctor: DoctorContext) -> Any:
    try:
        return _mask_node(read_yaml(doctor.config_path)) if doctor.config_path.exists() else None
    except CpctlError as error:
        return {"error": error.message}
    except OSError as error:
        return {"error": error.strerror}


def _mask_node(node: Node, name: str = "", is_parent_public: bool = False) -> Any:
    shown = is_parent_public or name in _PUBLIC_SETTINGS
    if isinstance(node.value, Mapping):
        # What stands below an open name is a shop's own words, such as the headings of its files.
        return {inner: _mask_node(each, inner, shown and name in SHOP_SETTINGS) for inner, each in node.value.items()}
    if isinstance(node.value, list):
        return [_mask_node(each, name, is_parent_public) for each in node.value]
    return node.value if shown or not node.value else MASK


def _collect_variables(doctor: DoctorContext) -> dict[str, str]:
    """Those that cpctl reads or that change how it works. One it does not know may be a key under another name."""
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
    seen = doctor.store_contents
    if not isinstance(seen, StoreInspection):
        return {"error": seen.message} if seen else None
    depth = seen.queue_depth
    failures = [{name: entry.to_dict()[name] for name in _FAILURE_FIELDS} for entry in seen.problem_signals]
    for each in failures:
        each["message"] = str(each["message"])[:_MAX_MESSAGE_LENGTH]
    return {
        "step": seen.schema_version,
        "states": {str(state): number for state, number in depth.counts.items()},
        "paused": depth.is_paused,
        "failures": failures,
    }
