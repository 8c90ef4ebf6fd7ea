"""/health and /metrics."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from harness.cli_environment import UNREACHABLE_URL, CliEnvironment
from harness.webhooks.prometheus_text import MetricFamily, parse_metrics
from harness.webhooks.webhook_server import (
    WRONG_KEY,
    RunningServer,
    encode_request,
    running_server,
    wait_until,
    webhook_body,
)
from harness.webhooks.webhook_targets import target_server

METRIC_PREFIX = "cpctl_webhooks_"


def read_metrics(server: RunningServer) -> dict[str, MetricFamily]:
    answer = server.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parse_metrics(answer.body.decode())


@pytest.fixture
def metrics_server(webhook_cli: CliEnvironment) -> Iterator[RunningServer]:
    with running_server(webhook_cli) as running:
        yield running


def test_every_metric_has_a_help_text_and_a_type(metrics_server: RunningServer) -> None:
    for name, family in read_metrics(metrics_server).items():
        assert name.startswith(METRIC_PREFIX)
        assert family.help.endswith(".")
        assert (family.type == "counter") == name.endswith(("_total", "_sum"))


def test_responses_and_events_are_counted(metrics_server: RunningServer) -> None:
    for number in (1, 2, 2, 2):
        metrics_server.post(webhook_body(number))
    metrics_server.post(webhook_body(3, type="ItemError"))
    metrics_server.post(webhook_body(4, apikey=WRONG_KEY))
    metrics_server.post(b"{")
    metrics_server.get("/")
    found = read_metrics(metrics_server)
    assert found[f"{METRIC_PREFIX}responses_total"].samples == {
        'code="200"': 5,
        'code="400"': 1,
        'code="401"': 1,
        'code="405"': 1,
    }
    assert found[f"{METRIC_PREFIX}events_total"].samples == {'type="ItemError"': 1, 'type="ItemShipped"': 2}
    assert found[f"{METRIC_PREFIX}duplicates_total"].samples == {"": 2}
    assert found[f"{METRIC_PREFIX}unauthorized_total"].samples == {"": 1}
    assert found[f"{METRIC_PREFIX}response_seconds_total"].samples[""] > 0
    assert found[f"{METRIC_PREFIX}commits_total"].samples[""] >= 5
    assert found[f"{METRIC_PREFIX}connections"].samples[""] >= 1
    now = time.time()
    assert (
        now - 60
        < found[f"{METRIC_PREFIX}start_timestamp_seconds"].samples[""]
        <= found[f"{METRIC_PREFIX}last_event_timestamp_seconds"].samples[""]
        <= now + 1
    )


def test_senders_cannot_create_series_without_limit(metrics_server: RunningServer) -> None:
    before = len(metrics_server.get("/metrics").body.splitlines())
    with metrics_server.connect() as wire:
        for number in range(200):
            wire.send(
                encode_request(webhook_body(number, type=f'Evil{number}"}} 1\n{METRIC_PREFIX}x{{a="'))
            ).read_response()
    for number in range(20):
        metrics_server.send_raw(f"BREW{number} /{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    found = read_metrics(metrics_server)
    assert found[f"{METRIC_PREFIX}events_total"].samples == {'type="other"': 200}
    assert len(metrics_server.get("/metrics").body.splitlines()) < before + 10


def test_target_names_are_escaped(webhook_cli: CliEnvironment) -> None:
    command = """sh -c 'echo "a\\b" > /dev/null' "größer\n{},=" """
    with running_server(webhook_cli, "--exec", command, "--forward-to", f"{UNREACHABLE_URL}/?a=%22{{}}\\") as server:
        server.post(webhook_body())
        attempts = f"{METRIC_PREFIX}delivery_attempts_total"
        wait_until(lambda: len(read_metrics(server)[attempts].samples) == 2, "both were attempted")
        found = read_metrics(server)
        labels = [label for label in found[f"{METRIC_PREFIX}backlog"].samples if label.startswith('target="exec')]
        assert labels == [
            'target="exec ' + command.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        ]


def test_the_backlog_of_each_target_is_shown(webhook_cli: CliEnvironment) -> None:
    with target_server() as target, running_server(webhook_cli, "--forward-to", target.url, "--exec", "true") as server:
        target.choose_status = lambda taken: 500
        health = server.get("/health").data
        assert [each["waiting"] for each in health["targets"]] == [0, 0]
        for number in range(3):
            server.post(webhook_body(number))
        name = f"forward {target.url}"
        label = f'target="{name}"'
        wait_until(
            lambda: read_metrics(server)[f"{METRIC_PREFIX}backlog"].samples == {label: 3, 'target="exec true"': 0},
            "three wait",
        )
        found = read_metrics(server)
        assert abs(found[f"{METRIC_PREFIX}backlog_oldest_timestamp_seconds"].samples[label] - time.time()) < 60
        assert found[f"{METRIC_PREFIX}failed_deliveries"].samples[label] == 0
        assert found[f"{METRIC_PREFIX}delivery_attempts_total"].samples['target="exec true",outcome="done"'] == 3
        assert found[f"{METRIC_PREFIX}delivery_attempts_total"].samples[f'{label},outcome="failed"'] >= 1
        health = server.get("/health").data
        assert health["targets"][0]["target"] == name
        assert health["targets"][0]["waiting"] == 3
        assert 0 <= health["targets"][0]["oldest_seconds"] < 60
        assert health["targets"][1] == {"target": "exec true", "waiting": 0, "oldest_seconds": None, "failed": 0}
        target.choose_status = lambda taken: 200
        wait_until(lambda: read_metrics(server)[f"{METRIC_PREFIX}backlog"].samples[label] == 0, "all are closed")


def test_health_shows_the_last_event_even_after_a_restart(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli) as server:
        assert server.get("/health").data == {
            "status": "ok",
            "profile": "default",
            "store_writable": True,
            "last_event": None,
            "targets": [],
        }
        server.post(webhook_body())
        last = server.get("/health").data["last_event"]
        assert abs(datetime.fromisoformat(last).timestamp() - time.time()) < 60
        server.stop()
    with running_server(webhook_cli) as server:
        assert server.get("/health").data["last_event"] == last


def test_health_answers_head_requests(metrics_server: RunningServer) -> None:
    answer = metrics_server.send_raw(b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_health_requests_write_at_most_once_a_second(metrics_server: RunningServer) -> None:
    before = read_metrics(metrics_server)[f"{METRIC_PREFIX}commits_total"].samples[""]
    started = time.monotonic()
    with metrics_server.connect() as wire:
        for _ in range(200):
            assert wire.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").read_response("GET").status == 200
    commits = read_metrics(metrics_server)[f"{METRIC_PREFIX}commits_total"].samples[""] - before
    assert commits <= time.monotonic() - started + 2
