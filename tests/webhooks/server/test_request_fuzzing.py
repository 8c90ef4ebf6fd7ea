"""Fuzzing: never a 5xx, never a hang, and 200 means exactly one new or repeated event."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.webhooks.webhook_server import (
    KEY,
    RawConnection,
    RunningServer,
    encode_request,
    make_webhook_cli,
    running_server,
    webhook_body,
)

FUZZ_SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FIELDS = ("type", "order", "item", "order_reference", "item_reference", "datetime", "tracking", "cause", "apikey ")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
SCALARS |= st.text(st.characters(categories=["Cs"]), min_size=1, max_size=3)  # lone surrogates
SCALARS |= st.datetimes().map(str)
JSON_VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=15)
JSON_OBJECTS = st.dictionaries(st.sampled_from(FIELDS) | st.text(), JSON_VALUES, max_size=12)


@pytest.fixture(scope="module")
def fuzz_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server for the fuzz tests only."""
    cli = make_webhook_cli(tmp_path_factory.mktemp("fuzzed"))
    with running_server(cli, "-q", "--request-seconds", "5") as running:
        yield running
        assert running.process.poll() is None
        assert "Traceback" not in running.log_text()
        assert "a bug" not in running.log_text()


def received_counts(server: RunningServer) -> dict[int, int]:
    """The received count of each event."""
    return {row["id"]: row["received_count"] for row in server.select_rows("SELECT id, received_count FROM events")}


@given(body=st.binary(max_size=2000) | st.text(max_size=500).map(lambda text: text.encode("utf-8", "replace")))
@FUZZ_SETTINGS
def test_random_bytes_are_refused(fuzz_server: RunningServer, body: bytes) -> None:
    assert fuzz_server.post(body).status in (400, 401)


@given(value=JSON_VALUES)
@FUZZ_SETTINGS
def test_random_json_without_the_key_is_refused(fuzz_server: RunningServer, value: Any) -> None:
    assert fuzz_server.post(json.dumps(value).encode()).status == (401 if isinstance(value, dict) else 400)


@given(fields=JSON_OBJECTS, ascii_only=st.booleans(), indent=st.sampled_from([None, 2]))
@settings(FUZZ_SETTINGS, max_examples=80)
def test_any_object_with_the_key_is_one_event(
    fuzz_server: RunningServer, fields: dict[str, Any], ascii_only: bool, indent: int | None
) -> None:
    payload = {**fields, "apikey": KEY}
    try:
        body = json.dumps(payload, ensure_ascii=ascii_only, indent=indent).encode()
    except UnicodeEncodeError:  # a lone surrogate must be escaped
        body = json.dumps(payload, indent=indent).encode()
    before = received_counts(fuzz_server)
    answer = fuzz_server.post(body)
    assert answer.status == 200, body
    event_id, received_count = answer.data["event"], answer.data["received_count"]
    after = received_counts(fuzz_server)
    assert after == {**before, event_id: before.get(event_id, 0) + 1}
    assert received_count == after[event_id]
    swapped = dict(reversed(payload.items()))
    assert fuzz_server.post(json.dumps(swapped).encode()).data == {
        "event": event_id,
        "received_count": received_count + 1,
    }
    (row,) = fuzz_server.select_rows(f"SELECT payload FROM events WHERE id = {event_id}")
    assert json.loads(row["payload"]).keys() == fields.keys() - {"apikey"}


VALID_REQUEST = encode_request(webhook_body(1), "Accept: */*\r\nUser-Agent: fuzz\r\n")
HEAD_LENGTH = VALID_REQUEST.index(b"\r\n\r\n") + 4
FRAGMENTS = st.binary(max_size=8) | st.sampled_from(
    [
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b":",
        b" ",
        b"\0",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"HTTP/1.0",
        b"Expect: 100-continue\r\n",
        b"Connection: close\r\n",
        b"Content-Length: 99999999999\r\n",
        b"GET",
        b"%00",
        b"\xff",
    ]
)


@st.composite
def broken_requests(draw: st.DrawFn) -> bytes:
    """A valid request with some bytes of its head replaced."""
    data = VALID_REQUEST
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, HEAD_LENGTH))
        end = min(start + draw(st.integers(0, 20)), HEAD_LENGTH)
        data = data[:start] + draw(FRAGMENTS) + data[end:]
    return data


@given(data=broken_requests() | st.binary(max_size=500))
@FUZZ_SETTINGS
def test_a_corrupted_request_never_makes_a_wrong_event(fuzz_server: RunningServer, data: bytes) -> None:
    fuzz_server.post(webhook_body(1))
    before = received_counts(fuzz_server)
    statuses = response_statuses(fuzz_server.connect(), data)
    assert all(status in (100, 200) or 400 <= status < 500 for status in statuses), (data, statuses)
    more = sum(received_counts(fuzz_server).values()) - sum(before.values())
    assert len(received_counts(fuzz_server)) == len(before), "the body says the same, or it is no event"
    assert more >= statuses.count(200) or b"GET" in data


def response_statuses(wire: RawConnection, data: bytes) -> list[int]:
    """The statuses until the server closes or waits for more data."""
    statuses = []
    with wire:
        try:
            wire.send(data)
            wire.socket.settimeout(0.1)
            while True:
                statuses.append(wire.read_response().status)
        except OSError:
            return statuses


def test_fuzzing_leaves_the_server_healthy(fuzz_server: RunningServer) -> None:
    assert fuzz_server.get("/health").data["status"] == "ok"
    assert fuzz_server.select_rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    metrics = fuzz_server.get("/metrics").body
    assert b'code="5' not in metrics
    assert fuzz_server.resident_mib() < 200
