"""A row per fault: what it means for the one who called, and whether the call may be repeated."""

from typing import NamedTuple

from cpctl.errors import ExitCode

LATER = "later"  # the same call may succeed in a while
HOLD = "hold"  # key or address is wrong: nothing will succeed until a person acts
REFUSED = "refused"  # this call is wrong and will not get better


class Fault(NamedTuple):
    """What can go wrong with a call.

    `may_have_landed`: the service may have done the work although no answer says so.
    `whole_service`: any other call would fare alike just now.
    """

    name: str
    when: str
    words: str
    remedy: str
    exit_code: ExitCode
    may_have_landed: bool
    whole_service: bool
    hint: str = ""


NOT_REACHED = Fault(
    "not_reached",
    "no connection",
    "not reached",
    LATER,
    ExitCode.TEMPORARY,
    False,
    True,
    "Check the network; `cpctl doctor` looks at each step.",
)
NO_ANSWER = Fault(
    "no_answer",
    "time is up, or the connection broke",
    "no answer",
    LATER,
    ExitCode.TEMPORARY,
    True,
    True,
    "Check the network; `cpctl doctor` looks at each step.",
)

_KEY = Fault(
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
_WRONG_ADDRESS = Fault(
    "wrong_address",
    "404, 410, 3xx",
    "there is no CloudSignal at this address",
    HOLD,
    ExitCode.REFUSED,
    False,
    True,
    "Check base_url in the profile (`cpctl whoami` shows it), then `cpctl outbox release`.",
)
_TIMED_OUT_THERE = Fault(
    "request_timeout", "408", "the service gave up reading", LATER, ExitCode.TEMPORARY, False, False
)
_TOO_MANY = Fault("too_many", "429", "the service is asked too often", LATER, ExitCode.TEMPORARY, False, True)
_UNAVAILABLE = Fault("unavailable", "503", "the service is unavailable", LATER, ExitCode.TEMPORARY, False, True)
_SERVER = Fault("server_error", "other 5xx", "the service failed", LATER, ExitCode.TEMPORARY, True, False)
_REFUSED = Fault("refused", "400, 422, other 4xx", "the service refused it", REFUSED, ExitCode.REFUSED, False, False)

_OF_STATUS: dict[int, Fault] = {
    401: _KEY,
    403: _KEY,
    404: _WRONG_ADDRESS,
    408: _TIMED_OUT_THERE,
    410: _WRONG_ADDRESS,
    429: _TOO_MANY,
    503: _UNAVAILABLE,
}

_NOT_FOUND = Fault("not_found", "410", "not found", REFUSED, ExitCode.NOT_FOUND, False, False)
_CONFLICT = Fault("conflict", "409", "the service sees a conflict", REFUSED, ExitCode.CONFLICT, False, False)
_NO_SUCH_CALL = Fault(
    "no_such_call",
    "404, 3xx",
    "there is no such call at this address",
    REFUSED,
    ExitCode.REFUSED,
    False,
    False,
    "Check base_url in the profile: `cpctl whoami` shows it.",
)
_KEY_OF_CALL = _KEY._replace(
    hint="Put the right key in with `cpctl profile set-key core`; `cpctl whoami` shows which one is used."
)

# What a status means for a call that is no signal, where it differs (CloudCore, CloudPublish: "HTTP status codes").
_OF_CALL: dict[int, Fault] = {401: _KEY_OF_CALL, 403: _KEY_OF_CALL, 404: _NO_SUCH_CALL, 409: _CONFLICT, 410: _NOT_FOUND}

ALL = (NOT_REACHED, NO_ANSWER, _KEY, _WRONG_ADDRESS, _TIMED_OUT_THERE, _TOO_MANY, _UNAVAILABLE, _SERVER, _REFUSED)


def fault_of_status(status: int) -> Fault | None:
    """The fault an answer to a signal stands for; None for a positive one (any 2xx).

    Source: CloudSignal 2.0, "HTTP response code"; that 404, 410 and redirects mean the address
    and not the signal follows from the one endpoint all signals share.
    """
    if 200 <= status < 300:
        return None
    if status in _OF_STATUS:
        return _OF_STATUS[status]
    if status < 400:
        return _WRONG_ADDRESS
    return _SERVER if status >= 500 else _REFUSED


def fault_of_call(status: int) -> Fault | None:
    """The fault an answer to any other call stands for; None for a positive one.

    Source: CloudCore 1.0 and CloudPublish 1.0, "HTTP status codes" of each call.
    """
    if 300 <= status < 400:
        return _NO_SUCH_CALL
    return _OF_CALL.get(status) or fault_of_status(status)
