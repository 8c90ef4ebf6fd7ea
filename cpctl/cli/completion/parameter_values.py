"""The values that each parameter can take: a row per metavar, and one per command where the metavar is not enough."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from cpctl.cli.completion.nodes import (
    COMMAND_LINE,
    COMMANDS,
    COUNTRY_STATES,
    FILES,
    FOLDERS,
    FREE_TEXT,
    KIND_SEPARATOR,
    Candidate,
)
from cpctl.cli.lazy_tables import LazyTable, output_formats

Completions = Iterable[tuple[str, str]]

# The narrowest place wins: "orders wait --for", then "orders REFERENCE" for a group, then "--state" anywhere, then the
# metavar. Every kind has its words in STATIC_WORDS or in `candidates.COMPLETERS`, or the shell completes it.
VALUE_KINDS: Mapping[str, str] = {
    "--profile": "profiles",
    "--output": "formats",
    "--color": "colors",
    "--country": "countries",
    "--currency": "currencies",
    "--api": "order-apis",
    "--api-version": "versions",
    "--dialect": "dialects",
    "--level": "levels",
    "--map": f"presets{KIND_SEPARATOR}maps",
    "--station": "stations",
    "--operator": "operators",
    "--tracking": FREE_TEXT,
    "--shipping-option": FREE_TEXT,
    "--encoding": FREE_TEXT,
    "--date": "days",
    "--sound": f"sounds{KIND_SEPARATOR}{COMMANDS}",
    "signal --item": "reported-items",
    "signal history --order": "reported-orders",
    "signal --state": "signal-states",
    "signal --type": "signal-types",
    "signal scan --type": "scanned-types",
    "outbox --state": "signal-states",
    "outbox show ID": "signal-ids",
    "outbox ID": "outbox-ids",
    "orders --state": "order-states",
    "orders wait --for": f"order-states{KIND_SEPARATOR}order-ends",
    "orders REFERENCE": "orders",
    "orders cancel REFERENCE": "open-orders",
    "orders wait REFERENCE": "open-orders",
    "quote --state": COUNTRY_STATES,
    "quote --item": "specs",
    "products --category": "categories",
    "products REFERENCE": "products",
    "products mix REFERENCE": "mixes",
    "catalogs REFERENCE": "catalogs",
    "catalogs add REFERENCE": FREE_TEXT,
    "titles ISBN": "titles",
    "titles add ISBN": FREE_TEXT,
    "sandbox fault --path": "paths",
    "sandbox fault --status": "fault-statuses",
    "sandbox trigger TYPE": "webhook-types",
    "webhooks --order": "received-orders",
    "webhooks --item": "received-items",
    "webhooks --reference": "received-references",
    "webhooks TYPE": "webhook-types",
    "webhooks ID": "event-ids",
    "--log-format": "log-formats",
    "--webhook-version": "webhook-versions",
    "service print --name": FREE_TEXT,
    "outbox|webhooks": "runnable-services",
    "TOPIC|COMMAND": "topics",
    "CALL": "calls",
    "profile use NAME": "profiles",
    "profile init NAME": FREE_TEXT,
    "profile set-key -": FREE_TEXT,
    "LABEL": "environments",
    "SERVICE": "key-services",
    "VERSION": "versions",
    "COMMAND": COMMANDS,
    "api PATH": "endpoints",
    "api --service": "services",
    "CATALOG": "catalogs",
    "CAUSE": "causes",
    "COUNTRY": "countries",
    "FIELD=VALUE": "assignments",
    "FILE": FILES,
    "FILE|-": FILES,
    "FOLDER": FOLDERS,
    "ITEM": "items",
    "KIND": "faults",
    "ORDER": "unfinished-orders",
    "SHELL": "shells",
    "sandbox run COMMAND": COMMAND_LINE,
    # What only the user can know:
    **dict.fromkeys(
        ("A,B,C", "ACCOUNT", "ADDRESS", "CHARACTER", "HASH", "HH:MM", "HOURS", "JMESPATH", "KEY=VALUE", "N", "PORT"),
        FREE_TEXT,
    ),
    **dict.fromkeys(("OPTION", "S", "SECONDS", "SPAN", "TARGET", "TEXT", "TIME", "URL", "WHEN"), FREE_TEXT),
}


def _order_states() -> Completions:
    from cpctl.reference_data.order_states import ORDER_STATES

    yield from ((row.code.removeprefix("order_state_"), row.meaning) for row in ORDER_STATES.values())


def _signal_states() -> Completions:
    from cpctl.outbox.models import STATE_MEANINGS, STORED_STATES

    yield from ((str(state), STATE_MEANINGS[state]) for state in STORED_STATES)


def _fault_statuses() -> Completions:
    from cpctl.api.failures import classify_signal_status

    for status in (400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 504):
        if failure := classify_signal_status(status):
            yield str(status), failure.message


def _endpoint_paths() -> Completions:
    """CloudCore's paths without their prefix; the others whole, because a path without one is CloudCore's."""
    from cpctl.api.endpoints import ENDPOINTS
    from cpctl.cli.commands.api import PATH_PREFIXES

    yield from ((row.path.removeprefix(PATH_PREFIXES["core"]), "") for row in ENDPOINTS.values())


def _call_names() -> Completions:
    from cpctl.cli.help.explanations import all_calls

    yield from ((name, "") for name in all_calls())


# The words of every kind that are the same on every machine; they are written into the completion scripts.
STATIC_WORDS: Mapping[str, Sequence[LazyTable | Candidate | Callable[[], Completions]]] = {
    "formats": [output_formats],
    "colors": [LazyTable("cli.context", "COLORS")],
    "countries": [LazyTable("reference_data.countries", "COUNTRIES")],
    "currencies": [LazyTable("reference_data.currencies", "CURRENCIES")],
    "order-states": [_order_states],
    "order-ends": [Candidate("done", "complete, by either API")],
    "order-apis": [Candidate("core", "CloudCore"), Candidate("publish", "CloudPublish")],
    "versions": [LazyTable("signals.signal_types", "API_VERSIONS")],
    "dialects": [LazyTable("sandbox.sandbox_state", "DIALECTS")],
    "presets": [LazyTable("imports.column_mapping", "PRESETS", "meaning")],
    "signal-states": [_signal_states],
    "signal-types": [LazyTable("signals.signal_types", "SIGNAL_TYPES", "meaning")],
    "scanned-types": [LazyTable("packing.shop_rules", "SCANNABLE_TYPES")],
    "days": [Candidate("today"), Candidate("yesterday")],
    "sounds": [Candidate("bell", "the terminal's bell"), Candidate("none", "no sound")],
    "assignments": [LazyTable("signals.signal_types", "SIGNAL_FIELDS", "meaning", suffix="=")],
    "causes": [LazyTable("signals.causes", "CANCEL_CAUSES")],
    "faults": [LazyTable("sandbox.faults", "FAULT_KINDS", "description"), Candidate("clear", "end all faults")],
    "fault-statuses": [_fault_statuses],
    "webhook-types": [LazyTable("signals.webhook_types", "WEBHOOK_TYPES", None)],
    "webhook-versions": [LazyTable("signals.webhook_types", "WEBHOOK_VERSIONS")],
    "log-formats": [LazyTable("webhooks.server.access_log", "LOG_FORMATS")],
    "topics": [
        LazyTable("cli.help.topics", "TOPICS", "summary"),
        LazyTable("cli.root", "GROUPS"),
        LazyTable("cli.root", "COMMANDS"),
    ],
    "environments": [Candidate("live"), Candidate("sandbox")],
    "key-services": [LazyTable("config.keys", "KEY_USES")],
    "calls": [_call_names],
    "runnable-services": [LazyTable("service_units.service_plan", "SERVICES", None)],
    "paths": [LazyTable("api.endpoints", "ENDPOINTS", None, "path")],
    "endpoints": [_endpoint_paths],
    "services": [LazyTable("cli.commands.api", "SERVICE_KEYS", None)],
    "shells": [LazyTable("cli.completion.scripts", "SHELLS", None)],
}


def find_value_kind(path: str, names: Iterable[str], metavar: str) -> str | None:
    """The kind of a parameter's values; None if it has no row.

    `path` is the command's, such as "orders list"; `names` are those of an option, none for an argument.
    """
    row = find_value_row(path, names, metavar)
    return VALUE_KINDS[row] if row else None


def find_value_row(path: str, names: Iterable[str], metavar: str) -> str | None:
    """The row of VALUE_KINDS for a parameter: the one for the narrowest place."""
    plain = metavar.strip("[]").removeprefix("-- ").removesuffix("...").strip("[]")
    places = (path, path.split(" ")[0])
    rows = [f"{place} {name}" for name in (*names, plain) for place in places]
    return next((row for row in (*rows, *names, plain) if row in VALUE_KINDS), None)


def load_static_words() -> dict[str, tuple[Candidate, ...]]:
    """The words of every static kind, and the states of each country under `states-CC`."""
    from cpctl.reference_data.country_states import STATES_BY_COUNTRY

    found = {kind: tuple(dict.fromkeys(_load_words(sources))) for kind, sources in STATIC_WORDS.items()}
    for country, states in STATES_BY_COUNTRY.items():
        found[f"states-{country}"] = tuple(Candidate(*state) for state in states.items())
    return found


def _load_words(sources: Sequence[Any]) -> Iterator[Candidate]:
    for source in sources:
        if isinstance(source, Candidate):
            yield source
        else:
            rows = source.rows() if isinstance(source, LazyTable) else source()
            yield from (Candidate(*row) for row in rows)
