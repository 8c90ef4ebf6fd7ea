"""`cpctl shipping`: where to, and how fast."""

from typing import Annotated

import typer

from cpctl.cli.calls import More, call
from cpctl.cli.context import Run
from cpctl.cli.framework import Commands
from cpctl.cli.list_filters import containing
from cpctl.cli.options import Search
from cpctl.errors import InvalidInput
from cpctl.order_documents.value_checks import country as check_country
from cpctl.output.columns import COUNTRY, LEVEL, STATE

commands = Commands()


@commands.add("levels", "cpctl shipping levels")
def list_levels(run: Run, more: More) -> None:
    """List the shipping levels."""
    run.show(call(run, "shipping/levels", more), LEVEL)


@commands.add("countries", "cpctl shipping countries --search united")
def list_countries(run: Run, more: More, search: Search = "") -> None:
    """List the countries that are shipped to, and which of them need a state."""
    run.show(containing(search, call(run, "shipping/countries", more)), COUNTRY)


@commands.add("states", "cpctl shipping states US")
def list_states(
    run: Run, country: Annotated[str, typer.Argument(metavar="COUNTRY", help="Two letters, ISO 3166-1.")], more: More
) -> None:
    """List the states of a country."""
    code = country.strip().upper()
    problem = check_country(code if len(code) == 2 else country)
    if problem and not problem.warning:
        raise InvalidInput(problem.message, "`cpctl shipping countries` lists them.")
    run.show(call(run, "shipping/states", more, country_reference=code), STATE)
