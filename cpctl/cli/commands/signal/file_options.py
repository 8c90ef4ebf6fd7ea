"""Options of the commands that read files of signals; a module of its own, so that other commands load less."""

from typing import Annotated, NamedTuple

import typer

from cpctl.cli.options import RequireDelivery

MAX_CONNECTIONS = 50


class FileOptions(NamedTuple):
    """Options of the commands that read files of signals."""

    mapping: Annotated[
        str, typer.Option("--map", metavar="NAME", help="Column mapping: a preset, or one from the profile.")
    ] = ""
    type: Annotated[str, typer.Option(metavar="TYPE", help="Signal type of rows that name none.")] = ""
    constants: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Set a field in every row; repeatable.")
    ] = None
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Encoding of the file. [UTF-8, else cp1252]", show_default=False)
    ] = ""
    delimiter: Annotated[
        str,
        typer.Option(metavar="CHARACTER", help="Delimiter between cells. [detected in the header]", show_default=False),
    ] = ""
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first line is a row, not a header; needs --columns.")
    ] = False
    columns: Annotated[str, typer.Option(metavar="A,B,C", help="Names of the columns if there is no header.")] = ""
    partial: Annotated[bool, typer.Option("--partial", help="Accept valid rows even if other rows are wrong.")] = False
    connections: Annotated[
        int, typer.Option(metavar="N", min=1, max=MAX_CONNECTIONS, help="Number of connections for sending.")
    ] = 5
    api_version: Annotated[
        str | None, typer.Option("--api-version", metavar="VERSION", help="CloudSignal 1.1 or 2.0.")
    ] = None
    queue_only: Annotated[bool, typer.Option("--queue-only", help="Only accept; `outbox flush` sends later.")] = False
    require_delivery: RequireDelivery = False
