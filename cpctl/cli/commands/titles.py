"""`cpctl titles`: the books of a catalog (CloudPublish)."""

from typing import Annotated

import typer

from cpctl.cli.api_counters import change
from cpctl.cli.calls import More, call, parse_reference, show_each
from cpctl.cli.commands.catalogs import Name, Note
from cpctl.cli.context import Run
from cpctl.cli.framework import Commands
from cpctl.cli.list_filters import containing
from cpctl.cli.options import Search, Yes
from cpctl.output.columns import TITLE, TITLE_SHEET

commands = Commands()

Isbn = Annotated[str, typer.Argument(metavar="ISBN", help="ISBN, or the reference that stands for it.")]


@commands.add("list", "cpctl titles list catalog_1")
def list_titles(
    run: Run,
    catalog: Annotated[str, typer.Argument(metavar="CATALOG", help="Reference of the catalog.")],
    more: More,
    search: Search = "",
) -> None:
    """List the titles of a catalog."""
    found = call(run, "titles", more, catalog_reference=parse_reference(catalog, "catalog"))
    run.show(containing(search, found), TITLE)


@commands.add("info", "cpctl titles info 1234567890123")
def show_titles(
    run: Run, isbns: Annotated[list[str], typer.Argument(metavar="ISBN...", help="ISBNs.")], more: More
) -> None:
    """Show titles with their files."""
    bodies = [{"isbn": parse_reference(each, "title")} for each in isbns]
    show_each(run, "titles/info", more, bodies, TITLE_SHEET, TITLE)


@commands.add("add", 'cpctl titles add 9780131103627 --name "The book" --note "Second edition"')
def add_title(run: Run, isbn: Isbn, name: Name, note: Note, more: More) -> None:
    """Add a title."""
    change(run, "titles/add", more, {"isbn": isbn, "name": name, "note": note})


@commands.add("remove", "cpctl titles remove 9780131103627 --yes")
def remove_title(run: Run, isbn: Isbn, more: More, yes: Yes = False) -> None:
    """Remove a title from the account."""
    change(run, "titles/remove", more, {"isbn": isbn}, f'Remove the title "{isbn}" from the account?', yes)
