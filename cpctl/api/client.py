"""One call to the service: a POST with the key in its body, and exactly one account of what came of it."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import requests
from urllib3.exceptions import NewConnectionError

from cpctl import __version__
from cpctl.api.error_bodies import parse_error_message, parse_retry_after
from cpctl.api.failures import NO_ANSWER, NOT_REACHED, Failure, classify_call_status, classify_signal_status

MAX_ERROR_BODY_BYTES = 64 * 1024
# A positive answer counts when its status line is here; its body is only read to keep the connection.
BODY_GRACE_SECONDS = 0.5

DebugLog = Callable[[str], None]


class Response(NamedTuple):
    """What came of a call: `fault` is None when it succeeded; `retry_after` is in seconds.

    `body` is what a positive answer said, where it was asked for.
    """

    status: int | None
    failure: Failure | None
    message: str = ""
    retry_after: float | None = None
    body: bytes = b""


class _PendingResponse:
    """What the thread that talks to the service has learnt so far."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: str | None = None
        self.body = b""
        self.error: Exception | None = None
        self.answered = threading.Event()
        self.finished = threading.Event()


class Client:
    """Talks to one base URL with one key. The key is in the body and nowhere else."""

    def __init__(self, base_url: str, key: str, timeout: float, local: bool, debug: DebugLog | None = None) -> None:
        """`timeout` is in seconds and bounds a whole call; `local` keeps a loopback address off every proxy."""
        self._base_url = base_url
        self._key = key
        self._timeout = timeout
        self._debug = debug
        self._session = requests.Session()
        self._session.trust_env = not local
        self._session.auth = _no_netrc
        self._session.headers["User-Agent"] = f"cpctl/{__version__}"

    def post(self, path: str, body: Mapping[str, Any]) -> Response:
        """Post one signal or bundle. Never raises for what the network or the service does, and never repeats.

        The status line alone decides: CloudSignal 2.0, "Return Data", says that the body of a
        positive answer is not used.
        """
        exchange = self._send(path, body, self._timeout, MAX_ERROR_BODY_BYTES)
        return self._log_response(self._build_response(exchange, classify_signal_status))

    def call(self, path: str, body: Mapping[str, Any], timeout: float) -> Response:
        """Post one call and read the whole of its answer, in `timeout` seconds at most. Never raises, never repeats."""
        exchange = self._send(path, body, timeout, None)
        answer = self._build_response(exchange, classify_call_status)
        whole = exchange.finished.is_set() and exchange.error is None
        if answer.failure is None and not whole:
            answer = Response(answer.status, NO_ANSWER, "the answer broke off")
        return self._log_response(answer._replace(body=exchange.body) if answer.failure is None else answer)

    def _send(self, path: str, body: Mapping[str, Any], timeout: float, max_bytes: int | None) -> _PendingResponse:
        """One request and its answer, of which `most` bytes are read. None reads all, and waits for it.

        The time limit covers name lookup, connection, and every byte of the answer: a service
        that drips is as silent as one that is down.
        """
        exchange = _PendingResponse()
        data = json.dumps({"apikey": self._key, **body}, ensure_ascii=False).encode()
        if self._debug is not None:
            shown = json.dumps({"apikey": "***", **body}, ensure_ascii=False)
            self._log(f"> POST {self._base_url}{path} {shown}")
        # A thread, because nothing else bounds a name lookup or an answer that drips; and Ctrl-C works meanwhile.
        started = time.monotonic()
        threading.Thread(target=self._run_request, args=(path, data, exchange, timeout, max_bytes), daemon=True).start()
        exchange.answered.wait(timeout)
        left = timeout - (time.monotonic() - started)
        positive = exchange.status is not None and classify_signal_status(exchange.status) is None
        exchange.finished.wait(max(0.0, min(left, BODY_GRACE_SECONDS) if positive and max_bytes is not None else left))
        return exchange

    def _log_response(self, response: Response) -> Response:
        self._log(f"< {response.status or ''} {response.message}".rstrip())
        return response

    def _run_request(
        self, path: str, data: bytes, pending: _PendingResponse, timeout: float, max_bytes: int | None
    ) -> None:
        try:
            with self._session.post(
                self._base_url + path,
                data=data,
                headers={"Content-Type": "application/json"},
                timeout=timeout,
                allow_redirects=False,  # a redirect would carry the key to another host
                stream=True,
            ) as response:
                pending.retry_after = response.headers.get("Retry-After")
                pending.status = response.status_code
                pending.answered.set()
                negative = classify_signal_status(response.status_code) is not None
                pending.body = response.raw.read(MAX_ERROR_BODY_BYTES if negative else max_bytes, decode_content=True)
        except Exception as error:  # told apart in _answer, in the thread that can report it
            pending.error = error
        finally:
            pending.answered.set()
            pending.finished.set()

    def _build_response(self, pending: _PendingResponse, classify: Callable[[int], Failure | None]) -> Response:
        if pending.status is None:
            return self._transport_failure(pending.error)
        fault = classify(pending.status)
        if fault is None:
            return Response(pending.status, None)
        said = parse_error_message(pending.body, self._key)
        words = f"{fault.message} ({pending.status}){': ' + said if said else ''}"
        return Response(pending.status, fault, words, parse_retry_after(pending.retry_after))

    def _transport_failure(self, error: Exception | None) -> Response:
        """No status line came. Only what certainly never left counts as not reached."""
        if error is None:
            return Response(None, NO_ANSWER, f"no answer within {self._timeout:g} s")
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return Response(None, NOT_REACHED, f"not reached within {self._timeout:g} s")
        if any(isinstance(inner, ssl.SSLCertVerificationError) for inner in _exception_chain(error)):
            return Response(None, NOT_REACHED, f"{self._base_url} does not prove who it is: {_root_cause(error)}")
        if isinstance(error, requests.exceptions.ProxyError):
            return Response(None, NOT_REACHED, f"the proxy does not let us through: {_root_cause(error)}")
        if isinstance(error, requests.exceptions.ConnectionError) and _is_connect_failure(error):
            return Response(None, NOT_REACHED, f"{self._base_url} is not reached: {_root_cause(error)}")
        if _is_local_refusal(error):
            return Response(None, NOT_REACHED, f"no connection was tried: {str(error).rstrip('.')}")
        if isinstance(error, requests.exceptions.Timeout):
            return Response(None, NO_ANSWER, f"no answer within {self._timeout:g} s")
        if isinstance(error, requests.exceptions.RequestException | OSError):
            return Response(None, NO_ANSWER, f"the connection broke before an answer came: {_root_cause(error)}")
        raise error

    def _log(self, line: str) -> None:
        if self._debug is not None:
            self._debug(line.replace(self._key, "***"))


def find_proxy_and_ca_bundle(base_url: str, local: bool) -> tuple[str, str]:
    """What a client of this base URL uses: a proxy ("" for none), and the file of authorities it trusts."""
    session = requests.Session()
    session.trust_env = not local
    settings = session.merge_environment_settings(base_url, {}, False, None, None)
    named = settings["verify"]
    proxy = requests.utils.select_proxy(base_url, settings["proxies"])
    return proxy or "", named if isinstance(named, str) else requests.utils.DEFAULT_CA_BUNDLE_PATH


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """An authentication that adds nothing; without one, requests would add what ~/.netrc holds."""
    return request


def _is_connect_failure(error: BaseException) -> bool:
    return any(isinstance(inner, NewConnectionError) for inner in _exception_chain(error))


def _is_local_refusal(error: Exception) -> bool:
    """Whether requests itself refused: a proxy it cannot speak to, an address it cannot read, authorities it lacks."""
    if isinstance(error, requests.exceptions.RequestException):
        return isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.InvalidURL)
    return isinstance(error, OSError) and "TLS CA certificate bundle" in str(error)


def _root_cause(error: BaseException) -> str:
    """The reason at the bottom of nested exceptions: `Connection refused`, not the towers around it."""
    for inner in reversed(list(_exception_chain(error))):
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
    return type(list(_exception_chain(error))[-1]).__name__


def _exception_chain(error: BaseException) -> list[BaseException]:
    """An exception and all it was raised from: by cause, context, argument or `reason`."""
    found: list[BaseException] = []
    todo: list[Any] = [error]
    while todo:
        inner = todo.pop(0)
        if isinstance(inner, BaseException) and inner not in found:
            found.append(inner)
            todo += [*inner.args, getattr(inner, "reason", None), inner.__cause__, inner.__context__]
    return found
