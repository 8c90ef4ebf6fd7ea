"""/health and /metrics: what a monitor sees."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from prometheus_text import Family, read_families
from webhook_server import WRONG_KEY, Served, event, eventually, request, serving
from webhook_target import target_server
from worlds import NOBODY, World

P = "cpctl_webhooks_"


def numbers(server: Served) -> dict[str, Family]:
    answer = server.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return read_families(answer.body.decode())


@pytest.fixture
def server(hook_world: World) -> Iterator[Served]:
    with serving(hook_world) as running:
        yield running


def test_every_number_has_a_meaning_and_a_kind(server: Served) -> None:
    for name, family in numbers(server).items():
        assert name.startswith(P)
        assert family.meaning.endswith(".")
        assert (family.kind == "counter") == name.endswith(("_total", "_sum"))


def test_answers_and_events_are_counted(server: Served) -> None:
    for number in (1, 2, 2, 2):
        server.post(event(number))
    server.post(event(3, type="ItemError"))
    server.post(event(4, apikey=WRONG_KEY))
    server.post(b"{")
    server.get("/")
    found = numbers(server)
    assert found[f"{P}answers_total"].samples == {
        'code="200"': 5,
        'code="400"': 1,
        'code="401"': 1,
        'code="405"': 1,
    }
    assert found[f"{P}events_total"].samples == {'type="ItemError"': 1, 'type="ItemShipped"': 2}
    assert found[f"{P}duplicates_total"].samples == {"": 2}
    assert found[f"{P}unauthorised_total"].samples == {"": 1}
    assert found[f"{P}answer_seconds_sum"].samples[""] > 0
    assert found[f"{P}commits_total"].samples[""] >= 5
    assert found[f"{P}connections"].samples[""] >= 1
    now = time.time()
    assert (
        now - 60
        < found[f"{P}start_timestamp_seconds"].samples[""]
        <= found[f"{P}last_event_timestamp_seconds"].samples[""]
        <= now + 1
    )


def test_no_sender_makes_numbers_without_end(server: Served) -> None:
    before = len(server.get("/metrics").body.splitlines())
    with server.wire() as wire:
        for number in range(200):
            wire.send(request(event(number, type=f'Evil{number}"}} 1\n{P}x{{a="'))).answer()
    for number in range(20):
        server.exchange(f"BREW{number} /{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    found = numbers(server)
    assert found[f"{P}events_total"].samples == {'type="other"': 200}
    assert len(server.get("/metrics").body.splitlines()) < before + 10


def test_names_of_targets_are_written_as_the_format_wants_them(hook_world: World) -> None:
    command = """sh -c 'echo "a\\b" > /dev/null' "größer\n{},=" """
    with serving(hook_world, "--exec", command, "--forward-to", f"{NOBODY}/?a=%22{{}}\\") as server:
        server.post(event())
        attempts = f"{P}handovers_total"
        eventually(lambda: len(numbers(server)[attempts].samples) == 2, "both tried")
        found = numbers(server)
        labels = [label for label in found[f"{P}backlog"].samples if label.startswith('target="exec')]
        assert labels == [
            'target="exec ' + command.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        ]


def test_the_backlog_of_each_target_is_shown_and_its_oldest(hook_world: World) -> None:
    with target_server() as target, serving(hook_world, "--forward-to", target.url, "--exec", "true") as server:
        target.answer = lambda taken: 500
        health = server.get("/health").data
        assert [each["waiting"] for each in health["targets"]] == [0, 0]
        for number in range(3):
            server.post(event(number))
        name = f"forward {target.url}"
        label = f'target="{name}"'
        eventually(lambda: numbers(server)[f"{P}backlog"].samples == {label: 3, 'target="exec true"': 0}, "three wait")
        found = numbers(server)
        assert abs(found[f"{P}backlog_oldest_timestamp_seconds"].samples[label] - time.time()) < 60
        assert found[f"{P}given_up"].samples[label] == 0
        assert found[f"{P}handovers_total"].samples['target="exec true",outcome="done"'] == 3
        assert found[f"{P}handovers_total"].samples[f'{label},outcome="failed"'] >= 1
        health = server.get("/health").data
        assert health["targets"][0]["target"] == name
        assert health["targets"][0]["waiting"] == 3
        assert 0 <= health["targets"][0]["oldest_seconds"] < 60
        assert health["targets"][1] == {"target": "exec true", "waiting": 0, "oldest_seconds": None, "failed": 0}
        target.answer = lambda taken: 200
        eventually(lambda: numbers(server)[f"{P}backlog"].samples[label] == 0, "all are gone")


def test_health_says_ok_and_when_an_event_last_came_also_after_a_restart(hook_world: World) -> None:
    with serving(hook_world) as server:
        assert server.get("/health").data == {
            "status": "ok",
            "profile": "default",
            "store_writable": True,
            "last_event": None,
            "targets": [],
        }
        server.post(event())
        last = server.get("/health").data["last_event"]
        assert abs(datetime.fromisoformat(last).timestamp() - time.time()) < 60
        server.stop()
    with serving(hook_world) as server:
        assert server.get("/health").data["last_event"] == last


def test_health_may_be_asked_for_by_head(server: Served) -> None:
    answer = server.exchange(b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_asking_for_health_again_and_again_writes_no_more_than_once_a_second(server: Served) -> None:
    before = numbers(server)[f"{P}commits_total"].samples[""]
    started = time.monotonic()
    with server.wire() as wire:
        for _ in range(200):
            assert wire.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").answer("GET").status == 200
    commits = numbers(server)[f"{P}commits_total"].samples[""] - before
    assert commits <= time.monotonic() - started + 2
