"""The API coverage table: every endpoint, signal and webhook, its command, its rule in the sandbox, what differs."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from cpctl.api.endpoints import ENDPOINTS
from cpctl.sandbox.simulated_api.routes import ROUTES as RULES
from cpctl.signals.signal_types import SIGNAL_TYPES
from cpctl.signals.webhook_types import WEBHOOK_TYPES, webhook_type_for

# How sure we are of what the service really does.
OBSERVED, REPORTED, DOCUMENTED, ASSUMED = "seen", "told", "documented", "guessed"
CONFIDENCE = {
    OBSERVED: "answers of the live service have been looked at by several who use it, and agree",
    REPORTED: "one user of the live service has described it",
    DOCUMENTED: "the documents say so; nothing is known to contradict them",
    ASSUMED: "the documents are silent or contradict themselves; this is what fits best",
}


class EndpointCoverage(NamedTuple):
    """What is known of one endpoint beyond its row: its document, and how reality differs from it."""

    document: str
    confidence: str
    difference: str = ""


_CORE, _PUBLISH = "CloudCore 1.0", "CloudPublish 1.0"
ENDPOINT_COVERAGE: dict[str, EndpointCoverage] = {
    "signal-2.0": EndpointCoverage(
        "CloudSignal 2.0",
        ASSUMED,
        "what a bundle answers that fails in part is not said; the sandbox refuses all",
    ),
    "signal-1.1": EndpointCoverage("CloudSignal 1.1", DOCUMENTED, "the address of most samples"),
    "signal-1.1-alternative": EndpointCoverage(
        "CloudSignal 1.1", ASSUMED, "the address of some samples; `signal_1_1_path` chooses"
    ),
    "orders": EndpointCoverage(_CORE, OBSERVED, "`state` is a number, not a text; 204 is an empty list"),
    "orders/info": EndpointCoverage(
        _CORE, OBSERVED, "numbers for `state` and `count`; more fields; 410 where there is no such order"
    ),
    "orders/add": EndpointCoverage(
        _CORE,
        OBSERVED,
        "`phone` is required; 201 comes with a body; what a known reference gets is not known",
    ),
    "orders/cancel": EndpointCoverage(_CORE, REPORTED, "answers with the new state, 500; the document shows no body"),
    "orders/log": EndpointCoverage(_CORE, REPORTED, "`state` is a number; 204, not 410, where there is no such order"),
    "orders/quote": EndpointCoverage(
        _CORE, OBSERVED, "`options` must be a list; prices exclude VAT; `expire_date` has microseconds"
    ),
    "orders/quote/info": EndpointCoverage(
        "official SDKs", ASSUMED, "not in the document; an unknown quote is no error: 204 here"
    ),
    "prices/lookup": EndpointCoverage(
        "How to check prices", REPORTED, "answers like a whole quote; often told `Requests limit reached`"
    ),
    "products": EndpointCoverage(_CORE, REPORTED, "no prices in live lists, but `availability`"),
    "products/info": EndpointCoverage(_CORE, OBSERVED, "no `prices`; each option has a family, each spec a reference"),
    "shipping/levels": EndpointCoverage(_CORE, OBSERVED, "`cp_limited` exists and is not documented"),
    "shipping/countries": EndpointCoverage(_CORE, OBSERVED, "`require_state` is a number, not a text"),
    "shipping/states": EndpointCoverage(_CORE, DOCUMENTED),
    "catalogs": EndpointCoverage(_PUBLISH, ASSUMED, "an empty list is taken to be 200, or 204"),
    "catalogs/info": EndpointCoverage(_PUBLISH, DOCUMENTED),
    "catalogs/add": EndpointCoverage(_PUBLISH, DOCUMENTED, "a conflict is documented with a counter `radded`"),
    "catalogs/remove": EndpointCoverage(_PUBLISH, DOCUMENTED),
    "titles": EndpointCoverage(_PUBLISH, ASSUMED, "the example sends a catalog, the table of fields has none"),
    "titles/info": EndpointCoverage(_PUBLISH, DOCUMENTED),
    "titles/add": EndpointCoverage(_PUBLISH, ASSUMED, "the fields look copied from catalogs: neither files nor mix"),
    "titles/remove": EndpointCoverage(_PUBLISH, DOCUMENTED),
    "products/mixes": EndpointCoverage(_PUBLISH, ASSUMED, "an empty list is taken to be 200, or 204"),
    "products/mixes/info": EndpointCoverage(_PUBLISH, DOCUMENTED),
    "publish/orders": EndpointCoverage(_PUBLISH, DOCUMENTED),
    "publish/orders/info": EndpointCoverage(
        _PUBLISH, ASSUMED, "documented at CloudCore's address; the sandbox knows both"
    ),
    "publish/orders/add": EndpointCoverage(
        _PUBLISH, ASSUMED, "documented at CloudCore's address; fields with typing errors"
    ),
    "publish/orders/cancel": EndpointCoverage(
        _PUBLISH, ASSUMED, "documented at CloudCore's address; counter `cancelled`"
    ),
    "publish/orders/log": EndpointCoverage(_PUBLISH, ASSUMED, "documented at CloudCore's address; the list is wrapped"),
}

WEBHOOK_COVERAGE: dict[str, tuple[str, str]] = {
    "CloudprinterOrderValidated": (OBSERVED, "came 40 s after the order in one case"),
    "CloudprinterOrderCanceled": (DOCUMENTED, "not on every page of the documents"),
    "ItemValidated": (DOCUMENTED, "in 1.1 it is called CloudprinterItemValidated"),
    "ItemProduce": (DOCUMENTED, ""),
    "ItemProduced": (DOCUMENTED, ""),
    "ItemPacked": (DOCUMENTED, ""),
    "ItemShipped": (OBSERVED, "`tracking` is sometimes an address; 2.1 adds `url`; options read like `dpd_france`"),
    "ItemError": (DOCUMENTED, "`delay` may be a number"),
    "ItemCanceled": (DOCUMENTED, "`cause` may be an old number such as 190"),
    "ItemDeliveryStarted": (REPORTED, "2.1, whose document is not published whole"),
    "ItemDeliveryFailed": (REPORTED, "2.1, whose document is not published whole"),
    "ItemDeliveryCompleted": (REPORTED, "2.1, whose document is not published whole"),
}


def render_coverage() -> str:
    """The whole page."""
    return "\n".join(_sections()).rstrip() + "\n"


def _sections() -> Iterator[str]:
    yield "# API coverage\n"
    yield (
        "Every endpoint, signal and webhook of the five documents, the command that speaks it, the rule that\n"
        "plays it in the sandbox, and where the real service is known to differ from its document. Where they\n"
        "differ, `cpctl sandbox serve --dialect live` answers as the service does and `--dialect documented`\n"
        "as its document says; cpctl copes with both. Generated by `make docs`; a test keeps it current.\n"
    )
    yield "How sure we are:\n"
    yield from _table(("word", "what it rests on"), [(f"**{name}**", words) for name, words in CONFIDENCE.items()])
    yield "## Calls\n\nEach is a POST with the key in its body.\n"
    yield from _table(
        ("endpoint", "document", "command", "rule in the sandbox", "sure", "differs from its document"),
        [_endpoint_row(name) for name in ENDPOINTS],
    )
    yield "## Signals: from the print shop to Cloudprinter\n"
    yield from _table(
        ("type", "versions", "command", "becomes the webhook", "sure", "differs from its document"),
        [_signal_row(name) for name in SIGNAL_TYPES],
    )
    yield "## Webhooks: from Cloudprinter to its client\n\nReceived by `cpctl webhooks serve`, sent by the sandbox.\n"
    yield from _table(
        ("type", "since", "fields beyond the references", "sure", "differs from its document"),
        [_webhook_row(name) for name in WEBHOOK_TYPES],
    )
    yield "## What all have in common\n"
    yield from _table(("matter", "what is done", "sure"), COMMON_BEHAVIOR)


COMMON_BEHAVIOR = (
    ("a wrong key", "CloudCore and CloudPublish 403, CloudSignal 401 or 403: both end with 4", DOCUMENTED),
    (
        "an error's words",
        "`{error: {type, info}}`, CloudPublish `{status: {errors}}`, other shapes read as text",
        OBSERVED,
    ),
    ("trailing slashes", "sent as documented; the sandbox takes both", OBSERVED),
    ("too many requests", "429, or an error that says `Requests limit reached`: tried again later", REPORTED),
    ("redirects", "never followed: the key is in the body", ASSUMED),
    ("an unknown field in an answer", "kept, shown in json and yaml", OBSERVED),
    ("webhooks", "no id, no signature, in any order, repeated up to 100 times in 7 days", OBSERVED),
)


def _endpoint_row(name: str) -> tuple[str, ...]:
    row, known = ENDPOINTS[name], ENDPOINT_COVERAGE[name]
    rule = RULES[row.path.removesuffix("/")]
    work: Any = rule.publish_operation if name.startswith("publish/") and rule.publish_operation else rule.operation
    played = work.func if isinstance(work, partial) else work
    module = played.__module__.rpartition(".")[2]
    return (
        f"`{row.path}`",
        known.document,
        ", ".join(f"`{command}`" for command in row.commands),
        f"`{module}.{played.__name__}`",
        known.confidence,
        known.difference,
    )


def _signal_row(name: str) -> tuple[str, ...]:
    kind = SIGNAL_TYPES[name]
    differs = {
        "ItemRegistered": "its text is a copy of ItemProduce's",
        "ItemCanceled": "the table calls `cause` optional, the text wants a published code; none at all is taken",
        "ItemError": "in 2.0 another name of ItemDelay",
    }.get(name, "")
    command = f"`signal {kind.command}`"
    return f"`{name}`", ", ".join(kind.required), command, f"`{webhook_type_for(name)}`", DOCUMENTED, differs


def _webhook_row(name: str) -> tuple[str, ...]:
    row = WEBHOOK_TYPES[name]
    sure, differs = WEBHOOK_COVERAGE[name]
    fields = [f"`{field}`" for field in row.fields] + [f"`{field}` (optional)" for field in row.optional]
    return f"`{name}`", row.since_version, ", ".join(fields), sure, differs


def _table(headings: tuple[str, ...], rows: Any) -> Iterator[str]:
    yield "| " + " | ".join(headings) + " |"
    yield "|" + "---|" * len(headings)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""
