"""`cpctl catalogs`: collections of titles (CloudPublish)."""

from typing import Annotated

import typer

from cpctl.cli.api_counters import change
from cpctl.cli.calls import More, call, parse_reference, show_each
from cpctl.cli.context import Run
from cpctl.cli.framework import Commands
from cpctl.cli.list_filters import containing
from cpctl.cli.options import References, Search, Yes
from cpctl.output.columns import CATALOG, CATALOG_SHEET

commands = Commands()

Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help="Reference of the catalog.")]
Name = Annotated[str, typer.Option(metavar="TEXT", help="Its name, at most 64 characters.")]
Note = Annotated[str, typer.Option(metavar="TEXT", help="What it is, at most 256 characters.")]


@commands.add("list", "cpctl catalogs list")
def list_catalogs(run: Run, more: More, search: Search = "") -> None:
    """List the catalogs of the account."""
    run.show(containing(search, call(run, "catalogs", more)), CATALOG)


@commands.add("info", "cpctl catalogs info catalog_1")
def show_catalogs(run: Run, references: References, more: More) -> None:
    """Show catalogs, and how many titles each has."""
    bodies = [{"catalog_reference": parse_reference(each, "catalog")} for each in references]
    show_each(run, "catalogs/info", more, bodies, CATALOG_SHEET, CATALOG)


@commands.add("add", 'cpctl catalogs add spring --name "Spring list" --note "What comes out in spring"')
def add_catalog(run: Run, reference: Reference, name: Name, note: Note, more: More) -> None:
    """Add a catalog."""
    change(run, "catalogs/add", more, {"catalog_reference": reference, "name": name, "note": note})


@commands.add("remove", "cpctl catalogs remove spring --yes")
def remove_catalog(run: Run, reference: Reference, more: More, yes: Yes = False) -> None:
    """Remove a catalog; its titles are no longer available in it."""
    body = {"catalog_reference": reference}
    change(run, "catalogs/remove", more, body, f'Remove the catalog "{reference}" from the account?', yes)
