"""`cpctl shipping`: shipping levels, countries and states."""

from typing import Annotated

import typer

from cpctl.cli.calls import ExtraFieldOptions, call
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.list_filters import filter_by_text
from cpctl.cli.options import SearchText
from cpctl.errors import InvalidInput
from cpctl.order_documents.checks import check_country
from cpctl.output.columns import COUNTRY, COUNTRY_STATE, SHIPPING_LEVEL

commands = Commands()


@commands.add("levels", "cpctl shipping levels")
def list_levels(context: Context, extra_fields: ExtraFieldOptions) -> None:
    """List the shipping levels."""
    context.show(call(context, "shipping/levels", extra_fields), SHIPPING_LEVEL)


@commands.add("countries", "cpctl shipping countries --search united")
def list_countries(context: Context, extra_fields: ExtraFieldOptions, search: SearchText = "") -> None:
    """List the countries that can be shipped to, and whether they require a state."""
    context.show(filter_by_text(search, call(context, "shipping/countries", extra_fields)), COUNTRY)


@commands.add("states", "cpctl shipping states US")
def list_states(
    context: Context,
    country: Annotated[str, typer.Argument(metavar="COUNTRY", help="Two letters, ISO 3166-1.")],
    extra_fields: ExtraFieldOptions,
) -> None:
    """List the states of a country."""
    code = country.strip().upper()
    problem = check_country(code if len(code) == 2 else country)
    if problem and not problem.is_warning:
        raise InvalidInput(problem.message, "`cpctl shipping countries` lists them.")
    context.show(call(context, "shipping/states", extra_fields, country_reference=code), COUNTRY_STATE)
