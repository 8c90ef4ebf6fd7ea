"""Webhooks over TLS: versions, time limits, and renewed certificates."""

import shutil
import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.certificates import KeyPair, make_key_pair, needs_openssl, trusting_context
from harness.cli_environment import CliEnvironment
from harness.webhooks.webhook_server import (
    RawConnection,
    RunningServer,
    encode_request,
    make_webhook_cli,
    running_server,
    wait_until,
    webhook_body,
)

pytestmark = needs_openssl
HANDSHAKE_SECONDS = 0.5


@pytest.fixture(scope="module")
def key_pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, KeyPair]:
    folder = tmp_path_factory.mktemp("pairs")
    made = {name: make_key_pair(folder, name) for name in ("first", "second")}
    return {**made, "guarded": make_key_pair(folder, "guarded", password="secret")}


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory, key_pairs: dict[str, KeyPair]) -> Iterator[RunningServer]:
    """A TLS server that aborts slow handshakes and requests."""
    with running_server(
        make_webhook_cli(tmp_path_factory.mktemp("secure")),
        *tls_options(key_pairs["first"]),
        "--request-seconds",
        str(HANDSHAKE_SECONDS),
        fast=True,
    ) as s:
        yield s
        assert "Traceback" not in s.log_text()


def tls_options(pair: KeyPair) -> list[str]:
    return ["--tls-cert", str(pair.cert), "--tls-key", str(pair.key)]


def certificate_subject(server: RunningServer, trusted: ssl.SSLContext) -> str:
    """The subject of the certificate of a new connection."""
    with server.connect(trusted) as wire:
        subject = wire.socket.getpeercert()["subject"]  # type: ignore[attr-defined]
    return str(subject[0][0][1])


def test_a_webhook_is_received_over_tls(tls_server: RunningServer, key_pairs: dict[str, KeyPair]) -> None:
    assert tls_server.address.startswith("https://127.0.0.1:")
    with tls_server.connect(trusting_context(key_pairs["first"])) as wire:
        assert wire.send(encode_request(webhook_body())).read_response().status == 200
        assert wire.send(encode_request(webhook_body())).read_response().data["received_count"] == 2
        assert wire.send(encode_request(webhook_body(), "Connection: close\r\n")).read_response().status == 200
        assert wire.wait_closed()


def test_a_body_of_many_tls_records_is_read(tls_server: RunningServer, key_pairs: dict[str, KeyPair]) -> None:
    data = encode_request(webhook_body(5, filling="x" * 900_000))
    assert tls_server.send_raw(data, tls=trusting_context(key_pairs["first"])).status == 200


def test_tls_1_2_and_1_3_are_supported(tls_server: RunningServer, key_pairs: dict[str, KeyPair]) -> None:
    for version, name in ((ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")):
        context = trusting_context(key_pairs["first"])
        context.minimum_version = context.maximum_version = version
        with tls_server.connect(context) as wire:
            assert wire.socket.version() == name  # type: ignore[attr-defined]
            assert wire.send(encode_request(webhook_body(2))).read_response().status == 200


def test_older_tls_is_refused(tls_server: RunningServer) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        tls_server.connect(context)


def test_plain_http_is_not_answered(tls_server: RunningServer) -> None:
    with tls_server.connect() as wire:
        wire.send(encode_request(webhook_body(3)))
        with pytest.raises((ConnectionError, ValueError, AssertionError)):
            wire.read_response()
    assert tls_server.select_rows("SELECT id FROM events WHERE item_reference = '3'") == []


@pytest.mark.parametrize(
    "data", [b"", bytes.fromhex("16030102000100"), b"\x16\x03\x01"], ids=["nothing", "half", "less"]
)
def test_a_slow_handshake_is_aborted(tls_server: RunningServer, data: bytes) -> None:
    with tls_server.connect() as wire:
        started = time.monotonic()
        wire.send(data)
        assert wire.wait_closed()
        assert 0.9 * HANDSHAKE_SECONDS < time.monotonic() - started < HANDSHAKE_SECONDS + 10


def test_a_client_that_never_closes_tls_is_disconnected(
    tls_server: RunningServer, key_pairs: dict[str, KeyPair]
) -> None:
    with tls_server.connect(trusting_context(key_pairs["first"])) as wire:
        assert wire.send(encode_request(webhook_body(4, apikey="wrong-wrong"))).read_response().status == 401
        raw = socket.socket(fileno=wire.socket.detach())
        try:
            raw.settimeout(12)
            while raw.recv(4096):
                pass
        except ConnectionResetError:
            pass
        finally:
            raw.close()


def test_slow_handshakes_do_not_delay_others(tls_server: RunningServer, key_pairs: dict[str, KeyPair]) -> None:
    waiting = [RawConnection(tls_server.port) for _ in range(50)]
    try:
        assert (
            tls_server.send_raw(encode_request(webhook_body(6)), tls=trusting_context(key_pairs["first"])).status == 200
        )
    finally:
        for wire in waiting:
            wire.__exit__()


def test_certificate_and_key_may_be_one_file(webhook_cli: CliEnvironment, key_pairs: dict[str, KeyPair]) -> None:
    both = webhook_cli.folder / "both.pem"
    both.write_bytes(key_pairs["first"].key.read_bytes() + key_pairs["first"].cert.read_bytes())
    with running_server(webhook_cli, "--tls-cert", str(both), fast=True) as server:
        assert server.send_raw(encode_request(webhook_body()), tls=trusting_context(key_pairs["first"])).status == 200


def test_a_renewed_certificate_needs_no_restart_and_closes_no_connection(
    webhook_cli: CliEnvironment, key_pairs: dict[str, KeyPair]
) -> None:
    live = KeyPair(webhook_cli.folder / "cert.pem", webhook_cli.folder / "key.pem")
    live.replace(key_pairs["first"])
    trusted = trusting_context(key_pairs["first"], key_pairs["second"])
    with running_server(webhook_cli, *tls_options(live), fast=True) as server, server.connect(trusted) as before:
        assert before.send(encode_request(webhook_body(1))).read_response().status == 200
        live.replace(key_pairs["second"])
        wait_until(lambda: certificate_subject(server, trusted) == "second", "the new certificate")
        server.wait_for_log("certificate renewed")
        assert before.send(encode_request(webhook_body(2))).read_response().status == 200


def test_a_renewal_by_symbolic_links_is_noticed(webhook_cli: CliEnvironment, key_pairs: dict[str, KeyPair]) -> None:
    live = KeyPair(webhook_cli.folder / "cert.pem", webhook_cli.folder / "key.pem")

    def link(pair: KeyPair) -> None:
        for ours, theirs in zip(live, pair, strict=True):
            draft = ours.with_name("draft")
            draft.symlink_to(theirs)
            draft.replace(ours)

    link(key_pairs["first"])
    trusted = trusting_context(key_pairs["first"], key_pairs["second"])
    with running_server(webhook_cli, *tls_options(live), fast=True) as server:
        assert certificate_subject(server, trusted) == "first"
        link(key_pairs["second"])
        wait_until(lambda: certificate_subject(server, trusted) == "second", "the new certificate")


BROKEN_RENEWALS: dict[str, Callable[[KeyPair, dict[str, KeyPair]], object]] = {
    "half a renewal": lambda live, pairs: shutil.copy(pairs["second"].cert, live.cert),
    "a key alone": lambda live, pairs: shutil.copy(pairs["second"].key, live.key),
    "nonsense": lambda live, pairs: live.cert.write_text("nonsense"),
    "an empty file": lambda live, pairs: live.key.write_text(""),
    "a password": lambda live, pairs: live.replace(pairs["guarded"]),
    "gone": lambda live, pairs: live.key.unlink(),
}


@pytest.mark.parametrize("name", BROKEN_RENEWALS)
def test_a_failed_renewal_leaves_the_old_certificate_in_use(
    webhook_cli: CliEnvironment, key_pairs: dict[str, KeyPair], name: str
) -> None:
    live = KeyPair(webhook_cli.folder / "cert.pem", webhook_cli.folder / "key.pem")
    live.replace(key_pairs["first"])
    trusted = trusting_context(key_pairs["first"], key_pairs["second"])
    with running_server(webhook_cli, *tls_options(live), fast=True) as server:
        BROKEN_RENEWALS[name](live, key_pairs)
        server.wait_for_log("the old one stays in use")
        assert server.send_raw(encode_request(webhook_body()), tls=trusted).status == 200
        assert certificate_subject(server, trusted) == "first"
        live.replace(key_pairs["second"])
        wait_until(lambda: certificate_subject(server, trusted) == "second", "recovered")
        assert server.log_text().count("stays in use") <= 2


def test_an_unusable_certificate_is_refused_with_a_message(
    webhook_cli: CliEnvironment, key_pairs: dict[str, KeyPair], invoke: Callable[..., Any]
) -> None:
    first, second, guarded = key_pairs["first"], key_pairs["second"], key_pairs["guarded"]
    nowhere = Path("nowhere.pem")
    cases: list[tuple[list[str], int, str]] = [
        (["--tls-key", str(first.key)], 2, "--tls-key needs --tls-cert"),
        (tls_options(KeyPair(nowhere, first.key)), 3, "Cannot read nowhere.pem: No such file"),
        (tls_options(KeyPair(first.cert, nowhere)), 3, "Cannot read nowhere.pem: No such file"),
        (tls_options(KeyPair(first.cert, second.key)), 3, "must belong to the certificate"),
        (tls_options(guarded), 3, "have no password"),
        (tls_options(KeyPair(first.key, first.key)), 3, "Cannot use the certificate"),
        (["--tls-cert", str(first.cert)], 3, "Cannot use the certificate"),
        (tls_options(KeyPair(webhook_cli.folder, webhook_cli.folder)), 3, "Cannot use the certificate"),
    ]
    for words, code, data in cases:
        result = invoke(webhook_cli, "webhooks", "serve", "--port", "0", *words)
        assert (result.code, result.out) == (code, ""), result
        assert data in result.err, (words, result.err)
