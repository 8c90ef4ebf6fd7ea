"""The topics of `cpctl help`: a row per topic, and a text per topic in the folder `texts`.

In a text, a line that begins with `#` is a heading and indented lines are code. A paragraph `{{name}}` is the table of
that name in TABLES; inside a paragraph `{{name}}` is one of VALUES. All come from the modules that use them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module, resources
from textwrap import dedent
from typing import NamedTuple

from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Heading, Paragraph
from cpctl.cli.lazy_tables import Rows, lazy_table, output_formats
from cpctl.errors import find_closest

_PLACEHOLDER = re.compile(r"\{\{([a-z-]+)\}\}")


class Topic(NamedTuple):
    """A topic: its name, one sentence, other names, and the group of commands it is about."""

    name: str
    summary: str
    aliases: tuple[str, ...] = ()
    group: str = ""

    def blocks(self) -> Iterator[Block]:
        """The text, with its tables."""
        # Not by its path: cpctl may run from a zip file.
        file = resources.files("cpctl.cli.help").joinpath("texts", f"{self.name}.txt")
        for part in file.read_text(encoding="utf-8").rstrip().split("\n\n"):
            yield _parse_block(part)


def _parse_block(part: str) -> Block:
    if part.startswith("# "):
        return Heading(part.removeprefix("# "))
    if part.startswith("    "):
        return CodeBlock(dedent(part))
    if match := _PLACEHOLDER.fullmatch(part):
        return DefinitionList(list(TABLES[match[1]]()))
    return Paragraph(_PLACEHOLDER.sub(lambda match: VALUES[match[1]](), part))


TOPICS: dict[str, Topic] = {
    row.name: row
    for row in (
        Topic("signals", "What can be reported about an item, and how.", ("types",), "signal"),
        Topic("outbox", "What happens to a signal until it is delivered.", ("delivery",), "outbox"),
        Topic("scan", "The packing bench: scanner, screen, command codes.", ("bench", "scanner")),
        Topic("files", "Files of signals, their columns, and hot folders.", ("maps", "csv", "watch")),
        Topic("webhooks", "How to receive what Cloudprinter reports.", ("webhook",), "webhooks"),
        Topic("sandbox", "The simulated Cloudprinter on this machine, and its faults.", ("faults",), "sandbox"),
        Topic(
            "configuration",
            "The configuration file: every setting of a profile.",
            ("config", "settings", "profiles"),
            "profile",
        ),
        Topic("keys", "The three keys, and where to keep them.", ("key", "api-keys", "secrets")),
        Topic("environment", "Every environment variable that cpctl reads.", ("env", "variables")),
        Topic("output", "Formats, queries, color, and the two output streams.", ("formats", "query")),
        Topic("exit-codes", "What each exit status means.", ("exit-status", "exit-code", "errors")),
    )
}


def find_topic(name: str) -> Topic | None:
    """The topic of that name or alias; None if there is none."""
    wanted = name.lower().replace("_", "-").replace(" ", "-")
    return TOPICS.get(wanted) or next((row for row in TOPICS.values() if wanted in row.aliases), None)


def suggest_topic(name: str) -> str:
    """The topic whose name or alias is closest; empty if none is close."""
    names = {alias: row.name for row in TOPICS.values() for alias in (row.name, *row.aliases)}
    return names.get(find_closest(name, names), "")


def environment_variables() -> Rows:
    """Every environment variable of cpctl, with its effect."""
    from cpctl.config.keys import KEY_VARIABLES
    from cpctl.config.settings import OTHER_VARIABLES, SETTINGS

    yield from ((row.variable, row.meaning) for row in SETTINGS.values() if row.variable)
    for service, name in KEY_VARIABLES.items():
        yield name, f"the key of {service}"
        yield f"{name}_FILE", f"a file that holds the key of {service}"
    yield from OTHER_VARIABLES.items()


def _settings() -> Rows:
    from cpctl.config.keys import KEY_USES
    from cpctl.config.settings import KEY_SOURCE_SETTINGS, SETTINGS

    sources = ", ".join(KEY_SOURCE_SETTINGS)
    yield from ((service, f"one of {sources}: the key for {use}") for service, use in KEY_USES.items())
    for row in SETTINGS.values():
        default = f"; default: {row.default}" if row.default else ""
        variable = f"; overridden by {row.variable}" if row.variable else ""
        yield row.name, f"{row.meaning}{default}{variable}"


def _key_uses() -> Rows:
    from cpctl.config.keys import KEY_USES, KEY_VARIABLES

    return [(service, f"{use}; or {KEY_VARIABLES[service]}") for service, use in KEY_USES.items()]


def _signal_types() -> Rows:
    from cpctl.signals.signal_types import API_VERSIONS, SIGNAL_TYPES

    for row in SIGNAL_TYPES.values():
        known = [version for version in API_VERSIONS if version in row.required]
        only = "" if len(known) == len(API_VERSIONS) else f" (only version {', '.join(known)})"
        yield f"signal {row.command}", f"{row.name}: {row.meaning}{only}"


def response_rows() -> Iterator[tuple[str, str, str]]:
    """What a response does to a signal: the response, the state of the signal after it, the exit status."""
    from cpctl.api.failures import HOLD, RETRY, SIGNAL_FAILURES
    from cpctl.outbox.models import State

    states = {RETRY: f"{State.QUEUED}, retried on schedule", HOLD: f"{State.HELD}, the queue is paused"}
    yield "any 2xx", str(State.DELIVERED), "0"
    for row in SIGNAL_FAILURES:
        status = "0 (75 with --require-delivery)" if row.disposition == RETRY else str(int(row.exit_code))
        yield f"{row.message} ({row.condition})", states.get(row.disposition, str(State.REFUSED)), status


def _responses_by_state() -> Rows:
    responses: dict[tuple[str, str], list[str]] = {}
    for response, state, status in response_rows():
        responses.setdefault((state, status), []).append(response)
    for (state, status), texts in responses.items():
        yield state.partition(",")[0], f"{'; '.join(texts)}: {state}; exit status {status}"


def _verdicts() -> Rows:
    from cpctl.packing.models import SEVERITY_MEANINGS

    return [(severity.upper(), meaning) for severity, meaning in SEVERITY_MEANINGS.items()]


def _column_headings() -> Rows:
    from cpctl.imports.column_mapping import COLUMN_ALIASES

    return [(field, ", ".join(names)) for field, names in COLUMN_ALIASES.items()]


TABLES: Mapping[str, Callable[[], Rows]] = {
    "exit-codes": lazy_table("errors", "EXIT_CODE_MEANINGS"),
    "variables": environment_variables,
    "output-variables": lazy_table("output.text", "ENVIRONMENT_VARIABLES"),
    "formats": output_formats,
    "settings": _settings,
    "shop-settings": lazy_table("config.settings", "SHOP_SETTINGS"),
    "key-uses": _key_uses,
    "key-sources": lazy_table("config.settings", "KEY_SOURCE_SETTINGS"),
    "signal-types": _signal_types,
    "signal-states": lazy_table("outbox.models", "STATE_MEANINGS"),
    "responses": _responses_by_state,
    "command-codes": lazy_table("packing.scanned_codes", "COMMAND_MEANINGS"),
    "verdicts": _verdicts,
    "carriers": lazy_table("signals.carriers", "CARRIER_NAMES"),
    "column-headings": _column_headings,
    "presets": lazy_table("imports.column_mapping", "PRESETS", "meaning"),
    "webhook-responses": lazy_table("webhooks.server.server_settings", "RESPONSE_MEANINGS"),
    "sandbox-keys": lazy_table("sandbox.sandbox_state", "API_KEYS"),
    "faults": lazy_table("sandbox.faults", "FAULT_KINDS", "description"),
}


def _retry_delays() -> str:
    from cpctl import retry

    return ", ".join(map(_format_delay, retry.SIGNALS.delays))


def _format_delay(seconds: float) -> str:
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min" if seconds < 3600 else f"{seconds // 3600} h"


def _constant(module: str, name: str, separator: str = "") -> Callable[[], str]:
    """A constant of a module of cpctl, as text; with a separator, its elements."""

    def read() -> str:
        value = getattr(import_module(f"cpctl.{module}"), name)
        return separator.join(value) if separator else str(value)

    return read


VALUES: Mapping[str, Callable[[], str]] = {
    "latest-version": _constant("signals.signal_types", "LATEST_API_VERSION"),
    "retry-delays": _retry_delays,
    "key-variables": lambda: ", ".join(name for _, name in lazy_table("config.keys", "KEY_VARIABLES")()),
    "order-count": _constant("sandbox.sandbox_state", "DEFAULT_ORDERS"),
    "items-per-order": _constant("sandbox.sandbox_state", "DEFAULT_ITEMS_PER_ORDER"),
    "dialects": _constant("sandbox.sandbox_state", "DIALECTS", " or "),
}
