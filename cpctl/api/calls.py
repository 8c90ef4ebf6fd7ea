"""A whole call: repeated where that is safe, its answer unwrapped, its failure raised with a name."""

import json
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from cpctl.api.endpoints import ENDPOINTS, Effect, Endpoint
from cpctl.api.failures import LATER, NOT_REACHED
from cpctl.api.long_lists import LongList, long_list
from cpctl.errors import Conflict, CpctlError, ExitCode, KeyRefused, NotFound, RequestRefused, TemporaryError

if TYPE_CHECKING:
    from cpctl.api.client import Answer  # not at run time: a dry run needs no requests

TRIES = 3
FIRST_PAUSE = 0.25  # seconds; each further one is three times as long
_KINDS: dict[ExitCode, type[CpctlError]] = {
    ExitCode.KEY_REFUSED: KeyRefused,
    ExitCode.REFUSED: RequestRefused,
    ExitCode.CONFLICT: Conflict,
    ExitCode.NOT_FOUND: NotFound,
    ExitCode.TEMPORARY: TemporaryError,
}
UNKNOWN_HINT = "Whether it was done is not known: look before you repeat it."


class Talks(Protocol):
    """What can carry a call: the client."""

    def call(self, path: str, body: Mapping[str, Any], timeout: float) -> "Answer":
        """One call, one answer."""


class Counted(NamedTuple):
    """What a counter of CloudPublish says: how many elements were done, and how many skipped."""

    done: int
    skipped: int


def call(
    client: Talks,
    endpoint: Endpoint,
    body: Mapping[str, Any],
    timeout: float,
    retried: Callable[[str], None] = lambda words: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Any:
    """Make one call and return what it answered; a list where `endpoint` answers with one, unwrapped.

    A read is tried three times within `timeout` seconds, a change only where it certainly
    never left, an order is never added twice. Raises KeyRefused, RequestRefused, Conflict,
    NotFound (also for 204 where one thing was asked for), and TemporaryError: then a change
    may have been done, and the hint says so.
    """
    deadline = time.monotonic() + timeout
    for number in range(TRIES):
        answer = client.call(endpoint.path, body, max(0.001, deadline - time.monotonic()))
        if answer.fault is None:
            return _result(endpoint, body, answer)
        pause = max(FIRST_PAUSE * 3**number * (1 + 0.1 * random.random()), answer.retry_after or 0.0)
        last = number == TRIES - 1 or time.monotonic() + pause >= deadline
        if last or not _may_repeat(endpoint, answer):
            raise _error(endpoint, body, answer)
        retried(f"{answer.words}; trying again in {pause:.1f} s")
        sleep(pause)
    raise AssertionError("the last try returns or raises")


def _may_repeat(endpoint: Endpoint, answer: "Answer") -> bool:
    fault = answer.fault
    if fault is None or fault.remedy != LATER or endpoint.effect is Effect.ADD_ORDER:
        return False
    return endpoint.effect is Effect.READ or fault is NOT_REACHED


def _result(endpoint: Endpoint, body: Mapping[str, Any], answer: "Answer") -> Any:
    if answer.status == 204 or not answer.body.strip():
        if endpoint.empty:
            return []
        if answer.status == 204 or (endpoint.thing and endpoint.effect is Effect.READ):
            raise NotFound(_named(endpoint, body, "There is no {}."), http_status=answer.status)
        return _fitting(endpoint, answer, None)
    try:
        value = long_list(answer.body) or json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise TemporaryError(
            f"{endpoint.name}: the answer ({answer.status}) is not JSON: {error}.",
            "" if endpoint.effect is Effect.READ else UNKNOWN_HINT,
            answer.status,
        ) from error
    if endpoint.items and isinstance(value, dict) and isinstance(value.get(endpoint.items), list):
        value = value[endpoint.items]
    return _fitting(endpoint, answer, value)


def _fitting(endpoint: Endpoint, answer: "Answer", value: Any) -> Any:
    """The value of a read, which is a list of objects or one object. Raises TemporaryError.

    A row that does not stand in the table promises nothing.
    """
    if endpoint.effect is not Effect.READ or ENDPOINTS.get(endpoint.name) is not endpoint:
        return value
    if endpoint.empty or endpoint.items:
        fits = isinstance(value, LongList) or (isinstance(value, list) and all(isinstance(row, dict) for row in value))
    else:
        fits = isinstance(value, dict)
    if not fits:
        raise TemporaryError(
            f"{endpoint.name}: the answer ({answer.status}) has another shape than the documents show.",
            http_status=answer.status,
        )
    return value


def _error(endpoint: Endpoint, body: Mapping[str, Any], answer: "Answer") -> CpctlError:
    fault = answer.fault
    assert fault is not None
    if endpoint.thing and fault.exit_code is ExitCode.NOT_FOUND:
        return NotFound(_named(endpoint, body, "There is no {}."), http_status=answer.status)
    if endpoint.thing and fault.exit_code is ExitCode.CONFLICT:
        said = _named(endpoint, body, f"The {{}} {endpoint.conflict}.")
        return Conflict(said, http_status=answer.status)
    lost = fault.remedy == LATER and fault.may_have_landed and endpoint.effect is not Effect.READ
    hint = UNKNOWN_HINT if lost else fault.hint
    error = _KINDS[fault.exit_code](f"{endpoint.name}: {answer.words}.", hint, answer.status)
    if isinstance(error, TemporaryError):
        error.may_have_landed = fault.may_have_landed
        error.retry_after = answer.retry_after or 0.0
    return error


def _named(endpoint: Endpoint, body: Mapping[str, Any], sentence: str) -> str:
    """The sentence with the thing that was asked for in it: `There is no order "12346".`"""
    name = next((body[field] for field in (*endpoint.required, "reference", "order_reference") if field in body), "")
    return sentence.format(f'{endpoint.thing or endpoint.name} "{name}"')


def counted(endpoint: Endpoint, value: Any) -> Counted | None:
    """What the counter in an answer says; None where it has none.

    The documents write `added` once as `radded` (CloudPublish 1.0, "Handling errors").
    """
    if endpoint.counts is None or not isinstance(value, dict):
        return None
    thing, word = endpoint.counts
    numbers = (value.get("status") or {}).get(thing) if isinstance(value.get("status"), dict) else None
    if not isinstance(numbers, dict):
        return None
    done = next((numbers[name] for name in (word, f"r{word}", word.replace("ll", "l")) if name in numbers), 0)
    try:
        return Counted(int(done), int(numbers.get("skipped", 0)))
    except (TypeError, ValueError) as error:
        words = f"{endpoint.name}: the answer counts {done!r}, which is no number."
        raise TemporaryError(words, UNKNOWN_HINT) from error
