"""The table of failures: what each one means for the caller, and whether the call may be repeated."""

from collections.abc import Mapping
from typing import NamedTuple

from cpctl.errors import ExitCode

# The dispositions. The outbox has the same three in `outbox.models.Disposition`.
RETRY = "later"  # the same call may succeed after a while
HOLD = "hold"  # key or address is wrong: nothing succeeds until a person acts
REFUSED = "refused"  # this call is wrong, and repeating it does not help


class Failure(NamedTuple):
    """One way in which a call can fail.

    `maybe_processed`: the service may have processed the call although no answer confirms it.
    `affects_service`: every other call would fail in the same way now.
    """

    name: str
    condition: str
    message: str
    disposition: str
    exit_code: ExitCode
    hint: str = ""
    maybe_processed: bool = False
    affects_service: bool = False


_NETWORK_HINT = "Check the network: `cpctl doctor` tests each step."
_SIGNAL_KEY_HINT = (
    "Set the right key with `cpctl profile set-key signal` (`cpctl whoami` shows which one is used), "
    "then run `cpctl outbox release`."
)
_CALL_KEY_HINT = "Set the right key with `cpctl profile set-key core`; `cpctl whoami` shows which one is used."
_SIGNAL_ADDRESS_HINT = "Check base_url in the profile (`cpctl whoami` shows it), then run `cpctl outbox release`."
_CALL_ADDRESS_HINT = "Check base_url in the profile: `cpctl whoami` shows it."

# Columns: name, condition, message, disposition, exit code, hint; then the flags that are set.
# fmt: off
NOT_REACHED = Failure("not_reached", "no connection", "cannot connect",
                      RETRY, ExitCode.TEMPORARY, _NETWORK_HINT, affects_service=True)
NO_ANSWER = Failure("no_answer", "timeout, or connection lost", "no answer",
                    RETRY, ExitCode.TEMPORARY, _NETWORK_HINT, maybe_processed=True, affects_service=True)
_KEY_REFUSED = Failure("key_refused", "401, 403", "the service refused the key",
                       HOLD, ExitCode.KEY_REFUSED, _SIGNAL_KEY_HINT, affects_service=True)
_WRONG_ADDRESS = Failure("wrong_address", "404, 410, 3xx", "there is no CloudSignal at this address",
                         HOLD, ExitCode.REFUSED, _SIGNAL_ADDRESS_HINT, affects_service=True)
_REQUEST_TIMEOUT = Failure("request_timeout", "408", "the service timed out waiting for the request",
                           RETRY, ExitCode.TEMPORARY)
_RATE_LIMITED = Failure("rate_limited", "429", "rate limit exceeded",
                        RETRY, ExitCode.TEMPORARY, affects_service=True)
_UNAVAILABLE = Failure("unavailable", "503", "the service is unavailable",
                       RETRY, ExitCode.TEMPORARY, affects_service=True)
_SERVER_ERROR = Failure("server_error", "other 5xx", "the service failed",
                        RETRY, ExitCode.TEMPORARY, maybe_processed=True)
_REQUEST_REFUSED = Failure("refused", "400, 422, other 4xx", "the service refused the request",
                           REFUSED, ExitCode.REFUSED)
# Only for calls that are not signals.
_CALL_KEY_REFUSED = _KEY_REFUSED._replace(hint=_CALL_KEY_HINT)
_UNKNOWN_CALL = Failure("no_such_call", "404, 3xx", "there is no such call at this address",
                        REFUSED, ExitCode.REFUSED, _CALL_ADDRESS_HINT)
_CONFLICT = Failure("conflict", "409", "the service reports a conflict", REFUSED, ExitCode.CONFLICT)
_NOT_FOUND = Failure("not_found", "410", "not found", REFUSED, ExitCode.NOT_FOUND)
SIGNAL_FAILURES = (NOT_REACHED, NO_ANSWER, _KEY_REFUSED, _WRONG_ADDRESS, _REQUEST_TIMEOUT, _RATE_LIMITED,
                   _UNAVAILABLE, _SERVER_ERROR, _REQUEST_REFUSED)
# fmt: on

_COMMON = {408: _REQUEST_TIMEOUT, 429: _RATE_LIMITED, 503: _UNAVAILABLE}
_BY_SIGNAL_STATUS = _COMMON | dict.fromkeys((401, 403), _KEY_REFUSED) | dict.fromkeys((404, 410), _WRONG_ADDRESS)
_BY_CALL_STATUS = (
    _COMMON | dict.fromkeys((401, 403), _CALL_KEY_REFUSED) | {404: _UNKNOWN_CALL, 409: _CONFLICT, 410: _NOT_FOUND}
)


def classify_signal_status(status: int) -> Failure | None:
    """The failure that an answer to a signal stands for; None for success (any 2xx).

    Source: CloudSignal 2.0, "HTTP response code". All signals share one endpoint, so 404, 410 and
    redirects mean a wrong address, not a wrong signal.
    """
    return _classify(status, _BY_SIGNAL_STATUS, _WRONG_ADDRESS)


def classify_call_status(status: int) -> Failure | None:
    """The failure that an answer to any other call stands for; None for success (any 2xx).

    Source: CloudCore 1.0 and CloudPublish 1.0, "HTTP status codes" of each call.
    """
    return _classify(status, _BY_CALL_STATUS, _UNKNOWN_CALL)


def _classify(status: int, by_status: Mapping[int, Failure], redirect: Failure) -> Failure | None:
    if 200 <= status < 300:
        return None
    if status in by_status:
        return by_status[status]
    if status < 400:
        return redirect
    return _SERVER_ERROR if status >= 500 else _REQUEST_REFUSED
