"""What a webhook consists of: a call that Cloudprinter makes, and that is received here."""

from collections.abc import Iterator

from cpctl.cli.help.call_help import CallHelp, ResponseHelp
from cpctl.cli.help.field_help import FieldHelp
from cpctl.masking import MASK
from cpctl.signals.signal_types import SIGNAL_FIELDS
from cpctl.signals.webhook_types import WEBHOOK_TYPES, WebhookType
from cpctl.webhooks.server.responses import RESPONSE_MEANINGS

# The fields that webhooks have and signals lack or write otherwise (CloudSignal Webhooks 2.0, "Signals").
_WEBHOOK_FIELDS = {
    "order_reference": ("your own reference of the order", "654321"),
    "item_reference": ("your own reference of the item", "321"),
    "url": ("where the parcel can be followed", "https://tracking.example.com/1A2B3C4D5E6F"),
}
_DATETIME_FIELD = ("when it happened, ISO 8601", "2017-01-21T13:23:42+00:00")


def describe_webhook(name: str) -> CallHelp:
    """What a webhook of that type consists of."""
    row = WEBHOOK_TYPES[name]
    fields = tuple(_iter_fields(row))
    return CallHelp(
        name=f"webhook.{name}",
        meaning=f"{row.meaning[0].upper()}{row.meaning[1:]}.",
        commands=(f"sandbox trigger {name}",),
        path="an address of yours",
        key="webhooks",
        effect="Cloudprinter makes this call; it is repeated until 200 or 204 is answered",
        fields=fields,
        body={each.name: each.example for each in fields},
        responses=tuple(ResponseHelp(str(status), meaning) for status, meaning in RESPONSE_MEANINGS.items()),
        type=name,
    )


def _iter_fields(row: WebhookType) -> Iterator[FieldHelp]:
    yield FieldHelp("apikey", "text", True, "the key that is set for webhooks at Cloudprinter", MASK)
    yield FieldHelp("type", "text", True, f"always {row.name}", row.name)
    for name in ("order", "item") if row.is_about_item else ("order",):
        yield FieldHelp(name, "text", True, SIGNAL_FIELDS[name].meaning, SIGNAL_FIELDS[name].example)
    for name in ("order_reference", "item_reference") if row.is_about_item else ("order_reference",):
        yield FieldHelp(name, "text", True, *_WEBHOOK_FIELDS[name])
    for name in (*row.fields, *row.optional):
        meaning, example = _WEBHOOK_FIELDS.get(name) or (SIGNAL_FIELDS[name].meaning, SIGNAL_FIELDS[name].example)
        yield FieldHelp(name, "text", name in row.fields, meaning, row.fields.get(name, example))
    yield FieldHelp("datetime", "text", True, *_DATETIME_FIELD)
