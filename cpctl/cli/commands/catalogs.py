"""`cpctl catalogs`: collections of titles (CloudPublish)."""

from typing import Annotated

import typer

from cpctl.cli.api_counters import apply_change
from cpctl.cli.calls import ExtraFieldOptions, call, show_each
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.list_filters import filter_by_text
from cpctl.cli.options import References, SearchText, Yes
from cpctl.output.columns import CATALOG, CATALOG_DETAIL

commands = Commands()

Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help="Reference of the catalog.")]
Name = Annotated[str, typer.Option(metavar="TEXT", help="Name, at most 64 characters.")]
Note = Annotated[str, typer.Option(metavar="TEXT", help="Description, at most 256 characters.")]


@commands.add("list", "cpctl catalogs list")
def list_catalogs(context: Context, extra_fields: ExtraFieldOptions, search: SearchText = "") -> None:
    """List the catalogs of the account."""
    context.show(filter_by_text(search, call(context, "catalogs", extra_fields)), CATALOG)


@commands.add("info", "cpctl catalogs info catalog_1")
def show_catalogs(context: Context, references: References, extra_fields: ExtraFieldOptions) -> None:
    """Show catalogs with the number of their titles."""
    show_each(context, "catalogs/info", extra_fields, references, CATALOG_DETAIL, CATALOG)


@commands.add("add", 'cpctl catalogs add spring --name "Spring list" --note "New titles this spring"')
def add_catalog(
    context: Context, reference: Reference, name: Name, note: Note, extra_fields: ExtraFieldOptions
) -> None:
    """Add a catalog."""
    apply_change(context, "catalogs/add", extra_fields, {"catalog_reference": reference, "name": name, "note": note})


@commands.add("remove", "cpctl catalogs remove spring --yes")
def remove_catalog(context: Context, reference: Reference, extra_fields: ExtraFieldOptions, yes: Yes = False) -> None:
    """Remove a catalog. Its titles are no longer available in it."""
    body = {"catalog_reference": reference}
    apply_change(
        context, "catalogs/remove", extra_fields, body, f'Remove the catalog "{reference}" from the account?', yes
    )
