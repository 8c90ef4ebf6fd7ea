"""What the value of each parameter can be: a row per metavar, and one per place where that is not enough.

The only place where a parameter and the words that complete it meet. A test asks for a row for every parameter.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cpctl.cli.completion.nodes import BOTH, COMMAND_LINE, COMMANDS, COUNTRY_STATES, FILES, FOLDERS, FREE, Word

Words = Iterable[tuple[str, str]]

# Kinds whose words change; `cpctl __complete` knows them, see completing/answer.py.
PROFILES, MAPS, OUTBOX_IDS, SIGNAL_IDS = "profiles", "maps", "outbox-ids", "signal-ids"
ITEMS, SEEN_ITEMS, MADE_ORDERS, SEEN_ORDERS = "items", "seen-items", "made-orders", "seen-orders"
ORDERS, OPEN_ORDERS, PRODUCTS, SPECS, CATEGORIES = "orders", "open-orders", "products", "specs", "categories"
MIXES, CATALOGS, TITLES, LEVELS = "mixes", "catalogs", "titles", "levels"
STATIONS, OPERATORS = "stations", "operators"
EVENT_IDS, TOLD_ORDERS, TOLD_ITEMS, TOLD_REFERENCES = "event-ids", "told-orders", "told-items", "told-references"

# By place first: "orders wait --for", "orders REFERENCE" for a whole group, "--state" anywhere; then by metavar.
KINDS_OF_VALUES: Mapping[str, str] = {
    "--profile": PROFILES,
    "--output": "formats",
    "--color": "colors",
    "--country": "countries",
    "--currency": "currencies",
    "--api": "order-apis",
    "--api-version": "versions",
    "--dialect": "dialects",
    "--level": LEVELS,
    "--map": f"presets{BOTH}{MAPS}",
    "--station": STATIONS,
    "--operator": OPERATORS,
    "--tracking": FREE,
    "--shipping-option": FREE,
    "--encoding": FREE,
    "--date": "days",
    "--sound": f"sounds{BOTH}{COMMANDS}",
    "signal --item": SEEN_ITEMS,
    "signal history --order": SEEN_ORDERS,
    "signal --state": "signal-states",
    "signal --type": "signal-types",
    "signal scan --type": "scanned-types",
    "outbox --state": "signal-states",
    "outbox show ID": SIGNAL_IDS,
    "outbox ID": OUTBOX_IDS,
    "orders --state": "order-states",
    "orders wait --for": f"order-states{BOTH}order-ends",
    "orders REFERENCE": ORDERS,
    "orders cancel REFERENCE": OPEN_ORDERS,
    "orders wait REFERENCE": OPEN_ORDERS,
    "quote --state": COUNTRY_STATES,
    "quote --item": SPECS,
    "products --category": CATEGORIES,
    "products REFERENCE": PRODUCTS,
    "products mix REFERENCE": MIXES,
    "catalogs REFERENCE": CATALOGS,
    "catalogs add REFERENCE": FREE,
    "titles ISBN": TITLES,
    "titles add ISBN": FREE,
    "sandbox fault --path": "paths",
    "sandbox fault --status": "faulty-statuses",
    "sandbox trigger TYPE": "webhook-types",
    "webhooks --order": TOLD_ORDERS,
    "webhooks --item": TOLD_ITEMS,
    "webhooks --reference": TOLD_REFERENCES,
    "webhooks TYPE": "webhook-types",
    "webhooks ID": EVENT_IDS,
    "--log-format": "log-forms",
    "--webhook-version": "webhook-versions",
    "service print --name": FREE,
    "outbox|webhooks": "services-to-run",
    "TOPIC|COMMAND": "topics",
    "CALL": "calls",
    "profile use NAME": PROFILES,
    "profile init NAME": FREE,
    "profile set-key -": FREE,
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
    "ORDER": MADE_ORDERS,
    "SHELL": "shells",
    "sandbox run COMMAND": COMMAND_LINE,
    # What only the user can know:
    **dict.fromkeys(
        ("A,B,C", "ACCOUNT", "ADDRESS", "CHARACTER", "HASH", "HH:MM", "HOURS", "JMESPATH", "KEY=VALUE", "N", "PORT"),
        FREE,
    ),
    **dict.fromkeys(("OPTION", "S", "SECONDS", "SPAN", "TARGET", "TEXT", "TIME", "URL", "WHEN"), FREE),
}


def kind_of(path: str, names: Iterable[str], metavar: str) -> str | None:
    """The kind of a parameter's values, or None where no row says it.

    `path` is the command's, such as "orders list"; `names` are those of an option, none for an argument.
    """
    row = row_of(path, names, metavar)
    return KINDS_OF_VALUES[row] if row else None


def row_of(path: str, names: Iterable[str], metavar: str) -> str | None:
    """The row that says of which kind a parameter's values are: the one for the narrowest place."""
    plain = metavar.strip("[]").removeprefix("-- ").removesuffix("...").strip("[]")
    places = (path, path.split(" ")[0])
    rows = [f"{place} {name}" for name in (*names, plain) for place in places]
    return next((row for row in (*rows, *names, plain) if row in KINDS_OF_VALUES), None)


def known_words() -> dict[str, tuple[Word, ...]]:
    """The words of every kind that does not change, from the tables that say what is valid."""
    found = {kind: tuple(Word(*each) for each in words()) for kind, words in _KNOWN.items()}
    from cpctl.reference_data.country_states import STATES

    states = {f"states-{country}": tuple(Word(*each) for each in rows.items()) for country, rows in STATES.items()}
    return found | states


def _formats() -> Words:
    from cpctl.output.formats import FORMATS

    return [(name, words) for name, (_, words) in FORMATS.items()]


def _colors() -> Words:
    from cpctl.cli.context import COLORS

    return _bare(COLORS)


def _countries() -> Words:
    from cpctl.reference_data.countries import COUNTRIES

    return COUNTRIES.items()


def _currencies() -> Words:
    from cpctl.reference_data.currencies import CURRENCIES

    return CURRENCIES.items()


def _order_states() -> Words:
    from cpctl.reference_data.order_states import ORDER_STATES

    return [(row.code.removeprefix("order_state_"), row.meaning) for row in ORDER_STATES.values()]


def _versions() -> Words:
    from cpctl.signals.signal_types import VERSIONS

    return _bare(VERSIONS)


def _dialects() -> Words:
    from cpctl.sandbox.sandbox_state import DIALECTS

    return _bare(DIALECTS)


def _presets() -> Words:
    from cpctl.imports.column_mapping import PRESETS

    return [(name, row.meaning) for name, row in PRESETS.items()]


def _signal_states() -> Words:
    from cpctl.outbox.models import STATE_MEANINGS, STORED_STATES

    return [(str(state), STATE_MEANINGS[state]) for state in STORED_STATES]


def _signal_types() -> Words:
    from cpctl.signals.signal_types import KINDS

    return [(row.name, row.meaning) for row in KINDS.values()]


def _scanned_types() -> Words:
    from cpctl.packing.shop_rules import SCANNED

    return _bare(SCANNED)


def _assignments() -> Words:
    from cpctl.signals.signal_types import FIELDS

    return [(f"{row.name}=", row.meaning) for row in FIELDS.values()]


def _causes() -> Words:
    from cpctl.signals.causes import CAUSES

    return CAUSES.items()


def _faults() -> Words:
    from cpctl.sandbox.faults import FAULTS

    return [*((row.name, row.meaning) for row in FAULTS.values()), ("clear", "end all faults")]


def _faulty_statuses() -> Words:
    from cpctl.api.failures import fault_of_status

    codes = (400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 504)
    return [(str(code), fault.words) for code in codes if (fault := fault_of_status(code))]


def _webhook_types() -> Words:
    from cpctl.signals.webhook_types import WEBHOOKS

    return _bare(WEBHOOKS)


def _webhook_versions() -> Words:
    from cpctl.signals.webhook_types import WEBHOOK_VERSIONS

    return _bare(WEBHOOK_VERSIONS)


def _log_forms() -> Words:
    from cpctl.webhooks.server.access_log import LOG_FORMATS

    return _bare(LOG_FORMATS)


def _topics() -> Words:
    from cpctl.cli.help.topics import TOPICS
    from cpctl.cli.root import COMMANDS as LONELY
    from cpctl.cli.root import GROUPS

    return [*((row.name, row.sentence) for row in TOPICS.values()), *GROUPS.items(), *LONELY.items()]


def _calls() -> Words:
    from cpctl.cli.help.explanations import all_calls

    return _bare(all_calls())


def _key_services() -> Words:
    from cpctl.config.keys import KEY_USES

    return KEY_USES.items()


def _services_to_run() -> Words:
    from cpctl.service_units.service_plan import SERVICES

    return _bare(SERVICES)


def _paths() -> Words:
    from cpctl.api.endpoints import ENDPOINTS

    return _bare(dict.fromkeys(row.path for row in ENDPOINTS.values()))


def _endpoints() -> Words:
    """CloudCore's by what follows its prefix; the others whole, because a path without one is CloudCore's."""
    from cpctl.api.endpoints import ENDPOINTS
    from cpctl.cli.commands.api import PREFIXES

    paths = [row.path for row in ENDPOINTS.values()]
    return _bare(dict.fromkeys(path.removeprefix(PREFIXES["core"]) for path in paths))


def _services() -> Words:
    from cpctl.cli.commands.api import KEYS

    return _bare(KEYS)


def _shells() -> Words:
    from cpctl.cli.completion.scripts import SHELLS

    return _bare(SHELLS)


def _bare(names: Iterable[Any]) -> Words:
    return [(str(name), "") for name in names]


_KNOWN: Mapping[str, Callable[[], Words]] = {
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
    "days": lambda: _bare(("today", "yesterday")),
    "sounds": lambda: [("bell", "the terminal's bell"), ("none", "no sound")],
    "assignments": _assignments,
    "causes": _causes,
    "faults": _faults,
    "faulty-statuses": _faulty_statuses,
    "webhook-types": _webhook_types,
    "webhook-versions": _webhook_versions,
    "log-forms": _log_forms,
    "topics": _topics,
    "environments": lambda: _bare(("live", "sandbox")),
    "key-services": _key_services,
    "calls": _calls,
    "services-to-run": _services_to_run,
    "paths": _paths,
    "endpoints": _endpoints,
    "services": _services,
    "shells": _shells,
}
