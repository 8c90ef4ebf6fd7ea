"""Waits for the state of an order by looking it up at intervals."""

import random
import time
from typing import Any

from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.calls import make_caller
from cpctl.cli.context import Context
from cpctl.cli.list_filters import parse_order_state
from cpctl.cli.time_args import parse_duration
from cpctl.errors import ExitCode, InvalidInput, TemporaryError
from cpctl.output.columns import ORDER_DETAIL
from cpctl.reference_data.order_states import COMPLETE_STATES, ORDER_STATES, has_reached, order_state_number

MIN_INTERVAL_SECONDS = 0.2

Order = dict[str, Any]


def wait_for_state(context: Context, reference: str, wanted: str, timeout: str, interval: str) -> None:
    """Poll an order until it has reached a state or never will; exit with 0, 5, 8 or 9 and show it."""
    wanted_number = COMPLETE_STATES[0] if wanted == "done" else parse_order_state(wanted, extra_names=("done",))
    interval_seconds = max(MIN_INTERVAL_SECONDS, parse_duration(interval, "--interval").total_seconds())
    deadline = time.monotonic() + parse_duration(timeout, "--timeout").total_seconds()
    if context.options.dry_run:
        raise InvalidInput("`orders wait` has no dry run, because it only reads.", "Leave out --dry-run.")
    order: Order | None = None
    while True:
        remaining = max(MIN_INTERVAL_SECONDS, deadline - time.monotonic())
        fetched, retry_after = _fetch_order(context, reference, min(remaining, context.profile.timeout))
        order = fetched or order
        status = _final_exit_status(order, wanted_number)
        if status is None and time.monotonic() >= deadline:
            status = ExitCode.PENDING
        if status is not None:
            break
        left = max(0, int(deadline - time.monotonic()))
        context.output.progress(f"{reference}: {_describe_state(order)}; {left // 60}:{left % 60:02d} left")
        delay = max(interval_seconds * (1 + 0.1 * random.random()), retry_after)
        time.sleep(max(0.0, min(delay, deadline - time.monotonic())))
    context.output.progress("")
    _report_outcome(context, reference, order, wanted, status)
    if order is not None:
        context.show(order, ORDER_DETAIL, status)
    context.exit_status = status


def _fetch_order(context: Context, reference: str, timeout: float) -> tuple[Order | None, float]:
    """The order; after a temporary failure None, and the seconds that the service asks to wait."""
    try:
        return make_caller(context, "core", timeout)(ENDPOINTS["orders/info"], {"reference": reference}), 0.0
    except TemporaryError as error:
        context.output.detail(error.message)
        return None, error.retry_after


def _final_exit_status(order: Order | None, wanted: int) -> ExitCode | None:
    """DONE once the order has reached the state, REFUSED once it no longer can, otherwise None."""
    current = _order_state(order)
    if current is None:
        return None
    if has_reached(wanted, current):
        return ExitCode.DONE
    row = ORDER_STATES.get(current)
    return ExitCode.REFUSED if row is not None and row.kind != "running" else None


def _order_state(order: Order | None) -> int | None:
    return order_state_number(order.get("state", order.get("state_code"))) if order else None


def _describe_state(order: Order | None) -> str:
    if order is None:
        return "in an unknown state, because the service did not answer"
    current = _order_state(order)
    row = ORDER_STATES.get(current) if current is not None else None
    return f"in state {row.number}, {row.meaning}" if row else f"in state {current}" if current else "in no state yet"


def _report_outcome(context: Context, reference: str, order: Order | None, wanted: str, status: ExitCode) -> None:
    state = f'order "{reference}" is {_describe_state(order)}'
    if status is ExitCode.REFUSED:
        context.output.error(f'cpctl: The {state}, and can no longer reach "{wanted}".')
    elif status is ExitCode.PENDING:
        context.output.error(f'cpctl: Timed out waiting for "{wanted}": the {state}.')
    else:
        context.output.note(f"The {state}.")
