"""`cpctl doctor`: every problem is reported by its check with a remedy, and nothing is changed."""

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
# The certificate authorities of this machine must not affect the tests.
NO_CA_OVERRIDES = {"REQUESTS_CA_BUNDLE": None, "CURL_CA_BUNDLE": None}


def folder_snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """The content and mode of all files in a folder."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mode) for file in found}


def findings(result: CliResult, check: str) -> list[dict[str, Any]]:
    """The findings of a check."""
    return [row for row in result.data if row["check"] == check]


def single_finding(result: CliResult, check: str) -> dict[str, Any]:
    """The only finding of a check."""
    (row,) = findings(result, check)
    return row


def run_doctor(invoke: Invoke, cli: CliEnvironment, *more: str, **changes: str | None) -> CliResult:
    before = folder_snapshot(cli.folder)
    result = invoke(cli, "doctor", "-o", "json", *more, **{**NO_CA_OVERRIDES, **changes})
    assert folder_snapshot(cli.folder) == before, "the doctor changes nothing"
    assert not [key for key in API_KEYS.values() if key in result.out + result.err]
    return result


def test_every_check_is_ok_in_a_working_setup(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    result = run_doctor(invoke, cli)
    assert (result.code, result.err) == (0, "")
    assert [row["check"] for row in result.data] == [check.name for check in CHECKS]
    assert {row["level"] for row in result.data} == {"ok"}
    assert all(set(row) == {"check", "level", "message", "remedy"} for row in result.data)
    assert single_finding(result, "service")["message"] == "the service accepts the core key"
    assert "without TLS, because it is this machine" in single_finding(result, "connection")["message"]
    paths = {entry["path"] for entry in sandbox.state.journal.list_entries()}
    assert paths == {"/", "/cloudcore/1.0/shipping/levels"}
    assert not cli.store.exists()


def test_without_a_profile_only_the_machine_is_checked_and_the_next_step_is_named(
    unconfigured_cli: CliEnvironment, invoke: Invoke
) -> None:
    result = run_doctor(invoke, unconfigured_cli)
    assert result.code == 3
    assert "`cpctl profile init` creates one" in single_finding(result, "configuration")["message"]
    assert "the network checks are skipped" in result.err
    assert {"disk", "store", "terminal"} <= {row["check"] for row in result.data}
    assert not {"name", "connection", "core key"} & {row["check"] for row in result.data}


@pytest.mark.parametrize("option", ["--offline", "--dry-run"])
def test_offline_and_dry_run_make_no_call(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, option: str) -> None:
    result = run_doctor(invoke, cli, option)
    assert result.code == 0
    assert "connection" not in {row["check"] for row in result.data}
    assert sandbox.state.journal.list_entries() == []


def test_a_dry_run_runs_no_key_command(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.configure(f"profiles:\n  here:\n    core: {{api_key_command: [touch, {cli.folder}/ran]}}\n")
    assert (
        "a dry run does not run the command"
        in single_finding(run_doctor(invoke, cli, "--dry-run"), "core key")["message"]
    )
    assert not (cli.folder / "ran").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profiles:\n  here: [\n", "line 3"),
        ("profiles:\n  here: {timeout: soon}\n", 'timeout "soon" must be a number'),
        ("profiles:\n  a: {}\n  b: {}\n", "there are several profiles and no default_profile"),
    ],
)
def test_an_invalid_configuration_is_a_failure(cli: CliEnvironment, invoke: Invoke, text: str, message: str) -> None:
    cli.configure(text)
    result = run_doctor(invoke, cli)
    assert result.code == 3
    assert single_finding(result, "configuration")["level"] == "failure"
    assert message in single_finding(result, "configuration")["message"]


def test_a_configuration_that_others_can_read_gets_a_chmod_as_remedy(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.config.chmod(0o644)
    result = run_doctor(invoke, cli)
    assert result.code == 3
    assert single_finding(result, "configuration")["remedy"] == f"Type: chmod 600 {cli.config}"
    assert single_finding(result, "permissions")["remedy"] == f"Type: chmod 600 {cli.config}"


def test_a_store_and_folders_open_to_others_are_warnings(cli: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli, *shipped_command(), "--queue-only")
    cli.store.chmod(0o644)
    cli.store.parent.chmod(0o777)
    result = run_doctor(invoke, cli, "--offline")
    remedies = {row["remedy"] for row in findings(result, "permissions")}
    assert {f"Type: chmod 600 {cli.store}", f"Type: chmod go-w {cli.store.parent}"} <= remedies


def test_the_remedy_for_equal_keys_names_the_profile(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.configure(
        "profiles:\n  here: {}\n  second: {core: {api_key: one-key-for-both}, signal: {api_key: one-key-for-both}}\n"
    )
    row = next(
        row for row in findings(run_doctor(invoke, cli, "--offline", "-p", "second"), "configuration") if row["remedy"]
    )
    assert row["remedy"] == "Set the right key with `cpctl profile set-key signal --profile second`."


def test_each_key_is_checked(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    cli.configure(
        f"profiles:\n  here:\n    base_url: {sandbox.base_url}\n    core: {{api_key_file: nowhere}}\n"
        '    webhooks: {api_key_command: ["false"]}\n'
    )
    result = run_doctor(invoke, cli)
    assert result.code == 3
    assert "nowhere cannot be read" in single_finding(result, "core key")["message"]
    assert single_finding(result, "signal key")["level"] == "warning"
    assert "`cpctl profile set-key signal --profile here`" in single_finding(result, "signal key")["remedy"]
    assert "failed with exit status 1" in single_finding(result, "webhooks key")["message"]
    assert findings(result, "service") == []


def test_the_same_key_for_core_and_signal_is_a_warning(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    text = sandbox_configuration(sandbox.base_url).replace(API_KEYS["signal"], API_KEYS["core"])
    cli.configure(text)
    found = findings(run_doctor(invoke, cli, "--offline"), "configuration")
    assert [row["level"] for row in found] == ["ok", "warning"]


def test_a_refused_key_exits_with_4(cli: CliEnvironment, invoke: Invoke) -> None:
    result = run_doctor(invoke, cli, CPCTL_CORE_KEY="a-key-of-nobody-here")
    assert result.code == 4
    row = single_finding(result, "service")
    assert "the service refused the key (403)" in row["message"]
    assert "`cpctl profile set-key core`" in row["remedy"]


@pytest.mark.parametrize("status", [500, 503, 429, 404])
def test_a_failing_service_is_not_reported_as_a_refused_key(
    cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox, status: int
) -> None:
    sandbox.add_fault(make_fault("status", status=status))
    result = run_doctor(invoke, cli, "--timeout", "2")
    assert result.code == 75
    assert f"({status})" in single_finding(result, "service")["message"]


def test_no_network_exits_with_75_and_one_failure(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.configure(sandbox_configuration(UNREACHABLE_URL))
    result = run_doctor(invoke, cli)
    assert result.code == 75
    assert [row["check"] for row in result.data if row["level"] == "failure"] == ["connection"]
    assert "Connection refused" in single_finding(result, "connection")["message"]


def test_a_host_name_that_does_not_resolve_is_a_failure(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.configure(sandbox_configuration("https://nobody.invalid"))
    result = run_doctor(invoke, cli, "--timeout", "5", NO_PROXY="*")
    assert result.code == 75
    row = single_finding(result, "name")
    assert row["level"] == "failure"
    assert "nobody.invalid" in row["message"]


def test_a_service_that_never_responds_takes_no_longer_than_the_timeout(cli: CliEnvironment, invoke: Invoke) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cli.configure(sandbox_configuration(f"http://127.0.0.1:{silent.getsockname()[1]}"))
        result = run_doctor(invoke, cli, "--timeout", "0.5")
    assert result.code == 75
    assert "no response in time" in single_finding(result, "connection")["message"]


@pytest.mark.parametrize(
    ("offset_seconds", "level", "code", "message"),
    [
        (0, "ok", 0, "the same time as the service"),
        (40, "ok", 0, "s behind the service"),
        (-50, "ok", 0, "s ahead of the service"),
        (120, "warning", 0, "s behind the service"),
        (-120, "warning", 0, "s ahead of the service"),
        (3600, "failure", 3, "s behind the service"),
        (-86400, "failure", 3, "s ahead of the service"),
        (None, "warning", 0, "sent no time to compare with"),
    ],
)
def test_the_clock_is_compared_with_that_of_the_service(
    cli: CliEnvironment, invoke: Invoke, offset_seconds: float | None, level: str, code: int, message: str
) -> None:
    with skewed_clock_server(offset_seconds) as address:
        cli.configure(sandbox_configuration(address))
        result = run_doctor(invoke, cli)
    row = single_finding(result, "clock")
    assert (row["level"], result.code) == (level, code), row
    assert message in row["message"]
    assert level == "ok" or row["remedy"]


def test_a_self_signed_certificate_is_one_failure(cli: CliEnvironment, invoke: Invoke, tmp_path: Path) -> None:
    with skewed_clock_server(0, make_certificate(tmp_path)) as address:
        cli.configure(sandbox_configuration(address))
        result = run_doctor(invoke, cli)
    row = single_finding(result, "connection")
    assert (row["level"], result.code) == ("failure", 75)
    assert "TLS certificate verification failed: self-signed certificate" in row["message"]
    assert "REQUESTS_CA_BUNDLE" in row["remedy"]
    assert findings(result, "clock") == findings(result, "service") == [], "one failure, not three"


@pytest.mark.parametrize(
    ("days", "name", "level", "message"),
    [
        ((-10, -2), "IP:127.0.0.1", "failure", "certificate has expired"),
        ((2, 20), "IP:127.0.0.1", "failure", "certificate is not yet valid"),
        ((-1, 300), "DNS:other.example", "failure", "IP address mismatch"),
        ((-1, 5), "IP:127.0.0.1", "warning", "expires in 4 days"),
        ((-1, 300), "IP:127.0.0.1", "ok", "has a valid certificate from Print House; it expires in 299 days"),
    ],
)
def test_a_certificate_is_checked_for_dates_and_name(
    tmp_path: Path, days: tuple[int, int], name: str, level: str, message: str
) -> None:
    """Below the command, because only there a test can trust its own certificate authority."""
    made = make_certificate(tmp_path, days, name)
    with skewed_clock_server(0, made) as address:
        settings = ConnectionSettings(address, "", str(made.cert))
        try:
            probe: Any = probe_connection(settings, 10.0)
        except ssl.SSLError as error:
            probe = error
    (row,) = check_connection(settings, probe, datetime.now(UTC))
    assert (row.level, message in row.message) == (level, True), row
    assert bool(row.remedy) is (level != "ok")


def test_a_proxy_is_used_with_its_password_and_shown_without_it(cli: CliEnvironment, invoke: Invoke) -> None:
    requests: list[str] = []
    with refusing_proxy(requests) as address:
        with_login = address.replace("//", "//shop:s3cret-word@")
        cli.configure(sandbox_configuration("https://service.invalid"))
        result = run_doctor(invoke, cli, "--timeout", "5", HTTPS_PROXY=with_login, NO_PROXY=None)
    assert result.code == 75
    assert "s3cret-word" not in result.out + result.err
    assert "//***@127.0.0.1" in single_finding(result, "proxy")["message"]
    assert single_finding(result, "name")["message"] == "not resolved here; the proxy does it"
    assert "407" in single_finding(result, "connection")["message"]
    assert requests[0] == "service.invalid:443 Basic c2hvcDpzM2NyZXQtd29yZA=="


def test_a_store_is_read_and_not_changed(cli: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli, *shipped_command(), "--queue-only")
    result = run_doctor(invoke, cli)
    assert result.code == 0
    assert "is readable and writable" in single_finding(result, "store")["message"]
    assert "1 waiting" in single_finding(result, "outbox")["message"]
    assert [file.name for file in cli.store.parent.iterdir()] == ["cpctl.db"]


def test_a_store_in_use_is_read(cli: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli, *shipped_command(), "--queue-only")
    busy = sqlite3.connect(cli.store, isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    try:
        result = invoke(cli, "doctor", "--offline", "-o", "json")
    finally:
        busy.close()
    assert "1 waiting" in single_finding(result, "outbox")["message"]


@pytest.mark.parametrize("damage", [b"this is no store at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_store_is_a_failure_and_is_not_changed(cli: CliEnvironment, invoke: Invoke, damage: bytes) -> None:
    cli.store.parent.mkdir(mode=0o700)
    cli.store.write_bytes(damage)
    cli.store.chmod(0o600)
    result = run_doctor(invoke, cli)
    assert result.code == 7
    row = single_finding(result, "store")
    assert "is damaged" in row["message"]
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


def test_a_quarantined_store_is_reported_with_the_command_to_import_it(cli: CliEnvironment, invoke: Invoke) -> None:
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
    assert findings(result, "outbox") == [], "signals in a newer store cannot be counted"


def test_a_store_that_cannot_be_created_is_a_failure(cli: CliEnvironment, invoke: Invoke) -> None:
    (cli.folder / "file").write_text("")
    result = run_doctor(invoke, cli, "--offline", CPCTL_STORE=str(cli.folder / "file" / "cpctl.db"))
    assert result.code == 7
    assert "cannot create" in single_finding(result, "store")["message"]


def test_a_paused_queue_is_a_failure_with_outbox_release_as_remedy(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    sandbox.add_fault(make_fault("status", status=401))
    invoke(cli, *shipped_command())
    sandbox.clear_faults()
    result = run_doctor(invoke, cli)
    assert result.code == 75
    assert "the queue is paused" in single_finding(result, "outbox")["message"]
    assert "`cpctl outbox release`" in single_finding(result, "outbox")["remedy"]


def test_the_failure_to_fix_first_decides_the_exit_status(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.store.parent.mkdir(mode=0o700)
    cli.store.write_bytes(b"no store" * 100)
    cli.configure(sandbox_configuration(UNREACHABLE_URL))
    assert run_doctor(invoke, cli).code == 7
    cli.configure(
        sandbox_configuration(UNREACHABLE_URL).replace(f"{{api_key: {API_KEYS['signal']}}}", "{api_key_file: nowhere}")
    )
    assert run_doctor(invoke, cli).code == 3


def test_a_check_that_raises_is_a_finding_and_the_others_still_run(
    cli: CliEnvironment, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(place: Path) -> Iterator[Any]:
        raise ZeroDivisionError("no disk at all")

    monkeypatch.setattr("cpctl.diagnostics.machine_checks.check_disk", broken)
    result = run_doctor(invoke, cli, "--offline")
    assert result.code == 1
    assert (
        "this check failed with an exception: ZeroDivisionError: no disk at all"
        in single_finding(result, "disk")["message"]
    )
    assert "--bundle" in single_finding(result, "disk")["remedy"]
    assert findings(result, "locale")


@pytest.mark.parametrize(
    ("changes", "level", "message"),
    [
        ({"LANG": "C.UTF-8"}, "ok", "LANG=C.UTF-8"),
        ({"LANG": None}, "ok", "not set"),
        ({"LC_ALL": "C"}, "ok", "LC_ALL=C; cpctl uses UTF-8 anyway"),
        ({"LC_ALL": "de_DE.ISO-8859-1"}, "warning", "is not UTF-8"),
    ],
)
def test_the_locale_is_checked(
    cli: CliEnvironment, invoke: Invoke, changes: dict[str, str | None], level: str, message: str
) -> None:
    row = single_finding(run_doctor(invoke, cli, "--offline", **changes), "locale")
    assert (row["level"], message in row["message"]) == (level, True), row


def test_the_report_fits_the_terminal(cli: CliEnvironment) -> None:
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


def test_every_output_format_works(cli: CliEnvironment, invoke: Invoke) -> None:
    assert invoke(cli, "doctor", "--offline").out.startswith("check\tlevel\tmessage\tremedy\nversion\tok\t")
    bad = invoke(cli, "doctor", "-o", "value", "--query", "[?level!='ok'].check", **NO_CA_OVERRIDES)
    assert (bad.code, bad.out) == (0, "")


def test_the_environment_alone_is_enough(tmp_path: Path, invoke: Invoke, sandbox: Sandbox) -> None:
    made = CliEnvironment(tmp_path, minimal_environment(tmp_path))
    result = run_doctor(invoke, made, CPCTL_CORE_KEY=API_KEYS["core"], CPCTL_BASE_URL=sandbox.base_url)
    assert result.code == 0
    assert "from the environment alone" in single_finding(result, "configuration")["message"]


def test_without_a_home_folder_the_doctor_still_reports(tmp_path: Path, invoke: Invoke) -> None:
    environment = minimal_environment(tmp_path)
    bare = CliEnvironment(
        tmp_path, {name: value for name, value in environment.items() if name not in ("HOME", "CPCTL_DATA_DIR")}
    )
    result = invoke(bare, "doctor", "-o", "json", HOME="")
    assert result.code == 3
    assert os.path.lexists(tmp_path)


def test_a_refused_signal_gets_the_list_as_remedy_and_not_a_flush(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    sandbox.add_fault(make_fault("status", status=400))
    invoke(cli, *shipped_command())
    sandbox.clear_faults()
    row = single_finding(run_doctor(invoke, cli), "outbox")
    assert "1 refused or expired" in row["message"]
    assert row["remedy"] == "See what happened to each with `cpctl outbox list`."
