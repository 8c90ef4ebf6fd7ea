"""`cpctl orders`: orders of the account, in CloudCore or, with `--api publish`, in CloudPublish."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.api_counters import finish_with_count
from cpctl.cli.calls import ExtraFieldOptions, call, parse_reference, show_each
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.cli.list_filters import filter_by_state, filter_by_time, parse_order_time, select_newest
from cpctl.cli.options import Limit, References, Since, StateFilter, Until, Yes
from cpctl.cli.time_args import format_age
from cpctl.clock import utc_now
from cpctl.errors import ExitCode, InvalidInput, suggest
from cpctl.output.columns import ORDER, ORDER_DETAIL, ORDER_LOG, ORDER_STATE, PUBLISH_ORDER
from cpctl.output.views import TableView
from cpctl.reference_data.order_states import ORDER_STATES, order_state_number

commands = Commands()

Api = Annotated[str, typer.Option("--api", metavar="NAME", help="core or publish.")]
OrderReference = Annotated[str, typer.Argument(metavar="REFERENCE", help="Your own reference of the order.")]


@commands.add("list", "cpctl orders list --state uploaded --since 7d")
def list_orders(
    context: Context,
    extra_fields: ExtraFieldOptions,
    state: StateFilter = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 0,
    api: Api = "core",
) -> None:
    """List orders with their states."""
    now = utc_now()
    filter_by_state(state, filter_by_time(since, until, now, []))  # an invalid filter fails before the call
    orders = call(context, _endpoint_name("orders", api), extra_fields)
    orders = filter_by_time(since, until, now, filter_by_state(state, orders))
    newest = select_newest(limit, orders, sort_key=lambda order: parse_order_time(order) or now)
    context.show(newest, ORDER if api == "core" else PUBLISH_ORDER)


@commands.add("info", "cpctl orders info 12346")
def show_orders(context: Context, references: References, extra_fields: ExtraFieldOptions, api: Api = "core") -> None:
    """Show all details of orders: state, addresses, items, tracking."""
    show_each(context, _endpoint_name("orders/info", api), extra_fields, references, ORDER_DETAIL, ORDER)


@commands.add("add", "cpctl orders add order.yaml --check")
def add_order(
    context: Context,
    extra_fields: ExtraFieldOptions,
    file: Annotated[str | None, typer.Argument(metavar="[FILE|-]", help="JSON or YAML; - for standard input.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check the document; send nothing.")] = False,
    skeleton: Annotated[bool, typer.Option("--skeleton", help="Print a document to start from.")] = False,
    api: Api = "core",
) -> None:
    """Add an order from a document, which is checked first. An order is never sent twice."""
    from cpctl.cli.commands.orders.add import check_document, submit_order
    from cpctl.order_documents.skeletons import CORE_SKELETON, PUBLISH_SKELETON

    name = _endpoint_name("orders/add", api)
    if skeleton:
        context.output.write(iter([CORE_SKELETON if api == "core" else PUBLISH_SKELETON]))
    elif file is None:
        raise InvalidInput("No document is given.", "`cpctl orders add --skeleton` prints one to start from.")
    elif check:
        check_document(context, file, api)
    else:
        submit_order(context, file, ENDPOINTS[name], extra_fields)


@commands.add("cancel", "cpctl orders cancel 12346 --yes")
def cancel_order(
    context: Context, reference: OrderReference, extra_fields: ExtraFieldOptions, yes: Yes = False, api: Api = "core"
) -> None:
    """Request cancellation of an order. A webhook or the order's state confirms it later."""
    name = _endpoint_name("orders/cancel", api)
    wanted = parse_reference(reference, "order")
    if not context.options.dry_run:
        profile = f'profile "{context.profile.name}" ({context.profile["environment"]})'
        context.confirm(f'Cancel the order "{wanted}" of {profile}?', yes)
    result = call(context, name, extra_fields, **{ENDPOINTS[name].required[0]: wanted})
    if ENDPOINTS[name].counter:
        finish_with_count(context, name, wanted, result)
    else:
        context.output.note(f'Cancellation of the order "{wanted}" was requested.')
        context.finish(result, None, ExitCode.DONE)


@commands.add("log", "cpctl orders log 12346")
def show_order_log(
    context: Context, reference: OrderReference, extra_fields: ExtraFieldOptions, api: Api = "core"
) -> None:
    """Show the states an order went through, and the time between them."""
    name = _endpoint_name("orders/log", api)
    body = {ENDPOINTS[name].required[0]: parse_reference(reference, "order")}
    context.show(call(context, name, extra_fields, **body), TableView(ORDER_LOG, _add_durations))


@commands.add("wait", "cpctl orders wait 12346 --for done --timeout 2h")
def wait_for_order(
    context: Context,
    reference: OrderReference,
    state: Annotated[str, typer.Option("--for", metavar="STATE", help="State to wait for: number, code, or done.")],
    max_wait: Annotated[
        str, typer.Option("--timeout", metavar="SPAN", help="Longest time to wait, such as 90s or 2h.")
    ] = "1h",
    interval: Annotated[str, typer.Option(metavar="SPAN", help="Time between lookups of the order.")] = "10s",
) -> None:
    """Wait until an order has reached a state."""
    from cpctl.cli.commands.orders.wait import wait_for_state

    wait_for_state(context, parse_reference(reference, "order"), state, max_wait, interval)


@commands.add("states", "cpctl orders states")
def list_states(context: Context) -> None:
    """List the states of orders."""
    context.show([row._asdict() for row in ORDER_STATES.values()], ORDER_STATE)


def _endpoint_name(name: str, api: str) -> str:
    if api not in ("core", "publish"):
        raise InvalidInput(f'There is no API "{api}".', suggest(api, ("core", "publish")))
    return name if api == "core" else f"publish/{name}"


def _add_durations(log: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Log entries with the code of their state and the time since the previous entry."""
    rows: list[Mapping[str, Any]] = []
    previous: datetime | None = None
    for entry in log:
        at = parse_order_time({"order_date": entry.get("create_date")})
        state = ORDER_STATES.get(order_state_number(entry.get("state")) or 0)
        duration = format_age(at - previous) if at and previous else ""
        rows.append({"state_code": state.code if state else None, **entry, "after": duration})
        previous = at or previous
    return rows
