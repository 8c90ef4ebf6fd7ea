"""The commands and files of docs/services.md."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cpctl.cli.commands.service.plan_builder import TEMP_FOLDERS, is_below
from harness.cli_environment import CliEnvironment
from harness.services_guide import SERVICES_GUIDE, services_blocks
from harness.unit_files import print_units, verify_units

SHELL_BLOCKS = services_blocks("sh")


def test_the_documented_commands_exist() -> None:
    assert len(SHELL_BLOCKS) >= 8


@pytest.mark.parametrize("dropin", services_blocks("ini"), ids=lambda text: text.splitlines()[-1])
def test_systemd_accepts_the_documented_drop_ins(cli: CliEnvironment, dropin: str) -> None:
    unit = re.search(r"systemctl edit (\S+)", dropin)
    assert unit is not None
    service = next(
        each for each in print_units(cli, unit[1].split(".")[0].removeprefix("cpctl-")) if each.name == unit[1]
    )
    folder = cli.folder / "units" / f"{unit[1]}.d"
    folder.mkdir(parents=True)
    (folder / "override.conf").write_text(dropin)
    assert verify_units(folder.parent, [service]) == ""
    (folder / "override.conf").write_text(dropin.replace("=", "Typo=", 1))
    assert "Typo" in verify_units(folder.parent, [service]), "the drop-in is ignored"


def test_every_line_in_the_table_is_in_a_unit(cli: CliEnvironment) -> None:
    explained = set(re.findall(r"`([A-Z]\w+=)", SERVICES_GUIDE.read_text().partition("## What the unit allows")[2]))
    printed_lines = "\n".join(unit.content for what in ("outbox", "webhooks") for unit in print_units(cli, what))
    printed_lines += print_units(cli, "webhooks", CPCTL_CONFIG=None, CPCTL_SIGNAL_KEY="a-key-of-signals")[0].content
    missing = {name for name in explained if f"\n{name}" not in printed_lines}
    assert len(explained) > 12
    # A checkout in /tmp must not be hidden from the service that runs it.
    here = {"PrivateTmp="} if is_below(Path(sys.executable), TEMP_FOLDERS) else set()
    assert missing <= {"Environment=", *here}, missing


def test_the_documented_receiver_configuration_works(unconfigured_cli: CliEnvironment) -> None:
    line = next(line for line in "\n".join(SHELL_BLOCKS).splitlines() if line.startswith("printf"))
    here = (
        line.replace("sudo ", "").replace("-o cpctl ", "").replace("/etc/cpctl", str(unconfigured_cli.folder / "etc"))
    )
    subprocess.run(["sh", "-c", here], check=True)
    config = unconfigured_cli.folder / "etc" / "config.yaml"
    assert config.stat().st_mode & 0o777 == 0o600
    used = unconfigured_cli.run_json("whoami", CPCTL_CONFIG=str(config), CPCTL_WEBHOOK_KEY="a-key-for-webhooks")
    assert used["profile"] == "production"


def test_the_mail_line_prints_something_only_if_something_is_wrong(unconfigured_cli: CliEnvironment) -> None:
    cli = unconfigured_cli
    (line,) = [each for each in services_blocks("text")[0].splitlines() if each.startswith("*/15")]
    program = shlex.join(cli.command_line())
    command = line.split(" ", 5)[5].replace("cpctl ", f"{program} ")
    fine = _run_shell(command, cli, CPCTL_SIGNAL_KEY="a-key-of-signals")
    assert (fine.returncode, fine.stdout) == (0, "")
    assert _run_shell(command, cli).stdout.startswith("CPCTL UNKNOWN")


def _run_shell(command: str, cli: CliEnvironment, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, env=cli.process_environment(**changes), timeout=60
    )


def test_the_documented_keys_are_valid_yaml() -> None:
    (text,) = services_blocks("yaml")
    named = yaml.safe_load(text)["profiles"]["production"]["webhooks"]["old_api_key_file"]
    assert Path(named).name in "".join(services_blocks("ini")), "the credential and the setting have different names"
