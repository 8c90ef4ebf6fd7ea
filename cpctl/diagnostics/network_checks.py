"""The way to the service, a step at a time: name, connection and certificate, the service's clock."""

import http.client
import re
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cpctl.diagnostics.findings import Finding, failure, ok, warning
from cpctl.errors import ExitCode
from cpctl.net import make_connection, run_with_timeout

_URL_CREDENTIALS = re.compile(r"(?:(?<=//)|^)[^/@\s]+@")
# A signal says when something happened; the service and the shop must mean the same by it.
CLOCK_WARNING_SECONDS, CLOCK_FAILURE_SECONDS = 60.0, 600.0
CERTIFICATE_WARNING_DAYS = 14
_NETWORK_STATUS = ExitCode.TEMPORARY


class ConnectionSettings(NamedTuple):
    """The way to a base URL: the proxy it goes through ("" for none), and whom it trusts (a file, for TLS)."""

    base_url: str
    proxy: str
    ca_bundle: str

    @property
    def host(self) -> str:
        """The name or address of the service."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def uses_tls(self) -> bool:
        """Whether what is sent is encrypted."""
        return urlsplit(self.base_url).scheme == "https"

    @property
    def port(self) -> int:
        """The port of the service."""
        return urlsplit(self.base_url).port or (443 if self.uses_tls else 80)


class ConnectionProbe(NamedTuple):
    """What a connection told: the certificate, the service's Date, and between which of our times it was asked."""

    certificate: dict[str, Any]
    server_date: str
    requested_at: float
    responded_at: float


def mask_credentials(text: str) -> str:
    """A text in which no URL has a user and password; proxies are also named without a scheme."""
    return _URL_CREDENTIALS.sub("***@", text)


def check_proxy(settings: ConnectionSettings) -> Iterator[Finding]:
    """Whether a proxy stands in the way."""
    if settings.proxy:
        yield ok(f"{mask_credentials(settings.proxy)} is used for {settings.host}")
    else:
        yield ok(f"none is used for {settings.host}")


def check_dns(settings: ConnectionSettings, timeout_seconds: float) -> Iterator[Finding]:
    """Whether the name of the service is known here. Behind a proxy the proxy looks it up."""
    if settings.proxy:
        yield ok("not looked up here; the proxy does it")
        return
    try:
        known = run_with_timeout(
            timeout_seconds, lambda: socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        )
    except TimeoutError:
        yield failure(
            f"{settings.host}: no answer within {timeout_seconds:g} s",
            "Check the name server of this machine.",
            _NETWORK_STATUS,
        )
    except OSError as error:
        said = f"{settings.host} is not known: {error.strerror}"
        yield failure(said, "Check the network, the name server, and base_url in the profile.", _NETWORK_STATUS)
    else:
        yield ok(f"{settings.host} is {', '.join(dict.fromkeys(str(entry[4][0]) for entry in known))}")


def probe_connection(settings: ConnectionSettings, timeout_seconds: float) -> ConnectionProbe:
    """Connect, ask for nothing but a header, and part. Raises OSError (ssl.SSLError, TimeoutError), HTTPException."""
    return run_with_timeout(timeout_seconds, lambda: _probe(settings, timeout_seconds))


def check_connection(
    settings: ConnectionSettings, probe: ConnectionProbe | Exception, now: datetime
) -> Iterator[Finding]:
    """Whether the service is reached and proves who it is."""
    where = f"{settings.host}:{settings.port}"
    if isinstance(probe, ssl.SSLCertVerificationError):
        yield failure(
            f"{where} does not prove who it is: {probe.verify_message}", _certificate_hint(probe), _NETWORK_STATUS
        )
    elif isinstance(probe, TimeoutError):
        yield failure(f"{where}: no answer in time", "Check the network, a firewall, and the proxy.", _NETWORK_STATUS)
    elif isinstance(probe, Exception):
        reason = getattr(probe, "strerror", None) or str(probe) or type(probe).__name__
        hint = "Check the network, a firewall, the proxy, and base_url in the profile."
        yield failure(f"{where} is not reached: {reason}", hint, _NETWORK_STATUS)
    elif not settings.uses_tls:
        yield ok(f"{where} answers; TLS is not used, as nothing leaves this machine")
    else:
        yield _check_expiry(where, probe.certificate, now)


def check_clock(probe: ConnectionProbe | Exception) -> Iterator[Finding]:
    """This machine's clock against the service's Date, which counts in whole seconds."""
    if isinstance(probe, Exception):
        return
    try:
        theirs = parsedate_to_datetime(probe.server_date).timestamp()
    except (TypeError, ValueError):
        yield warning("the service did not say what time it is", "Compare the clock with another one.")
        return
    early, late = probe.requested_at - theirs - 1, probe.responded_at - theirs
    off = early if early > 0 else late if late < 0 else 0.0
    words = f"{abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the service" if off else "as the service's"
    hint = "Set the clock of this machine, best by NTP: signals carry its time."
    if abs(off) > CLOCK_FAILURE_SECONDS:
        yield failure(words, hint, ExitCode.CONFIG)
    elif abs(off) > CLOCK_WARNING_SECONDS:
        yield warning(words, hint)
    else:
        yield ok(words)


def _probe(settings: ConnectionSettings, timeout_seconds: float) -> ConnectionProbe:
    talk = _make_connection(settings, timeout_seconds)
    try:
        talk.connect()
        certificate = talk.sock.getpeercert() if settings.uses_tls and isinstance(talk.sock, ssl.SSLSocket) else None
        asked = time.time()
        talk.request("HEAD", "/", headers={"User-Agent": "cpctl"})
        answer = talk.getresponse()
        return ConnectionProbe(certificate or {}, answer.getheader("Date") or "", asked, time.time())
    finally:
        talk.close()


def _make_connection(settings: ConnectionSettings, timeout_seconds: float) -> http.client.HTTPConnection:
    tls = ssl.create_default_context(cafile=settings.ca_bundle or None) if settings.uses_tls else None
    return make_connection(settings.host, settings.port, timeout_seconds, tls, settings.proxy)


def _certificate_hint(error: ssl.SSLCertVerificationError) -> str:
    if "expired" in error.verify_message or "not yet valid" in error.verify_message:
        return "Check the date of this machine; if it is right, the service must renew its certificate."
    return (
        "Something between here and the service reads along (a proxy, a virus scanner), or base_url is wrong. "
        "If it is meant to, name its certificate authority in REQUESTS_CA_BUNDLE."
    )


def _check_expiry(where: str, certificate: dict[str, Any], now: datetime) -> Finding:
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    issuer = dict(pair for part in certificate.get("issuer", ()) for pair in part)
    by = issuer.get("organizationName") or issuer.get("commonName") or "somebody without a name"
    left = (ends - now).days
    said = f"{where} proves who it is; its certificate is by {by} and ends in {left} days"
    return ok(said) if left >= CERTIFICATE_WARNING_DAYS else warning(said, "The service must renew it in time.")
