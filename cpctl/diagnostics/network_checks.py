"""The way to the service, a step at a time: name, connection and certificate, the service's clock."""

import base64
import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from cpctl.diagnostics.findings import Finding, failure, ok, warning
from cpctl.errors import ExitCode

T = TypeVar("T")
_CREDENTIALS = re.compile(r"(?:(?<=//)|^)[^/@\s]+@")
# A signal says when something happened; the service and the shop must mean the same by it.
CLOCK_WARNS, CLOCK_FAILS = 60.0, 600.0
DAYS_LEFT = 14
_NETWORK = ExitCode.TEMPORARY


class Way(NamedTuple):
    """The way to a base URL: the proxy it goes through ("" for none), and whom it trusts (a file, for TLS)."""

    base_url: str
    proxy: str
    authorities: str

    @property
    def host(self) -> str:
        """The name or address of the service."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def tls(self) -> bool:
        """Whether what is sent is encrypted."""
        return urlsplit(self.base_url).scheme == "https"

    @property
    def port(self) -> int:
        """The port of the service."""
        return urlsplit(self.base_url).port or (443 if self.tls else 80)


class Reached(NamedTuple):
    """What a connection told: the certificate, the service's Date, and between which of our times it was asked."""

    certificate: dict[str, Any]
    date: str
    asked: float
    answered: float


def without_credentials(text: str) -> str:
    """A text in which no URL has a user and password; proxies are also named without a scheme."""
    return _CREDENTIALS.sub("***@", text)


def proxy(way: Way) -> Iterator[Finding]:
    """Whether a proxy stands in the way."""
    if way.proxy:
        yield ok(f"{without_credentials(way.proxy)} is used for {way.host}")
    else:
        yield ok(f"none is used for {way.host}")


def name(way: Way, seconds: float) -> Iterator[Finding]:
    """Whether the name of the service is known here. Behind a proxy the proxy looks it up."""
    if way.proxy:
        yield ok("not looked up here; the proxy does it")
        return
    try:
        known = within(seconds, lambda: socket.getaddrinfo(way.host, way.port, type=socket.SOCK_STREAM))
    except TimeoutError:
        yield failure(f"{way.host}: no answer within {seconds:g} s", "Check the name server of this machine.", _NETWORK)
    except OSError as error:
        said = f"{way.host} is not known: {error.strerror}"
        yield failure(said, "Check the network, the name server, and base_url in the profile.", _NETWORK)
    else:
        yield ok(f"{way.host} is {', '.join(dict.fromkeys(str(entry[4][0]) for entry in known))}")


def reach(way: Way, seconds: float) -> Reached:
    """Connect, ask for nothing but a header, and part. Raises OSError (ssl.SSLError, TimeoutError), HTTPException."""
    return within(seconds, lambda: _reached(way, seconds))


def connection(way: Way, reached: Reached | Exception, now: datetime) -> Iterator[Finding]:
    """Whether the service is reached and proves who it is."""
    where = f"{way.host}:{way.port}"
    if isinstance(reached, ssl.SSLCertVerificationError):
        yield failure(f"{where} does not prove who it is: {reached.verify_message}", _of_certificate(reached), _NETWORK)
    elif isinstance(reached, TimeoutError):
        yield failure(f"{where}: no answer in time", "Check the network, a firewall, and the proxy.", _NETWORK)
    elif isinstance(reached, Exception):
        reason = getattr(reached, "strerror", None) or str(reached) or type(reached).__name__
        hint = "Check the network, a firewall, the proxy, and base_url in the profile."
        yield failure(f"{where} is not reached: {reason}", hint, _NETWORK)
    elif not way.tls:
        yield ok(f"{where} answers; TLS is not used, as nothing leaves this machine")
    else:
        yield _of_days(where, reached.certificate, now)


def clock(reached: Reached | Exception) -> Iterator[Finding]:
    """This machine's clock against the service's Date, which counts in whole seconds."""
    if isinstance(reached, Exception):
        return
    try:
        theirs = parsedate_to_datetime(reached.date).timestamp()
    except (TypeError, ValueError):
        yield warning("the service did not say what time it is", "Compare the clock with another one.")
        return
    early, late = reached.asked - theirs - 1, reached.answered - theirs
    off = early if early > 0 else late if late < 0 else 0.0
    words = f"{abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the service" if off else "as the service's"
    hint = "Set the clock of this machine, best by NTP: signals carry its time."
    if abs(off) > CLOCK_FAILS:
        yield failure(words, hint, ExitCode.CONFIG)
    elif abs(off) > CLOCK_WARNS:
        yield warning(words, hint)
    else:
        yield ok(words)


def within(seconds: float, work: Callable[[], T]) -> T:
    """The result of work that must not take longer; nothing else bounds a name lookup. Raises TimeoutError."""
    results: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # raised again below, in the thread that can report it
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError
    return results[0]


def _reached(way: Way, seconds: float) -> Reached:
    talk = _connection(way, seconds)
    try:
        talk.connect()
        certificate = talk.sock.getpeercert() if way.tls and isinstance(talk.sock, ssl.SSLSocket) else None
        asked = time.time()
        talk.request("HEAD", "/", headers={"User-Agent": "cpctl"})
        answer = talk.getresponse()
        return Reached(certificate or {}, answer.getheader("Date") or "", asked, time.time())
    finally:
        talk.close()


def _connection(way: Way, seconds: float) -> http.client.HTTPConnection:
    first = urlsplit(way.proxy if "://" in way.proxy or not way.proxy else f"http://{way.proxy}")
    host, port = (first.hostname or "", first.port or 8080) if way.proxy else (way.host, way.port)
    made: http.client.HTTPConnection
    if way.tls:
        trusted = ssl.create_default_context(cafile=way.authorities or None)
        made = http.client.HTTPSConnection(host, port, timeout=seconds, context=trusted)
    else:
        made = http.client.HTTPConnection(host, port, timeout=seconds)
    if way.proxy:
        login = f"{unquote(first.username or '')}:{unquote(first.password or '')}"
        header = {"Proxy-Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if first.username else {}
        made.set_tunnel(way.host, way.port, header)
    return made


def _of_certificate(error: ssl.SSLCertVerificationError) -> str:
    if "expired" in error.verify_message or "not yet valid" in error.verify_message:
        return "Check the date of this machine; if it is right, the service must renew its certificate."
    return (
        "Something between here and the service reads along (a proxy, a virus scanner), or base_url is wrong. "
        "If it is meant to, name its certificate authority in REQUESTS_CA_BUNDLE."
    )


def _of_days(where: str, certificate: dict[str, Any], now: datetime) -> Finding:
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    issuer = dict(pair for part in certificate.get("issuer", ()) for pair in part)
    by = issuer.get("organizationName") or issuer.get("commonName") or "somebody without a name"
    left = (ends - now).days
    said = f"{where} proves who it is; its certificate is by {by} and ends in {left} days"
    return ok(said) if left >= DAYS_LEFT else warning(said, "The service must renew it in time.")
