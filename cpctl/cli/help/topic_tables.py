"""The tables and values in the texts of `cpctl help`, taken from the modules that use them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module

from cpctl.cli.lazy_tables import LazyTable, output_formats

Rows = Iterable[tuple[str, str]]


def table_rows(name: str) -> list[tuple[str, str]]:
    """The rows of a table: names with their meanings."""
    table = TABLES[name]
    return list(table.rows() if isinstance(table, LazyTable) else table())


def _exit_codes() -> Rows:
    from cpctl.errors import EXIT_CODE_MEANINGS

    return [(str(int(code)), meaning) for code, meaning in EXIT_CODE_MEANINGS.items()]


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


TABLES: Mapping[str, LazyTable | Callable[[], Rows]] = {
    "exit-codes": _exit_codes,
    "variables": environment_variables,
    "output-variables": LazyTable("output.text", "ENVIRONMENT_VARIABLES"),
    "formats": output_formats,
    "settings": _settings,
    "shop-settings": LazyTable("config.settings", "SHOP_SETTINGS"),
    "key-uses": _key_uses,
    "key-sources": LazyTable("config.settings", "KEY_SOURCE_SETTINGS"),
    "signal-types": _signal_types,
    "signal-states": LazyTable("outbox.models", "STATE_MEANINGS"),
    "responses": _responses_by_state,
    "command-codes": LazyTable("packing.scanned_codes", "COMMAND_MEANINGS"),
    "verdicts": _verdicts,
    "carriers": LazyTable("signals.carriers", "CARRIER_NAMES"),
    "column-headings": _column_headings,
    "presets": LazyTable("imports.column_mapping", "PRESETS", "meaning"),
    "webhook-responses": LazyTable("webhooks.server.responses", "RESPONSE_MEANINGS"),
    "sandbox-keys": LazyTable("sandbox.sandbox_state", "API_KEYS"),
    "faults": LazyTable("sandbox.faults", "FAULT_KINDS", "description"),
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
    "key-variables": lambda: ", ".join(name for _, name in LazyTable("config.keys", "KEY_VARIABLES").rows()),
    "order-count": _constant("sandbox.sandbox_state", "DEFAULT_ORDERS"),
    "items-per-order": _constant("sandbox.sandbox_state", "DEFAULT_ITEMS_PER_ORDER"),
    "dialects": _constant("sandbox.sandbox_state", "DIALECTS", " or "),
}
