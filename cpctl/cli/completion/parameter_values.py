"""What the value of each parameter can be: a row per metavar, and one per place where that is not enough.

The only place where a parameter and the words that complete it meet. A test asks for a row for every parameter.
"""

from collections.abc import Callable, Iterable, Mapping
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

Completions = Iterable[tuple[str, str]]

# Kinds whose words change; `cpctl __complete` knows them, see completing/answer.py.
PROFILES, MAPS, OUTBOX_IDS, SIGNAL_IDS = "profiles", "maps", "outbox-ids", "signal-ids"
ITEMS, REPORTED_ITEMS, UNFINISHED_ORDERS, REPORTED_ORDERS = "items", "seen-items", "made-orders", "seen-orders"
ORDERS, OPEN_ORDERS, PRODUCTS, SPECS, CATEGORIES = "orders", "open-orders", "products", "specs", "categories"
MIXES, CATALOGS, TITLES, LEVELS = "mixes", "catalogs", "titles", "levels"
STATIONS, OPERATORS = "stations", "operators"
EVENT_IDS, RECEIVED_ORDERS, RECEIVED_ITEMS, RECEIVED_REFERENCES = (
    "event-ids",
    "told-orders",
    "told-items",
    "told-references",
)

# By place first: "orders wait --for", "orders REFERENCE" for a whole group, "--state" anywhere; then by metavar.
VALUE_KINDS: Mapping[str, str] = {
    "--profile": PROFILES,
    "--output": "formats",
    "--color": "colors",
    "--country": "countries",
    "--currency": "currencies",
    "--api": "order-apis",
    "--api-version": "versions",
    "--dialect": "dialects",
    "--level": LEVELS,
    "--map": f"presets{KIND_SEPARATOR}{MAPS}",
    "--station": STATIONS,
    "--operator": OPERATORS,
    "--tracking": FREE_TEXT,
    "--shipping-option": FREE_TEXT,
    "--encoding": FREE_TEXT,
    "--date": "days",
    "--sound": f"sounds{KIND_SEPARATOR}{COMMANDS}",
    "signal --item": REPORTED_ITEMS,
    "signal history --order": REPORTED_ORDERS,
    "signal --state": "signal-states",
    "signal --type": "signal-types",
    "signal scan --type": "scanned-types",
    "outbox --state": "signal-states",
    "outbox show ID": SIGNAL_IDS,
    "outbox ID": OUTBOX_IDS,
    "orders --state": "order-states",
    "orders wait --for": f"order-states{KIND_SEPARATOR}order-ends",
    "orders REFERENCE": ORDERS,
    "orders cancel REFERENCE": OPEN_ORDERS,
    "orders wait REFERENCE": OPEN_ORDERS,
    "quote --state": COUNTRY_STATES,
    "quote --item": SPECS,
    "products --category": CATEGORIES,
    "products REFERENCE": PRODUCTS,
    "products mix REFERENCE": MIXES,
    "catalogs REFERENCE": CATALOGS,
    "catalogs add REFERENCE": FREE_TEXT,
    "titles ISBN": TITLES,
    "titles add ISBN": FREE_TEXT,
    "sandbox fault --path": "paths",
    "sandbox fault --status": "faulty-statuses",
    "sandbox trigger TYPE": "webhook-types",
    "webhooks --order": RECEIVED_ORDERS,
    "webhooks --item": RECEIVED_ITEMS,
    "webhooks --reference": RECEIVED_REFERENCES,
    "webhooks TYPE": "webhook-types",
    "webhooks ID": EVENT_IDS,
    "--log-format": "log-forms",
    "--webhook-version": "webhook-versions",
    "service print --name": FREE_TEXT,
    "outbox|webhooks": "services-to-run",
    "TOPIC|COMMAND": "topics",
    "CALL": "calls",
    "profile use NAME": PROFILES,
    "profile init NAME": FREE_TEXT,
    "profile set-key -": FREE_TEXT,
    "LABEL": "environments",
    "SERVICE": "key-services",
    "VERSION": "versions",
    "COMMAND": COMMANDS,
    "api PATH": "endpoints",
    "api --service": "services",
    "CATALOG": CATALOGS,
    "CAUSE": "causes",
    "COUNTRY": "countries",
    "FIELD=VALUE": "assignments",
    "FILE": FILES,
    "FILE|-": FILES,
    "FOLDER": FOLDERS,
    "ITEM": ITEMS,
    "KIND": "faults",
    "ORDER": UNFINISHED_ORDERS,
    "SHELL": "shells",
    "sandbox run COMMAND": COMMAND_LINE,
    # What only the user can know:
    **dict.fromkeys(
        ("A,B,C", "ACCOUNT", "ADDRESS", "CHARACTER", "HASH", "HH:MM", "HOURS", "JMESPATH", "KEY=VALUE", "N", "PORT"),
        FREE_TEXT,
    ),
    **dict.fromkeys(("OPTION", "S", "SECONDS", "SPAN", "TARGET", "TEXT", "TIME", "URL", "WHEN"), FREE_TEXT),
}


def find_value_kind(path: str, names: Iterable[str], metavar: str) -> str | None:
    """The kind of a parameter's values, or None where no row says it.

    `path` is the command's, such as "orders list"; `names` are those of an option, none for an argument.
    """
    row = find_value_row(path, names, metavar)
    return VALUE_KINDS[row] if row else None


def find_value_row(path: str, names: Iterable[str], metavar: str) -> str | None:
    """The row that says of which kind a parameter's values are: the one for the narrowest place."""
    plain = metavar.strip("[]").removeprefix("-- ").removesuffix("...").strip("[]")
    places = (path, path.split(" ")[0])
    rows = [f"{place} {name}" for name in (*names, plain) for place in places]
    return next((row for row in (*rows, *names, plain) if row in VALUE_KINDS), None)


def load_static_words() -> dict[str, tuple[Candidate, ...]]:
    """The words of every kind that does not change, from the tables that say what is valid."""
    found = {kind: tuple(Candidate(*each) for each in words()) for kind, words in _STATIC_WORDS.items()}
    from cpctl.reference_data.country_states import STATES_BY_COUNTRY

    states = {
        f"states-{country}": tuple(Candidate(*each) for each in rows.items())
        for country, rows in STATES_BY_COUNTRY.items()
    }
    return found | states


def _formats() -> Completions:
    from cpctl.output.formats import FORMATS

    return [(name, words) for name, (_, words) in FORMATS.items()]


def _colors() -> Completions:
    from cpctl.cli.context import COLORS

    return _without_help(COLORS)


def _countries() -> Completions:
    from cpctl.reference_data.countries import COUNTRIES

    return COUNTRIES.items()


def _currencies() -> Completions:
    from cpctl.reference_data.currencies import CURRENCIES

    return CURRENCIES.items()


def _order_states() -> Completions:
    from cpctl.reference_data.order_states import ORDER_STATES

    return [(row.code.removeprefix("order_state_"), row.meaning) for row in ORDER_STATES.values()]


def _versions() -> Completions:
    from cpctl.signals.signal_types import API_VERSIONS

    return _without_help(API_VERSIONS)


def _dialects() -> Completions:
    from cpctl.sandbox.sandbox_state import DIALECTS

    return _without_help(DIALECTS)


def _presets() -> Completions:
    from cpctl.imports.column_mapping import PRESETS

    return [(name, row.meaning) for name, row in PRESETS.items()]


def _signal_states() -> Completions:
    from cpctl.outbox.models import STATE_MEANINGS, STORED_STATES

    return [(str(state), STATE_MEANINGS[state]) for state in STORED_STATES]


def _signal_types() -> Completions:
    from cpctl.signals.signal_types import SIGNAL_TYPES

    return [(row.name, row.meaning) for row in SIGNAL_TYPES.values()]


def _scanned_types() -> Completions:
    from cpctl.packing.shop_rules import SCANNABLE_TYPES

    return _without_help(SCANNABLE_TYPES)


def _assignments() -> Completions:
    from cpctl.signals.signal_types import SIGNAL_FIELDS

    return [(f"{row.name}=", row.meaning) for row in SIGNAL_FIELDS.values()]


def _causes() -> Completions:
    from cpctl.signals.causes import CANCEL_CAUSES

    return CANCEL_CAUSES.items()


def _faults() -> Completions:
    from cpctl.sandbox.faults import FAULT_KINDS

    return [*((row.name, row.description) for row in FAULT_KINDS.values()), ("clear", "end all faults")]


def _fault_statuses() -> Completions:
    from cpctl.api.failures import classify_signal_status

    codes = (400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 504)
    return [(str(code), fault.message) for code in codes if (fault := classify_signal_status(code))]


def _webhook_types() -> Completions:
    from cpctl.signals.webhook_types import WEBHOOK_TYPES

    return _without_help(WEBHOOK_TYPES)


def _webhook_versions() -> Completions:
    from cpctl.signals.webhook_types import WEBHOOK_VERSIONS

    return _without_help(WEBHOOK_VERSIONS)


def _log_formats() -> Completions:
    from cpctl.webhooks.server.access_log import LOG_FORMATS

    return _without_help(LOG_FORMATS)


def _topics() -> Completions:
    from cpctl.cli.help.topics import TOPICS
    from cpctl.cli.root import COMMANDS as LONELY
    from cpctl.cli.root import GROUPS

    return [*((row.name, row.summary) for row in TOPICS.values()), *GROUPS.items(), *LONELY.items()]


def _calls() -> Completions:
    from cpctl.cli.help.explanations import all_calls

    return _without_help(all_calls())


def _key_services() -> Completions:
    from cpctl.config.keys import KEY_USES

    return KEY_USES.items()


def _services_to_run() -> Completions:
    from cpctl.service_units.service_plan import SERVICES

    return _without_help(SERVICES)


def _paths() -> Completions:
    from cpctl.api.endpoints import ENDPOINTS

    return _without_help(dict.fromkeys(row.path for row in ENDPOINTS.values()))


def _endpoints() -> Completions:
    """CloudCore's by what follows its prefix; the others whole, because a path without one is CloudCore's."""
    from cpctl.api.endpoints import ENDPOINTS
    from cpctl.cli.commands.api import PATH_PREFIXES

    paths = [row.path for row in ENDPOINTS.values()]
    return _without_help(dict.fromkeys(path.removeprefix(PATH_PREFIXES["core"]) for path in paths))


def _services() -> Completions:
    from cpctl.cli.commands.api import SERVICE_KEYS

    return _without_help(SERVICE_KEYS)


def _shells() -> Completions:
    from cpctl.cli.completion.scripts import SHELLS

    return _without_help(SHELLS)


def _without_help(names: Iterable[Any]) -> Completions:
    return [(str(name), "") for name in names]


_STATIC_WORDS: Mapping[str, Callable[[], Completions]] = {
    "formats": _formats,
    "colors": _colors,
    "countries": _countries,
    "currencies": _currencies,
    "order-states": _order_states,
    "order-ends": lambda: [("done", "complete, by either API")],
    "order-apis": lambda: [("core", "CloudCore"), ("publish", "CloudPublish")],
    "versions": _versions,
    "dialects": _dialects,
    "presets": _presets,
    "signal-states": _signal_states,
    "signal-types": _signal_types,
    "scanned-types": _scanned_types,
    "days": lambda: _without_help(("today", "yesterday")),
    "sounds": lambda: [("bell", "the terminal's bell"), ("none", "no sound")],
    "assignments": _assignments,
    "causes": _causes,
    "faults": _faults,
    "faulty-statuses": _fault_statuses,
    "webhook-types": _webhook_types,
    "webhook-versions": _webhook_versions,
    "log-forms": _log_formats,
    "topics": _topics,
    "environments": lambda: _without_help(("live", "sandbox")),
    "key-services": _key_services,
    "calls": _calls,
    "services-to-run": _services_to_run,
    "paths": _paths,
    "endpoints": _endpoints,
    "services": _services,
    "shells": _shells,
}
