"""Waiting for an order: asking again and again, without hammering."""

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
from cpctl.reference_data.order_states import (
    CANCELED_STATE,
    COMPLETE_STATES,
    ORDER_STATES,
    has_reached,
    order_state_number,
)

MIN_INTERVAL_SECONDS = 0.2  # seconds; below that, waiting is hammering


def wait_for_state(context: Context, reference: str, wanted: str, timeout: str, interval: str) -> None:
    """Ask for the order until it is where it should be; end with 0, 5, 8 or 9 and show it."""
    number = COMPLETE_STATES[0] if wanted == "done" else parse_order_state(wanted, extra_names=("done",))
    every = max(MIN_INTERVAL_SECONDS, parse_duration(interval, "--interval").total_seconds())
    deadline = time.monotonic() + parse_duration(timeout, "--timeout").total_seconds()
    if context.options.dry_run:
        raise InvalidInput("`orders wait` has no dry run: it only reads.")
    order: dict[str, Any] | None = None
    while True:
        left = max(MIN_INTERVAL_SECONDS, deadline - time.monotonic())
        answer, asked_to_wait = _fetch_order(context, reference, min(left, context.profile.timeout))
        order = answer or order
        status = _final_exit_status(order, number)
        if status is None and time.monotonic() >= deadline:
            status = ExitCode.PENDING
        if status is not None:
            break
        _show_progress(context, reference, order, deadline)
        pause = max(every * (1 + 0.1 * random.random()), asked_to_wait)
        time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
    context.output.progress("")
    _report_outcome(context, reference, order, wanted, status)
    if order is None:  # nobody ever answered, so that there is nothing to show
        context.exit_status = status
        return
    context.show(order, ORDER_DETAIL, status)


def _fetch_order(context: Context, reference: str, seconds: float) -> tuple[dict[str, Any] | None, float]:
    """The order; None, and how long to leave the service alone (s), where it cannot be asked just now."""
    try:
        return make_caller(context, "core", seconds)(ENDPOINTS["orders/info"], {"reference": reference}), 0.0
    except TemporaryError as error:
        context.output.detail(error.message)
        return None, error.retry_after


def _final_exit_status(order: dict[str, Any] | None, wanted: int) -> ExitCode | None:
    """0 where the order is there, 5 where it can no longer get there, None while it may."""
    now = _order_state(order)
    if now is None:
        return None
    if has_reached(wanted, now):
        return ExitCode.DONE
    row = ORDER_STATES.get(now)
    stuck = row is not None and (row.kind == "error" or now == CANCELED_STATE or now in COMPLETE_STATES)
    return ExitCode.REFUSED if stuck else None


def _order_state(order: dict[str, Any] | None) -> int | None:
    return order_state_number(order.get("state", order.get("state_code"))) if order else None


def _describe_state(order: dict[str, Any] | None) -> str:
    if order is None:
        return "not known: the service did not answer"
    now = _order_state(order)
    row = ORDER_STATES.get(now) if now is not None else None
    return f"in state {row.number}, {row.meaning}" if row else f"in state {now}" if now else "not known yet"


def _show_progress(context: Context, reference: str, order: dict[str, Any] | None, deadline: float) -> None:
    left = max(0, int(deadline - time.monotonic()))
    context.output.progress(f"{reference}: {_describe_state(order)}; {left // 60}:{left % 60:02d} left")


def _report_outcome(
    context: Context, reference: str, order: dict[str, Any] | None, wanted: str, status: ExitCode
) -> None:
    if status is ExitCode.REFUSED:
        context.output.error(f'cpctl: The order "{reference}" will not be {wanted}: {_describe_state(order)}.')
    elif status is ExitCode.PENDING:
        context.output.error(
            f'cpctl: Time is up; the order "{reference}" is {_describe_state(order)}; it is not {wanted}.'
        )
    else:
        context.output.note(f'The order "{reference}" is {_describe_state(order)}.')
