"""`doctor --bundle`: facts for a bug report, without secrets."""

import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import ITEM, ORDER, CliEnvironment, CliResult, shipped_command
from harness.servers.fixed_status_server import fixed_status_server

Invoke = Callable[..., CliResult]
KEY_MARKER = "Kanarienvogel"
BUNDLE_FILES = ["about.json", "doctor.json", "configuration.json", "environment.json", "outbox.json"]


def read_bundle(file: Path) -> dict[str, Any]:
    with zipfile.ZipFile(file) as opened:
        return {name: json.loads(opened.read(name)) for name in opened.namelist()}


def bundle_text(file: Path) -> str:
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as opened:
        return "\n".join(opened.read(name).decode() for name in opened.namelist()) + " ".join(opened.namelist())


def test_a_bundle_contains_what_a_report_needs(cli: CliEnvironment, invoke: Invoke) -> None:
    invoke(cli, *shipped_command(), "--queue-only")
    invoke(cli, "signal", "packed", "999", "--order", ORDER)
    result = invoke(cli, "doctor", "--offline", "--bundle", "report.zip")
    assert result.code == 75, "because the outbox has a refused signal"
    file = cli.folder / "report.zip"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = read_bundle(file)
    assert list(found) == BUNDLE_FILES
    assert all(f"  {name} " in result.err for name in BUNDLE_FILES)
    assert found["about.json"]["cpctl"]
    assert found["configuration.json"]["profiles"]["sandbox"]["core"] == {"api_key": "***"}
    assert found["configuration.json"]["profiles"]["sandbox"]["shipping_option"] == "GLS"
    assert found["environment.json"]["CPCTL_CONFIG"] == "~/config.yaml"
    assert found["outbox.json"]["states"] == {"queued": 1, "refused": 1}
    (failed,) = found["outbox.json"]["failures"]
    assert (failed["item"], failed["http_status"]) == ("999", 400)
    assert "item 999 is unknown" in failed["message"]
    assert {row["check"] for row in found["doctor.json"]} >= {"store", "outbox", "disk"}
    assert "1A2B3C4D5E6F" not in bundle_text(file), "the tracking code of a customer's parcel"


def test_a_bundle_replaces_a_file_only_with_force(cli: CliEnvironment, invoke: Invoke) -> None:
    file = cli.folder / "report.zip"
    file.write_text("of last week")
    result = invoke(cli, "doctor", "--offline", "--bundle", "report.zip")
    assert (result.code, result.out) == (6, "")
    assert "add --force to replace it" in result.err
    assert file.read_text() == "of last week"
    assert invoke(cli, "doctor", "--offline", "--bundle", "report.zip", "--force").code == 0
    assert list(read_bundle(file)) == BUNDLE_FILES


def test_a_bundle_that_cannot_be_written_is_an_error(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "doctor", "--offline", "--bundle", "nowhere/report.zip")
    assert (result.code, result.out) == (2, "")
    assert "cannot be written: No such file or directory" in result.err


def test_a_dry_run_writes_no_bundle_and_lists_its_files(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "doctor", "--bundle", "report.zip", "--dry-run")
    assert result.code == 0
    assert "Dry run: report.zip was not written. It would contain:" in result.err
    assert not (cli.folder / "report.zip").exists()


def test_force_without_a_bundle_is_refused(cli: CliEnvironment, invoke: Invoke) -> None:
    assert invoke(cli, "doctor", "--offline", "--force").code == 2


def test_a_key_command_is_in_the_bundle(cli: CliEnvironment, invoke: Invoke, sandbox: Sandbox) -> None:
    cli.configure("profiles:\n  here: {signal: {api_key_command: [pass, show, cpctl/signal]}}\n")
    invoke(cli, "doctor", "--offline", "--bundle", "report.zip")
    signal = read_bundle(cli.folder / "report.zip")["configuration.json"]["profiles"]["here"]["signal"]
    assert signal == {"api_key_command": ["pass", "show", "cpctl/signal"]}


KEY_NOTATIONS = {
    "inline": "core: {api_key: KEY}\n    signal: {api_key: KEY-signal}",
    "inline and quoted": "core: {'api_key': 'KEY'}\n    signal:\n      \"api_key\": \"KEY-signal\"",
    "in files": "core: {api_key_file: key}\n    signal: {api_key_file: key}",
    "in a comment": "core: {api_key: KEY} # before: KEY-old\n    # signal: KEY-signal",
    "under a wrong name": "core: {api_kee: KEY}",
    "as a list": "core: [KEY, KEY-signal]",
    "in a broken file": "core: {api_key: KEY",
    "in another profile": "core: {api_key: other-key-0001}\n  second:\n    core: {api_key: KEY}",
    "from a command": "core: {api_key_command: [cat, key]}\n    signal: {api_key_command: [cat, key]}",
}


@pytest.mark.parametrize("mode", [0o600, 0o644])
@pytest.mark.parametrize("way", KEY_NOTATIONS)
def test_no_key_is_anywhere_in_a_bundle(cli: CliEnvironment, invoke: Invoke, way: str, mode: int) -> None:
    """The service repeats keys in its errors, the environment has keys, and the proxy a password."""
    key = f"{KEY_MARKER}-5f3a9c1e7b2d"
    file = cli.folder / "key"
    file.write_text(key + "\n")
    file.chmod(0o600)

    def repeated(body: bytes) -> bytes:
        other = "" if (way, mode) == ("from a command", 0o644) else key  # nothing could know that one
        return f"no {json.loads(body)['apikey']} here, it is not {other}, nor {'0a1b2c3d' * 4}".encode()

    with fixed_status_server(400, repeated) as address:
        sent = {"CPCTL_CONFIG": None, "CPCTL_BASE_URL": address, "CPCTL_SIGNAL_KEY": f"{key}-sent"}
        invoke(cli, *shipped_command(ITEM), "--shipping-option", "GLS", **sent)
        assert "0a1b2c3d" in cli.store.read_bytes().decode("latin-1"), "what the service said is in the store"
        text = f"profiles:\n  here:\n    base_url: {address}\n    {KEY_NOTATIONS[way]}\n".replace("KEY", key)
        cli.configure(text, mode)
        changes = {
            "CPCTL_WEBHOOK_KEY": f"{key}-hook",
            "CPCTL_SIGNAL_KEY": f"{key}-sent",
            "CPCTL_KEY_OF_SOMETHING": f"{key}-unknown",
            "HTTPS_PROXY": f"http://shop:{KEY_MARKER}%21@proxy.example:3128",
            "ALL_PROXY": f"shop:{KEY_MARKER}@proxy.example:3128",
        }
        result = invoke(cli, "doctor", "--bundle", "report.zip", "--timeout", "5", "-v", "--debug", **changes)
    assert result.code in (0, 3, 75), result
    assert KEY_MARKER not in result.out + result.err
    shown = bundle_text(cli.folder / "report.zip")
    assert KEY_MARKER not in shown
    assert "0a1b2c3d" not in shown
    assert "…" not in shown.replace("…\n", ""), "not even the last characters of a key"
    assert '"CPCTL_SIGNAL_KEY": "***"' in shown
