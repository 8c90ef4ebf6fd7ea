"""`cpctl orders`: orders of the account, by CloudCore or, with `--api publish`, by CloudPublish."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.api_counters import tell_count
from cpctl.cli.calls import More, call, parse_reference, show_each
from cpctl.cli.context import Run
from cpctl.cli.framework import Commands
from cpctl.cli.list_filters import between, in_states, newest, order_time
from cpctl.cli.options import Limit, References, Since, States, Until, Yes
from cpctl.cli.time_args import age_words
from cpctl.errors import ExitCode, InvalidInput, nearest
from cpctl.outbox.outbox import utc_now
from cpctl.output.columns import LOG, ORDER, ORDER_SHEET, PUBLISH_ORDER, STATES, Sheet
from cpctl.reference_data.order_states import ORDER_STATES, state_number

commands = Commands()

Api = Annotated[str, typer.Option("--api", metavar="NAME", help="core or publish.")]
Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help="Your own reference of the order.")]


@commands.add("list", "cpctl orders list --state uploaded --since 7d")
def list_orders(
    run: Run,
    more: More,
    state: States = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 0,
    api: Api = "core",
) -> None:
    """List orders, with the state each is in."""
    in_states(state, [])  # a state that does not exist is said before the service is asked
    now = utc_now()
    between(since, until, now, [])
    found = between(since, until, now, in_states(state, call(run, _name("orders", api), more)))
    run.show(
        newest(limit, found, order=lambda record: order_time(record) or now), ORDER if api == "core" else PUBLISH_ORDER
    )


@commands.add("info", "cpctl orders info 12346")
def show_orders(run: Run, references: References, more: More, api: Api = "core") -> None:
    """Show orders whole: state, addresses, items, tracking."""
    bodies = [{"reference": parse_reference(each, "order")} for each in references]
    show_each(run, _name("orders/info", api), more, bodies, ORDER_SHEET, ORDER)


@commands.add("add", "cpctl orders add order.yaml --check")
def add_order(
    run: Run,
    more: More,
    file: Annotated[str | None, typer.Argument(metavar="[FILE|-]", help="JSON or YAML; - for standard input.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Check the document; send nothing.")] = False,
    skeleton: Annotated[bool, typer.Option("--skeleton", help="Print a document to begin with.")] = False,
    api: Api = "core",
) -> None:
    """Add an order from a document. It is checked first, and never sent twice."""
    from cpctl.cli.commands.orders.add import add, check_only, print_skeleton

    name = _name("orders/add", api)
    if skeleton:
        print_skeleton(run, api)
    elif file is None:
        raise InvalidInput("Name the document to add.", "`cpctl orders add --skeleton` prints one to begin with.")
    elif check:
        check_only(run, file, api)
    else:
        add(run, file, ENDPOINTS[name], more)


@commands.add("cancel", "cpctl orders cancel 12346 --yes")
def cancel_order(run: Run, reference: Reference, more: More, yes: Yes = False, api: Api = "core") -> None:
    """Ask for an order to be canceled. The confirmation comes later, as a webhook or a state."""
    name = _name("orders/cancel", api)
    wanted = parse_reference(reference, "order")
    if not run.options.dry_run:
        run.confirm(f'Cancel the order "{wanted}" of profile "{run.profile.name}" ({run.profile["environment"]})?', yes)
    body = {ENDPOINTS[name].required[0]: wanted}
    result = call(run, name, more, **body)
    if ENDPOINTS[name].counts:
        tell_count(run, name, wanted, result)
        return
    run.output.note(f'The cancellation of the order "{wanted}" is asked for.')
    run.finish(result, None, ExitCode.DONE)


@commands.add("log", "cpctl orders log 12346")
def show_log(run: Run, reference: Reference, more: More, api: Api = "core") -> None:
    """Show the states an order went through, and the time between them."""
    name = _name("orders/log", api)
    body = {ENDPOINTS[name].required[0]: parse_reference(reference, "order")}
    run.show(call(run, name, more, **body), Sheet(LOG, _with_spans))


@commands.add("wait", "cpctl orders wait 12346 --for done --timeout 2h")
def wait_for_order(
    run: Run,
    reference: Reference,
    state: Annotated[str, typer.Option("--for", metavar="STATE", help="Number, code, or done.")],
    limit: Annotated[str, typer.Option("--timeout", metavar="SPAN", help="Longest time, such as 90s or 2h.")] = "1h",
    interval: Annotated[str, typer.Option(metavar="SPAN", help="Ask so often.")] = "10s",
) -> None:
    """Wait until an order is in a state, or has passed it."""
    from cpctl.cli.commands.orders.wait import wait

    wait(run, parse_reference(reference, "order"), state, limit, interval)


@commands.add("states", "cpctl orders states")
def list_states(run: Run) -> None:
    """List the states of orders."""
    run.show([row._asdict() for row in ORDER_STATES.values()], STATES)


def _name(name: str, api: str) -> str:
    if api not in ("core", "publish"):
        raise InvalidInput(f'There is no API "{api}".', nearest(api, ("core", "publish")))
    return name if api == "core" else f"publish/{name}"


def _with_spans(log: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Log entries with the state's code and the time since the entry before."""
    rows: list[Mapping[str, Any]] = []
    before: datetime | None = None
    for entry in log:
        at = _moment(entry.get("create_date"))
        known = ORDER_STATES.get(state_number(entry.get("state")) or 0)
        span = age_words(at - before) if at and before else ""
        rows.append({"state_code": known.code if known else None, **entry, "after": span})
        before = at or before
    return rows


def _moment(text: object) -> datetime | None:
    return order_time({"order_date": text})
