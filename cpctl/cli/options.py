"""Arguments and options that several commands have."""

from collections.abc import Sequence
from typing import Annotated

import typer

from cpctl.errors import InvalidInput
from cpctl.signals.signal import quote_value

Items = Annotated[list[str], typer.Argument(metavar="ITEM...", help="Full ids of the items.", show_default=False)]
OrderId = Annotated[str, typer.Option("--order", metavar="ORDER", help="Full id of the order of the items.")]
SignalIds = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of signals.", show_default=False)]
OptionalSignalIds = Annotated[
    list[str] | None, typer.Argument(metavar="[ID...]", help="Ids of signals.", show_default=False)
]
EventIds = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of events.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Include only entries since this time: 2026-01-20T13:00, 2h, 7d.")
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Include only entries before this time.")]
Limit = Annotated[int, typer.Option(metavar="N", min=0, help="Show only the N most recent; 0 shows all.")]
StateFilter = Annotated[
    list[str] | None, typer.Option("--state", metavar="STATE", help="Show only this state; repeatable.")
]
RequireDelivery = Annotated[
    bool, typer.Option("--require-delivery", help="Exit with 75 unless everything is delivered.")
]
ExtraFields = Annotated[
    list[str] | None,
    typer.Option("-f", "--field", metavar="KEY=VALUE", help="Add a field that cpctl does not know; repeatable."),
]
References = Annotated[
    list[str], typer.Argument(metavar="REFERENCE...", help="References to show.", show_default=False)
]
SearchText = Annotated[str, typer.Option(metavar="TEXT", help="Show only entries that contain this text, in any case.")]


def parse_ids(texts: Sequence[str], noun: str, list_command: str) -> list[int]:
    """Ids as numbers, each once. `noun` and `list_command` are for the error. Raises InvalidInput."""
    for text in texts:
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise InvalidInput(f"{quote_value(text)} is not the id of {noun}.", f"`{list_command}` shows the ids.")
    return list(dict.fromkeys(int(text) for text in texts))


def parse_fields(texts: list[str] | None) -> dict[str, str | None]:
    """Parse fields written as KEY=VALUE. Raises InvalidInput."""
    found: dict[str, str | None] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InvalidInput(f"-f {quote_value(text)} is not KEY=VALUE.", "For example: -f color=red")
        if name.strip() in found:
            raise InvalidInput(f"-f {name.strip()} is given twice.")
        found[name.strip()] = value
    return found
