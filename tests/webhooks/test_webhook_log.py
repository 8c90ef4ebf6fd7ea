"""The log of a receiver: one line per webhook, whatever is in it; and a flood makes few lines."""

import json
import re
from datetime import UTC, datetime, timedelta
from threading import Event, Lock

import pytest
from webhook_server import ORDER, WRONG_KEY, Served, event, eventually, request, serving
from worlds import World

from cpctl.webhooks.server.access_log import MAX_REFUSALS_PER_SECOND, AccessLog

EVIL = {
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


def lines(server: Served) -> list[str]:
    """The lines about requests."""
    return [line for line in server.said().split("\n") if re.match(r"\d{4}-|\{", line)]


def test_one_line_of_text_tells_of_each_webhook(hook_world: World) -> None:
    with serving(hook_world) as server:
        kept = server.post(event(1)).data["event"]
        server.post(event(1))
        server.post(event(2, apikey=WRONG_KEY))
        server.says("wrong key")
        first, second, third = lines(server)
        assert re.fullmatch(
            rf"(\S+ \S+) stored status=200 type=ItemShipped order={ORDER} item=123456780001 event={kept}"
            r" sender=127\.0\.0\.1 ms=[0-9.]+",
            first,
        )
        at = datetime.fromisoformat(" ".join(first.split()[:2]))
        assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
        assert (
            f" known already status=200 type=ItemShipped order={ORDER} item=123456780001 event={kept} times=2" in second
        )
        assert re.search(r" wrong key, or none status=401 sender=127\.0\.0\.1 ms=[0-9.]+$", third)


def test_the_same_as_json(hook_world: World) -> None:
    with serving(hook_world, "--log-format", "json") as server:
        kept = server.post(event(1)).data["event"]
        server.post(b"{")
        server.says("not readable")
        stored, refused = (json.loads(line) for line in lines(server))
        assert datetime.fromisoformat(stored.pop("time")).tzinfo is not None
        assert stored.pop("ms") >= 0
        assert stored == {
            "what": "stored",
            "status": 200,
            "type": "ItemShipped",
            "order": ORDER,
            "item": "123456780001",
            "event": kept,
            "sender": "127.0.0.1",
        }
        assert (refused["what"], refused["status"]) == ("not readable", 400)
        assert refused["why"].startswith("not JSON: ")


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_that_is_sent_breaks_a_line_or_makes_one(hook_world: World, form: str) -> None:
    with serving(hook_world, "--log-format", form) as server:
        for number, evil in enumerate(EVIL.values()):
            assert server.post(event(number, type=evil, order=evil, item=evil)).status == 200
        server.says("sender", len(EVIL))
        said = server.said()
        assert len(lines(server)) == len(EVIL)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", said)
        for line in lines(server):
            if form == "json":
                assert json.loads(line)["what"] == "stored"
            else:
                assert re.match(r"\S+ \S+ stored status=200 ", line)
                assert len(re.findall(r'(?<![\w"\\=])status=', re.sub(r'"(?:[^"\\]|\\.)*"', '""', line))) == 1


def test_what_a_stranger_says_in_a_head_makes_one_line_and_a_short_one(hook_world: World) -> None:
    with serving(hook_world) as server:
        kinds = ["text/x stored status=200", "text/\x9b31m", "text/" + "a" * 10_000]
        for kind in kinds:
            data = request(b"{}", f"Content-Type: {kind}\r\n").decode("latin-1", "replace").encode("latin-1", "replace")
            assert server.exchange(data).status == 415
        server.exchange(b"A" * 5000 + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.says("not POST")
        assert len(lines(server)) == len(kinds) + 1
        assert "\x9b" not in server.said()
        assert max(map(len, lines(server))) < 500
        assert 'why="text/x stored status=200"' in server.said()


def test_endless_values_are_cut_in_the_log_and_whole_in_the_store(hook_world: World) -> None:
    with serving(hook_world) as server:
        server.post(event(1, order="9" * 100_000))
        server.says("stored")
        assert max(map(len, lines(server))) < 1000
        assert server.rows("SELECT length(order_id) AS n FROM events") == [{"n": 100_000}]


def test_a_flood_of_refusals_makes_few_lines_that_say_how_many_there_were(hook_world: World) -> None:
    with serving(hook_world) as server:
        for number in range(300):
            assert server.post(event(number, apikey=WRONG_KEY)).status == 401
        assert server.post(event(1)).status == 200
        server.says("stored status=200")

        def told() -> int:
            skipped = sum(map(int, re.findall(r"more refused count=(\d+)", server.said())))
            return skipped + server.said().count("wrong key, or none")

        eventually(lambda: told() == 300, lambda: f"{told()} of 300")
        seconds = {line[:19] for line in lines(server)}
        assert server.said().count("wrong key, or none") <= MAX_REFUSALS_PER_SECOND * (len(seconds) + 1)


def test_lines_are_hidden_by_quiet_and_problems_are_not(hook_world: World) -> None:
    with serving(hook_world, "-q") as server:
        server.post(event(1))
        server.post(event(1, apikey=WRONG_KEY))
        server.says("wrong key")
        assert "stored" not in server.said()
        assert "Receives webhooks" not in server.said()


def test_a_reader_that_is_slow_delays_nobody_and_is_told_what_it_missed() -> None:
    """Ten thousand lines wait for it; what comes beyond them is counted."""
    goes_on, written, lock = Event(), [""], Lock()

    def write(text: str, problem: bool) -> None:
        goes_on.wait(60)
        with lock:
            written.append(text)

    log = AccessLog(write, "text")
    log.write("first", {})
    eventually(lambda: not log._lines, "it is being written")
    for number in range(10_500):
        log.write("line", {"n": number})
    assert log.stop(0.1) is False
    goes_on.set()
    eventually(lambda: "lines of this log were lost" in "\n".join(written), "told")
    text = "\n".join(written)
    lost = int(re.search(r"(\d+) lines of this log were lost", text)[1])  # type: ignore[index]
    assert text.count(" line n=") + lost == 10_500
