"""Servers on loopback that a shop should never meet: wrong clocks, certificates that prove nothing, a proxy."""

import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest


class ServerCertificate(NamedTuple):
    """A certificate for 127.0.0.1 with its key."""

    file: Path
    key: Path


def make_certificate(folder: Path, days: tuple[int, int] = (-1, 300), name: str = "IP:127.0.0.1") -> ServerCertificate:
    """A certificate that signs itself, good from and to so many days from now."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    made = ServerCertificate(folder / "server.pem", folder / "server-key.pem")
    first, last = (f"{datetime.now(UTC) + timedelta(days=number):%Y%m%d%H%M%SZ}" for number in days)
    settings = folder / "openssl.cnf"
    (folder / "index.txt").write_text("")
    settings.write_text(
        "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
        f"policy=any\nx509_extensions=site\n[any]\nO=optional\nCN=supplied\n[site]\nsubjectAltName={name}\n"
        "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n"
        "[req]\ndistinguished_name=who\n[who]\n"
    )
    asked = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/O=Print House/CN=shop", "-out"]
    asked += ["server.csr", "-keyout", made.key.name, "-config", settings.name]
    signed = ["openssl", "ca", "-batch", "-selfsign", "-config", settings.name, "-in", "server.csr", "-notext"]
    signed += ["-keyfile", made.key.name, "-startdate", first, "-enddate", last, "-out", made.file.name]
    for command in (asked, signed):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return made


@contextmanager
def skewed_clock_server(
    clock_offset_seconds: float | None = 0, certificate: ServerCertificate | None = None, body: bytes = b"[]"
) -> Iterator[str]:
    """A server whose clock is off by so many seconds; None leaves the Date out. Its URL."""

    class Answering(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(200)
            if clock_offset_seconds is not None:
                self.send_header(
                    "Date", format_datetime(datetime.now(UTC) + timedelta(seconds=clock_offset_seconds), usegmt=True)
                )
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_HEAD()
            self.wfile.write(body)

        def log_message(self, format: str, *values: object) -> None:
            """Say nothing."""

    with _running_server(Answering, certificate) as address:
        yield address


@contextmanager
def refusing_server(make_body: Callable[[bytes], bytes]) -> Iterator[str]:
    """A server that refuses everything in words made of what it was sent. Its URL."""

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = make_body(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(400)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *values: object) -> None:
            """Say nothing."""

    with _running_server(Refusing, None) as address:
        yield address


@contextmanager
def refusing_proxy(requests: list[str]) -> Iterator[str]:
    """A proxy that lets nobody through, and keeps what it was asked."""

    class Refusing(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            requests.append(f"{self.path} {self.headers.get('Proxy-Authorization')}")
            self.send_error(407)

        def log_message(self, format: str, *values: object) -> None:
            """Say nothing."""

    with _running_server(Refusing, None) as address:
        yield address


@contextmanager
def _running_server(handler: type[BaseHTTPRequestHandler], certificate: ServerCertificate | None) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *anything: None  # type: ignore[method-assign]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
