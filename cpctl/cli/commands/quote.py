"""`cpctl quote`: offers and prices for an order."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, NamedTuple

import typer

from cpctl.cli.calls import ExtraFieldOptions, call, parse_reference
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.input_files import read_input
from cpctl.errors import InvalidInput, NotFound, suggest
from cpctl.order_documents.fields import QUOTE, find_problems
from cpctl.order_documents.preparation import quote_from_document, quote_from_specs
from cpctl.order_documents.reader import MAX_BYTES, read_document
from cpctl.output.columns import OFFER
from cpctl.output.views import TableView
from cpctl.reference_data.country_states import COUNTRIES_REQUIRING_STATE

commands = Commands()


class QuoteOptions(NamedTuple):
    """Options of a request for a quote or a price."""

    country: Annotated[
        str | None, typer.Option(metavar="CODE", help="Country to ship to: two letters, ISO 3166-1.")
    ] = None
    state: Annotated[str | None, typer.Option(metavar="CODE", help="State, if the country requires one.")] = None
    currency: Annotated[str | None, typer.Option(metavar="CODE", help="Currency of the prices: ISO 4217. [EUR]")] = None
    item: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEC", help="PRODUCT,count=1,pageblock_80off=120,total_pages=120; repeatable."),
    ] = None
    level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="Choose the cheapest offer of this level for each shipment.")
    ] = None
    cheapest: Annotated[bool, typer.Option("--cheapest", help="Choose the cheapest offer for each shipment.")] = False

    @property
    def chooses_offer(self) -> bool:
        """Whether one offer per shipment is chosen."""
        return self.cheapest or bool(self.level)


QuoteFile = Annotated[str | None, typer.Argument(metavar="[FILE|-]", help="A quote or an order, as JSON or YAML.")]


@commands.add("get", "cpctl quote get --country NL --item textbook_pb_a4_p_bw,pageblock_80off=120,total_pages=120")
def get_quote(context: Context, options: QuoteOptions, extra_fields: ExtraFieldOptions, file: QuoteFile = None) -> None:
    """Request a quote: offers for each shipment, valid for 48 hours."""
    _show_offers(context, options, call(context, "orders/quote", extra_fields, **_build_body(context, options, file)))


@commands.add("price", "cpctl quote price --country NL --item flyer_ss_a5_fc,count=500 --cheapest")
def look_up_price(
    context: Context, options: QuoteOptions, extra_fields: ExtraFieldOptions, file: QuoteFile = None
) -> None:
    """Look up prices: the same as a quote, faster, with a rate limit."""
    _show_offers(context, options, call(context, "prices/lookup", extra_fields, **_build_body(context, options, file)))


@commands.add("info", "cpctl quote info a1e771f2e375bc33b5385fcc8091a328481bc45f3bff13de96ba0e7585ff936f")
def show_quote(
    context: Context,
    quote: Annotated[str, typer.Argument(metavar="HASH", help="The hash of an offer.")],
    extra_fields: ExtraFieldOptions,
) -> None:
    """Show an offer."""
    wanted = parse_reference(quote, "quote")
    found = call(context, "orders/quote/info", extra_fields, quote=wanted)
    if not found or "quote" not in found:
        raise NotFound(f'There is no quote "{wanted}", or it has expired.', "`cpctl quote get` requests a new one.")
    context.show(found)


def _build_body(context: Context, options: QuoteOptions, file: str | None) -> dict[str, Any]:
    """The request, from a document or from options. Raises InvalidInput with every error in it."""
    if options.chooses_offer:
        context.default_value_query = "[].quote"
    if (file is None) == (not options.item):
        raise InvalidInput("Give either a document or --item.", "Such as: --item flyer_ss_a5_fc,count=500")
    country = options.country.upper() if options.country else None
    destination = {"country": country, "state": options.state, "currency": options.currency}
    if file is None:
        body = quote_from_specs(options.item or [], **destination)
    else:
        body = quote_from_document(read_document(file, read_input(file, MAX_BYTES + 1)))
        body |= {name: value for name, value in destination.items() if value}
    if body.get("country") in COUNTRIES_REQUIRING_STATE and not body.get("state"):
        if not context.can_prompt:
            hint = f"Give --state; `cpctl shipping states {body['country']}` lists them."
            raise InvalidInput(f"The country {body['country']} requires a state.", hint)
        body["state"] = typer.prompt(f"State ({body['country']})", err=True).strip().upper()
    errors = [str(problem) for problem in find_problems(QUOTE, body) if not problem.is_warning]
    if errors:
        raise InvalidInput("\n".join(errors), "Nothing was sent.")
    return body


def _show_offers(context: Context, options: QuoteOptions, quote: Mapping[str, Any]) -> None:
    """Show the whole quote, or the chosen offer of each shipment."""
    if options.chooses_offer:
        context.show(_choose_cheapest(list(_iter_offers(quote)), options.level), OFFER)
        return
    context.show(quote, TableView(OFFER, lambda whole: list(_iter_offers(whole))))
    if context.output.stderr_is_terminal:
        context.output.note("To get the hash to order with, add --cheapest or --level LEVEL, and -o value.")


def _iter_offers(quote: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The offers of each shipment, the cheapest first, with the prices that the service gives."""
    expires = _format_local_time(quote.get("expire_date"))
    for number, shipment in enumerate(quote.get("shipments") or (), 1):
        items = ", ".join(str(item.get("reference")) for item in shipment.get("items") or ())
        for offer in sorted(shipment.get("quotes") or (), key=_offer_price):
            option = str(offer.get("shipping_option") or "").strip()
            yield {**offer, "shipment": number, "items": items, "shipping_option": option, "expires": expires}


def _choose_cheapest(offers: list[dict[str, Any]], level: str | None) -> list[dict[str, Any]]:
    """The cheapest offer of each shipment, of one level if it is given. Raises NotFound."""
    chosen = []
    for number in dict.fromkeys(offer["shipment"] for offer in offers):
        of_shipment = [offer for offer in offers if offer["shipment"] == number]
        matching = [offer for offer in of_shipment if level in (None, offer.get("shipping_level"))]
        if not matching:
            levels = list(dict.fromkeys(str(offer.get("shipping_level")) for offer in of_shipment))
            raise NotFound(f'Shipment {number} has no offer of the level "{level}".', suggest(str(level), levels))
        chosen.append(matching[0])
    return chosen


def _offer_price(offer: Mapping[str, Any]) -> Decimal:
    try:
        return Decimal(str(offer.get("price")))
    except InvalidOperation:
        return Decimal("Infinity")


def _format_local_time(text: object) -> str:
    """A time of the service in local time; anything else unchanged."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return str(text or "")
    return f"{at.astimezone():%Y-%m-%d %H:%M}"
