"""The access log: one line per webhook, whatever it contains, and few lines for many refusals."""

import json
import re
from datetime import UTC, datetime, timedelta
from threading import Event, Lock

import pytest

from cpctl.webhooks.server.access_log import MAX_REFUSALS_PER_SECOND, AccessLog
from harness.cli_environment import CliEnvironment
from harness.webhooks.webhook_server import (
    ORDER,
    WRONG_KEY,
    RunningServer,
    encode_request,
    running_server,
    wait_until,
    webhook_body,
)

HOSTILE_TEXTS = {
    "a line break": "a\nstored status=200",
    "a carriage return": "a\rb",
    "an escape": "\x1b[2J\x1b]0;title\x07",
    "C1": "a\x9b31mb\x85c",
    "other line breaks": "a\u2028b\u2029c\x0bd\x0ce",
    "marks of direction": "a\u202eb\u2066c",
    "a NUL": "a\0b",
    "pairs": 'x status=200 type="y',
    "half a character": "\ud800",
}


def access_log_lines(server: RunningServer) -> list[str]:
    """The lines about requests."""
    return [line for line in server.log_text().split("\n") if re.match(r"\d{4}-|\{", line)]


def test_each_webhook_is_one_line_of_text(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli) as server:
        event_id = server.post(webhook_body(1)).data["event"]
        server.post(webhook_body(1))
        server.post(webhook_body(2, apikey=WRONG_KEY))
        server.wait_for_log("wrong or missing key")
        first, second, third = access_log_lines(server)
        assert re.fullmatch(
            rf"(\S+ \S+) stored status=200 type=ItemShipped order={ORDER} item=123456780001 event={event_id}"
            r" sender=127\.0\.0\.1 ms=[0-9.]+",
            first,
        )
        at = datetime.fromisoformat(" ".join(first.split()[:2]))
        assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
        assert (
            f" already stored status=200 type=ItemShipped order={ORDER} item=123456780001"
            f" event={event_id} received_count=2" in second
        )
        assert re.search(r" wrong or missing key status=401 sender=127\.0\.0\.1 ms=[0-9.]+$", third)


def test_each_webhook_is_one_line_of_json(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli, "--log-format", "json") as server:
        event_id = server.post(webhook_body(1)).data["event"]
        server.post(b"{")
        server.wait_for_log("invalid webhook")
        stored, refused = (json.loads(line) for line in access_log_lines(server))
        assert datetime.fromisoformat(stored.pop("time")).tzinfo is not None
        assert stored.pop("ms") >= 0
        assert stored == {
            "message": "stored",
            "status": 200,
            "type": "ItemShipped",
            "order": ORDER,
            "item": "123456780001",
            "event": event_id,
            "sender": "127.0.0.1",
        }
        assert (refused["message"], refused["status"]) == ("invalid webhook", 400)
        assert refused["reason"].startswith("not JSON: ")


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_webhook_can_break_or_forge_a_line(webhook_cli: CliEnvironment, form: str) -> None:
    with running_server(webhook_cli, "--log-format", form) as server:
        for number, evil in enumerate(HOSTILE_TEXTS.values()):
            assert server.post(webhook_body(number, type=evil, order=evil, item=evil)).status == 200
        server.wait_for_log("sender", len(HOSTILE_TEXTS))
        log_text = server.log_text()
        assert len(access_log_lines(server)) == len(HOSTILE_TEXTS)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", log_text)
        for line in access_log_lines(server):
            if form == "json":
                assert json.loads(line)["message"] == "stored"
            else:
                assert re.match(r"\S+ \S+ stored status=200 ", line)
                assert len(re.findall(r'(?<![\w"\\=])status=', re.sub(r'"(?:[^"\\]|\\.)*"', '""', line))) == 1


def test_headers_cannot_break_or_forge_a_line(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli) as server:
        kinds = ["text/x stored status=200", "text/\x9b31m", "text/" + "a" * 10_000]
        for kind in kinds:
            data = (
                encode_request(b"{}", f"Content-Type: {kind}\r\n")
                .decode("latin-1", "replace")
                .encode("latin-1", "replace")
            )
            assert server.send_raw(data).status == 415
        server.send_raw(b"A" * 5000 + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for_log("not POST")
        assert len(access_log_lines(server)) == len(kinds) + 1
        assert "\x9b" not in server.log_text()
        assert max(map(len, access_log_lines(server))) < 500
        assert 'reason="text/x stored status=200"' in server.log_text()


def test_long_values_are_cut_in_the_log_but_stored_in_full(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli) as server:
        server.post(webhook_body(1, order="9" * 100_000))
        server.wait_for_log("stored")
        assert max(map(len, access_log_lines(server))) < 1000
        assert server.select_rows("SELECT length(order_id) AS n FROM events") == [{"n": 100_000}]


def test_many_refusals_make_few_lines_with_their_count(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli) as server:
        for number in range(300):
            assert server.post(webhook_body(number, apikey=WRONG_KEY)).status == 401
        assert server.post(webhook_body(1)).status == 200
        server.wait_for_log("stored status=200")

        def refusal_count() -> int:
            skipped = sum(map(int, re.findall(r"more refused count=(\d+)", server.log_text())))
            return skipped + server.log_text().count("wrong or missing key")

        wait_until(lambda: refusal_count() == 300, lambda: f"{refusal_count()} of 300")
        seconds = {line[:19] for line in access_log_lines(server)}
        assert server.log_text().count("wrong or missing key") <= MAX_REFUSALS_PER_SECOND * (len(seconds) + 1)


def test_quiet_hides_lines_but_not_problems(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli, "-q") as server:
        server.post(webhook_body(1))
        server.post(webhook_body(1, apikey=WRONG_KEY))
        server.wait_for_log("wrong or missing key")
        assert "stored" not in server.log_text()
        assert "Receiving webhooks" not in server.log_text()


def test_a_slow_reader_delays_nothing_and_gets_the_count_of_lost_lines() -> None:
    """Ten thousand lines are queued; lines beyond that are counted."""
    goes_on, written, lock = Event(), [""], Lock()

    def write(text: str, problem: bool) -> None:
        goes_on.wait(60)
        with lock:
            written.append(text)

    log = AccessLog(write, "text")
    log.write("first", {})
    wait_until(lambda: not log._lines, "the first line is being written")
    for number in range(10_500):
        log.write("line", {"n": number})
    assert log.stop(0.1) is False
    goes_on.set()
    wait_until(lambda: "log lines were lost" in "\n".join(written), "recorded")
    text = "\n".join(written)
    lost = int(re.search(r"(\d+) log lines were lost", text)[1])  # type: ignore[index]
    assert text.count(" line n=") + lost == 10_500
