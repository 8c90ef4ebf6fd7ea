"""`cpctl doctor`: each thing that can be wrong, found under its name and with its remedy, and nothing is changed."""

import os
import socket
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cpctl.cli.commands.doctor.checks import CHECKS
from cpctl.diagnostics.network_checks import ConnectionSettings, check_connection, probe_connection
from cpctl.sandbox.faults import make_fault
from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.certificates import make_certificate
from harness.cli_environment import (
    UNREACHABLE_URL,
    CliEnvironment,
    CliResult,
    minimal_environment,
    sandbox_configuration,
    shipped_command,
)
from harness.prompt_session import PromptSession
from harness.servers.faulty_servers import refusing_proxy, skewed_clock_server

Invoke = Callable[..., CliResult]
# The authorities of the machine these tests run on are none of their business.
NO_CA_OVERRIDES = {"REQUESTS_CA_BUNDLE": None, "CURL_CA_BUNDLE": None}


def folder_snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """All files of a folder with content and mode."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mode) for file in found}


def findings(result: CliResult, check: str) -> list[dict[str, Any]]:
    """What was found under a name."""
    return [row for row in result.data if row["check"] == check]


def single_finding(result: CliResult, check: str) -> dict[str, Any]:
    """The one thing that was found under a name."""
    (row,) = findings(result, check)
    return row


def run_doctor(invoke: Invoke, cli: CliEnvironment, *more: str, **changes: str | None) -> CliResult:
    before = folder_snapshot(cli.folder)
    result = invoke(cli, "doctor", "-o", "json", *more, **{**NO_CA_OVERRIDES, **changes})
    assert folder_snapshot(cli.folder) == before, "the doctor changes nothing"
    assert not [key for key in API_KEYS.values() if key in result.out + result.err]
    return result


def test_a_shop_in_order_is_ok_in_every_line(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    result = run_doctor(invoke, cli)
    assert (result.code, result.err) == (0, "")
    assert [row["check"] for row in result.data] == [check.name for check in CHECKS]
    assert {row["level"] for row in result.data} == {"ok"}
    assert all(set(row) == {"check", "level", "said", "remedy"} for row in result.data)
    assert single_finding(result, "service")["said"] == "the service accepts the core key"
    assert "TLS is not used, as nothing leaves this machine" in single_finding(result, "connection")["said"]
    paths = {entry["path"] for entry in sandbox.state.journal.list_entries()}
    assert paths == {"/", "/cloudcore/1.0/shipping/levels"}
    assert not cli.store.exists()


def test_without_a_profile_the_machine_is_looked_at_and_the_next_step_is_named(
    unconfigured_cli: CliEnvironment, invoke: Invoke
) -> None:
    result = run_doctor(invoke, unconfigured_cli)
    assert result.code == 3
    assert "`cpctl profile init` makes one" in single_finding(result, "configuration")["said"]
    assert "the network is left out" in result.err
    assert {"disk", "store", "terminal"} <= {row["check"] for row in result.data}
    assert not {"name", "connection", "core key"} & {row["check"] for row in result.data}


@pytest.mark.parametrize("words", ["--offline", "--dry-run"])
def test_offline_and_in_a_dry_run_nobody_is_called(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, words: str
) -> None:
    result = run_doctor(invoke, cli, words)
    assert result.code == 0
    assert "connection" not in {row["check"] for row in result.data}
    assert sandbox.state.journal.list_entries() == []


def test_a_dry_run_runs_no_key_command(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.configure(f"profiles:\n  here:\n    core: {{api_key_command: [touch, {cli.folder}/ran]}}\n")
    assert "which a dry run does not run" in single_finding(run_doctor(invoke, cli, "--dry-run"), "core key")["said"]
    assert not (cli.folder / "ran").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("profiles:\n  here: [\n", "line 3"),
        ("profiles:\n  here: {timeout: soon}\n", 'timeout "soon" must be a number'),
        ("profiles:\n  a: {}\n  b: {}\n", "there are several profiles and no default_profile"),
    ],
)
def test_a_configuration_that_cannot_work_is_a_failure(
    cli: CliEnvironment, invoke: Invoke, text: str, said: str
) -> None:
    cli.configure(text)
    result = run_doctor(invoke, cli)
    assert result.code == 3
    assert single_finding(result, "configuration")["level"] == "failure"
    assert said in single_finding(result, "configuration")["said"]


def test_a_configuration_that_others_can_read_is_named_with_its_remedy(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.config.chmod(0o644)
    result = run_doctor(invoke, cli)
    assert result.code == 3
    assert single_finding(result, "configuration")["remedy"] == f"Type: chmod 600 {cli.config}"
    assert single_finding(result, "permissions")["remedy"] == f"Type: chmod 600 {cli.config}"


def test_a_store_and_folders_that_others_can_use_are_warned_of(cli: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli, *shipped_command(), "--queue-only")
    cli.store.chmod(0o644)
    cli.store.parent.chmod(0o777)
    result = run_doctor(invoke, cli, "--offline")
    remedies = {row["remedy"] for row in findings(result, "permissions")}
    assert {f"Type: chmod 600 {cli.store}", f"Type: chmod go-w {cli.store.parent}"} <= remedies


def test_the_remedy_for_one_key_in_two_places_names_the_profile(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.configure(
        "profiles:\n  here: {}\n  second: {core: {api_key: one-key-for-both}, signal: {api_key: one-key-for-both}}\n"
    )
    row = next(
        row for row in findings(run_doctor(invoke, cli, "--offline", "-p", "second"), "configuration") if row["remedy"]
    )
    assert row["remedy"] == "`cpctl profile set-key signal --profile second` takes the right one."


def test_each_key_is_looked_at(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    cli.configure(
        f"profiles:\n  here:\n    base_url: {sandbox.base_url}\n    core: {{api_key_file: nowhere}}\n"
        '    webhooks: {api_key_command: ["false"]}\n'
    )
    result = run_doctor(invoke, cli)
    assert result.code == 3
    assert "nowhere cannot be read" in single_finding(result, "core key")["said"]
    assert single_finding(result, "signal key")["level"] == "warning"
    assert "`cpctl profile set-key signal --profile here`" in single_finding(result, "signal key")["remedy"]
    assert "ended with status 1" in single_finding(result, "webhooks key")["said"]
    assert findings(result, "service") == []


def test_the_same_key_twice_is_warned_of(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    text = sandbox_configuration(sandbox.base_url).replace(API_KEYS["signal"], API_KEYS["core"])
    cli.configure(text)
    found = findings(run_doctor(invoke, cli, "--offline"), "configuration")
    assert [row["level"] for row in found] == ["ok", "warning"]


def test_a_key_that_the_service_refuses_ends_with_4(cli: CliEnvironment, invoke: Invoke) -> None:
    result = run_doctor(invoke, cli, CPCTL_CORE_KEY="a-key-of-nobody-here")
    assert result.code == 4
    row = single_finding(result, "service")
    assert "the service refused the key (403)" in row["said"]
    assert "`cpctl profile set-key core`" in row["remedy"]


@pytest.mark.parametrize("status", [500, 503, 429, 404])
def test_a_service_that_fails_is_not_a_wrong_key(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, status: int
) -> None:
    sandbox.add_fault(make_fault("status", status=status))
    result = run_doctor(invoke, cli, "--timeout", "2")
    assert result.code == 75
    assert f"({status})" in single_finding(result, "service")["said"]


def test_no_network_ends_with_75_and_one_failure(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.configure(sandbox_configuration(UNREACHABLE_URL))
    result = run_doctor(invoke, cli)
    assert result.code == 75
    assert [row["check"] for row in result.data if row["level"] == "failure"] == ["connection"]
    assert "Connection refused" in single_finding(result, "connection")["said"]


def test_a_name_that_nobody_knows_is_said(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.configure(sandbox_configuration("https://nobody.invalid"))
    result = run_doctor(invoke, cli, "--timeout", "5", NO_PROXY="*")
    assert result.code == 75
    row = single_finding(result, "name")
    assert row["level"] == "failure"
    assert "nobody.invalid" in row["said"]


def test_a_service_that_never_answers_costs_only_the_time_that_was_given(cli: CliEnvironment, invoke: Invoke) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cli.configure(sandbox_configuration(f"http://127.0.0.1:{silent.getsockname()[1]}"))
        result = run_doctor(invoke, cli, "--timeout", "0.5")
    assert result.code == 75
    assert "no answer in time" in single_finding(result, "connection")["said"]


@pytest.mark.parametrize(
    ("off", "level", "code", "said"),
    [
        (0, "ok", 0, "as the service's"),
        (40, "ok", 0, "s behind the service"),
        (-50, "ok", 0, "s ahead of the service"),
        (120, "warning", 0, "s behind the service"),
        (-120, "warning", 0, "s ahead of the service"),
        (3600, "failure", 3, "s behind the service"),
        (-86400, "failure", 3, "s ahead of the service"),
        (None, "warning", 0, "did not say what time it is"),
    ],
)
def test_the_clock_is_compared_with_that_of_the_service(
    cli: CliEnvironment, invoke: Invoke, off: float | None, level: str, code: int, said: str
) -> None:
    with skewed_clock_server(off) as address:
        cli.configure(sandbox_configuration(address))
        result = run_doctor(invoke, cli)
    row = single_finding(result, "clock")
    assert (row["level"], result.code) == (level, code), row
    assert said in row["said"]
    assert level == "ok" or row["remedy"]


def test_a_certificate_that_nobody_signed_is_a_failure(cli: CliEnvironment, invoke: Invoke, tmp_path: Path) -> None:
    with skewed_clock_server(0, make_certificate(tmp_path)) as address:
        cli.configure(sandbox_configuration(address))
        result = run_doctor(invoke, cli)
    row = single_finding(result, "connection")
    assert (row["level"], result.code) == ("failure", 75)
    assert "does not prove who it is: self-signed certificate" in row["said"]
    assert "REQUESTS_CA_BUNDLE" in row["remedy"]
    assert findings(result, "clock") == findings(result, "service") == [], "one failure, and not three"


@pytest.mark.parametrize(
    ("days", "name", "level", "said"),
    [
        ((-10, -2), "IP:127.0.0.1", "failure", "certificate has expired"),
        ((2, 20), "IP:127.0.0.1", "failure", "certificate is not yet valid"),
        ((-1, 300), "DNS:other.example", "failure", "IP address mismatch"),
        ((-1, 5), "IP:127.0.0.1", "warning", "ends in 4 days"),
        ((-1, 300), "IP:127.0.0.1", "ok", "proves who it is; its certificate is by Print House and ends in 299 days"),
    ],
)
def test_a_certificate_is_judged_by_its_days_and_its_name(
    tmp_path: Path, days: tuple[int, int], name: str, level: str, said: str
) -> None:
    """Against an authority that is trusted, which only what lies below the command can be handed here."""
    made = make_certificate(tmp_path, days, name)
    with skewed_clock_server(0, made) as address:
        way = ConnectionSettings(address, "", str(made.cert))
        try:
            reached: Any = probe_connection(way, 10.0)
        except ssl.SSLError as error:
            reached = error
    (row,) = check_connection(way, reached, datetime.now(UTC))
    assert (row.level, said in row.message) == (level, True), row
    assert bool(row.remedy) is (level != "ok")


def test_a_proxy_is_named_without_its_password_and_asked_with_it(cli: CliEnvironment, invoke: Invoke) -> None:
    heard: list[str] = []
    with refusing_proxy(heard) as address:
        with_login = address.replace("//", "//shop:s3cret-word@")
        cli.configure(sandbox_configuration("https://service.invalid"))
        result = run_doctor(invoke, cli, "--timeout", "5", HTTPS_PROXY=with_login, NO_PROXY=None)
    assert result.code == 75
    assert "s3cret-word" not in result.out + result.err
    assert "//***@127.0.0.1" in single_finding(result, "proxy")["said"]
    assert single_finding(result, "name")["said"] == "not looked up here; the proxy does it"
    assert "407" in single_finding(result, "connection")["said"]
    assert heard[0] == "service.invalid:443 Basic c2hvcDpzM2NyZXQtd29yZA=="


def test_a_store_is_read_and_left_as_it_lies(cli: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli, *shipped_command(), "--queue-only")
    result = run_doctor(invoke, cli)
    assert result.code == 0
    assert "can be read and written" in single_finding(result, "store")["said"]
    assert "1 waiting" in single_finding(result, "outbox")["said"]
    assert [file.name for file in cli.store.parent.iterdir()] == ["cpctl.db"]


def test_a_store_that_somebody_uses_just_now_is_read_too(cli: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli, *shipped_command(), "--queue-only")
    busy = sqlite3.connect(cli.store, isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    try:
        result = invoke(cli, "doctor", "--offline", "-o", "json")
    finally:
        busy.close()
    assert "1 waiting" in single_finding(result, "outbox")["said"]


@pytest.mark.parametrize("damage", [b"this is no store at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_store_is_a_failure_and_is_not_touched(cli: CliEnvironment, invoke: Invoke, damage: bytes) -> None:
    cli.store.parent.mkdir(mode=0o700)
    cli.store.write_bytes(damage)
    cli.store.chmod(0o600)
    result = run_doctor(invoke, cli)
    assert result.code == 7
    row = single_finding(result, "store")
    assert "is damaged" in row["said"]
    assert "`cpctl outbox import`" in row["remedy"]


def test_a_store_with_a_damaged_page_is_a_failure(cli: CliEnvironment, invoke: Invoke) -> None:
    for number in range(40):
        invoke(cli, "signal", "packed", f"1234567{number:05}", "--order", "123456780000", "--queue-only")
    content = bytearray(cli.store.read_bytes())
    content[3 * 4096 + 100 : 4 * 4096] = b"\xaa" * (4096 - 100)
    cli.store.write_bytes(bytes(content))
    result = run_doctor(invoke, cli, "--offline")
    assert result.code == 7
    assert single_finding(result, "store")["level"] == "failure"


def test_a_store_that_was_set_aside_is_told_with_the_way_to_read_it(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.store.parent.mkdir(mode=0o700)
    aside = cli.store.with_name("cpctl.db.corrupt-20260120T130000000000Z")
    aside.write_bytes(b"x")
    result = run_doctor(invoke, cli)
    assert result.code == 7
    assert f"`cpctl outbox import {aside}`" in findings(result, "store")[0]["remedy"]


def test_a_store_of_a_newer_cpctl_is_a_failure(cli: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli, *shipped_command(), "--queue-only")
    opened = sqlite3.connect(cli.store)
    opened.execute("PRAGMA user_version=99")
    opened.commit()
    opened.close()
    result = run_doctor(invoke, cli, "--offline")
    assert (result.code, single_finding(result, "store")["remedy"]) == (7, "Update cpctl on this machine.")
    assert findings(result, "outbox") == [], "what waits in it cannot be counted: nothing is said of it"


def test_a_store_that_can_never_be_made_is_a_failure(cli: CliEnvironment, invoke: Invoke) -> None:
    (cli.folder / "file").write_text("")
    result = run_doctor(invoke, cli, "--offline", CPCTL_STORE=str(cli.folder / "file" / "cpctl.db"))
    assert result.code == 7
    assert "cannot be" in single_finding(result, "store")["said"]


def test_a_queue_that_stands_still_is_a_failure_that_names_the_release(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    sandbox.add_fault(make_fault("status", status=401))
    invoke(cli, *shipped_command())
    sandbox.clear_faults()
    result = run_doctor(invoke, cli)
    assert result.code == 75
    assert "the queue is paused" in single_finding(result, "outbox")["said"]
    assert "`cpctl outbox release`" in single_finding(result, "outbox")["remedy"]


def test_the_failure_to_mend_first_decides_the_exit_status(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.store.parent.mkdir(mode=0o700)
    cli.store.write_bytes(b"no store" * 100)
    cli.configure(sandbox_configuration(UNREACHABLE_URL))
    assert run_doctor(invoke, cli).code == 7
    cli.configure(
        sandbox_configuration(UNREACHABLE_URL).replace(f"{{api_key: {API_KEYS['signal']}}}", "{api_key_file: nowhere}")
    )
    assert run_doctor(invoke, cli).code == 3


def test_a_check_that_breaks_down_is_a_line_and_not_the_end(
    cli: CliEnvironment, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(place: Path) -> Iterator[Any]:
        raise ZeroDivisionError("no disk at all")

    monkeypatch.setattr("cpctl.diagnostics.machine_checks.check_disk", broken)
    result = run_doctor(invoke, cli, "--offline")
    assert result.code == 1
    assert "this check broke down: ZeroDivisionError: no disk at all" in single_finding(result, "disk")["said"]
    assert "--bundle" in single_finding(result, "disk")["remedy"]
    assert findings(result, "locale")


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({"LANG": "C.UTF-8"}, "ok", "LANG=C.UTF-8"),
        ({"LANG": None}, "ok", "none set"),
        ({"LC_ALL": "C"}, "ok", "LC_ALL=C; text is UTF-8 all the same"),
        ({"LC_ALL": "de_DE.ISO-8859-1"}, "warning", "is not UTF-8"),
    ],
)
def test_the_locale_is_looked_at(
    cli: CliEnvironment, invoke: Invoke, changes: dict[str, str | None], level: str, said: str
) -> None:
    row = single_finding(run_doctor(invoke, cli, "--offline", **changes), "locale")
    assert (row["level"], said in row["said"]) == (level, True), row


def test_a_person_reads_a_list_that_fits_the_terminal(cli: CliEnvironment) -> None:
    def seen(columns: int, **changes: str) -> PromptSession:
        with PromptSession(cli, "doctor", "--offline", columns=columns, **changes) as talk:
            assert talk.wait_for_exit() == 0
        return talk

    plain = seen(72)
    assert all(len(line) <= 72 for line in plain.screen_lines)
    first = [line.split()[1] for line in plain.screen_lines if line.startswith("ok")]
    assert first[:2] == ["version", "configuration"]
    assert "\x1b[32mok" in plain.raw_output
    assert "\x1b[3" not in seen(72, NO_COLOR="1").raw_output
    assert "make the window wider" in " ".join(" ".join(seen(50).screen_lines).split())


def test_every_format_can_be_had(cli: CliEnvironment, invoke: Invoke) -> None:
    assert invoke(cli, "doctor", "--offline").out.startswith("check\tlevel\tsaid\tremedy\nversion\tok\t")
    bad = invoke(cli, "doctor", "-o", "value", "--query", "[?level!='ok'].check", **NO_CA_OVERRIDES)
    assert (bad.code, bad.out) == (0, "")


def test_the_environment_alone_is_enough(tmp_path: Path, invoke: Invoke, sandbox: Sandbox) -> None:
    made = CliEnvironment(tmp_path, minimal_environment(tmp_path))
    result = run_doctor(invoke, made, CPCTL_CORE_KEY=API_KEYS["core"], CPCTL_BASE_URL=sandbox.base_url)
    assert result.code == 0
    assert "of the environment alone" in single_finding(result, "configuration")["said"]


def test_without_a_home_the_doctor_still_reports(tmp_path: Path, invoke: Invoke) -> None:
    environment = minimal_environment(tmp_path)
    bare = CliEnvironment(
        tmp_path, {name: value for name, value in environment.items() if name not in ("HOME", "CPCTL_DATA_DIR")}
    )
    result = invoke(bare, "doctor", "-o", "json", HOME="")
    assert result.code == 3
    assert os.path.lexists(tmp_path)


def test_a_signal_that_was_refused_is_mended_from_the_list_and_not_by_sending(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    sandbox.add_fault(make_fault("status", status=400))
    invoke(cli, *shipped_command())
    sandbox.clear_faults()
    row = single_finding(run_doctor(invoke, cli), "outbox")
    assert "1 refused or expired" in row["said"]
    assert row["remedy"] == "`cpctl outbox list` shows what became of each, and what to do."
