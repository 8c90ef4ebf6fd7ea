"""The web servers of docs/services.md, run on loopback in front of a receiver that records requests."""

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.services_guide import services_blocks

HOST = "hooks.example.com"
BODY = json.dumps({"apikey": "canary-key-9f31c2d8", "type": "ItemShipped"}).encode()
TIMEOUT_SECONDS = 30.0


class ForwardedRequest(NamedTuple):
    """A request as the receiver got it."""

    method: str
    path: str
    forwarded_for: str | None
    body: bytes


class RecordingServer(ThreadingHTTPServer):
    """Answers 200 and records the request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RecordingHandler)
        self.requests: list[ForwardedRequest] = []


class _RecordingHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        request = ForwardedRequest(self.command, self.path, self.headers["X-Forwarded-For"], body)
        self.server.requests.append(request)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = do_POST

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


class ReverseProxy(NamedTuple):
    """A web server in front of a receiver."""

    port: int
    receiver: RecordingServer
    folder: Path

    def send_request(self, method: str, path: str, body: bytes = b"", **headers: str) -> int:
        """The status of one request over TLS, with the host name of the certificate."""
        trust = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_SECONDS)
        connection.sock = trust.wrap_socket(raw, server_hostname=HOST)
        try:
            connection.request(method, path, body, {"Host": HOST, **headers})
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture(params=["nginx", "caddy"])
def reverse_proxy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReverseProxy]:
    """Each documented web server; only ports, paths and the certificate are changed."""
    program = _find_program(request.param)
    _make_certificate(tmp_path)
    with _recording_server() as receiver, _ProxyProcess(program, tmp_path, receiver.server_port) as port:
        yield ReverseProxy(port, receiver, tmp_path)


def test_a_webhook_is_passed_on_with_the_address_of_its_sender(reverse_proxy: ReverseProxy) -> None:
    assert reverse_proxy.send_request("POST", "/webhooks", BODY) == 200
    assert reverse_proxy.receiver.requests == [ForwardedRequest("POST", "/webhooks", "127.0.0.1", BODY)]


def test_a_forged_sender_address_is_not_passed_on(reverse_proxy: ReverseProxy) -> None:
    reverse_proxy.send_request("POST", "/webhooks", BODY, **{"X-Forwarded-For": "203.0.113.7"})
    assert reverse_proxy.receiver.requests[0].forwarded_for == "127.0.0.1"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_passed_on(reverse_proxy: ReverseProxy, method: str) -> None:
    assert reverse_proxy.send_request(method, "/webhooks") in (404, 405)
    assert reverse_proxy.receiver.requests == []


@pytest.mark.parametrize("path", ["/", "/health", "/metrics", "/webhooks/", "/webhooks/../health", "/%68ealth"])
def test_only_one_path_is_passed_on(reverse_proxy: ReverseProxy, path: str) -> None:
    assert reverse_proxy.send_request("POST", path, BODY) in (400, 404)
    assert reverse_proxy.receiver.requests == []


def test_a_body_of_nearly_one_megabyte_is_passed_on(reverse_proxy: ReverseProxy) -> None:
    body = b"x" * 990_000
    assert reverse_proxy.send_request("POST", "/webhooks", body) == 200
    assert reverse_proxy.receiver.requests[0].body == body


def test_a_larger_body_is_refused(reverse_proxy: ReverseProxy) -> None:
    try:
        status = reverse_proxy.send_request("POST", "/webhooks", b"x" * 3_000_000)
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # answered and closed before the whole body was sent
    assert status in (413, 502)
    assert [request for request in reverse_proxy.receiver.requests if len(request.body) > 1_100_000] == []


def test_while_the_receiver_is_down_the_sender_gets_502(reverse_proxy: ReverseProxy) -> None:
    reverse_proxy.receiver.shutdown()
    reverse_proxy.receiver.server_close()
    assert reverse_proxy.send_request("POST", "/webhooks", BODY) in (502, 503, 504)


def test_the_web_server_writes_the_key_to_no_file(reverse_proxy: ReverseProxy) -> None:
    large = BODY + b" " * 500_000
    assert reverse_proxy.send_request("POST", "/webhooks", large) == 200
    files = [file.read_bytes() for file in reverse_proxy.folder.rglob("*") if file.is_file()]
    assert not [each for each in files if b"canary-key" in each]
    # nginx deletes such a file after the response, but logs it.
    assert not [each for each in files if b"temporary file" in each]


@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_the_web_server_accepts_the_documented_configuration(name: str, tmp_path: Path) -> None:
    """The web server's own check; nginx gets the ports and certificate of this test, because it opens them."""
    program = _find_program(name)
    _make_certificate(tmp_path)
    if name == "nginx":
        # nginx binds its ports even for a check; the documented ones need root.
        config = _write_nginx_config(tmp_path, _adapt_nginx_block(tmp_path, *_free_ports(3)))
        command = [program, "-t", *_nginx_options(config, tmp_path)]
    else:
        config = tmp_path / "Caddyfile"
        config.write_text(services_blocks("caddy")[0])
        command = [program, "validate", "--adapter", "caddyfile", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, env=_environment(tmp_path), timeout=60)
    assert done.returncode == 0, done.stderr


def _find_program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None or shutil.which("openssl") is None:
        pytest.skip(f"{name} (or openssl) is missing: nobody has tried the block for {name} in docs/services.md")
    return found


def _make_certificate(folder: Path) -> None:
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    names = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(["openssl", *words.split(), *names, *files], check=True, capture_output=True)


@contextmanager
def _recording_server() -> Iterator[RecordingServer]:
    with RecordingServer() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


class _ProxyProcess:
    """Run the documented web server; yields its port."""

    def __init__(self, program: str, folder: Path, receiver_port: int) -> None:
        self._folder = folder
        self._port, other = _free_ports(2)
        nginx = Path(program).name == "nginx"
        write = self._nginx if nginx else self._caddy
        self._command = [program, *write(receiver_port, other)]
        self._running: subprocess.Popen[bytes] | None = None

    def _nginx(self, receiver_port: int, other: int) -> list[str]:
        block = _adapt_nginx_block(self._folder, self._port, other, receiver_port)
        return [*_nginx_options(_write_nginx_config(self._folder, block), self._folder), "-g", "daemon off;"]

    def _caddy(self, receiver_port: int, other: int) -> list[str]:
        tls = f"{HOST} {{\n\ttls {self._folder}/cert.pem {self._folder}/key.pem\n"
        block = _replace_once(services_blocks("caddy")[0], f"{HOST} {{\n", tls)
        block = _replace_once(block, "127.0.0.1:8100", f"127.0.0.1:{receiver_port}")
        ports = f"{{\n\tadmin off\n\thttp_port {other}\n\thttps_port {self._port}\n\tdefault_bind 127.0.0.1\n}}\n"
        config = self._folder / "Caddyfile"
        config.write_text(ports + block)
        return ["run", "--adapter", "caddyfile", "--config", str(config)]

    def __enter__(self) -> int:
        with (self._folder / "log").open("wb") as log:
            self._running = subprocess.Popen(self._command, stderr=log, stdout=log, env=_environment(self._folder))
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not _is_listening(self._port):
            if self._running.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise AssertionError((self._folder / "log").read_text())
            time.sleep(0.02)
        return self._port

    def __exit__(self, *of_an_error: object) -> None:
        assert self._running is not None
        self._running.terminate()
        self._running.wait(timeout=TIMEOUT_SECONDS)


def _adapt_nginx_block(folder: Path, port: int, other: int, receiver_port: int) -> str:
    block = re.sub(r"/etc/letsencrypt/\S*fullchain.pem", str(folder / "cert.pem"), services_blocks("nginx")[0])
    block = re.sub(r"/etc/letsencrypt/\S*privkey.pem", str(folder / "key.pem"), block)
    block = _replace_once(block, "listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    block = _replace_once(block, "listen [::]:443 ssl", f"listen 127.0.0.1:{other} ssl")
    return _replace_once(block, "127.0.0.1:8100", f"127.0.0.1:{receiver_port}")


def _write_nginx_config(folder: Path, block: str) -> Path:
    """The rest of Debian's nginx.conf."""
    config = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    config.write_text(
        f"{user}pid {folder}/nginx.pid;\nerror_log {folder}/error.log warn;\nworker_processes 1;\nevents {{}}\n"
        f"http {{\naccess_log {folder}/access.log;\n"
        + "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"{block}}}\n"
    )
    return config


def _nginx_options(config: Path, folder: Path) -> list[str]:
    return ["-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)]


def _replace_once(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"the document no longer says {old!r} once"
    return text.replace(old, new)


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder / "share")}


def _free_ports(number: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [int(each.getsockname()[1]) for each in taken]
    for each in taken:
        each.close()
    return ports


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
