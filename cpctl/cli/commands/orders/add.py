"""Adding an order: read, check, send once, and find out what came of it."""

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cpctl.api.endpoints import ENDPOINTS, Endpoint
from cpctl.cli.calls import More, call_endpoint, caller
from cpctl.cli.context import Run
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
from cpctl.order_documents.preparation import md5_of_file, prepared
from cpctl.order_documents.reader import MAX_BYTES, read_document
from cpctl.order_documents.skeletons import core_skeleton, publish_skeleton
from cpctl.output.columns import PROBLEM

# A lost order may still be on its way when it is first looked for.
LOOKS = 3
PAUSE = 1.0
# How the service words a reference that is taken is not documented; its status may be 400 or 409.
_TAKEN = re.compile(r"already|exists\b|duplicate|unique", re.IGNORECASE)
_FIELD = {"orders/add": "reference", "publish/orders/add": "order_reference"}


def print_skeleton(run: Run, api: str) -> None:
    """A commented document to begin with."""
    run.output.write(iter([core_skeleton() if api == "core" else publish_skeleton()]))


def check_only(run: Run, file: str, api: str) -> None:
    """Show everything that is wrong with a document; end with 2 where it would not be sent."""
    _, problems = _read(file, api)
    wrong = any(not each.warning for each in problems)
    if not problems:
        run.output.note(f"{_label(file)}: nothing is wrong.")
    rows = [
        {"path": each.path, "verdict": "warning" if each.warning else "error", "message": each.message}
        for each in problems
    ]
    run.show(rows, PROBLEM, ExitCode.USAGE if wrong else ExitCode.DONE)


def add(run: Run, file: str, endpoint: Endpoint, more: More) -> None:
    """Add an order; after a lost answer, ask whether it exists, and never send it again."""
    document, problems = _read(file, "publish" if endpoint.name.startswith("publish") else "core")
    for each in problems:
        if each.warning:
            run.output.warn(str(each))
    if errors := [each for each in problems if not each.warning]:
        lines = "\n".join(f"  {each}" for each in errors)
        raise InvalidInput(f"{_label(file)}: {len(errors)} to mend:\n{lines}", "Nothing was sent.")
    folder = Path() if file == "-" else Path(file).parent
    body = prepared(document, lambda path: md5_of_file(str(folder / path), _progress(run, path)))
    run.output.progress("")
    reference = str(body[_FIELD[endpoint.name]])
    try:
        result = call_endpoint(run, endpoint, more, body)
    except RequestRefused as error:
        if _TAKEN.search(error.message) and "reference" in error.message.lower():
            _remember(run, reference)
            raise Conflict(f'The order "{reference}" exists already.', http_status=error.http_status) from error
        raise
    except Conflict:
        _remember(run, reference)
        raise
    except TemporaryError as error:
        _find_out(run, endpoint, body, reference, error)
        return
    except BaseException as stopped:
        if not isinstance(stopped, Exception) and not run.options.dry_run:
            ask = f"ask `cpctl orders info {reference}` before you add it again"
            run.output.fail(f'cpctl: Whether the order "{reference}" was created is unknown; {ask}.')
        raise
    run.output.note(f'The order "{reference}" is created.')
    try:
        run.finish(result, None, ExitCode.DONE)
    finally:
        _remember(run, reference)


def _remember(run: Run, reference: str) -> None:
    """Note an order that exists, or may, as ours, for `webhooks serve --known-orders`; a failure is only warned of."""
    from cpctl.outbox.models import to_ms
    from cpctl.outbox.outbox import utc_now
    from cpctl.webhooks.events.event_store import remember_order

    profile = run.profile.name
    try:
        run.store.write(lambda work: remember_order(work, profile, reference, to_ms(utc_now())))
    except StoreError as error:
        run.output.warn(f"{error.message} `webhooks serve --known-orders` will not know this order.")


def _read(file: str, api: str) -> tuple[dict[str, Any], Sequence[Problem]]:
    document = read_document(_label(file), read_input(file, MAX_BYTES + 1))
    return document, check_order(document) if api == "core" else check_publish_order(document)


def _label(file: str) -> str:
    return "standard input" if file == "-" else file


def _progress(run: Run, name: str) -> Any:
    def say(done: int, whole: int) -> None:
        run.output.progress(f"md5sum of {name}: {100 * done // max(whole, 1)} %")

    return say


def _find_out(run: Run, endpoint: Endpoint, body: Mapping[str, Any], reference: str, lost: TemporaryError) -> None:
    """Say "created", "not created" or "unknown" of an order whose answer was lost."""
    if not lost.may_have_landed:
        raise TemporaryError(f'The order "{reference}" was not created: {lost.message}', "It can be added again.")
    run.output.detail(f"{lost.message} Asking whether the order exists.")
    found = _looked_for(run, endpoint, reference)
    if isinstance(found, CpctlError):
        _remember(run, reference)  # it may exist, and to know one too many does no harm
        words = f'Whether the order "{reference}" was created is unknown: {lost.message}'
        hint = f"Ask `cpctl orders info {reference}` before you add it again; the service takes a reference only once."
        raise TemporaryError(words, hint, lost.http_status)
    if found is None:
        raise TemporaryError(f'The order "{reference}" was not created: {lost.message}', "It can be added again.")
    if not _same(found, body):
        _remember(run, reference)
        raise Conflict(f'An order "{reference}" with other items exists; this one was not created.')
    run.output.note(f'The order "{reference}" is created; its answer was lost.')
    try:
        run.finish({"order": reference}, None, ExitCode.DONE)
    finally:
        _remember(run, reference)


def _looked_for(run: Run, endpoint: Endpoint, reference: str) -> Mapping[str, Any] | CpctlError | None:
    """The order; None where it certainly is not there; the error where the service cannot say."""
    name = "orders/info" if endpoint.name == "orders/add" else "publish/orders/info"
    ask = caller(run, endpoint.key)
    for number in range(LOOKS):
        try:
            found: Mapping[str, Any] = ask(ENDPOINTS[name], {"reference": reference})
            return found
        except NotFound:
            if number < LOOKS - 1:
                time.sleep(PAUSE)
        except CpctlError as error:
            return error
    return None


def _same(found: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether an order has the items of ours; where the service does not say, it is taken for ours."""

    def references(order: Mapping[str, Any]) -> set[str]:
        return {str(each.get("reference", each.get("item_reference"))) for each in order.get("items") or ()}

    theirs = references(found)
    return not theirs or theirs == references(body)
