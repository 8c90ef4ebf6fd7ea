"""Adding an order: read, check, send once, and find out what came of it."""

import re
import time
from collections.abc import Mapping, Sequence
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
from cpctl.order_documents.checks import Problem, check_order, check_publish_order
from cpctl.order_documents.preparation import compute_md5, prepare_document
from cpctl.order_documents.reader import MAX_BYTES, read_document
from cpctl.order_documents.skeletons import core_skeleton, publish_skeleton
from cpctl.output.columns import DOCUMENT_PROBLEM

# A lost order may still be on its way when it is first looked for.
LOOKUP_ATTEMPTS = 3
LOOKUP_INTERVAL_SECONDS = 1.0
# How the service words a reference that is taken is not documented; its status may be 400 or 409.
_REFERENCE_TAKEN = re.compile(r"already|exists\b|duplicate|unique", re.IGNORECASE)
_REFERENCE_FIELDS = {"orders/add": "reference", "publish/orders/add": "order_reference"}


def print_skeleton(context: Context, api: str) -> None:
    """A commented document to begin with."""
    context.output.write(iter([core_skeleton() if api == "core" else publish_skeleton()]))


def check_document(context: Context, file: str, api: str) -> None:
    """Show everything that is wrong with a document; end with 2 where it would not be sent."""
    _, problems = _read_and_check(file, api)
    wrong = any(not each.is_warning for each in problems)
    if not problems:
        context.output.note(f"{_display_name(file)}: nothing is wrong.")
    rows = [
        {"path": each.path, "verdict": "warning" if each.is_warning else "error", "message": each.message}
        for each in problems
    ]
    context.show(rows, DOCUMENT_PROBLEM, ExitCode.USAGE if wrong else ExitCode.DONE)


def submit_order(context: Context, file: str, endpoint: Endpoint, extra_fields: ExtraFieldOptions) -> None:
    """Add an order; after a lost answer, ask whether it exists, and never send it again."""
    document, problems = _read_and_check(file, "publish" if endpoint.name.startswith("publish") else "core")
    for each in problems:
        if each.is_warning:
            context.output.warn(str(each))
    if errors := [each for each in problems if not each.is_warning]:
        lines = "\n".join(f"  {each}" for each in errors)
        raise InvalidInput(f"{_display_name(file)}: {len(errors)} to mend:\n{lines}", "Nothing was sent.")
    folder = Path() if file == "-" else Path(file).parent
    body = prepare_document(
        document, lambda path: compute_md5(str(folder / path), _make_progress_callback(context, path))
    )
    context.output.progress("")
    reference = str(body[_REFERENCE_FIELDS[endpoint.name]])
    try:
        result = call_endpoint(context, endpoint, extra_fields, body)
    except RequestRefused as error:
        if _REFERENCE_TAKEN.search(error.message) and "reference" in error.message.lower():
            _record_known_order(context, reference)
            raise Conflict(f'The order "{reference}" exists already.', http_status=error.http_status) from error
        raise
    except Conflict:
        _record_known_order(context, reference)
        raise
    except TemporaryError as error:
        _resolve_lost_response(context, endpoint, body, reference, error)
        return
    except BaseException as stopped:
        if not isinstance(stopped, Exception) and not context.options.dry_run:
            ask = f"ask `cpctl orders info {reference}` before you add it again"
            context.output.error(f'cpctl: Whether the order "{reference}" was created is unknown; {ask}.')
        raise
    context.output.note(f'The order "{reference}" is created.')
    try:
        context.finish(result, None, ExitCode.DONE)
    finally:
        _record_known_order(context, reference)


def _record_known_order(context: Context, reference: str) -> None:
    """Note an order that exists, or may, as ours, for `webhooks serve --known-orders`; a failure is only warned of."""
    from cpctl.clock import to_ms, utc_now
    from cpctl.webhooks.events.event_store import record_known_order

    profile = context.profile.name
    try:
        context.store.write(lambda work: record_known_order(work, profile, reference, to_ms(utc_now())))
    except StoreError as error:
        context.output.warn(f"{error.message} `webhooks serve --known-orders` will not know this order.")


def _read_and_check(file: str, api: str) -> tuple[dict[str, Any], Sequence[Problem]]:
    document = read_document(_display_name(file), read_input(file, MAX_BYTES + 1))
    return document, check_order(document) if api == "core" else check_publish_order(document)


def _display_name(file: str) -> str:
    return "standard input" if file == "-" else file


def _make_progress_callback(context: Context, name: str) -> Any:
    def say(done: int, whole: int) -> None:
        context.output.progress(f"md5sum of {name}: {100 * done // max(whole, 1)} %")

    return say


def _resolve_lost_response(
    context: Context, endpoint: Endpoint, body: Mapping[str, Any], reference: str, error: TemporaryError
) -> None:
    """Say "created", "not created" or "unknown" of an order whose answer was lost."""
    if not error.maybe_processed:
        raise TemporaryError(f'The order "{reference}" was not created: {error.message}', "It can be added again.")
    context.output.detail(f"{error.message} Asking whether the order exists.")
    found = _look_up_order(context, endpoint, reference)
    if isinstance(found, CpctlError):
        _record_known_order(context, reference)  # it may exist, and to know one too many does no harm
        words = f'Whether the order "{reference}" was created is unknown: {error.message}'
        hint = f"Ask `cpctl orders info {reference}` before you add it again; the service takes a reference only once."
        raise TemporaryError(words, hint, error.http_status)
    if found is None:
        raise TemporaryError(f'The order "{reference}" was not created: {error.message}', "It can be added again.")
    if not _has_same_items(found, body):
        _record_known_order(context, reference)
        raise Conflict(f'An order "{reference}" with other items exists; this one was not created.')
    context.output.note(f'The order "{reference}" is created; its answer was lost.')
    try:
        context.finish({"order": reference}, None, ExitCode.DONE)
    finally:
        _record_known_order(context, reference)


def _look_up_order(context: Context, endpoint: Endpoint, reference: str) -> Mapping[str, Any] | CpctlError | None:
    """The order; None where it certainly is not there; the error where the service cannot say."""
    name = "orders/info" if endpoint.name == "orders/add" else "publish/orders/info"
    ask = make_caller(context, endpoint.key)
    for number in range(LOOKUP_ATTEMPTS):
        try:
            found: Mapping[str, Any] = ask(ENDPOINTS[name], {"reference": reference})
            return found
        except NotFound:
            if number < LOOKUP_ATTEMPTS - 1:
                time.sleep(LOOKUP_INTERVAL_SECONDS)
        except CpctlError as error:
            return error
    return None


def _has_same_items(found: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether an order has the items of ours; where the service does not say, it is taken for ours."""

    def references(order: Mapping[str, Any]) -> set[str]:
        return {str(each.get("reference", each.get("item_reference"))) for each in order.get("items") or ()}

    theirs = references(found)
    return not theirs or theirs == references(body)
