"""Adds an order: reads and checks the document, sends it once, and finds out whether the order was created."""

import re
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cpctl.api.endpoints import ENDPOINTS, Endpoint
from cpctl.cli.calls import ExtraFieldOptions, call_endpoint, make_caller
from cpctl.cli.context import Context
from cpctl.cli.input_files import read_input
from cpctl.errors import (
    Conflict,
    CpctlError,
    ExitCode,
    InvalidInput,
    NotFound,
    RequestRefused,
    StoreError,
    TemporaryError,
)
from cpctl.order_documents.checks import Problem
from cpctl.order_documents.fields import ORDER, PUBLISH_ORDER, find_problems
from cpctl.order_documents.preparation import compute_md5, prepare_document
from cpctl.order_documents.reader import MAX_BYTES, Document, read_document
from cpctl.output.columns import DOCUMENT_PROBLEM

# An order whose answer was lost may still be on its way at the first lookup.
LOOKUP_ATTEMPTS = 3
LOOKUP_INTERVAL_SECONDS = 1.0
# The answer for a reference that is already used is not documented; its status may be 400 or 409.
_REFERENCE_TAKEN = re.compile(r"already|exists\b|duplicate|unique", re.IGNORECASE)
_REFERENCE_FIELDS = {"orders/add": "reference", "publish/orders/add": "order_reference"}
_INFO_ENDPOINTS = {"orders/add": "orders/info", "publish/orders/add": "publish/orders/info"}


def check_document(context: Context, file: str, api: str) -> None:
    """Show every problem of a document; the exit status is 2 if it would not be sent."""
    _, problems = _read_and_check(file, api)
    if not problems:
        context.output.note(f"{_display_name(file)}: no problems found.")
    rows = [
        {"path": problem.path, "verdict": "warning" if problem.is_warning else "error", "message": problem.message}
        for problem in problems
    ]
    has_errors = any(not problem.is_warning for problem in problems)
    context.show(rows, DOCUMENT_PROBLEM, ExitCode.USAGE if has_errors else ExitCode.DONE)


def submit_order(context: Context, file: str, endpoint: Endpoint, extra_fields: ExtraFieldOptions) -> None:
    """Add an order. If the answer is lost, look the order up instead of sending it again."""
    document, problems = _read_and_check(file, "publish" if endpoint.name.startswith("publish") else "core")
    for problem in problems:
        if problem.is_warning:
            context.output.warn(str(problem))
    if errors := [f"  {problem}" for problem in problems if not problem.is_warning]:
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        raise InvalidInput("\n".join([f"{_display_name(file)}: {count}:", *errors]), "Nothing was sent.")
    body = _prepare_body(context, file, document)
    reference = str(body[_REFERENCE_FIELDS[endpoint.name]])
    note = f'The order "{reference}" was created.'
    try:
        result = call_endpoint(context, endpoint, extra_fields, body)
    except RequestRefused as error:
        if not (_REFERENCE_TAKEN.search(error.message) and "reference" in error.message.lower()):
            raise
        _record_known_order(context, reference)
        raise Conflict(f'The order "{reference}" already exists.', http_status=error.http_status) from error
    except Conflict:
        _record_known_order(context, reference)
        raise
    except TemporaryError as error:
        _resolve_lost_response(context, endpoint, body, reference, error)
        result, note = {"order": reference}, f'The order "{reference}" was created, although its answer was lost.'
    except BaseException as interruption:
        if not isinstance(interruption, Exception) and not context.options.dry_run:
            hint = f"run `cpctl orders info {reference}` before you add it again"
            context.output.error(f'cpctl: It is unknown whether the order "{reference}" was created: {hint}.')
        raise
    context.output.note(note)
    try:
        context.finish(result, None, ExitCode.DONE)
    finally:
        _record_known_order(context, reference)


def _read_and_check(file: str, api: str) -> tuple[Document, Sequence[Problem]]:
    document = read_document(_display_name(file), read_input(file, MAX_BYTES + 1))
    return document, find_problems(ORDER if api == "core" else PUBLISH_ORDER, document)


def _display_name(file: str) -> str:
    return "standard input" if file == "-" else file


def _prepare_body(context: Context, file: str, document: Document) -> Document:
    """The document to send, with the MD5 sums of files relative to its folder."""
    folder = Path() if file == "-" else Path(file).parent

    def show_progress(path: str, done: int, total: int) -> None:
        context.output.progress(f"MD5 sum of {path}: {100 * done // max(total, 1)} %")

    body = prepare_document(document, lambda path: compute_md5(folder / path, partial(show_progress, path)))
    context.output.progress("")
    return body


def _record_known_order(context: Context, reference: str) -> None:
    """Record an order that exists, or may, for `webhooks serve --known-orders`; a failure is only a warning."""
    from cpctl.clock import now_ms
    from cpctl.webhooks.events.event_store import record_known_order

    profile = context.profile.name
    try:
        context.store.write(lambda transaction: record_known_order(transaction, profile, reference, now_ms()))
    except StoreError as error:
        context.output.warn(f"{error.message} `webhooks serve --known-orders` will not know this order.")


def _resolve_lost_response(
    context: Context, endpoint: Endpoint, body: Mapping[str, Any], reference: str, error: TemporaryError
) -> None:
    """Look up an order whose answer was lost. Raises unless it was created by this call."""
    if error.maybe_processed:
        context.output.detail(f"{error.message} Looking the order up.")
    found = _look_up_order(context, endpoint, reference) if error.maybe_processed else None
    if found is None:
        raise TemporaryError(f'The order "{reference}" was not created: {error.message}', "You can add it again.")
    if isinstance(found, CpctlError):
        _record_known_order(context, reference)  # it may exist, and an extra known order does no harm
        message = f'It is unknown whether the order "{reference}" was created: {error.message}'
        hint = f"Run `cpctl orders info {reference}` before you add it again; a reference is accepted only once."
        raise TemporaryError(message, hint, error.http_status)
    if not _has_same_items(found, body):
        _record_known_order(context, reference)
        raise Conflict(f'An order "{reference}" with other items already exists; this one was not created.')


def _look_up_order(context: Context, endpoint: Endpoint, reference: str) -> Mapping[str, Any] | CpctlError | None:
    """The order; None if it certainly does not exist; the error if the service does not tell."""
    caller = make_caller(context, endpoint.key)
    for attempt in range(1, LOOKUP_ATTEMPTS + 1):
        try:
            order: Mapping[str, Any] = caller(ENDPOINTS[_INFO_ENDPOINTS[endpoint.name]], {"reference": reference})
            return order
        except NotFound:
            if attempt < LOOKUP_ATTEMPTS:
                time.sleep(LOOKUP_INTERVAL_SECONDS)
        except CpctlError as error:
            return error
    return None


def _has_same_items(found: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether an order has the items of ours; an order without item references is taken for ours."""

    def item_references(order: Mapping[str, Any]) -> set[str]:
        return {str(item.get("reference", item.get("item_reference"))) for item in order.get("items") or ()}

    found_references = item_references(found)
    return not found_references or found_references == item_references(body)
