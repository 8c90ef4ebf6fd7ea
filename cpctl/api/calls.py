"""A whole call: repeated where that is safe, its answer unwrapped, its failure raised with a name."""

import json
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from cpctl import retry
from cpctl.api.endpoints import ENDPOINTS, Effect, Endpoint
from cpctl.api.failures import NOT_REACHED, RETRY
from cpctl.errors import Conflict, CpctlError, ExitCode, KeyRefused, NotFound, RequestRefused, TemporaryError

if TYPE_CHECKING:
    from cpctl.api.client import Response  # not at run time: a dry run needs no requests

_ERROR_CLASSES: dict[ExitCode, type[CpctlError]] = {
    ExitCode.KEY_REFUSED: KeyRefused,
    ExitCode.REFUSED: RequestRefused,
    ExitCode.CONFLICT: Conflict,
    ExitCode.NOT_FOUND: NotFound,
    ExitCode.TEMPORARY: TemporaryError,
}
UNKNOWN_OUTCOME_HINT = "Whether it was done is not known: look before you repeat it."


class SupportsCall(Protocol):
    """What can carry a call: the client."""

    def call(self, path: str, body: Mapping[str, Any], timeout: float) -> "Response":
        """One call, one answer."""


class ChangeCounts(NamedTuple):
    """What a counter of CloudPublish says: how many elements were done, and how many skipped."""

    done: int
    skipped: int


def call(
    client: SupportsCall,
    endpoint: Endpoint,
    body: Mapping[str, Any],
    timeout: float,
    on_retry: Callable[[str], None] = lambda words: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Any:
    """Make one call and return what it answered; a list where `endpoint` answers with one, unwrapped.

    A read is tried three times within `timeout` seconds, a change only where it certainly
    never left, an order is never added twice. Raises KeyRefused, RequestRefused, Conflict,
    NotFound (also for 204 where one thing was asked for), and TemporaryError: then a change
    may have been done, and the hint says so.
    """
    deadline = time.monotonic() + timeout
    for attempt in count(1):
        answer = client.call(endpoint.path, body, max(0.001, deadline - time.monotonic()))
        if answer.failure is None:
            return _parse_response(endpoint, body, answer)
        pause = max(retry.CALLS.delay_seconds(attempt), answer.retry_after or 0.0)
        last = attempt == retry.CALLS.max_attempts or time.monotonic() + pause >= deadline
        if last or not _may_repeat(endpoint, answer):
            raise _build_error(endpoint, body, answer)
        on_retry(f"{answer.message}; trying again in {pause:.1f} s")
        sleep(pause)
    raise AssertionError("the last try returns or raises")


def _may_repeat(endpoint: Endpoint, answer: "Response") -> bool:
    fault = answer.failure
    if fault is None or fault.disposition != RETRY or endpoint.effect is Effect.ADD_ORDER:
        return False
    return endpoint.effect is Effect.READ or fault is NOT_REACHED


def _parse_response(endpoint: Endpoint, body: Mapping[str, Any], answer: "Response") -> Any:
    if answer.status == 204 or not answer.body.strip():
        if endpoint.allows_empty:
            return []
        if answer.status == 204 or (endpoint.resource and endpoint.effect is Effect.READ):
            raise NotFound(_insert_resource(endpoint, body, "There is no {}."), http_status=answer.status)
        return _check_shape(endpoint, answer, None)
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise TemporaryError(
            f"{endpoint.name}: the answer ({answer.status}) is not JSON: {error}.",
            "" if endpoint.effect is Effect.READ else UNKNOWN_OUTCOME_HINT,
            answer.status,
        ) from error
    if endpoint.items_key and isinstance(value, dict) and isinstance(value.get(endpoint.items_key), list):
        value = value[endpoint.items_key]
    return _check_shape(endpoint, answer, value)


def _check_shape(endpoint: Endpoint, answer: "Response", value: Any) -> Any:
    """The value of a read, which is a list of objects or one object. Raises TemporaryError.

    A row that does not stand in the table promises nothing.
    """
    if endpoint.effect is not Effect.READ or ENDPOINTS.get(endpoint.name) is not endpoint:
        return value
    if endpoint.allows_empty or endpoint.items_key:
        fits = isinstance(value, list) and all(isinstance(row, dict) for row in value)
    else:
        fits = isinstance(value, dict)
    if not fits:
        raise TemporaryError(
            f"{endpoint.name}: the answer ({answer.status}) has another shape than the documents show.",
            http_status=answer.status,
        )
    return value


def _build_error(endpoint: Endpoint, body: Mapping[str, Any], answer: "Response") -> CpctlError:
    fault = answer.failure
    assert fault is not None
    if endpoint.resource and fault.exit_code is ExitCode.NOT_FOUND:
        return NotFound(_insert_resource(endpoint, body, "There is no {}."), http_status=answer.status)
    if endpoint.resource and fault.exit_code is ExitCode.CONFLICT:
        said = _insert_resource(endpoint, body, f"The {{}} {endpoint.conflict_message}.")
        return Conflict(said, http_status=answer.status)
    lost = fault.disposition == RETRY and fault.maybe_processed and endpoint.effect is not Effect.READ
    hint = UNKNOWN_OUTCOME_HINT if lost else fault.hint
    error = _ERROR_CLASSES[fault.exit_code](f"{endpoint.name}: {answer.message}.", hint, answer.status)
    if isinstance(error, TemporaryError):
        error.maybe_processed = fault.maybe_processed
        error.retry_after = answer.retry_after or 0.0
    return error


def _insert_resource(endpoint: Endpoint, body: Mapping[str, Any], sentence: str) -> str:
    """The sentence with the thing that was asked for in it: `There is no order "12346".`"""
    name = next((body[field] for field in (*endpoint.required, "reference", "order_reference") if field in body), "")
    return sentence.format(f'{endpoint.resource or endpoint.name} "{name}"')


def parse_change_counts(endpoint: Endpoint, value: Any) -> ChangeCounts | None:
    """What the counter in an answer says; None where it has none.

    The documents write `added` once as `radded` (CloudPublish 1.0, "Handling errors").
    """
    if endpoint.counter is None or not isinstance(value, dict):
        return None
    thing, word = endpoint.counter
    numbers = (value.get("status") or {}).get(thing) if isinstance(value.get("status"), dict) else None
    if not isinstance(numbers, dict):
        return None
    done = next((numbers[name] for name in (word, f"r{word}", word.replace("ll", "l")) if name in numbers), 0)
    try:
        return ChangeCounts(int(done), int(numbers.get("skipped", 0)))
    except (TypeError, ValueError) as error:
        words = f"{endpoint.name}: the answer counts {done!r}, which is no number."
        raise TemporaryError(words, UNKNOWN_OUTCOME_HINT) from error
