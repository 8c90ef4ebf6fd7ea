"""A row per fault: what it means for the one who called, and whether the call may be repeated."""

from typing import NamedTuple

from cpctl.errors import ExitCode

RETRY = "later"  # the same call may succeed in a while
HOLD = "hold"  # key or address is wrong: nothing will succeed until a person acts
REFUSED = "refused"  # this call is wrong and will not get better


class Failure(NamedTuple):
    """What can go wrong with a call.

    `may_have_landed`: the service may have done the work although no answer says so.
    `whole_service`: any other call would fare alike just now.
    """

    name: str
    condition: str
    message: str
    disposition: str
    exit_code: ExitCode
    maybe_processed: bool
    affects_service: bool
    hint: str = ""


NOT_REACHED = Failure(
    "not_reached",
    "no connection",
    "not reached",
    RETRY,
    ExitCode.TEMPORARY,
    False,
    True,
    "Check the network; `cpctl doctor` looks at each step.",
)
NO_ANSWER = Failure(
    "no_answer",
    "time is up, or the connection broke",
    "no answer",
    RETRY,
    ExitCode.TEMPORARY,
    True,
    True,
    "Check the network; `cpctl doctor` looks at each step.",
)

_KEY_REFUSED = Failure(
    "key_refused",
    "401, 403",
    "the service refused the key",
    HOLD,
    ExitCode.KEY_REFUSED,
    False,
    True,
    "Put the right key in with `cpctl profile set-key signal` (`cpctl whoami` shows which is used), "
    "then `cpctl outbox release`.",
)
_WRONG_ADDRESS = Failure(
    "wrong_address",
    "404, 410, 3xx",
    "there is no CloudSignal at this address",
    HOLD,
    ExitCode.REFUSED,
    False,
    True,
    "Check base_url in the profile (`cpctl whoami` shows it), then `cpctl outbox release`.",
)
_REQUEST_TIMEOUT = Failure(
    "request_timeout", "408", "the service gave up reading", RETRY, ExitCode.TEMPORARY, False, False
)
_RATE_LIMITED = Failure("too_many", "429", "the service is asked too often", RETRY, ExitCode.TEMPORARY, False, True)
_UNAVAILABLE = Failure("unavailable", "503", "the service is unavailable", RETRY, ExitCode.TEMPORARY, False, True)
_SERVER_ERROR = Failure("server_error", "other 5xx", "the service failed", RETRY, ExitCode.TEMPORARY, True, False)
_REFUSED = Failure("refused", "400, 422, other 4xx", "the service refused it", REFUSED, ExitCode.REFUSED, False, False)

_SIGNAL_FAILURE_BY_STATUS: dict[int, Failure] = {
    401: _KEY_REFUSED,
    403: _KEY_REFUSED,
    404: _WRONG_ADDRESS,
    408: _REQUEST_TIMEOUT,
    410: _WRONG_ADDRESS,
    429: _RATE_LIMITED,
    503: _UNAVAILABLE,
}

_NOT_FOUND = Failure("not_found", "410", "not found", REFUSED, ExitCode.NOT_FOUND, False, False)
_CONFLICT = Failure("conflict", "409", "the service sees a conflict", REFUSED, ExitCode.CONFLICT, False, False)
_UNKNOWN_CALL = Failure(
    "no_such_call",
    "404, 3xx",
    "there is no such call at this address",
    REFUSED,
    ExitCode.REFUSED,
    False,
    False,
    "Check base_url in the profile: `cpctl whoami` shows it.",
)
_CALL_KEY_REFUSED = _KEY_REFUSED._replace(
    hint="Put the right key in with `cpctl profile set-key core`; `cpctl whoami` shows which one is used."
)

# What a status means for a call that is no signal, where it differs (CloudCore, CloudPublish: "HTTP status codes").
_CALL_FAILURE_BY_STATUS: dict[int, Failure] = {
    401: _CALL_KEY_REFUSED,
    403: _CALL_KEY_REFUSED,
    404: _UNKNOWN_CALL,
    409: _CONFLICT,
    410: _NOT_FOUND,
}

SIGNAL_FAILURES = (
    NOT_REACHED,
    NO_ANSWER,
    _KEY_REFUSED,
    _WRONG_ADDRESS,
    _REQUEST_TIMEOUT,
    _RATE_LIMITED,
    _UNAVAILABLE,
    _SERVER_ERROR,
    _REFUSED,
)


def classify_signal_status(status: int) -> Failure | None:
    """The fault an answer to a signal stands for; None for a positive one (any 2xx).

    Source: CloudSignal 2.0, "HTTP response code"; that 404, 410 and redirects mean the address
    and not the signal follows from the one endpoint all signals share.
    """
    if 200 <= status < 300:
        return None
    if status in _SIGNAL_FAILURE_BY_STATUS:
        return _SIGNAL_FAILURE_BY_STATUS[status]
    if status < 400:
        return _WRONG_ADDRESS
    return _SERVER_ERROR if status >= 500 else _REFUSED


def classify_call_status(status: int) -> Failure | None:
    """The fault an answer to any other call stands for; None for a positive one.

    Source: CloudCore 1.0 and CloudPublish 1.0, "HTTP status codes" of each call.
    """
    if 300 <= status < 400:
        return _UNKNOWN_CALL
    return _CALL_FAILURE_BY_STATUS.get(status) or classify_signal_status(status)
