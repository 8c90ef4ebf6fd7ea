"""Waiting for an order: asking again and again, without hammering."""

import random
import time
from typing import Any

from cpctl.api.endpoints import ENDPOINTS
from cpctl.cli.calls import caller
from cpctl.cli.context import Run
from cpctl.cli.list_filters import parse_state
from cpctl.cli.time_args import parse_span
from cpctl.errors import ExitCode, InvalidInput, TemporaryError
from cpctl.output.columns import ORDER_SHEET
from cpctl.reference_data.order_states import CANCELED, DONE, ORDER_STATES, reached, state_number

SHORTEST_INTERVAL = 0.2  # seconds; below that, waiting is hammering


def wait(run: Run, reference: str, wanted: str, limit: str, interval: str) -> None:
    """Ask for the order until it is where it should be; end with 0, 5, 8 or 9 and show it."""
    number = DONE[0] if wanted == "done" else parse_state(wanted, also=("done",))
    every = max(SHORTEST_INTERVAL, parse_span(interval, "--interval").total_seconds())
    deadline = time.monotonic() + parse_span(limit, "--timeout").total_seconds()
    if run.options.dry_run:
        raise InvalidInput("`orders wait` has no dry run: it only reads.")
    order: dict[str, Any] | None = None
    while True:
        left = max(SHORTEST_INTERVAL, deadline - time.monotonic())
        answer, asked_to_wait = _asked(run, reference, min(left, run.profile.timeout))
        order = answer or order
        status = _verdict(order, number)
        if status is None and time.monotonic() >= deadline:
            status = ExitCode.PENDING
        if status is not None:
            break
        _say(run, reference, order, deadline)
        pause = max(every * (1 + 0.1 * random.random()), asked_to_wait)
        time.sleep(max(0.0, min(pause, deadline - time.monotonic())))
    run.output.progress("")
    _tell(run, reference, order, wanted, status)
    if order is None:  # nobody ever answered, so that there is nothing to show
        run.status = status
        return
    run.show(order, ORDER_SHEET, status)


def _asked(run: Run, reference: str, seconds: float) -> tuple[dict[str, Any] | None, float]:
    """The order; None, and how long to leave the service alone (s), where it cannot be asked just now."""
    try:
        return caller(run, "core", seconds)(ENDPOINTS["orders/info"], {"reference": reference}), 0.0
    except TemporaryError as error:
        run.output.detail(error.message)
        return None, error.retry_after


def _verdict(order: dict[str, Any] | None, wanted: int) -> ExitCode | None:
    """0 where the order is there, 5 where it can no longer get there, None while it may."""
    now = _state(order)
    if now is None:
        return None
    if reached(wanted, now):
        return ExitCode.DONE
    row = ORDER_STATES.get(now)
    stuck = row is not None and (row.kind == "error" or now == CANCELED or now in DONE)
    return ExitCode.REFUSED if stuck else None


def _state(order: dict[str, Any] | None) -> int | None:
    return state_number(order.get("state", order.get("state_code"))) if order else None


def _words(order: dict[str, Any] | None) -> str:
    if order is None:
        return "not known: the service did not answer"
    now = _state(order)
    row = ORDER_STATES.get(now) if now is not None else None
    return f"in state {row.number}, {row.meaning}" if row else f"in state {now}" if now else "not known yet"


def _say(run: Run, reference: str, order: dict[str, Any] | None, deadline: float) -> None:
    left = max(0, int(deadline - time.monotonic()))
    run.output.progress(f"{reference}: {_words(order)}; {left // 60}:{left % 60:02d} left")


def _tell(run: Run, reference: str, order: dict[str, Any] | None, wanted: str, status: ExitCode) -> None:
    if status is ExitCode.REFUSED:
        run.output.fail(f'cpctl: The order "{reference}" will not be {wanted}: {_words(order)}.')
    elif status is ExitCode.PENDING:
        run.output.fail(f'cpctl: Time is up; the order "{reference}" is {_words(order)}; it is not {wanted}.')
    else:
        run.output.note(f'The order "{reference}" is {_words(order)}.')
