"""`cpctl quote`: what an order would cost, and how it could be shipped."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, NamedTuple

import typer

from cpctl.cli.calls import ExtraFieldOptions, call, parse_reference
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.input_files import read_input
from cpctl.errors import InvalidInput, NotFound, suggest
from cpctl.order_documents.checks import check_quote
from cpctl.order_documents.quote_requests import quote_from_document, quote_from_specs
from cpctl.order_documents.reader import MAX_BYTES, read_document
from cpctl.output.columns import OFFER
from cpctl.output.views import TableView
from cpctl.reference_data.country_states import COUNTRIES_REQUIRING_STATE

commands = Commands()


class QuoteOptions(NamedTuple):
    """What a quote is asked for."""

    country: Annotated[str | None, typer.Option(metavar="CODE", help="Where to: two letters, ISO 3166-1.")] = None
    state: Annotated[str | None, typer.Option(metavar="CODE", help="State, where the country needs one.")] = None
    currency: Annotated[str | None, typer.Option(metavar="CODE", help="ISO 4217. [EUR]")] = None
    item: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEC", help="PRODUCT,count=1,pageblock_80off=120,total_pages=120; repeatable."),
    ] = None
    level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="One offer per shipment: the cheapest of a level.")
    ] = None
    cheapest: Annotated[bool, typer.Option("--cheapest", help="One offer per shipment: the cheapest.")] = False


QuoteFile = Annotated[str | None, typer.Argument(metavar="[FILE|-]", help="A quote or an order, as JSON or YAML.")]


@commands.add("get", "cpctl quote get --country NL --item textbook_pb_a4_p_bw,pageblock_80off=120,total_pages=120")
def get_quote(context: Context, options: QuoteOptions, extra_fields: ExtraFieldOptions, file: QuoteFile = None) -> None:
    """Ask for a quote: offers for each shipment, good for 48 hours."""
    _show_offers(context, options, call(context, "orders/quote", extra_fields, **_build_body(context, options, file)))


@commands.add("price", "cpctl quote price --country NL --item flyer_ss_a5_fc,count=500 --cheapest")
def look_up_price(
    context: Context, options: QuoteOptions, extra_fields: ExtraFieldOptions, file: QuoteFile = None
) -> None:
    """Look up prices: the same as a quote, faster, and limited in how often."""
    _show_offers(context, options, call(context, "prices/lookup", extra_fields, **_build_body(context, options, file)))


@commands.add("info", "cpctl quote info a1e771f2e375bc33b5385fcc8091a328481bc45f3bff13de96ba0e7585ff936f")
def show_quote(
    context: Context,
    quote: Annotated[str, typer.Argument(metavar="HASH", help="The hash of an offer.")],
    extra_fields: ExtraFieldOptions,
) -> None:
    """Show what is known of an offer by its hash."""
    wanted = parse_reference(quote, "quote")
    found = call(context, "orders/quote/info", extra_fields, quote=wanted)
    if not found or "quote" not in found:
        raise NotFound(f'There is no quote "{wanted}", or it has expired.', "`cpctl quote get` asks for a new one.")
    context.show(found)


def _build_body(context: Context, options: QuoteOptions, file: str | None) -> dict[str, Any]:
    """The request, from a document or from options. Raises InvalidInput with all that is wrong."""
    if options.cheapest or options.level:
        context.default_value_query = "[].quote"
    if (file is None) == (not options.item):
        raise InvalidInput("Name a document, or items with --item.", "Such as: --item flyer_ss_a5_fc,count=500")
    country = options.country.upper() if options.country else None
    if file is not None:
        body = quote_from_document(read_document(file, read_input(file, MAX_BYTES + 1)))
        given = {"country": country, "state": options.state, "currency": options.currency}
        body |= {name: value for name, value in given.items() if value}
    else:
        body = quote_from_specs(options.item or [], country, options.state, options.currency)
    if body.get("country") in COUNTRIES_REQUIRING_STATE and not body.get("state"):
        body["state"] = _prompt_state(context, str(body["country"]))
    errors = [each for each in check_quote(body) if not each.is_warning]
    if errors:
        raise InvalidInput("\n".join(f"{each.path}: {each.message}" for each in errors), "Nothing was sent.")
    return body


def _prompt_state(context: Context, country: str) -> str:
    if not context.can_prompt:
        raise InvalidInput(f"{country} needs a state.", f"Give --state; `cpctl shipping states {country}` lists them.")
    answer: str = typer.prompt(f"State ({country})", err=True)
    return answer.strip().upper()


def _show_offers(context: Context, options: QuoteOptions, quote: Mapping[str, Any]) -> None:
    """All of the quote; or, where one offer per shipment was asked for, those."""
    if not (options.cheapest or options.level):
        context.show(quote, TableView(OFFER, lambda whole: list(_iter_offers(whole))))
        if context.output.stderr_is_terminal:
            context.output.note("The hash to order with: --cheapest or --level LEVEL, with -o value.")
        return
    context.show(_choose_cheapest(list(_iter_offers(quote)), options.level), OFFER)


def _iter_offers(quote: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """A row per offer, the cheapest of each shipment first. Prices as the service gives them."""
    for number, shipment in enumerate(quote.get("shipments") or (), 1):
        items = ", ".join(str(item.get("reference")) for item in shipment.get("items") or ())
        for offer in sorted(shipment.get("quotes") or (), key=_offer_price):
            trimmed = str(offer.get("shipping_option") or "").strip()
            expires = _format_local_time(quote.get("expire_date"))
            yield {**offer, "shipment": number, "items": items, "shipping_option": trimmed, "expires": expires}


def _choose_cheapest(offers: list[dict[str, Any]], level: str | None) -> list[dict[str, Any]]:
    """The cheapest offer of each shipment, of the level where one is asked for. Raises NotFound."""
    chosen = []
    for number in dict.fromkeys(offer["shipment"] for offer in offers):
        here = [offer for offer in offers if offer["shipment"] == number]
        fit = [offer for offer in here if level in (None, offer.get("shipping_level"))]
        if not fit:
            levels = list(dict.fromkeys(str(offer.get("shipping_level")) for offer in here))
            raise NotFound(f'Shipment {number} has no offer of the level "{level}".', suggest(str(level), levels))
        chosen.append(fit[0])
    return chosen


def _offer_price(offer: Mapping[str, Any]) -> Decimal:
    try:
        return Decimal(str(offer.get("price")))
    except InvalidOperation:
        return Decimal("Infinity")


def _format_local_time(text: object) -> str:
    """When a quote ends, in the time of this place."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return str(text or "")
    return f"{at.astimezone():%Y-%m-%d %H:%M}"
