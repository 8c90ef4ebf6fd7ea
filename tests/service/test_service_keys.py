"""Keys of services: never in what is printed, and found where the printed text says."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from service_world import plain_environment, printed, service_environment
from worlds import ITEM, ORDER, SECOND, Result, World

from cpctl.sandbox.sandbox_state import API_KEYS
from cpctl.sandbox.server.sandbox_server import Sandbox

Inside = Callable[..., Result]
Received = Callable[[], list[dict[str, Any]]]
CANARY = "canary-key-9f31c2d8"
SECONDS = 20.0
PACKED = ("signal", "packed", ITEM, "--order", ORDER, "--queue-only")


@pytest.mark.parametrize("what", ["outbox", "webhooks"])
@pytest.mark.parametrize("way", ["profile", "environment", "file", "command"])
@pytest.mark.parametrize("options", [(), ("--user",), ("--timer",), ("--cron",), ("-o", "json"), ("--debug", "-v")])
def test_no_key_is_ever_printed(
    empty_world: World, inside: Inside, what: str, way: str, options: tuple[str, ...]
) -> None:
    if what == "webhooks" and "--timer" in options:
        options = ("--write", "units")
    changes = _with_canary(empty_world, way)
    done = inside(empty_world, "service", "print", what, *options, **changes)
    assert done.code == 0, done.err
    written = "".join(file.read_text() for file in (empty_world.folder / "units").glob("*"))
    assert CANARY not in done.out + done.err + written
    assert "cpctl" in done.out + written
    if way != "command":
        assert CANARY[-4:] in inside(empty_world, "whoami", **changes).out


def _with_canary(world: World, way: str) -> dict[str, str]:
    """Give the canary as a key in one of the ways there are, and for both services."""
    file = world.folder / "the.key"
    file.write_text(CANARY)
    file.chmod(0o600)
    if way == "environment":
        return {"CPCTL_SIGNAL_KEY": CANARY, "CPCTL_WEBHOOK_KEY": CANARY}
    source = {
        "profile": f"api_key: {CANARY}",
        "file": "api_key_file: the.key",
        "command": "api_key_command: [cat, the.key]",
    }
    world.configure(
        "profiles:\n  shop:\n" + "".join(f"    {each}: {{{source[way]}}}\n" for each in ("signal", "webhooks"))
    )
    return {"CPCTL_CONFIG": str(world.config)}


@pytest.mark.parametrize(("what", "service"), [("outbox", "signal"), ("webhooks", "webhooks")])
def test_the_key_file_of_the_profile_is_handed_over(world: World, inside: Inside, what: str, service: str) -> None:
    world.configure(
        f"profiles:\n  shop:\n    {service}: {{api_key_file: keys/mine.key}}\n    core: {{api_key: {CANARY}}}\n"
    )
    (unit,) = printed(world, what)
    assert unit.lines("LoadCredential") == [f"{service}:{world.folder}/keys/mine.key"]
    assert f"The key for {service} is read from {world.folder}/keys/mine.key" in unit.content


def test_a_service_gets_the_one_key_it_needs(world: World) -> None:
    (outbox,), (webhooks,) = printed(world, "outbox"), printed(world, "webhooks")
    assert outbox.lines("LoadCredential") == ["signal:/etc/cpctl/signal.key"]
    assert webhooks.lines("LoadCredential") == ["webhooks:/etc/cpctl/webhooks.key"]
    assert "CPCTL_SIGNAL_KEY_FILE=%d/signal" in outbox.lines("Environment")
    assert "CPCTL_WEBHOOK_KEY_FILE=%d/webhooks" in webhooks.lines("Environment")


def test_a_key_of_a_password_store_is_said_to_be_out_of_reach(world: World) -> None:
    world.configure("profiles:\n  shop:\n    signal: {api_key_command: [pass, show, shop]}\n")
    (unit,) = printed(world, "outbox")
    assert "signal.api_key_command, line 3; a service cannot unlock a password store" in unit.content
    assert unit.lines("LoadCredential") == ["signal:/etc/cpctl/signal.key"]


def test_the_command_that_makes_the_key_file_makes_it_for_its_owner_alone(world: World) -> None:
    (unit,) = printed(world, "outbox", "--user")
    command = next(line[1:].strip() for line in unit.content.splitlines() if "/dev/stdin" in line)
    subprocess.run(["sh", "-c", command], input=f"{CANARY}\n", text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    file = Path(unit.lines("LoadCredential")[0].partition(":")[2])
    assert file == world.folder / ".config" / "cpctl" / "signal.key"
    assert (file.read_text(), file.stat().st_mode & 0o777) == (f"{CANARY}\n", 0o600)


def test_the_service_delivers_with_the_key_that_systemd_hands_over(
    world: World, sandbox: Sandbox, received: Received, tmp_path: Path
) -> None:
    """The process is started as the unit says, with the credentials folder that systemd would make."""
    assert world.run(*PACKED).code == 0
    world.configure(f"profiles:\n  sandbox: {{base_url: '{sandbox.base_url}'}}\n")
    (unit,) = printed(world, "outbox")
    environment = service_environment(plain_environment(unit, _credentials(tmp_path), tmp_path))
    with subprocess.Popen(
        unit.lines("ExecStart")[0].split(), env=environment, cwd="/", stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            _wait_for(lambda: received() != [])
        finally:
            running.send_signal(signal.SIGTERM)
        _, told = running.communicate(timeout=SECONDS)
    assert [body["type"] for body in received()] == ["ItemPacked"]
    assert [str(running.returncode)] == unit.lines("SuccessExitStatus"), told


def test_the_timer_delivers_with_the_key_that_systemd_hands_over(
    world: World, sandbox: Sandbox, received: Received, tmp_path: Path
) -> None:
    assert world.run(*PACKED).code == 0
    world.configure(f"profiles:\n  sandbox: {{base_url: '{sandbox.base_url}'}}\n")
    service, _ = printed(world, "outbox", "--timer")
    environment = service_environment(plain_environment(service, _credentials(tmp_path), tmp_path))
    command = service.lines("ExecStart")[0].split()
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [body["type"] for body in received()] == ["ItemPacked"]
    without = {name: value for name, value in environment.items() if name != "CREDENTIALS_DIRECTORY"}
    assert world.run("signal", "packed", SECOND, "--order", ORDER, "--queue-only").code == 0
    refused = subprocess.run(command, env=without, cwd="/", capture_output=True, text=True, timeout=60)
    assert refused.returncode == 3 and "can be read by others" in refused.stderr


def test_a_key_that_systemd_has_not_handed_over_ends_the_service_with_words(world: World, tmp_path: Path) -> None:
    (unit,) = printed(world, "outbox")
    environment = service_environment(plain_environment(unit, tmp_path / "credentials", tmp_path))
    command = unit.lines("ExecStart")[0].split()
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert f"CPCTL_SIGNAL_KEY_FILE: the key file {tmp_path}/credentials/signal cannot be read" in done.stderr


def _credentials(folder: Path) -> Path:
    """As systemd makes them: readable by a group, in a folder that only the service can enter."""
    made = folder / "credentials"
    made.mkdir(mode=0o700)
    key = made / "signal"
    key.write_text(f"{API_KEYS['signal']}\n")
    key.chmod(0o440)
    return made


def _wait_for(come: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not come():
        assert time.monotonic() < deadline, "nothing was delivered in time"
        time.sleep(0.05)
