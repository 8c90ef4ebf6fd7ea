"""`cpctl titles`: titles of a catalog (CloudPublish)."""

from typing import Annotated

import typer

from cpctl.cli.api_counters import apply_change
from cpctl.cli.calls import ExtraFieldOptions, call, parse_reference, show_each
from cpctl.cli.commands.catalogs import Name, Note
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.list_filters import filter_by_text
from cpctl.cli.options import SearchText, Yes
from cpctl.output.columns import TITLE, TITLE_DETAIL

commands = Commands()

Isbn = Annotated[str, typer.Argument(metavar="ISBN", help="ISBN, or the reference used in its place.")]


@commands.add("list", "cpctl titles list catalog_1")
def list_titles(
    context: Context,
    catalog: Annotated[str, typer.Argument(metavar="CATALOG", help="Reference of the catalog.")],
    extra_fields: ExtraFieldOptions,
    search: SearchText = "",
) -> None:
    """List the titles of a catalog."""
    found = call(context, "titles", extra_fields, catalog_reference=parse_reference(catalog, "catalog"))
    context.show(filter_by_text(search, found), TITLE)


@commands.add("info", "cpctl titles info 1234567890123")
def show_titles(
    context: Context,
    isbns: Annotated[list[str], typer.Argument(metavar="ISBN...", help="ISBNs.")],
    extra_fields: ExtraFieldOptions,
) -> None:
    """Show titles with their files."""
    show_each(context, "titles/info", extra_fields, isbns, TITLE_DETAIL, TITLE)


@commands.add("add", 'cpctl titles add 9780131103627 --name "The book" --note "Second edition"')
def add_title(context: Context, isbn: Isbn, name: Name, note: Note, extra_fields: ExtraFieldOptions) -> None:
    """Add a title."""
    apply_change(context, "titles/add", extra_fields, {"isbn": isbn, "name": name, "note": note})


@commands.add("remove", "cpctl titles remove 9780131103627 --yes")
def remove_title(context: Context, isbn: Isbn, extra_fields: ExtraFieldOptions, yes: Yes = False) -> None:
    """Remove a title from the account."""
    apply_change(
        context, "titles/remove", extra_fields, {"isbn": isbn}, f'Remove the title "{isbn}" from the account?', yes
    )
