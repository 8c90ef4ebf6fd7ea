"""Checks of the network, step by step: proxy, name, connection and certificate, clock."""

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
# A signal carries the time of its event, so the clocks of shop and service must agree.
CLOCK_WARNING_SECONDS, CLOCK_FAILURE_SECONDS = 60.0, 600.0
CERTIFICATE_WARNING_DAYS = 14
_NETWORK_STATUS = ExitCode.TEMPORARY


class ConnectionSettings(NamedTuple):
    """How to reach a base URL: through which proxy ("" for none), and with which file of certificate authorities."""

    base_url: str
    proxy: str
    ca_bundle: str

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""

    @property
    def uses_tls(self) -> bool:
        return urlsplit(self.base_url).scheme == "https"

    @property
    def port(self) -> int:
        return urlsplit(self.base_url).port or (443 if self.uses_tls else 80)


class ConnectionProbe(NamedTuple):
    """The result of a connection: the certificate, the service's Date header, and our times before and after it."""

    certificate: dict[str, Any]
    server_date: str
    requested_at: float
    responded_at: float


def mask_credentials(text: str) -> str:
    """The text without users and passwords in URLs, also in a proxy without a scheme."""
    return _URL_CREDENTIALS.sub("***@", text)


def check_proxy(settings: ConnectionSettings) -> Iterator[Finding]:
    """Report the proxy in use."""
    route = f"through {mask_credentials(settings.proxy)}" if settings.proxy else "without a proxy"
    yield ok(f"{settings.host} is reached {route}")


def check_dns(settings: ConnectionSettings, timeout_seconds: float) -> Iterator[Finding]:
    """Check that the host name resolves, unless a proxy resolves it."""
    if settings.proxy:
        yield ok("not resolved here; the proxy does it")
        return
    try:
        addresses = run_with_timeout(
            timeout_seconds, lambda: socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        )
    except TimeoutError:
        message = f"{settings.host}: no answer from the name server within {timeout_seconds:g} s"
        yield failure(message, "Check the name server of this machine.", _NETWORK_STATUS)
    except OSError as error:
        message = f"cannot resolve {settings.host}: {error.strerror}"
        yield failure(message, "Check the network, the name server, and base_url in the profile.", _NETWORK_STATUS)
    else:
        yield ok(f"{settings.host} resolves to {', '.join(dict.fromkeys(str(entry[4][0]) for entry in addresses))}")


def probe_connection(settings: ConnectionSettings, timeout_seconds: float) -> ConnectionProbe:
    """Connect and send one HEAD request. Raises OSError (ssl.SSLError, TimeoutError), HTTPException."""
    return run_with_timeout(timeout_seconds, lambda: _probe(settings, timeout_seconds))


def check_connection(
    settings: ConnectionSettings, probe: ConnectionProbe | Exception, now: datetime
) -> Iterator[Finding]:
    """Check that the service is reached and that its certificate is valid."""
    address = f"{settings.host}:{settings.port}"
    if isinstance(probe, ssl.SSLCertVerificationError):
        message = f"{address}: TLS certificate verification failed: {probe.verify_message}"
        yield failure(message, _certificate_hint(probe), _NETWORK_STATUS)
    elif isinstance(probe, TimeoutError):
        yield failure(
            f"{address}: no response in time", "Check the network, a firewall, and the proxy.", _NETWORK_STATUS
        )
    elif isinstance(probe, Exception):
        reason = getattr(probe, "strerror", None) or str(probe) or type(probe).__name__
        hint = "Check the network, a firewall, the proxy, and base_url in the profile."
        yield failure(f"cannot connect to {address}: {reason}", hint, _NETWORK_STATUS)
    elif not settings.uses_tls:
        yield ok(f"{address} responds; without TLS, because it is this machine")
    else:
        yield _check_expiry(address, probe.certificate, now)


def check_clock(probe: ConnectionProbe | Exception) -> Iterator[Finding]:
    """Compare this machine's clock with the service's Date header, which has whole seconds."""
    if isinstance(probe, Exception):
        return
    try:
        server_time = parsedate_to_datetime(probe.server_date).timestamp()
    except (TypeError, ValueError):
        yield warning("the service sent no time to compare with", "Compare the clock with another one.")
        return
    # The header was made at some moment between our two times, and its second may have just begun or be nearly over.
    earliest, latest = probe.requested_at - server_time - 1, probe.responded_at - server_time
    offset = earliest if earliest > 0 else latest if latest < 0 else 0.0
    side = "ahead of" if offset > 0 else "behind"
    message = f"{abs(offset):.0f} s {side} the service" if offset else "the same time as the service"
    remedy = "Set the clock of this machine, preferably by NTP: signals carry its time."
    if abs(offset) > CLOCK_FAILURE_SECONDS:
        yield failure(message, remedy, ExitCode.CONFIG)
    elif abs(offset) > CLOCK_WARNING_SECONDS:
        yield warning(message, remedy)
    else:
        yield ok(message)


def _probe(settings: ConnectionSettings, timeout_seconds: float) -> ConnectionProbe:
    connection = _make_connection(settings, timeout_seconds)
    try:
        connection.connect()
        certificate = connection.sock.getpeercert() if isinstance(connection.sock, ssl.SSLSocket) else None
        requested_at = time.time()
        connection.request("HEAD", "/", headers={"User-Agent": "cpctl"})
        response = connection.getresponse()
        return ConnectionProbe(certificate or {}, response.getheader("Date") or "", requested_at, time.time())
    finally:
        connection.close()


def _make_connection(settings: ConnectionSettings, timeout_seconds: float) -> http.client.HTTPConnection:
    tls = ssl.create_default_context(cafile=settings.ca_bundle or None) if settings.uses_tls else None
    return make_connection(settings.host, settings.port, timeout_seconds, tls, settings.proxy)


def _certificate_hint(error: ssl.SSLCertVerificationError) -> str:
    if "expired" in error.verify_message or "not yet valid" in error.verify_message:
        return "Check the date of this machine; if it is right, the service must renew its certificate."
    return (
        "A proxy or a virus scanner may intercept the connection, or base_url is wrong. "
        "If the interception is intended, name its certificate authority in REQUESTS_CA_BUNDLE."
    )


def _check_expiry(address: str, certificate: dict[str, Any], now: datetime) -> Finding:
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    issuer = dict(pair for part in certificate.get("issuer", ()) for pair in part)
    name = issuer.get("organizationName") or issuer.get("commonName") or "an unnamed issuer"
    days_left = (ends - now).days
    message = f"{address} has a valid certificate from {name}; it expires in {days_left} days"
    return (
        ok(message) if days_left >= CERTIFICATE_WARNING_DAYS else warning(message, "The service must renew it in time.")
    )
