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
from cpctl.cli.commands.doctor.doctor_context import Patient
from cpctl.config.keys import ENV_NAMES, MASK
from cpctl.config.profiles import OTHER_VARIABLES, SETTINGS, SHOP_NAMES
from cpctl.config.yaml_reader import LIKE_A_KEY, Node, parse_document, read_document
from cpctl.diagnostics.network_checks import without_credentials
from cpctl.errors import CpctlError
from cpctl.store.read_only import Look

# Names of the configuration whose values may be read by anybody; whatever else stands there is masked,
# as it may be a key under a name that was mistyped. Who works here is nobody's business.
_OPEN_SETTINGS = frozenset({*SETTINGS, *SHOP_NAMES, "api_key_file", "api_key_command", "default_profile"}) - {
    "operator"
}
_MACHINE = ("LANG", "LC_ALL", "LC_CTYPE", "TERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "TZ", "CI")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PASSWORD = re.compile(r"(?://|^)[^/:@\s]*:([^/@\s]+)@")
# Also where the configuration cannot be read as YAML.
_INLINE = re.compile(r"""\bapi_key["']?\s*:\s*["']?([^\s"',}#]+)""")
# On its own screen a key is told by its last four characters.
_LAST_FOUR = re.compile(r"…\S{4}(?= )")
_OF_A_FAILURE = ("id", "type", "order", "item", "state", "attempts", "http_status", "message", "datetime", "held_by")
_SHORTEST_SECRET = 4
_LONGEST_MESSAGE = 300


class Part(NamedTuple):
    """One file of the bundle."""

    name: str
    about: str
    text: str


def contents(patient: Patient, rows: list[dict[str, Any]]) -> list[Part]:
    """The files of a bundle, with no secret in any of them."""
    clean = _Cleaner(patient)
    found: list[tuple[str, str, Any]] = [
        ("about.json", "versions of cpctl, Python and the system", _about()),
        ("doctor.json", "what `cpctl doctor` found", rows),
        ("configuration.json", "the configuration, keys masked", _configuration(patient)),
        ("environment.json", "variables that cpctl reads, values masked where they may be secret", _variables(patient)),
        ("outbox.json", "how many signals are in which state, and what the last failures said", _outbox(patient)),
    ]
    return [
        Part(name, about, json.dumps(clean(value), ensure_ascii=False, indent=2) + "\n") for name, about, value in found
    ]


def zipped(parts: Iterable[Part]) -> bytes:
    """The parts as a zip file."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        for part in parts:
            file.writestr(part.name, part.text)
    return written.getvalue()


class _Cleaner:
    """Takes everything out of a value that is known to be secret, or looks like it."""

    def __init__(self, patient: Patient) -> None:
        self._hide = patient.run.hide
        self._secrets = sorted(set(_secrets(patient)), key=len, reverse=True)
        self._home = str(Path.home()) if "HOME" in patient.run.environment else ""

    def __call__(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {self._text(str(name)): self(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self(each) for each in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        text = _LAST_FOUR.sub(MASK, LIKE_A_KEY.sub(MASK, self._hide(text)))
        text = without_credentials(text)
        return text.replace(self._home, "~") if len(self._home) > 1 else text


def _secrets(patient: Patient) -> Iterator[str]:
    """Every key and password that can be found without running anything: of all profiles, files and variables."""
    environment = patient.run.environment
    texts = [environment.get(name, "") for name in ENV_NAMES.values()]
    files = [Path(environment[f"{name}_FILE"]) for name in ENV_NAMES.values() if f"{name}_FILE" in environment]
    with suppress(CpctlError, OSError, UnicodeDecodeError):
        text = patient.config.read_text(encoding="utf-8-sig")
        texts += _INLINE.findall(text)
        for name, node in _leaves(parse_document(text, patient.config)):
            if name == "api_key_file":
                files.append(node.file.parent / Path(str(node.value)).expanduser())
            elif name not in _OPEN_SETTINGS and isinstance(node.value, str):
                texts.append(node.value)
    for file in files:
        with suppress(OSError, UnicodeDecodeError, RuntimeError):
            texts += file.read_text(encoding="utf-8-sig").split()
    for value in environment.values():
        for password in _PASSWORD.findall(value):
            texts += [password, unquote(password)]
    yield from (text for text in texts if len(text) >= _SHORTEST_SECRET)


def _leaves(node: Node, name: str = "") -> Iterator[tuple[str, Node]]:
    if isinstance(node.value, Mapping):
        for inner, each in node.value.items():
            yield from _leaves(each, inner)
    elif isinstance(node.value, list):
        for each in node.value:
            yield from _leaves(each, name)
    elif node.value:
        yield name, node


def _about() -> dict[str, Any]:
    return {
        "cpctl": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _configuration(patient: Patient) -> Any:
    try:
        return _masked(read_document(patient.config)) if patient.config.exists() else None
    except CpctlError as error:
        return {"error": error.message}
    except OSError as error:
        return {"error": error.strerror}


def _masked(node: Node, name: str = "", open_above: bool = False) -> Any:
    shown = open_above or name in _OPEN_SETTINGS
    if isinstance(node.value, Mapping):
        # What stands below an open name is a shop's own words, such as the headings of its files.
        return {inner: _masked(each, inner, shown and name in SHOP_NAMES) for inner, each in node.value.items()}
    if isinstance(node.value, list):
        return [_masked(each, name, open_above) for each in node.value]
    return node.value if shown or not node.value else MASK


def _variables(patient: Patient) -> dict[str, str]:
    """Those that cpctl reads or that change how it works. One it does not know may be a key under another name."""
    known = {row.variable for row in SETTINGS.values() if row.variable} | {*OTHER_VARIABLES}
    known |= {f"{name}_FILE" for name in ENV_NAMES.values()}
    known -= {"CPCTL_OPERATOR", "CPCTL_SANDBOX_CONTROL"}
    found = {}
    for name, value in sorted(patient.run.environment.items()):
        if name.startswith("CPCTL_"):
            found[name] = value if name in known else MASK
        elif name in _MACHINE or name.upper() in _PROXIES:
            found[name] = without_credentials(value)
    return found


def _outbox(patient: Patient) -> Any:
    seen = patient.look
    if not isinstance(seen, Look):
        return {"error": seen.message} if seen else None
    depth = seen.depth
    failures = [{name: entry.report()[name] for name in _OF_A_FAILURE} for entry in seen.troubles]
    for each in failures:
        each["message"] = str(each["message"])[:_LONGEST_MESSAGE]
    return {
        "step": seen.step,
        "states": {str(state): number for state, number in depth.counts.items()},
        "paused": depth.paused,
        "failures": failures,
    }
