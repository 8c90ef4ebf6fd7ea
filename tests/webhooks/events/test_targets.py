"""Targets: events are posted to a URL or passed to a command, in the order of their item."""

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from harness.cli_environment import UNREACHABLE_URL, CliEnvironment
from harness.webhooks.webhook_server import (
    KEY,
    ORDER,
    RunningServer,
    encode_request,
    running_server,
    select_rows,
    wait_until,
    webhook_body,
)
from harness.webhooks.webhook_targets import (
    ReceivedAttempt,
    recorded_events,
    target_server,
    write_program,
    write_recorder,
)


def delivery_states(server: RunningServer) -> list[tuple[str, int]]:
    return [
        (row["state"], row["attempts"]) for row in server.select_rows("SELECT * FROM deliveries ORDER BY event, target")
    ]


def last_problem(server: RunningServer) -> str:
    """The problem of the last attempt of the first delivery; "" for none."""
    return str(server.select_rows("SELECT message FROM deliveries ORDER BY event LIMIT 1")[0]["message"])


def wait_all_done(server: RunningServer, count: int) -> None:
    wait_until(
        lambda: [state for state, _ in delivery_states(server)] == ["done"] * count,
        lambda: str(delivery_states(server)),
    )


def lifecycle_bodies(item: str, *kinds: str) -> list[dict[str, Any]]:
    """Events of one item, one per second."""
    return [
        webhook_body(1, item=item, type=kind, datetime=f"2026-01-21T13:00:{second:02}+00:00")
        for second, kind in enumerate(kinds)
    ]


ITEM_LIFECYCLE = ("ItemValidated", "ItemProduce", "ItemProduced", "ItemPacked", "ItemShipped")


def test_an_event_is_posted_as_received_without_its_key(webhook_cli: CliEnvironment) -> None:
    with target_server() as target, running_server(webhook_cli, "--forward-to", target.url) as server:
        said = webhook_body(1, extra={"deep": [1, "2"]}, message="größer")
        kept = server.post(said).data["event"]
        wait_until(lambda: target.accepted_bodies, "posted")
        (taken,) = target.attempts
        assert taken.body == {name: value for name, value in said.items() if name != "apikey"}
        assert taken.headers["content-type"] == "application/json"
        assert (taken.headers["cpctl-event"], taken.attempt) == (str(kept), 1)
        wait_all_done(server, 1)


def test_with_key_posts_the_key(webhook_cli: CliEnvironment) -> None:
    with target_server() as target, running_server(webhook_cli, "--forward-to", target.url, "--with-key") as server:
        server.post(webhook_body())
        wait_until(lambda: target.accepted_bodies, "posted")
        assert target.accepted_bodies[0] == webhook_body()
        assert KEY not in server.log_text()


def test_a_repeated_webhook_is_not_delivered_again(webhook_cli: CliEnvironment) -> None:
    with target_server() as target, running_server(webhook_cli, "--forward-to", target.url) as server:
        for number in (1, 1, 2, 1, 2):
            server.post(webhook_body(number))
        wait_all_done(server, 2)
        assert len(target.attempts) == 2


def test_a_command_gets_the_event_on_stdin_and_in_its_environment(webhook_cli: CliEnvironment) -> None:
    program = write_program(webhook_cli.folder / "program", """cat > "$0.out"; env | sort > "$0.env" """)
    with running_server(webhook_cli, "--exec", str(program)) as server:
        kept = server.post(webhook_body(1, message="a\nb", tracking="größer")).data["event"]
        wait_all_done(server, 1)
    (said,) = recorded_events(program)
    assert (said["event"], said["attempt"], said["message"]) == (kept, 1, "a\nb")
    assert "apikey" not in said
    lines = program.with_name("program.env").read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines if "=" in line)
    assert variables["CPCTL_EVENT_TYPE"] == "ItemShipped"
    assert variables["CPCTL_EVENT_ORDER"] == ORDER
    assert variables["CPCTL_EVENT_ITEM"] == "123456780001"
    assert variables["CPCTL_EVENT_TRACKING"] == "größer"
    assert variables["CPCTL_EVENT_SHIPPING_OPTION"] == "GLS"
    assert variables["CPCTL_EVENT_DATETIME"] == "2026-01-21T13:23:42+00:00"
    assert (variables["CPCTL_EVENT_ID"], variables["CPCTL_EVENT_ATTEMPT"]) == (str(kept), "1")


def test_no_shell_interprets_events_or_the_command(webhook_cli: CliEnvironment) -> None:
    shown = write_program(webhook_cli.folder / "shown", """printf '%s\\n' "$@" > "$0.args"; cat > "$0.out" """)
    evil = "$(touch evil); touch evil & `touch evil` | touch evil\n"
    with running_server(webhook_cli, "--exec", f"{shown} '$HOME' '; touch evil' \"a b\" *") as server:
        server.post(webhook_body(1, order=evil, tracking=evil, type=evil, PATH="/nowhere", LD_PRELOAD="/x.so"))
        wait_all_done(server, 1)
    assert shown.with_name("shown.args").read_text().splitlines() == ["$HOME", "; touch evil", "a b", "*"]
    assert not (webhook_cli.folder / "evil").exists()
    assert recorded_events(shown)[0]["tracking"] == evil


def test_values_that_an_environment_cannot_hold_are_only_in_the_json(webhook_cli: CliEnvironment) -> None:
    program = write_recorder(webhook_cli.folder / "recorded")
    with running_server(webhook_cli, "--exec", str(program)) as server:
        server.post(webhook_body(1, tracking="x" * 900_000, item="a\0b", order={"a": 1}, type=None))
        wait_all_done(server, 1)
    assert len(recorded_events(program)[0]["tracking"]) == 900_000


def test_no_variable_of_a_command_has_the_webhook_key(webhook_cli: CliEnvironment) -> None:
    program = write_program(webhook_cli.folder / "program", """env > "$0.env" """)
    changes = {
        "ALSO_THE_KEY": f"Bearer {KEY}",
        "CPCTL_SIGNAL_KEY": "signal-key-0123456789",
        "WATCHDOG_USEC": "1000000000",
        "CPCTL_WEBHOOK_OLD_KEY": "Nachtigall-0123456789",
    }
    with running_server(webhook_cli, "--exec", str(program), changes=changes) as server:
        server.post(webhook_body())
        wait_all_done(server, 1)
    environment = program.with_name("program.env").read_text()
    assert KEY not in environment
    assert "Nachtigall" not in environment
    assert "WATCHDOG" not in environment
    assert "CPCTL_SIGNAL_KEY=signal-key-0123456789" in environment, "other keys stay, so that a command can call cpctl"


def test_the_last_output_of_a_failing_command_is_stored_and_it_runs_again(webhook_cli: CliEnvironment) -> None:
    program = write_program(
        webhook_cli.folder / "program",
        """cat > "$0.out"
[ $CPCTL_EVENT_ATTEMPT = 1 ] && { seq 100000; echo "out of paper €" >&2; exit 3; }
exit 0""",
    )
    with running_server(webhook_cli, "--exec", str(program)) as server:
        server.post(webhook_body())
        wait_until(lambda: last_problem(server), "failed once")
        kept = last_problem(server)
        assert kept.startswith("status 3: ")
        assert kept.endswith("99999\n100000\nout of paper €")
        assert len(kept) < 600
        wait_until(lambda: delivery_states(server) == [("done", 2)], "done the second time")
        assert recorded_events(program)[0]["attempt"] == 2
        server.wait_for_log("delivery attempt failed")


def test_a_slow_command_is_killed_with_its_children(webhook_cli: CliEnvironment) -> None:
    program = write_program(webhook_cli.folder / "program", """sleep 1000 & echo $! > "$0.pid"; sleep 1000""")
    with running_server(webhook_cli, "--exec", str(program), "--delivery-seconds", "0.5") as server:
        server.post(webhook_body())
        wait_until(lambda: last_problem(server), "failed")
        assert last_problem(server) == "not finished within 0.5 s"
        child = int(program.with_name("program.pid").read_text())
        wait_until(lambda: not is_running(child), "its child is killed too")


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_background_processes_of_a_command_are_not_waited_for(webhook_cli: CliEnvironment) -> None:
    program = write_program(webhook_cli.folder / "program", """sleep 1000 & echo $! > "$0.pid" """)
    with running_server(webhook_cli, "--exec", str(program), "--delivery-seconds", "20") as server:
        started = time.monotonic()
        server.post(webhook_body())
        wait_all_done(server, 1)
        assert time.monotonic() - started < 15
        signal_child = int(program.with_name("program.pid").read_text())
        assert is_running(signal_child)
        os.kill(signal_child, signal.SIGKILL)


def test_the_output_of_a_command_cannot_fill_the_memory(webhook_cli: CliEnvironment) -> None:
    with running_server(
        webhook_cli, "--exec", "yes 0123456789012345678901234567890123456789", "--delivery-seconds", "2"
    ) as server:
        server.post(webhook_body())
        wait_until(lambda: last_problem(server), "failed")
        assert server.resident_mib() < 150


def test_a_command_need_not_read_its_input(webhook_cli: CliEnvironment) -> None:
    with running_server(webhook_cli, "--exec", "true") as server:
        server.post(webhook_body(1, filling="x" * 1_000_000))
        wait_all_done(server, 1)


def test_failed_attempts_are_retried_with_growing_delays(webhook_cli: CliEnvironment) -> None:
    with target_server() as target, running_server(webhook_cli, "--forward-to", target.url) as server:
        target.choose_status = lambda taken: 200 if taken.attempt == 3 else 500
        server.post(webhook_body())
        sql = (
            "SELECT message, next_attempt_at - last_attempt_at AS pause FROM deliveries"
            " WHERE message <> '' AND lease_until = 0"
        )
        found: list[dict[str, Any]] = []
        wait_until(lambda: found.extend(server.select_rows(sql)) or found, "failed once")
        assert "500" in found[0]["message"]
        assert found[0]["pause"] == 1000
        wait_all_done(server, 1)
        assert [taken.attempt for taken in target.attempts] == [1, 2, 3]
        first, second, third = (taken.received_at for taken in target.attempts)
        assert second - first > 0.9
        assert third - second > 4.5


@pytest.mark.parametrize("status", [301, 400, 404, 500, 503])
def test_any_status_but_2xx_is_a_failure(webhook_cli: CliEnvironment, status: int) -> None:
    with target_server() as target, running_server(webhook_cli, "--forward-to", target.url) as server:
        target.choose_status = lambda taken: 204 if taken.attempt > 1 else status
        server.post(webhook_body())
        wait_until(lambda: delivery_states(server) == [("done", 2)], "accepted the second time")


def test_a_failed_event_delays_only_later_events_of_its_item(webhook_cli: CliEnvironment) -> None:
    with target_server() as target, running_server(webhook_cli, "--forward-to", target.url) as server:

        def answer(taken: ReceivedAttempt) -> int:
            return (
                500
                if taken.body["item"] == "A" and taken.body["type"] == ITEM_LIFECYCLE[0] and taken.attempt < 3
                else 200
            )

        target.choose_status = answer
        with server.connect() as wire:
            for one in (*lifecycle_bodies("A", *ITEM_LIFECYCLE), *lifecycle_bodies("B", *ITEM_LIFECYCLE)):
                assert wire.send(encode_request(one)).read_response().status == 200
        wait_until(
            lambda: [one["type"] for one in target.accepted_bodies if one["item"] == "B"] == list(ITEM_LIFECYCLE),
            "B is whole",
        )
        assert [one for one in target.accepted_bodies if one["item"] == "A"] == []
        wait_all_done(server, 10)
        assert [one["type"] for one in target.accepted_bodies if one["item"] == "A"] == list(ITEM_LIFECYCLE)


def test_each_target_has_its_own_retries(webhook_cli: CliEnvironment) -> None:
    program = write_recorder(webhook_cli.folder / "recorded")
    with target_server() as target:
        target.choose_status = lambda taken: 500
        with running_server(
            webhook_cli, "--forward-to", target.url, "--exec", str(program), "--forward-to", f"{UNREACHABLE_URL}/x"
        ) as server:
            for one in lifecycle_bodies("A", *ITEM_LIFECYCLE):
                server.post(one)
            wait_until(lambda: len(recorded_events(program)) == len(ITEM_LIFECYCLE), "all recorded")
            assert [one["type"] for one in recorded_events(program)] == list(ITEM_LIFECYCLE)

            def done() -> dict[str, int]:
                sql = "SELECT target, sum(state = 'done') AS done FROM deliveries GROUP BY target"
                return {row["target"]: row["done"] for row in server.select_rows(sql)}

            refusing, away = f"forward {target.url}", f"forward {UNREACHABLE_URL}/x"
            wait_until(lambda: done() == {f"exec {program}": 5, refusing: 0, away: 0}, lambda: str(done()))


def median_response_seconds(server: RunningServer, first: int) -> float:
    """The median time of a response, in seconds."""
    times = []
    with server.connect() as wire:
        for number in range(first, first + 60):
            started = time.perf_counter()
            assert wire.send(encode_request(webhook_body(number))).read_response().status == 200
            times.append(time.perf_counter() - started)
    return median(times)


def test_a_hanging_target_delays_no_response(webhook_cli: CliEnvironment) -> None:
    program = write_program(webhook_cli.folder / "program", "exec sleep 30")
    with target_server() as target:
        with running_server(webhook_cli) as server:
            alone = median_response_seconds(server, 0)
        target.is_hanging.set()
        with running_server(webhook_cli, "--forward-to", target.url, "--exec", str(program)) as server:
            server.post(webhook_body(1000))
            wait_until(lambda: target.attempts, "the target hangs")
            beside = median_response_seconds(server, 100)
    assert beside < 20 * alone + 0.05, (beside, alone)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_a_target_that_was_down_gets_every_event_once_and_in_order(webhook_cli: CliEnvironment) -> None:
    port = free_port()
    sent = [one for number in range(10) for one in lifecycle_bodies(f"item-{number}", *ITEM_LIFECYCLE)]
    with running_server(webhook_cli, "--forward-to", f"http://127.0.0.1:{port}/events") as server:
        with server.connect() as wire:
            for one in sent:
                assert wire.send(encode_request(one)).read_response().status == 200
        server.wait_for_log("target unreachable")
        with target_server(port) as target:
            wait_all_done(server, len(sent))
            assert len(target.attempts) == len(sent)
            for number in range(10):
                assert [one["type"] for one in target.accepted_bodies if one["item"] == f"item-{number}"] == list(
                    ITEM_LIFECYCLE
                )
        assert {attempts for _, attempts in delivery_states(server)} == {1}, "an unreachable target costs no attempt"


def test_a_program_that_is_missing_for_a_while_costs_no_attempt(webhook_cli: CliEnvironment) -> None:
    program = write_recorder(webhook_cli.folder / "recorded")
    with running_server(webhook_cli, "--exec", str(program)) as server:
        away = program.rename(program.with_name("away"))
        server.post(webhook_body())
        server.wait_for_log("cannot run")
        away.rename(program)
        wait_all_done(server, 1)
        assert len(recorded_events(program)) == 1


def test_a_delivery_interrupted_by_a_kill_is_repeated_after_its_lease(
    webhook_cli: CliEnvironment,
) -> None:
    with target_server() as target:
        target.is_hanging.set()
        with running_server(webhook_cli, "--forward-to", target.url) as server:
            for one in lifecycle_bodies("A", *ITEM_LIFECYCLE):
                server.post(one)
            wait_until(lambda: target.attempts, "in progress")
            server.stop(signal.SIGKILL)
        target.is_hanging.clear()
        with running_server(webhook_cli, "--forward-to", target.url) as server:
            server.post(webhook_body(2, item="B"))
            wait_until(lambda: [one["item"] for one in target.accepted_bodies] == ["B"], "other items go on")
            # As if the lease of two minutes had ended.
            select_rows(
                webhook_cli.store, "UPDATE deliveries SET lease_until = 1, next_attempt_at = 1 WHERE state = 'waiting'"
            )
            wait_all_done(server, 6)
        assert [one["type"] for one in target.accepted_bodies if one["item"] == "A"] == list(ITEM_LIFECYCLE)


def test_waiting_events_are_delivered_after_a_restart(webhook_cli: CliEnvironment) -> None:
    with target_server() as target:
        with running_server(webhook_cli, "--forward-to", target.url) as server:
            target.choose_status = lambda taken: 500
            server.post(webhook_body())
            wait_until(lambda: last_problem(server), "failed")
            assert server.stop() == 143
        target.choose_status = lambda taken: 200
        with running_server(webhook_cli, "--forward-to", target.url) as server:
            wait_all_done(server, 1)


BAD_TARGETS = {
    "no program": (["--exec", "no-such-program-here"], "program not found"),
    "an empty command": (["--exec", ""], "program not found"),
    "an open quote": (["--exec", "sh -c 'x"], "Quote it"),
    "no URL": (["--forward-to", "somewhere"], "cannot receive events"),
    "in the open": (["--forward-to", "http://example.com/"], "cannot receive events"),
    "another scheme": (["--forward-to", "file:///etc/passwd"], "cannot receive events"),
    "a password": (["--forward-to", "https://a:b@example.com/"], "cannot receive events"),
    "a bad port": (["--forward-to", "http://127.0.0.1:99999/"], "cannot receive events"),
    "twice": (["--forward-to", UNREACHABLE_URL, "--forward-to", UNREACHABLE_URL], "is given twice"),
    "key for nobody": (["--with-key"], "--with-key needs --forward-to"),
    "the key in a URL": (["--forward-to", f"http://127.0.0.1:9/?key={KEY}"], "contains the webhook key"),
    "the key in a command": (["--exec", f"echo {KEY}"], "contains the webhook key"),
}


@pytest.mark.parametrize("name", BAD_TARGETS)
def test_an_invalid_target_is_refused_at_the_start(
    webhook_cli: CliEnvironment, invoke: Callable[..., Any], name: str
) -> None:
    options, words = BAD_TARGETS[name]
    result = invoke(webhook_cli, "webhooks", "serve", "--port", "0", *options)
    assert result.code == 2
    assert words in result.err
    assert result.out == ""
    assert KEY not in result.err
    assert not webhook_cli.store.exists()
