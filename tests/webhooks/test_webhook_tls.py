"""Webhooks over TLS: what is spoken, what is refused, and certificates that are renewed."""

import shutil
import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from webhook_certificates import Pair, make_pair, needs_openssl, trusting
from webhook_server import Served, Wire, event, eventually, request, serving, webhook_world
from worlds import World

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    folder = tmp_path_factory.mktemp("pairs")
    made = {name: make_pair(folder, name) for name in ("first", "second")}
    return {**made, "guarded": make_pair(folder, "guarded", password="secret")}


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, pairs: dict[str, Pair]) -> Iterator[Served]:
    """A server that speaks TLS, and cuts who takes longer than two seconds."""
    with serving(
        webhook_world(tmp_path_factory.mktemp("secure")), *options(pairs["first"]), "--request-seconds", "2"
    ) as s:
        yield s
        assert "Traceback" not in s.said()


def options(pair: Pair) -> list[str]:
    return ["--tls-cert", str(pair.cert), "--tls-key", str(pair.key)]


def shown_name(server: Served, trusted: ssl.SSLContext) -> str:
    """The name in the certificate that a new connection is shown."""
    with server.wire(trusted) as wire:
        subject = wire.socket.getpeercert()["subject"]  # type: ignore[attr-defined]
    return str(subject[0][0][1])


def test_a_webhook_comes_over_tls(secure: Served, pairs: dict[str, Pair]) -> None:
    assert secure.address.startswith("https://127.0.0.1:")
    with secure.wire(trusting(pairs["first"])) as wire:
        assert wire.send(request(event())).answer().status == 200
        assert wire.send(request(event())).answer().data["times"] == 2
        assert wire.send(request(event(), "Connection: close\r\n")).answer().status == 200
        assert wire.is_closed()


def test_a_body_of_many_records_is_read(secure: Served, pairs: dict[str, Pair]) -> None:
    data = request(event(5, filling="x" * 900_000))
    assert secure.exchange(data, tls=trusting(pairs["first"])).status == 200


def test_tls_1_3_is_spoken_and_1_2_as_well(secure: Served, pairs: dict[str, Pair]) -> None:
    for version, name in ((ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")):
        context = trusting(pairs["first"])
        context.minimum_version = context.maximum_version = version
        with secure.wire(context) as wire:
            assert wire.socket.version() == name  # type: ignore[attr-defined]
            assert wire.send(request(event(2))).answer().status == 200


def test_older_tls_is_refused(secure: Served) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        secure.wire(context)


def test_plain_http_is_not_answered(secure: Served) -> None:
    with secure.wire() as wire:
        wire.send(request(event(3)))
        with pytest.raises((ConnectionError, ValueError, AssertionError)):
            wire.answer()
    assert secure.rows("SELECT id FROM events WHERE item_reference = '3'") == []


@pytest.mark.parametrize(
    "said", [b"", bytes.fromhex("16030102000100"), b"\x16\x03\x01"], ids=["nothing", "half", "less"]
)
def test_a_handshake_that_never_ends_is_cut(secure: Served, said: bytes) -> None:
    with secure.wire() as wire:
        started = time.monotonic()
        wire.send(said)
        assert wire.is_closed()
        assert 1.5 < time.monotonic() - started < 12


def test_a_client_that_does_not_say_goodbye_is_let_go(secure: Served, pairs: dict[str, Pair]) -> None:
    with secure.wire(trusting(pairs["first"])) as wire:
        assert wire.send(request(event(4, apikey="wrong-wrong"))).answer().status == 401
        raw = socket.socket(fileno=wire.socket.detach())
        try:
            raw.settimeout(12)
            while raw.recv(4096):
                pass
        except ConnectionResetError:
            pass
        finally:
            raw.close()


def test_other_senders_do_not_wait_for_handshakes(secure: Served, pairs: dict[str, Pair]) -> None:
    waiting = [Wire(secure.port) for _ in range(50)]
    try:
        assert secure.exchange(request(event(6)), tls=trusting(pairs["first"])).status == 200
    finally:
        for wire in waiting:
            wire.__exit__()


def test_certificate_and_key_may_be_one_file(hook_world: World, pairs: dict[str, Pair]) -> None:
    both = hook_world.folder / "both.pem"
    both.write_bytes(pairs["first"].key.read_bytes() + pairs["first"].cert.read_bytes())
    with serving(hook_world, "--tls-cert", str(both)) as server:
        assert server.exchange(request(event()), tls=trusting(pairs["first"])).status == 200


def test_a_renewed_certificate_is_shown_without_a_restart_and_nobody_is_cut_off(
    hook_world: World, pairs: dict[str, Pair]
) -> None:
    live = Pair(hook_world.folder / "cert.pem", hook_world.folder / "key.pem")
    live.replace(pairs["first"])
    trusted = trusting(pairs["first"], pairs["second"])
    with serving(hook_world, *options(live)) as server, server.wire(trusted) as before:
        assert before.send(request(event(1))).answer().status == 200
        live.replace(pairs["second"])
        eventually(lambda: shown_name(server, trusted) == "second", "the new certificate")
        server.says("the certificate was renewed")
        assert before.send(request(event(2))).answer().status == 200


def test_a_renewal_by_links_is_noticed_as_well(hook_world: World, pairs: dict[str, Pair]) -> None:
    live = Pair(hook_world.folder / "cert.pem", hook_world.folder / "key.pem")

    def link(pair: Pair) -> None:
        for ours, theirs in zip(live, pair, strict=True):
            draft = ours.with_name("draft")
            draft.symlink_to(theirs)
            draft.replace(ours)

    link(pairs["first"])
    trusted = trusting(pairs["first"], pairs["second"])
    with serving(hook_world, *options(live)) as server:
        assert shown_name(server, trusted) == "first"
        link(pairs["second"])
        eventually(lambda: shown_name(server, trusted) == "second", "the new certificate")


SPOILED: dict[str, Callable[[Pair, dict[str, Pair]], object]] = {
    "half a renewal": lambda live, pairs: shutil.copy(pairs["second"].cert, live.cert),
    "a key alone": lambda live, pairs: shutil.copy(pairs["second"].key, live.key),
    "nonsense": lambda live, pairs: live.cert.write_text("nonsense"),
    "an empty file": lambda live, pairs: live.key.write_text(""),
    "a password": lambda live, pairs: live.replace(pairs["guarded"]),
    "gone": lambda live, pairs: live.key.unlink(),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_renewal_that_went_wrong_leaves_the_old_certificate_in_use(
    hook_world: World, pairs: dict[str, Pair], name: str
) -> None:
    live = Pair(hook_world.folder / "cert.pem", hook_world.folder / "key.pem")
    live.replace(pairs["first"])
    trusted = trusting(pairs["first"], pairs["second"])
    with serving(hook_world, *options(live)) as server:
        SPOILED[name](live, pairs)
        server.says("the old certificate stays in use")
        assert server.exchange(request(event()), tls=trusted).status == 200
        assert shown_name(server, trusted) == "first"
        live.replace(pairs["second"])
        eventually(lambda: shown_name(server, trusted) == "second", "mended")
        assert server.said().count("stays in use") <= 2


def test_a_certificate_that_cannot_be_used_is_refused_with_words(
    hook_world: World, pairs: dict[str, Pair], inside: Callable[..., Any]
) -> None:
    first, second, guarded = pairs["first"], pairs["second"], pairs["guarded"]
    nowhere = Path("nowhere.pem")
    cases: list[tuple[list[str], int, str]] = [
        (["--tls-key", str(first.key)], 2, "--tls-key is of no use without its certificate"),
        (options(Pair(nowhere, first.key)), 3, "nowhere.pem cannot be read: No such file"),
        (options(Pair(first.cert, nowhere)), 3, "nowhere.pem cannot be read: No such file"),
        (options(Pair(first.cert, second.key)), 3, "belongs to the certificate"),
        (options(guarded), 3, "the key has no password"),
        (options(Pair(first.key, first.key)), 3, "cannot be used"),
        (["--tls-cert", str(first.cert)], 3, "cannot be used"),
        (options(Pair(hook_world.folder, hook_world.folder)), 3, "cannot be used"),
    ]
    for words, code, said in cases:
        result = inside(hook_world, "webhooks", "serve", "--port", "0", *words)
        assert (result.code, result.out) == (code, ""), result
        assert said in result.err, (words, result.err)
