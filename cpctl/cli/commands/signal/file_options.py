"""Options of the commands that read files of signals. Apart, so that other commands load nothing of files."""

from typing import Annotated, NamedTuple

import typer

from cpctl.cli.options import RequireDelivery

MAX_CONNECTIONS = 50


class FileOptions(NamedTuple):
    """Options of the commands that read files of signals."""

    mapping: Annotated[
        str, typer.Option("--map", metavar="NAME", help="Whose export it is, or a map of the profile.")
    ] = ""
    type: Annotated[str, typer.Option(metavar="TYPE", help="Type of the rows that name none.")] = ""
    constants: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Say this in every row; repeatable.")
    ] = None
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Encoding of the file. [UTF-8, else cp1252]", show_default=False)
    ] = ""
    delimiter: Annotated[
        str, typer.Option(metavar="CHARACTER", help="Between cells. [as in the header]", show_default=False)
    ] = ""
    no_header: Annotated[bool, typer.Option("--no-header", help="The first row is data; needs --columns.")] = False
    columns: Annotated[str, typer.Option(metavar="A,B,C", help="Names of the columns, without a header.")] = ""
    partial: Annotated[bool, typer.Option("--partial", help="Accept the good rows although others are wrong.")] = False
    connections: Annotated[
        int, typer.Option(metavar="N", min=1, max=MAX_CONNECTIONS, help="Send over so many at once.")
    ] = 5
    api_version: Annotated[
        str | None, typer.Option("--api-version", metavar="VERSION", help="CloudSignal 1.1 or 2.0.")
    ] = None
    queue_only: Annotated[bool, typer.Option("--queue-only", help="Accept; sending is left to the outbox.")] = False
    require_delivery: RequireDelivery = False
