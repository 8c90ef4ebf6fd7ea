"""A whole call: repeated where that is safe, its answer unwrapped, its failure raised as a named error."""

import json
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from cpctl import retry
from cpctl.api.endpoints import ENDPOINTS, Effect, Endpoint
from cpctl.api.failures import NOT_REACHED, RETRY, Failure
from cpctl.errors import Conflict, CpctlError, ExitCode, KeyRefused, NotFound, RequestRefused, TemporaryError

if TYPE_CHECKING:
    from cpctl.api.client import Client, Response  # not at run time: a dry run needs no requests

_ERROR_CLASSES: dict[ExitCode, type[CpctlError]] = {
    each.exit_code: each for each in (KeyRefused, RequestRefused, Conflict, NotFound, TemporaryError)
}
UNKNOWN_OUTCOME_HINT = "The change may have been made: check before you repeat it."


class ChangeCounts(NamedTuple):
    """The counter in an answer of CloudPublish: how many elements were changed, and how many were skipped."""

    done: int
    skipped: int


def call(
    client: "Client",
    endpoint: Endpoint,
    body: Mapping[str, Any],
    timeout: float,
    on_retry: Callable[[str], None] = lambda message: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Any:
    """Make one call and return the JSON of its answer; a list without the object around it.

    A read is tried up to three times within `timeout` seconds, a change only if the request certainly never left, and
    an order is never added twice. Raises KeyRefused, RequestRefused, Conflict, NotFound (also for 204 where one
    resource was requested), and TemporaryError: then a change may have been made, and the hint says so.
    """
    deadline = time.monotonic() + timeout
    for attempt in count(1):
        response = client.call(endpoint.path, body, max(0.001, deadline - time.monotonic()))
        if response.failure is None:
            return _parse_response(endpoint, body, response)
        delay = max(retry.CALLS.delay_seconds(attempt), response.retry_after or 0.0)
        is_last = attempt == retry.CALLS.max_attempts or time.monotonic() + delay >= deadline
        if is_last or not _can_repeat(endpoint, response.failure):
            raise _build_error(endpoint, body, response, response.failure)
        on_retry(f"{response.message}; trying again in {delay:.1f} s")
        sleep(delay)
    raise AssertionError("the last attempt returns or raises")


def _can_repeat(endpoint: Endpoint, failure: Failure) -> bool:
    is_safe = endpoint.effect is Effect.READ or (endpoint.effect is Effect.CHANGE and failure is NOT_REACHED)
    return is_safe and failure.disposition == RETRY


def _parse_response(endpoint: Endpoint, body: Mapping[str, Any], response: "Response") -> Any:
    if response.status == 204 or not response.body.strip():
        if endpoint.allows_empty:
            return []
        if response.status == 204 or (endpoint.resource and endpoint.effect is Effect.READ):
            raise _not_found(endpoint, body, response)
        return _check_shape(endpoint, response, None)
    try:
        value = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        message = f"{endpoint.name}: the answer ({response.status}) is not JSON: {error}."
        hint = "" if endpoint.effect is Effect.READ else UNKNOWN_OUTCOME_HINT
        raise TemporaryError(message, hint, response.status) from error
    if endpoint.items_key and isinstance(value, dict) and isinstance(value.get(endpoint.items_key), list):
        value = value[endpoint.items_key]
    return _check_shape(endpoint, response, value)


def _check_shape(endpoint: Endpoint, response: "Response", value: Any) -> Any:
    """The value of a read: a list of objects, or one object. Raises TemporaryError.

    An endpoint that is not in the table (`cpctl api`) may answer with anything.
    """
    if endpoint.effect is not Effect.READ or ENDPOINTS.get(endpoint.name) is not endpoint:
        return value
    rows = value if endpoint.allows_empty or endpoint.items_key else [value]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        message = f"{endpoint.name}: the answer ({response.status}) does not have the documented shape."
        raise TemporaryError(message, http_status=response.status)
    return value


def _build_error(endpoint: Endpoint, body: Mapping[str, Any], response: "Response", failure: Failure) -> CpctlError:
    if endpoint.resource and failure.exit_code is ExitCode.NOT_FOUND:
        return _not_found(endpoint, body, response)
    if endpoint.resource and failure.exit_code is ExitCode.CONFLICT:
        message = f"The {_describe_resource(endpoint, body)} {endpoint.conflict_message}."
        return Conflict(message, http_status=response.status)
    is_unknown = failure.disposition == RETRY and failure.maybe_processed and endpoint.effect is not Effect.READ
    hint = UNKNOWN_OUTCOME_HINT if is_unknown else failure.hint
    error = _ERROR_CLASSES[failure.exit_code](f"{endpoint.name}: {response.message}.", hint, response.status)
    if isinstance(error, TemporaryError):
        error.maybe_processed = failure.maybe_processed
        error.retry_after = response.retry_after or 0.0
    return error


def _not_found(endpoint: Endpoint, body: Mapping[str, Any], response: "Response") -> NotFound:
    return NotFound(f"There is no {_describe_resource(endpoint, body)}.", http_status=response.status)


def _describe_resource(endpoint: Endpoint, body: Mapping[str, Any]) -> str:
    fields = (*endpoint.required, "reference", "order_reference")
    reference = next((body[field] for field in fields if field in body), "")
    return f'{endpoint.resource or endpoint.name} "{reference}"'


def parse_change_counts(endpoint: Endpoint, value: Any) -> ChangeCounts | None:
    """The counter in an answer; None where there is none. Raises TemporaryError for a count that is not a number.

    Accepts `radded` for `added` (CloudPublish 1.0, "Handling errors") and `canceled` for `cancelled`.
    """
    if endpoint.counter is None or not isinstance(value, dict):
        return None
    resources, verb = endpoint.counter
    counts = value["status"].get(resources) if isinstance(value.get("status"), dict) else None
    if not isinstance(counts, dict):
        return None
    done = next((counts[name] for name in (verb, f"r{verb}", verb.replace("ll", "l")) if name in counts), 0)
    try:
        return ChangeCounts(int(done), int(counts.get("skipped", 0)))
    except (TypeError, ValueError) as error:
        message = f"{endpoint.name}: the count {done!r} in the answer is not a number."
        raise TemporaryError(message, UNKNOWN_OUTCOME_HINT) from error
