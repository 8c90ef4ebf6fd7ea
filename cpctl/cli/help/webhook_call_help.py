"""What a webhook consists of: a call that Cloudprinter makes, and that is received here."""

from collections.abc import Iterator

from cpctl.cli.help.call_help import MASK, Answer, Call
from cpctl.cli.help.field_help import Field
from cpctl.signals.signal_types import FIELDS
from cpctl.signals.webhook_types import WEBHOOKS, WebhookKind
from cpctl.webhooks.server.responses import ANSWERS

# The fields that webhooks have and signals lack or write otherwise (CloudSignal Webhooks 2.0, "Signals").
_OWN = {
    "order_reference": ("your own reference of the order", "654321"),
    "item_reference": ("your own reference of the item", "321"),
    "url": ("where the parcel can be followed", "https://tracking.example.com/1A2B3C4D5E6F"),
}
_TIME = ("when it happened, ISO 8601", "2017-01-21T13:23:42+00:00")


def webhook_call(name: str) -> Call:
    """What a webhook of that type consists of."""
    row = WEBHOOKS[name]
    fields = tuple(_fields(row))
    return Call(
        name=f"webhook.{name}",
        meaning=f"{row.meaning[0].upper()}{row.meaning[1:]}.",
        commands=(f"sandbox trigger {name}",),
        path="an address of yours",
        key="webhooks",
        effect="Cloudprinter makes this call; it is repeated until 200 or 204 is answered",
        fields=fields,
        body={each.name: each.example for each in fields},
        answers=tuple(Answer(str(status), meaning) for status, meaning in ANSWERS.items()),
        type=name,
    )


def _fields(row: WebhookKind) -> Iterator[Field]:
    yield Field("apikey", "text", True, "the key that is set for webhooks at Cloudprinter", MASK)
    yield Field("type", "text", True, f"always {row.name}", row.name)
    for name in ("order", "item") if row.about_item else ("order",):
        yield Field(name, "text", True, FIELDS[name].meaning, FIELDS[name].example)
    for name in ("order_reference", "item_reference") if row.about_item else ("order_reference",):
        yield Field(name, "text", True, *_OWN[name])
    for name in (*row.fields, *row.optional):
        meaning, example = _OWN.get(name) or (FIELDS[name].meaning, FIELDS[name].example)
        yield Field(name, "text", name in row.fields, meaning, row.fields.get(name, example))
    yield Field("datetime", "text", True, *_TIME)
