"""One HTTP post to the service, with the key in its body, bounded in time and never repeated."""

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
from cpctl.masking import MASK

MAX_ERROR_BODY_BYTES = 64 * 1024
# The status line of a success is enough; its body is read only to keep the connection open for the next call.
BODY_GRACE_SECONDS = 0.5

DebugLog = Callable[[str], None]


class Response(NamedTuple):
    """The result of one call. `failure` is None on success, `retry_after` is in seconds.

    `body` is the body of a successful `call`; `post` does not keep it.
    """

    status: int | None
    failure: Failure | None
    message: str = ""
    retry_after: float | None = None
    body: bytes = b""


class _PendingResponse:
    """What the request's thread has received so far."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: str | None = None
        self.body = b""
        self.error: Exception | None = None
        self.has_status = threading.Event()  # set on an error, too
        self.is_finished = threading.Event()


class Client:
    """Posts to one base URL with one key. The key is in the body and nowhere else."""

    def __init__(self, base_url: str, key: str, timeout: float, local: bool, debug: DebugLog | None = None) -> None:
        """`timeout` is in seconds and bounds a whole post; `local` keeps a loopback address off every proxy."""
        self._base_url, self._key, self._timeout, self._debug = base_url, key, timeout, debug
        self._session = requests.Session()
        self._session.trust_env = not local
        self._session.auth = _no_netrc
        self._session.headers["User-Agent"] = f"cpctl/{__version__}"

    def post(self, path: str, body: Mapping[str, Any]) -> Response:
        """Post one signal or bundle. Does not raise on network or service failures, and never repeats.

        Only the status line counts: the body of a success is not used (CloudSignal 2.0, "Return Data").
        """
        pending = self._send(path, body, self._timeout, MAX_ERROR_BODY_BYTES)
        return self._log_response(self._build_response(pending, classify_signal_status))

    def call(self, path: str, body: Mapping[str, Any], timeout: float) -> Response:
        """Make one call and read its whole answer within `timeout` seconds. Raises and repeats as little as `post`."""
        pending = self._send(path, body, timeout, None)
        response = self._build_response(pending, classify_call_status)
        if response.failure is None:
            response = response._replace(body=pending.body)
            if pending.error is not None or not pending.is_finished.is_set():
                response = Response(response.status, NO_ANSWER, "the answer was cut off")
        return self._log_response(response)

    def _send(self, path: str, body: Mapping[str, Any], timeout: float, max_body_bytes: int | None) -> _PendingResponse:
        """Post in a thread and wait for at most `timeout` seconds; None for `max_body_bytes` reads the whole body.

        Nothing else bounds a name lookup, or an answer that arrives one byte at a time. Ctrl-C works meanwhile.
        """
        if self._debug is not None:
            masked = json.dumps({"apikey": MASK, **body}, ensure_ascii=False)
            self._log(f"> POST {self._base_url}{path} {masked}")
        data = json.dumps({"apikey": self._key, **body}, ensure_ascii=False).encode()
        pending = _PendingResponse()
        deadline = time.monotonic() + timeout
        arguments = (path, data, pending, timeout, max_body_bytes)
        threading.Thread(target=self._run_request, args=arguments, daemon=True).start()
        pending.has_status.wait(timeout)
        remaining = deadline - time.monotonic()
        if max_body_bytes is not None and pending.status is not None and _is_success(pending.status):
            remaining = min(remaining, BODY_GRACE_SECONDS)
        pending.is_finished.wait(max(0.0, remaining))
        return pending

    def _run_request(
        self, path: str, data: bytes, pending: _PendingResponse, timeout: float, max_body_bytes: int | None
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
                pending.has_status.set()
                limit = max_body_bytes if _is_success(response.status_code) else MAX_ERROR_BODY_BYTES
                pending.body = response.raw.read(limit, decode_content=True)
        except Exception as error:  # classified by the thread that waits
            pending.error = error
        finally:
            pending.has_status.set()
            pending.is_finished.set()

    def _build_response(self, pending: _PendingResponse, classify: Callable[[int], Failure | None]) -> Response:
        if pending.status is None:
            failure, message = _classify_transport_error(pending.error, self._base_url, self._timeout)
            return Response(None, failure, message)
        status_failure = classify(pending.status)
        if status_failure is None:
            return Response(pending.status, None)
        details = parse_error_message(pending.body, self._key)
        message = f"{status_failure.message} ({pending.status})" + (f": {details}" if details else "")
        return Response(pending.status, status_failure, message, parse_retry_after(pending.retry_after))

    def _log_response(self, response: Response) -> Response:
        self._log(f"< {response.status or ''} {response.message}".rstrip())
        return response

    def _log(self, line: str) -> None:
        if self._debug is not None:
            self._debug(line.replace(self._key, MASK))


def find_proxy_and_ca_bundle(base_url: str, local: bool) -> tuple[str, str]:
    """The proxy ("" for none) and the file of certificate authorities that a client of this base URL uses."""
    session = requests.Session()
    session.trust_env = not local
    settings = session.merge_environment_settings(base_url, {}, False, None, None)
    ca_bundle = settings["verify"] if isinstance(settings["verify"], str) else requests.utils.DEFAULT_CA_BUNDLE_PATH
    return requests.utils.select_proxy(base_url, settings["proxies"]) or "", ca_bundle


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authentication that adds nothing. Without one, requests adds the credentials in ~/.netrc."""
    return request


def _classify_transport_error(error: Exception | None, base_url: str, timeout: float) -> tuple[Failure, str]:
    """The failure and its message where no status line arrived; None for `error` is a timeout.

    NOT_REACHED only where the request certainly never left. The order of the tests matters: ConnectTimeout is both a
    ConnectionError and a Timeout, and a certificate error a ConnectionError.
    """
    if error is None:
        return NO_ANSWER, f"no answer within {timeout:g} s"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return NOT_REACHED, f"cannot connect to {base_url} within {timeout:g} s"
    causes = _exception_chain(error)
    reasons = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    reason = reasons[-1] if reasons else type(causes[-1]).__name__  # the innermost, such as "Connection refused"
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return NOT_REACHED, f"{base_url}: TLS certificate verification failed: {reason}"
    if isinstance(error, requests.exceptions.ProxyError):
        return NOT_REACHED, f"cannot connect through the proxy: {reason}"
    has_new_error = any(isinstance(cause, NewConnectionError) for cause in causes)
    if isinstance(error, requests.exceptions.ConnectionError) and has_new_error:
        return NOT_REACHED, f"cannot connect to {base_url}: {reason}"
    if _is_local_refusal(error):
        return NOT_REACHED, f"the request was not sent: {str(error).rstrip('.')}"
    if isinstance(error, requests.exceptions.Timeout):
        return NO_ANSWER, f"no answer within {timeout:g} s"
    if isinstance(error, requests.exceptions.RequestException | OSError):
        return NO_ANSWER, f"the connection was lost before an answer arrived: {reason}"
    raise error


def _is_local_refusal(error: Exception) -> bool:
    """Whether requests did not try: an unsupported proxy, an invalid address, or a missing CA bundle."""
    if isinstance(error, requests.exceptions.RequestException):
        return isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.InvalidURL)
    return isinstance(error, OSError) and "TLS CA certificate bundle" in str(error)


def _exception_chain(error: BaseException) -> list[BaseException]:
    """An exception and everything it was raised from: by cause, context, argument or `reason`."""
    found: list[BaseException] = []
    pending: list[Any] = [error]
    while pending:
        cause = pending.pop(0)
        if isinstance(cause, BaseException) and cause not in found:
            found.append(cause)
            pending += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]
    return found
