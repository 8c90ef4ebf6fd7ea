"""`cpctl products`: products and product mixes."""

from typing import Annotated

import typer

from cpctl.cli.calls import ExtraFieldOptions, call, show_each
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.list_filters import filter_by_text
from cpctl.cli.options import References, SearchText
from cpctl.output.columns import PRODUCT, PRODUCT_DETAIL, PRODUCT_MIX, PRODUCT_MIX_DETAIL

commands = Commands()


@commands.add("list", "cpctl products list --search flyer")
def list_products(
    context: Context,
    extra_fields: ExtraFieldOptions,
    category: Annotated[str, typer.Option(metavar="NAME", help="Only products of this category.")] = "",
    search: SearchText = "",
) -> None:
    """List the products enabled for the account."""
    found = call(context, "products", extra_fields)
    if category:
        wanted = category.strip().casefold()
        found = [product for product in found if str(product.get("category", "")).casefold() == wanted]
    context.show(filter_by_text(search, found), PRODUCT)


@commands.add("info", "cpctl products info textbook_pb_a4_p_bw")
def show_products(context: Context, references: References, extra_fields: ExtraFieldOptions) -> None:
    """Show options, files and measures of products."""
    show_each(context, "products/info", extra_fields, references, PRODUCT_DETAIL, PRODUCT)


@commands.add("mixes", "cpctl products mixes")
def list_mixes(context: Context, extra_fields: ExtraFieldOptions, search: SearchText = "") -> None:
    """List the product mixes of CloudPublish."""
    context.show(filter_by_text(search, call(context, "products/mixes", extra_fields)), PRODUCT_MIX)


@commands.add("mix", "cpctl products mix textbook_a4_cw_matte_80gsm")
def show_mixes(context: Context, references: References, extra_fields: ExtraFieldOptions) -> None:
    """Show the product and the options of product mixes."""
    show_each(context, "products/mixes/info", extra_fields, references, PRODUCT_MIX_DETAIL, PRODUCT_MIX)
