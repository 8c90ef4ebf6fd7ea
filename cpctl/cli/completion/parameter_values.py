"""The values that each parameter can take: where each kind of value is typed, and the words of the static kinds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from cpctl.cli.lazy_tables import Rows, lazy_table, output_formats

FLAG = "-"  # the kind of an option that takes no value
FREE_TEXT = "free"  # a value that only the user knows
KIND_SEPARATOR = "+"  # between kinds, where a value can be of any of them

# Kinds that the shell itself completes.
FILES, FOLDERS, COMMANDS, COMMAND_LINE = "files", "folders", "commands", "command-line"
# The states of the country that `--country` names; the script looks them up under `states-` and its code.
COUNTRY_STATES = "country-states"
SHELL_COMPLETED_KINDS = (FILES, FOLDERS, COMMANDS, COMMAND_LINE, COUNTRY_STATES)


class Candidate(NamedTuple):
    """A word that can be typed, and its description."""

    text: str
    description: str = ""


# The places of each kind of value. The narrowest one wins: "orders wait --for", then "orders REFERENCE" for a group,
# then "--state" anywhere, then the metavar. The words of a kind are in STATIC_WORDS, come from `candidates.COMPLETERS`,
# or from the shell.
_PLACES: Mapping[str, str] = {
    "profiles": "--profile; profile use NAME",
    "formats": "--output",
    "colors": "--color",
    "countries": "--country; COUNTRY",
    "currencies": "--currency",
    "order-apis": "--api",
    "versions": "--api-version; VERSION",
    "dialects": "--dialect",
    "levels": "--level",
    f"presets{KIND_SEPARATOR}maps": "--map",
    "stations": "--station",
    "operators": "--operator",
    "days": "--date",
    f"sounds{KIND_SEPARATOR}{COMMANDS}": "--sound",
    "reported-items": "signal --item",
    "reported-orders": "signal history --order",
    "signal-states": "signal --state; outbox --state",
    "signal-types": "signal --type",
    "scanned-types": "signal scan --type",
    "signal-ids": "outbox show ID",
    "outbox-ids": "outbox ID",
    "order-states": "orders --state",
    f"order-states{KIND_SEPARATOR}order-ends": "orders wait --for",
    "orders": "orders REFERENCE",
    "open-orders": "orders cancel REFERENCE; orders wait REFERENCE",
    COUNTRY_STATES: "quote --state",
    "specs": "quote --item",
    "categories": "products --category",
    "products": "products REFERENCE",
    "mixes": "products mix REFERENCE",
    "catalogs": "catalogs REFERENCE; CATALOG",
    "titles": "titles ISBN",
    "paths": "sandbox fault --path",
    "fault-statuses": "sandbox fault --status",
    "webhook-types": "sandbox trigger TYPE; webhooks TYPE",
    "received-orders": "webhooks --order",
    "received-items": "webhooks --item",
    "received-references": "webhooks --reference",
    "event-ids": "webhooks ID",
    "log-formats": "--log-format",
    "webhook-versions": "--webhook-version",
    "runnable-services": "outbox|webhooks",
    "topics": "TOPIC|COMMAND",
    "calls": "CALL",
    "environments": "LABEL",
    "key-services": "SERVICE",
    COMMANDS: "COMMAND",
    "endpoints": "api PATH",
    "services": "api --service",
    "causes": "CAUSE",
    "assignments": "FIELD=VALUE",
    FILES: "FILE; FILE|-",
    FOLDERS: "FOLDER",
    "items": "ITEM",
    "faults": "KIND",
    "unfinished-orders": "ORDER",
    "shells": "SHELL",
    COMMAND_LINE: "sandbox run COMMAND",
    FREE_TEXT: "catalogs add REFERENCE; titles add ISBN; service print --name; profile init NAME; profile set-key -; "
    "--tracking; --shipping-option; --encoding; A,B,C; ACCOUNT; ADDRESS; CHARACTER; HASH; HH:MM; HOURS; JMESPATH; "
    "KEY=VALUE; N; PORT; OPTION; S; SECONDS; SPAN; TARGET; TEXT; TIME; URL; WHEN",
}
VALUE_KINDS: Mapping[str, str] = {place: kind for kind, places in _PLACES.items() for place in places.split("; ")}


def _signal_states() -> Rows:
    from cpctl.outbox.models import STATE_MEANINGS, STORED_STATES

    return ((str(state), STATE_MEANINGS[state]) for state in STORED_STATES)


def _order_states() -> Rows:
    from cpctl.reference_data.order_states import ORDER_STATES

    return ((row.code.removeprefix("order_state_"), row.meaning) for row in ORDER_STATES.values())


def _fault_statuses() -> Rows:
    from cpctl.api.failures import classify_signal_status

    statuses = (400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 504)
    return ((str(status), failure.message) for status in statuses if (failure := classify_signal_status(status)))


def _endpoint_paths() -> Rows:
    """CloudCore's paths without their prefix; the others whole, because a path without one is CloudCore's."""
    from cpctl.api.endpoints import ENDPOINTS
    from cpctl.cli.commands.api import PATH_PREFIXES

    return ((row.path.removeprefix(PATH_PREFIXES["core"]), "") for row in ENDPOINTS.values())


def _call_names() -> Rows:
    from cpctl.cli.help.explanations import all_calls

    return ((name, "") for name in all_calls())


# The words of every kind that are the same on every machine; they are written into the completion scripts.
STATIC_WORDS: Mapping[str, Sequence[Candidate | Callable[[], Rows]]] = {
    "formats": [output_formats],
    "colors": [lazy_table("cli.context", "COLORS")],
    "countries": [lazy_table("reference_data.countries", "COUNTRIES")],
    "currencies": [lazy_table("reference_data.currencies", "CURRENCIES")],
    "order-states": [_order_states],
    "order-ends": [Candidate("done", "complete, by either API")],
    "order-apis": [Candidate("core", "CloudCore"), Candidate("publish", "CloudPublish")],
    "versions": [lazy_table("signals.signal_types", "API_VERSIONS")],
    "dialects": [lazy_table("sandbox.sandbox_state", "DIALECTS")],
    "presets": [lazy_table("imports.column_mapping", "PRESETS", "meaning")],
    "signal-states": [_signal_states],
    "signal-types": [lazy_table("signals.signal_types", "SIGNAL_TYPES", "meaning")],
    "scanned-types": [lazy_table("packing.scanned_codes", "SCANNABLE_TYPES")],
    "days": [Candidate("today"), Candidate("yesterday")],
    "sounds": [Candidate("bell", "the terminal's bell"), Candidate("none", "no sound")],
    "assignments": [lazy_table("signals.signal_types", "SIGNAL_FIELDS", "meaning", suffix="=")],
    "causes": [lazy_table("signals.causes", "CANCEL_CAUSES")],
    "faults": [lazy_table("sandbox.faults", "FAULT_KINDS", "description"), Candidate("clear", "end all faults")],
    "fault-statuses": [_fault_statuses],
    "webhook-types": [lazy_table("signals.webhook_types", "WEBHOOK_TYPES", None)],
    "webhook-versions": [lazy_table("signals.webhook_types", "WEBHOOK_VERSIONS")],
    "log-formats": [lazy_table("webhooks.server.access_log", "LOG_FORMATS")],
    "topics": [
        lazy_table("cli.help.topics", "TOPICS", "summary"),
        lazy_table("cli.root", "GROUPS"),
        lazy_table("cli.root", "COMMANDS"),
    ],
    "environments": [Candidate("live"), Candidate("sandbox")],
    "key-services": [lazy_table("config.keys", "KEY_USES")],
    "calls": [_call_names],
    "runnable-services": [lazy_table("service_units.service_plan", "SERVICES", None)],
    "paths": [lazy_table("api.endpoints", "ENDPOINTS", None, "path")],
    "endpoints": [_endpoint_paths],
    "services": [lazy_table("cli.commands.api", "SERVICE_KEYS", None)],
    "shells": [lazy_table("cli.completion.scripts", "SHELLS", None)],
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

    found: dict[str, tuple[Candidate, ...]] = {}
    for kind, sources in STATIC_WORDS.items():
        rows = [row for source in sources for row in ([source] if isinstance(source, Candidate) else source())]
        found[kind] = tuple(dict.fromkeys(Candidate(*row) for row in rows))
    for country, states in STATES_BY_COUNTRY.items():
        found[f"states-{country}"] = tuple(Candidate(*state) for state in states.items())
    return found
