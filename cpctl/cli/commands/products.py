"""`cpctl products`: what can be ordered."""

from typing import Annotated

import typer

from cpctl.cli.calls import More, call, parse_reference, show_each
from cpctl.cli.context import Run
from cpctl.cli.framework import Commands
from cpctl.cli.list_filters import containing
from cpctl.cli.options import References, Search
from cpctl.output.columns import MIX, MIX_SHEET, PRODUCT, PRODUCT_SHEET

commands = Commands()


@commands.add("list", "cpctl products list --search flyer")
def list_products(
    run: Run,
    more: More,
    category: Annotated[str, typer.Option(metavar="NAME", help="Only of this category.")] = "",
    search: Search = "",
) -> None:
    """List the products enabled for the account."""
    found = call(run, "products", more)
    if category:
        wanted = category.strip().casefold()
        found = [each for each in found if str(each.get("category", "")).casefold() == wanted]
    run.show(containing(search, found), PRODUCT)


@commands.add("info", "cpctl products info textbook_pb_a4_p_bw")
def show_products(run: Run, references: References, more: More) -> None:
    """Show options, files and measures of products."""
    bodies = [{"reference": parse_reference(each, "product")} for each in references]
    show_each(run, "products/info", more, bodies, PRODUCT_SHEET, PRODUCT)


@commands.add("mixes", "cpctl products mixes")
def list_mixes(run: Run, more: More, search: Search = "") -> None:
    """List the product mixes of CloudPublish."""
    run.show(containing(search, call(run, "products/mixes", more)), MIX)


@commands.add("mix", "cpctl products mix textbook_a4_cw_matte_80gsm")
def show_mixes(run: Run, references: References, more: More) -> None:
    """Show the product and the options of product mixes."""
    bodies = [{"product_mix_reference": parse_reference(each, "product mix")} for each in references]
    show_each(run, "products/mixes/info", more, bodies, MIX_SHEET, MIX)
