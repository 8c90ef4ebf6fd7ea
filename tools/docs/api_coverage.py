"""The API coverage page: every endpoint, signal and webhook with its command, sandbox route and known differences."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from cpctl.api.endpoints import ENDPOINTS
from cpctl.sandbox.simulated_api.routes import ROUTES
from cpctl.signals.signal_types import SIGNAL_TYPES
from cpctl.signals.webhook_types import WEBHOOK_TYPES, webhook_type_for
from tools.docs.markdown_table import table_lines

# The evidence for what the service really does.
OBSERVED, REPORTED, DOCUMENTED, ASSUMED = "observed", "reported", "documented", "assumed"
CONFIDENCE = {
    OBSERVED: "several users have seen responses of the live service, and they agree",
    REPORTED: "one user of the live service has described it",
    DOCUMENTED: "the documents say so, and nothing is known to contradict them",
    ASSUMED: "the documents are silent or contradict themselves; this fits best",
}


class EndpointCoverage(NamedTuple):
    """The document of an endpoint, the evidence, and how the service differs from the document."""

    document: str
    confidence: str
    difference: str = ""


_CORE, _PUBLISH = "CloudCore 1.0", "CloudPublish 1.0"
ENDPOINT_COVERAGE: dict[str, EndpointCoverage] = {
    "signal-2.0": EndpointCoverage(
        "CloudSignal 2.0",
        ASSUMED,
        "the response to a partly invalid bundle is not documented; the sandbox refuses all of it",
    ),
    "signal-1.1": EndpointCoverage("CloudSignal 1.1", DOCUMENTED, "the path in most samples"),
    "signal-1.1-alternative": EndpointCoverage(
        "CloudSignal 1.1", ASSUMED, "the path in some samples; `signal_1_1_path` selects it"
    ),
    "orders": EndpointCoverage(_CORE, OBSERVED, "`state` is a number, not a text; 204 is an empty list"),
    "orders/info": EndpointCoverage(
        _CORE, OBSERVED, "numbers for `state` and `count`; more fields; 410 for an unknown order"
    ),
    "orders/add": EndpointCoverage(
        _CORE,
        OBSERVED,
        "`phone` is required; 201 has a body; the response to a known reference is not known",
    ),
    "orders/cancel": EndpointCoverage(_CORE, REPORTED, "responds with the new state, 500; the document shows no body"),
    "orders/log": EndpointCoverage(_CORE, REPORTED, "`state` is a number; 204, not 410, for an unknown order"),
    "orders/quote": EndpointCoverage(
        _CORE, OBSERVED, "`options` must be a list; prices exclude VAT; `expire_date` has microseconds"
    ),
    "orders/quote/info": EndpointCoverage(
        "official SDKs", ASSUMED, "not in the document; an unknown quote is not an error: 204 here"
    ),
    "prices/lookup": EndpointCoverage(
        "How to check prices", REPORTED, "responds like a full quote; often with `Requests limit reached`"
    ),
    "products": EndpointCoverage(_CORE, REPORTED, "no prices in live lists, but `availability`"),
    "products/info": EndpointCoverage(_CORE, OBSERVED, "no `prices`; each option has a family, each spec a reference"),
    "shipping/levels": EndpointCoverage(_CORE, OBSERVED, "`cp_limited` exists and is not documented"),
    "shipping/countries": EndpointCoverage(_CORE, OBSERVED, "`require_state` is a number, not a text"),
    "shipping/states": EndpointCoverage(_CORE, DOCUMENTED),
    "catalogs": EndpointCoverage(_PUBLISH, ASSUMED, "an empty list is accepted with 200 or 204"),
    "catalogs/info": EndpointCoverage(_PUBLISH, DOCUMENTED),
    "catalogs/add": EndpointCoverage(_PUBLISH, DOCUMENTED, "a conflict is documented with a counter `radded`"),
    "catalogs/remove": EndpointCoverage(_PUBLISH, DOCUMENTED),
    "titles": EndpointCoverage(_PUBLISH, ASSUMED, "the example sends a catalog, the table of fields has none"),
    "titles/info": EndpointCoverage(_PUBLISH, DOCUMENTED),
    "titles/add": EndpointCoverage(_PUBLISH, ASSUMED, "the fields look copied from catalogs: neither files nor mix"),
    "titles/remove": EndpointCoverage(_PUBLISH, DOCUMENTED),
    "products/mixes": EndpointCoverage(_PUBLISH, ASSUMED, "an empty list is accepted with 200 or 204"),
    "products/mixes/info": EndpointCoverage(_PUBLISH, DOCUMENTED),
    "publish/orders": EndpointCoverage(_PUBLISH, DOCUMENTED),
    "publish/orders/info": EndpointCoverage(
        _PUBLISH, ASSUMED, "documented at CloudCore's path; the sandbox accepts both"
    ),
    "publish/orders/add": EndpointCoverage(
        _PUBLISH, ASSUMED, "documented at CloudCore's path; fields with typing errors"
    ),
    "publish/orders/cancel": EndpointCoverage(_PUBLISH, ASSUMED, "documented at CloudCore's path; counter `cancelled`"),
    "publish/orders/log": EndpointCoverage(_PUBLISH, ASSUMED, "documented at CloudCore's path; the list is wrapped"),
}

WEBHOOK_COVERAGE: dict[str, tuple[str, str]] = {
    "CloudprinterOrderValidated": (OBSERVED, "arrived 40 s after the order in one case"),
    "CloudprinterOrderCanceled": (DOCUMENTED, "not on every page of the documents"),
    "ItemValidated": (DOCUMENTED, "in 1.1 it is called CloudprinterItemValidated"),
    "ItemProduce": (DOCUMENTED, ""),
    "ItemProduced": (DOCUMENTED, ""),
    "ItemPacked": (DOCUMENTED, ""),
    "ItemShipped": (OBSERVED, "`tracking` is sometimes a URL; 2.1 adds `url`; options read like `dpd_france`"),
    "ItemError": (DOCUMENTED, "`delay` may be a number"),
    "ItemCanceled": (DOCUMENTED, "`cause` may be an old number such as 190"),
    "ItemDeliveryStarted": (REPORTED, "2.1; its document is not published in full"),
    "ItemDeliveryFailed": (REPORTED, "2.1; its document is not published in full"),
    "ItemDeliveryCompleted": (REPORTED, "2.1; its document is not published in full"),
}


def render_coverage() -> str:
    """Render the page."""
    return "\n".join(_sections()).rstrip() + "\n"


def _sections() -> Iterator[str]:
    yield "# API coverage\n"
    yield (
        "Every endpoint, signal and webhook of the five documents, with the command that uses it, the function\n"
        "that simulates it in the sandbox, and the known differences between the service and its document.\n"
        "Where they differ, `cpctl sandbox serve --dialect live` responds as the service does, and\n"
        "`--dialect documented` as its document says; cpctl handles both. Generated by `make docs`; a test keeps\n"
        "it current.\n"
    )
    yield "The evidence for each row:\n"
    yield from table_lines(("evidence", "meaning"), [(f"**{name}**", meaning) for name, meaning in CONFIDENCE.items()])
    yield "## Calls\n\nEach is a POST with the key in its body.\n"
    yield from table_lines(
        ("endpoint", "document", "command", "in the sandbox", "evidence", "differs from its document"),
        [_endpoint_row(name) for name in ENDPOINTS],
    )
    yield "## Signals: from the print shop to Cloudprinter\n"
    yield from table_lines(
        ("type", "versions", "command", "becomes the webhook", "evidence", "differs from its document"),
        [_signal_row(name) for name in SIGNAL_TYPES],
    )
    yield "## Webhooks: from Cloudprinter to its client\n\nReceived by `cpctl webhooks serve`, sent by the sandbox.\n"
    yield from table_lines(
        ("type", "since", "fields besides the references", "evidence", "differs from its document"),
        [_webhook_row(name) for name in WEBHOOK_TYPES],
    )
    yield "## Common behavior\n"
    yield from table_lines(("case", "behavior", "evidence"), COMMON_BEHAVIOR)


COMMON_BEHAVIOR = (
    ("a wrong key", "CloudCore and CloudPublish 403, CloudSignal 401 or 403: both exit with 4", DOCUMENTED),
    (
        "an error message",
        "`{error: {type, info}}`, CloudPublish `{status: {errors}}`, other shapes read as text",
        OBSERVED,
    ),
    ("trailing slashes", "sent as documented; the sandbox accepts both", OBSERVED),
    ("too many requests", "429, or an error that says `Requests limit reached`: retried later", REPORTED),
    ("redirects", "never followed: the key is in the body", ASSUMED),
    ("an unknown field in a response", "kept, shown in json and yaml", OBSERVED),
    ("webhooks", "no id, no signature, in any order, repeated up to 100 times in 7 days", OBSERVED),
)


def _endpoint_row(name: str) -> tuple[str, ...]:
    row, known = ENDPOINTS[name], ENDPOINT_COVERAGE[name]
    route = ROUTES[row.path.removesuffix("/")]
    operation: Any = route.operation
    if name.startswith("publish/") and route.publish_operation:
        operation = route.publish_operation
    function = operation.func if isinstance(operation, partial) else operation
    module = function.__module__.rpartition(".")[2]
    return (
        f"`{row.path}`",
        known.document,
        ", ".join(f"`{command}`" for command in row.commands),
        f"`{module}.{function.__name__}`",
        known.confidence,
        known.difference,
    )


def _signal_row(name: str) -> tuple[str, ...]:
    row = SIGNAL_TYPES[name]
    difference = {
        "ItemRegistered": "its text is a copy of ItemProduce's",
        "ItemCanceled": "the table calls `cause` optional, the text requires a published code; no cause is accepted",
        "ItemError": "in 2.0 another name of ItemDelay",
    }.get(name, "")
    command = f"`signal {row.command}`"
    return f"`{name}`", ", ".join(row.required), command, f"`{webhook_type_for(name)}`", DOCUMENTED, difference


def _webhook_row(name: str) -> tuple[str, ...]:
    row = WEBHOOK_TYPES[name]
    confidence, difference = WEBHOOK_COVERAGE[name]
    fields = [f"`{field}`" for field in row.fields] + [f"`{field}` (optional)" for field in row.optional]
    return f"`{name}`", row.since_version, ", ".join(fields), confidence, difference
