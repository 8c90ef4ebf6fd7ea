"""The API coverage table: every endpoint, signal and webhook, its command, its rule in the sandbox, what differs."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from cpctl.api.endpoints import ENDPOINTS
from cpctl.sandbox.simulated_api.routes import ROUTES as RULES
from cpctl.signals.signal_types import SIGNAL_TYPES
from cpctl.signals.webhook_types import WEBHOOK_TYPES, webhook_type_for

# How sure we are of what the service really does.
SEEN, TOLD, DOCUMENTED, GUESSED = "seen", "told", "documented", "guessed"
CONFIDENCE = {
    SEEN: "answers of the live service have been looked at by several who use it, and agree",
    TOLD: "one user of the live service has described it",
    DOCUMENTED: "the documents say so; nothing is known to contradict them",
    GUESSED: "the documents are silent or contradict themselves; this is what fits best",
}


class Covered(NamedTuple):
    """What is known of one endpoint beyond its row: its document, and how reality differs from it."""

    source: str
    confidence: str
    differs: str = ""


_CORE, _PUBLISH = "CloudCore 1.0", "CloudPublish 1.0"
ENDPOINTS_COVERED: dict[str, Covered] = {
    "signal-2.0": Covered(
        "CloudSignal 2.0",
        GUESSED,
        "what a bundle answers that fails in part is not said; the sandbox refuses all",
    ),
    "signal-1.1": Covered("CloudSignal 1.1", DOCUMENTED, "the address of most samples"),
    "signal-1.1-alternative": Covered(
        "CloudSignal 1.1", GUESSED, "the address of some samples; `signal_1_1_path` chooses"
    ),
    "orders": Covered(_CORE, SEEN, "`state` is a number, not a text; 204 is an empty list"),
    "orders/info": Covered(
        _CORE, SEEN, "numbers for `state` and `count`; more fields; 410 where there is no such order"
    ),
    "orders/add": Covered(
        _CORE,
        SEEN,
        "`phone` is required; 201 comes with a body; what a known reference gets is not known",
    ),
    "orders/cancel": Covered(_CORE, TOLD, "answers with the new state, 500; the document shows no body"),
    "orders/log": Covered(_CORE, TOLD, "`state` is a number; 204, not 410, where there is no such order"),
    "orders/quote": Covered(
        _CORE, SEEN, "`options` must be a list; prices exclude VAT; `expire_date` has microseconds"
    ),
    "orders/quote/info": Covered(
        "official SDKs", GUESSED, "not in the document; an unknown quote is no error: 204 here"
    ),
    "prices/lookup": Covered(
        "How to check prices", TOLD, "answers like a whole quote; often told `Requests limit reached`"
    ),
    "products": Covered(_CORE, TOLD, "no prices in live lists, but `availability`"),
    "products/info": Covered(_CORE, SEEN, "no `prices`; each option has a family, each spec a reference"),
    "shipping/levels": Covered(_CORE, SEEN, "`cp_limited` exists and is not documented"),
    "shipping/countries": Covered(_CORE, SEEN, "`require_state` is a number, not a text"),
    "shipping/states": Covered(_CORE, DOCUMENTED),
    "catalogs": Covered(_PUBLISH, GUESSED, "an empty list is taken to be 200, or 204"),
    "catalogs/info": Covered(_PUBLISH, DOCUMENTED),
    "catalogs/add": Covered(_PUBLISH, DOCUMENTED, "a conflict is documented with a counter `radded`"),
    "catalogs/remove": Covered(_PUBLISH, DOCUMENTED),
    "titles": Covered(_PUBLISH, GUESSED, "the example sends a catalog, the table of fields has none"),
    "titles/info": Covered(_PUBLISH, DOCUMENTED),
    "titles/add": Covered(_PUBLISH, GUESSED, "the fields look copied from catalogs: neither files nor mix"),
    "titles/remove": Covered(_PUBLISH, DOCUMENTED),
    "products/mixes": Covered(_PUBLISH, GUESSED, "an empty list is taken to be 200, or 204"),
    "products/mixes/info": Covered(_PUBLISH, DOCUMENTED),
    "publish/orders": Covered(_PUBLISH, DOCUMENTED),
    "publish/orders/info": Covered(_PUBLISH, GUESSED, "documented at CloudCore's address; the sandbox knows both"),
    "publish/orders/add": Covered(_PUBLISH, GUESSED, "documented at CloudCore's address; fields with typing errors"),
    "publish/orders/cancel": Covered(_PUBLISH, GUESSED, "documented at CloudCore's address; counter `cancelled`"),
    "publish/orders/log": Covered(_PUBLISH, GUESSED, "documented at CloudCore's address; the list is wrapped"),
}

WEBHOOKS_COVERED: dict[str, tuple[str, str]] = {
    "CloudprinterOrderValidated": (SEEN, "came 40 s after the order in one case"),
    "CloudprinterOrderCanceled": (DOCUMENTED, "not on every page of the documents"),
    "ItemValidated": (DOCUMENTED, "in 1.1 it is called CloudprinterItemValidated"),
    "ItemProduce": (DOCUMENTED, ""),
    "ItemProduced": (DOCUMENTED, ""),
    "ItemPacked": (DOCUMENTED, ""),
    "ItemShipped": (SEEN, "`tracking` is sometimes an address; 2.1 adds `url`; options read like `dpd_france`"),
    "ItemError": (DOCUMENTED, "`delay` may be a number"),
    "ItemCanceled": (DOCUMENTED, "`cause` may be an old number such as 190"),
    "ItemDeliveryStarted": (TOLD, "2.1, whose document is not published whole"),
    "ItemDeliveryFailed": (TOLD, "2.1, whose document is not published whole"),
    "ItemDeliveryCompleted": (TOLD, "2.1, whose document is not published whole"),
}


def coverage() -> str:
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
        [_call(name) for name in ENDPOINTS],
    )
    yield "## Signals: from the print shop to Cloudprinter\n"
    yield from _table(
        ("type", "versions", "command", "becomes the webhook", "sure", "differs from its document"),
        [_signal(name) for name in SIGNAL_TYPES],
    )
    yield "## Webhooks: from Cloudprinter to its client\n\nReceived by `cpctl webhooks serve`, sent by the sandbox.\n"
    yield from _table(
        ("type", "since", "fields beyond the references", "sure", "differs from its document"),
        [_webhook(name) for name in WEBHOOK_TYPES],
    )
    yield "## What all have in common\n"
    yield from _table(("matter", "what is done", "sure"), COMMON)


COMMON = (
    ("a wrong key", "CloudCore and CloudPublish 403, CloudSignal 401 or 403: both end with 4", DOCUMENTED),
    ("an error's words", "`{error: {type, info}}`, CloudPublish `{status: {errors}}`, other shapes read as text", SEEN),
    ("trailing slashes", "sent as documented; the sandbox takes both", SEEN),
    ("too many requests", "429, or an error that says `Requests limit reached`: tried again later", TOLD),
    ("redirects", "never followed: the key is in the body", GUESSED),
    ("an unknown field in an answer", "kept, shown in json and yaml", SEEN),
    ("webhooks", "no id, no signature, in any order, repeated up to 100 times in 7 days", SEEN),
)


def _call(name: str) -> tuple[str, ...]:
    row, known = ENDPOINTS[name], ENDPOINTS_COVERED[name]
    rule = RULES[row.path.removesuffix("/")]
    work: Any = rule.publish_operation if name.startswith("publish/") and rule.publish_operation else rule.operation
    played = work.func if isinstance(work, partial) else work
    module = played.__module__.rpartition(".")[2]
    return (
        f"`{row.path}`",
        known.source,
        ", ".join(f"`{command}`" for command in row.commands),
        f"`{module}.{played.__name__}`",
        known.confidence,
        known.differs,
    )


def _signal(name: str) -> tuple[str, ...]:
    kind = SIGNAL_TYPES[name]
    differs = {
        "ItemRegistered": "its text is a copy of ItemProduce's",
        "ItemCanceled": "the table calls `cause` optional, the text wants a published code; none at all is taken",
        "ItemError": "in 2.0 another name of ItemDelay",
    }.get(name, "")
    command = f"`signal {kind.command}`"
    return f"`{name}`", ", ".join(kind.required), command, f"`{webhook_type_for(name)}`", DOCUMENTED, differs


def _webhook(name: str) -> tuple[str, ...]:
    row = WEBHOOK_TYPES[name]
    sure, differs = WEBHOOKS_COVERED[name]
    fields = [f"`{field}`" for field in row.fields] + [f"`{field}` (optional)" for field in row.optional]
    return f"`{name}`", row.since_version, ", ".join(fields), sure, differs


def _table(headings: tuple[str, ...], rows: Any) -> Iterator[str]:
    yield "| " + " | ".join(headings) + " |"
    yield "|" + "---|" * len(headings)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""
