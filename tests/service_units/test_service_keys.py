"""Keys of services: never printed, and found where the unit says."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import ITEM, ORDER, SECOND_ITEM, CliEnvironment, CliResult
from harness.unit_files import minimal_service_environment, print_units, unit_environment

Invoke = Callable[..., CliResult]
ReceivedSignals = Callable[[], list[dict[str, Any]]]
KEY_MARKER = "canary-key-9f31c2d8"
TIMEOUT_SECONDS = 20.0
PACKED_COMMAND = ("signal", "packed", ITEM, "--order", ORDER, "--queue-only")


@pytest.mark.parametrize("what", ["outbox", "webhooks"])
@pytest.mark.parametrize("way", ["profile", "environment", "file", "command"])
@pytest.mark.parametrize("options", [(), ("--user",), ("--timer",), ("--cron",), ("-o", "json"), ("--debug", "-v")])
def test_no_key_is_printed(
    unconfigured_cli: CliEnvironment, invoke: Invoke, what: str, way: str, options: tuple[str, ...]
) -> None:
    if what == "webhooks" and "--timer" in options:
        options = ("--write", "units")
    changes = _configure_marked_key(unconfigured_cli, way)
    done = invoke(unconfigured_cli, "service", "print", what, *options, **changes)
    assert done.code == 0, done.err
    written = "".join(file.read_text() for file in (unconfigured_cli.folder / "units").glob("*"))
    assert KEY_MARKER not in done.out + done.err + written
    assert "cpctl" in done.out + written
    if way != "command":
        assert KEY_MARKER[-4:] in invoke(unconfigured_cli, "whoami", **changes).out


def _configure_marked_key(cli: CliEnvironment, method: str) -> dict[str, str]:
    """Set the canary as the key of both services, by one of the possible methods."""
    file = cli.folder / "the.key"
    file.write_text(KEY_MARKER)
    file.chmod(0o600)
    if method == "environment":
        return {"CPCTL_SIGNAL_KEY": KEY_MARKER, "CPCTL_WEBHOOK_KEY": KEY_MARKER}
    source = {
        "profile": f"api_key: {KEY_MARKER}",
        "file": "api_key_file: the.key",
        "command": "api_key_command: [cat, the.key]",
    }
    cli.configure(
        "profiles:\n  shop:\n" + "".join(f"    {each}: {{{source[method]}}}\n" for each in ("signal", "webhooks"))
    )
    return {"CPCTL_CONFIG": str(cli.config)}


@pytest.mark.parametrize(("what", "service"), [("outbox", "signal"), ("webhooks", "webhooks")])
def test_the_key_file_of_the_profile_becomes_the_credential(
    cli: CliEnvironment, invoke: Invoke, what: str, service: str
) -> None:
    cli.configure(
        f"profiles:\n  shop:\n    {service}: {{api_key_file: keys/mine.key}}\n    core: {{api_key: {KEY_MARKER}}}\n"
    )
    (unit,) = print_units(cli, what)
    assert unit.setting_values("LoadCredential") == [f"{service}:{cli.folder}/keys/mine.key"]
    assert f"The key for {service} is read from {cli.folder}/keys/mine.key" in unit.content


def test_a_service_gets_only_the_key_it_needs(cli: CliEnvironment) -> None:
    (outbox,), (webhooks,) = print_units(cli, "outbox"), print_units(cli, "webhooks")
    assert outbox.setting_values("LoadCredential") == ["signal:/etc/cpctl/signal.key"]
    assert webhooks.setting_values("LoadCredential") == ["webhooks:/etc/cpctl/webhooks.key"]
    assert "CPCTL_SIGNAL_KEY_FILE=%d/signal" in outbox.setting_values("Environment")
    assert "CPCTL_WEBHOOK_KEY_FILE=%d/webhooks" in webhooks.setting_values("Environment")


def test_a_key_from_a_password_store_is_explained(cli: CliEnvironment) -> None:
    cli.configure("profiles:\n  shop:\n    signal: {api_key_command: [pass, show, shop]}\n")
    (unit,) = print_units(cli, "outbox")
    assert "signal.api_key_command, line 3; a service cannot unlock a password store" in unit.content
    assert unit.setting_values("LoadCredential") == ["signal:/etc/cpctl/signal.key"]


def test_the_documented_key_file_is_readable_by_its_owner_only(cli: CliEnvironment) -> None:
    (unit,) = print_units(cli, "outbox", "--user")
    command = next(line[1:].strip() for line in unit.content.splitlines() if "/dev/stdin" in line)
    subprocess.run(["sh", "-c", command], input=f"{KEY_MARKER}\n", text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    file = Path(unit.setting_values("LoadCredential")[0].partition(":")[2])
    assert file == cli.folder / ".config" / "cpctl" / "signal.key"
    assert (file.read_text(), file.stat().st_mode & 0o777) == (f"{KEY_MARKER}\n", 0o600)


def test_the_service_delivers_with_its_credential(
    cli: CliEnvironment, sandbox: Sandbox, received_signals: ReceivedSignals, tmp_path: Path
) -> None:
    """The process is started as the unit says, with a credentials folder as systemd makes it."""
    assert cli.run(*PACKED_COMMAND).code == 0
    cli.configure(f"profiles:\n  sandbox: {{base_url: '{sandbox.base_url}'}}\n")
    (unit,) = print_units(cli, "outbox")
    environment = minimal_service_environment(unit_environment(unit, _make_credentials(tmp_path), tmp_path))
    with subprocess.Popen(
        unit.setting_values("ExecStart")[0].split(), env=environment, cwd="/", stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            _wait_until(lambda: received_signals() != [])
        finally:
            running.send_signal(signal.SIGTERM)
        _, stderr = running.communicate(timeout=TIMEOUT_SECONDS)
    assert [body["type"] for body in received_signals()] == ["ItemPacked"]
    assert [str(running.returncode)] == unit.setting_values("SuccessExitStatus"), stderr


def test_the_timer_delivers_with_its_credential(
    cli: CliEnvironment, sandbox: Sandbox, received_signals: ReceivedSignals, tmp_path: Path
) -> None:
    assert cli.run(*PACKED_COMMAND).code == 0
    cli.configure(f"profiles:\n  sandbox: {{base_url: '{sandbox.base_url}'}}\n")
    service, _ = print_units(cli, "outbox", "--timer")
    environment = minimal_service_environment(unit_environment(service, _make_credentials(tmp_path), tmp_path))
    command = service.setting_values("ExecStart")[0].split()
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [body["type"] for body in received_signals()] == ["ItemPacked"]
    without = {name: value for name, value in environment.items() if name != "CREDENTIALS_DIRECTORY"}
    assert cli.run("signal", "packed", SECOND_ITEM, "--order", ORDER, "--queue-only").code == 0
    refused = subprocess.run(command, env=without, cwd="/", capture_output=True, text=True, timeout=60)
    assert refused.returncode == 3 and "can be read by others" in refused.stderr


def test_a_missing_credential_ends_the_service_with_a_message(cli: CliEnvironment, tmp_path: Path) -> None:
    (unit,) = print_units(cli, "outbox")
    environment = minimal_service_environment(unit_environment(unit, tmp_path / "credentials", tmp_path))
    command = unit.setting_values("ExecStart")[0].split()
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert f"CPCTL_SIGNAL_KEY_FILE: the key file {tmp_path}/credentials/signal cannot be read" in done.stderr


def _make_credentials(folder: Path) -> Path:
    """Credentials as systemd makes them: group-readable, in a folder that only the service can enter."""
    made = folder / "credentials"
    made.mkdir(mode=0o700)
    key = made / "signal"
    key.write_text(f"{API_KEYS['signal']}\n")
    key.chmod(0o440)
    return made


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "nothing was delivered in time"
        time.sleep(0.05)
