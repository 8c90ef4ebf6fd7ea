"""The units that `cpctl service print` prints, as systemd understands them."""

import getpass
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cpctl.cli.commands.service.plan_builder import TEMP_FOLDERS, is_below, parse_service
from cpctl.errors import InvalidInput
from harness.cli_environment import CliEnvironment, CliResult, sandbox_configuration
from harness.unit_files import UnitFile, install_cpctl, load_with_systemd, print_units, split_units, verify_units

Invoke = Callable[..., CliResult]
CURRENT_USER = getpass.getuser()
HOSTILE_ARGUMENT = "50% $HOME 'a' \"b\" \\ ; --watch"


@pytest.mark.parametrize("what", ["outbox", "webhooks"])
@pytest.mark.parametrize("options", [(), ("--user",), ("--run-as", "daemon"), ("--name", "cpctl-second")])
def test_systemd_accepts_a_service(cli: CliEnvironment, what: str, options: tuple[str, ...]) -> None:
    units = print_units(cli, what, *options)
    assert verify_units(cli.folder / "units", units, *(["--user"] if "--user" in options else [])) == ""


@pytest.mark.parametrize("options", [("--timer",), ("--every", "90s"), ("--timer", "--user")])
def test_systemd_accepts_a_timer(cli: CliEnvironment, options: tuple[str, ...]) -> None:
    units = print_units(cli, "outbox", *options)
    assert [unit.name for unit in units] == ["cpctl-outbox.service", "cpctl-outbox.timer"]
    assert verify_units(cli.folder / "units", units, *(["--user"] if "--user" in options else [])) == ""


def test_verification_finds_a_mistake(cli: CliEnvironment) -> None:
    service, *_ = print_units(cli, "outbox")
    wrong = service._replace(content=service.content.replace("RestartSec", "RestartsSec"))
    assert "RestartsSec" in verify_units(cli.folder / "units", [wrong])


@pytest.mark.parametrize("options", [(), ("--timer",), ("--user", "--every", "5m")])
def test_the_printed_text_has_the_same_files_as_the_json(cli: CliEnvironment, options: tuple[str, ...]) -> None:
    shown = cli.run("service", "print", "outbox", *options)
    assert shown.code == 0, shown.err
    units, by_cron = shown.out.split("\n# Without systemd")
    assert by_cron.count("\n") >= 1
    assert [(unit.file, unit.content.strip()) for unit in split_units(units)] == [
        (unit.file, unit.content.strip()) for unit in print_units(cli, "outbox", *options)
    ]


def test_the_service_uses_the_store_of_the_current_user(cli: CliEnvironment) -> None:
    (service,) = print_units(cli, "outbox")
    read = load_with_systemd(service)
    assert read.environment["CPCTL_DATA_DIR"] == str(cli.store.parent)
    assert read.environment["CPCTL_CONFIG"] == str(cli.config)
    assert read.command[-4:] == ["outbox", "flush", "--watch", "--profile=sandbox"]
    assert service.setting_values("User") == [CURRENT_USER]
    assert f"ReadWritePaths: -{cli.store.parent}" in read.lines


def test_a_store_from_the_environment_is_passed_to_the_service(cli: CliEnvironment, invoke: Invoke) -> None:
    store = cli.folder / "elsewhere" / "shop.db"
    (service,) = _print_units(invoke, cli, "outbox", CPCTL_STORE="elsewhere/shop.db")
    assert f"CPCTL_STORE={store}" in service.setting_values("Environment")
    assert service.setting_values("ReadWritePaths") == [f"-{store.parent}"]


def test_a_store_from_the_profile_is_not_repeated(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.configure(sandbox_configuration("http://127.0.0.1:9", "    store: shop/own.db\n"))
    (service,) = _print_units(invoke, cli, "outbox")
    assert not [
        line for line in service.setting_values("Environment") if line.startswith(("CPCTL_STORE", "CPCTL_DATA"))
    ]
    assert service.setting_values("ReadWritePaths") == [f"-{cli.folder / 'shop'}"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a store away")
def test_the_service_runs_as_the_owner_of_the_store(cli: CliEnvironment, invoke: Invoke) -> None:
    cli.run("signal", "packed", "123456780001", "--order", "123456780000", "--queue-only")
    os.chown(cli.store, 65534, 65534)
    (service,) = _print_units(invoke, cli, "outbox")
    assert service.setting_values("User") == ["nobody"]


def test_webhooks_have_an_account_and_a_store_of_their_own(cli: CliEnvironment) -> None:
    (service,) = print_units(cli, "webhooks")
    assert service.setting_values("User") == ["cpctl"]
    assert service.setting_values("StateDirectory") == ["cpctl"]
    assert "CPCTL_DATA_DIR=%S/cpctl" in service.setting_values("Environment")
    assert "CPCTL_CONFIG=/etc/cpctl/config.yaml" in service.setting_values("Environment")
    assert service.setting_values("ProtectHome") == ["yes"]
    assert service.setting_values("Type") == ["notify"]


def test_webhooks_can_share_the_store_of_a_user(cli: CliEnvironment, invoke: Invoke) -> None:
    (service,) = _print_units(invoke, cli, "webhooks", "--run-as", CURRENT_USER)
    assert service.setting_values("ReadWritePaths") == [f"-{cli.store.parent}"]
    assert service.setting_values("StateDirectory") == []


def test_a_service_for_another_account_says_what_it_needs(cli: CliEnvironment) -> None:
    done = cli.run("service", "print", "outbox", "--run-as", "press")
    assert "useradd --system --no-create-home press" in done.err
    assert f"does not send what is accepted in {cli.store}" in done.err
    assert '/etc/cpctl/config.yaml must have the profile "sandbox"' in done.err
    assert all(f"# {line.removeprefix('Warning: ')}" in done.out for line in done.err.splitlines())


def test_a_credential_needs_no_key_in_the_configuration(cli: CliEnvironment) -> None:
    cli.configure("profiles:\n  production: {}\n")
    key = cli.folder / "signal.key"
    key.write_text("a-key-for-signal-only\n")
    key.chmod(0o600)
    assert cli.run_json("whoami", CPCTL_SIGNAL_KEY_FILE=str(key))["profile"] == "production"


def test_a_service_can_be_configured_by_the_environment_only(unconfigured_cli: CliEnvironment) -> None:
    settings = {"CPCTL_BASE_URL": "http://127.0.0.1:9", "CPCTL_TIMEOUT": "12", "CPCTL_SIGNAL_KEY": "a-key-never-shown"}
    (service,) = print_units(unconfigured_cli, "outbox", **settings)
    read = load_with_systemd(service)
    assert read.command[-3:] == ["outbox", "flush", "--watch"]
    assert read.environment["CPCTL_BASE_URL"] == "http://127.0.0.1:9"
    assert read.environment["CPCTL_TIMEOUT"] == "12"
    assert "CPCTL_CONFIG" not in read.environment
    assert "never-shown" not in service.content


def test_a_proxy_is_passed_on_but_not_its_password(cli: CliEnvironment) -> None:
    (open_one,) = print_units(cli, "outbox", HTTPS_PROXY="http://proxy:3128", NO_PROXY="localhost")
    assert {"HTTPS_PROXY=http://proxy:3128", "NO_PROXY=localhost"} <= set(open_one.setting_values("Environment"))
    done = cli.run("service", "print", "outbox", HTTPS_PROXY="http://ana:hush-hush@proxy:3128")
    assert "hush-hush" not in done.out + done.err
    assert "HTTPS_PROXY contains a password and is left out" in done.err


@pytest.mark.parametrize("what", ["outbox", "webhooks"])
def test_a_profile_name_with_special_characters_reaches_the_service_unchanged(
    cli: CliEnvironment, invoke: Invoke, what: str
) -> None:
    cli.configure(f"profiles:\n  {json.dumps(HOSTILE_ARGUMENT)}: {{base_url: 'http://127.0.0.1:9'}}\n")
    (service,) = _print_units(invoke, cli, what)
    assert load_with_systemd(service).command[-1] == f"--profile={HOSTILE_ARGUMENT}"
    assert verify_units(cli.folder / "units", [service]) == ""


def test_folders_with_special_characters_reach_the_service_unchanged(cli: CliEnvironment) -> None:
    folder = cli.folder / "we $HOME 100% \"x\" 'y' \\z"
    folder.mkdir()
    program = install_cpctl(cli.folder / "50% of $HOME; all")
    key = folder / "the signal.key"
    key.write_text("a-key-for-signal-only\n")
    key.chmod(0o600)
    done = _print_installed_unit(program, cli, CPCTL_DATA_DIR=str(folder / "data"), CPCTL_SIGNAL_KEY_FILE=str(key))
    service = UnitFile(**json.loads(done.stdout)[0])
    read = load_with_systemd(service)
    assert read.command[0] == str(program)
    assert read.environment["CPCTL_DATA_DIR"] == str(folder / "data")
    assert f"ReadWritePaths: -{folder / 'data'}" in read.lines
    assert service.setting_values("LoadCredential") == [f"signal:{key}".replace("%", "%%")]
    assert verify_units(cli.folder / "units", [service]) == ""


@pytest.mark.parametrize("folder", ["it's", 'the "new" one', "back\\slash"])
def test_a_program_path_that_systemd_cannot_run_is_refused(cli: CliEnvironment, folder: str) -> None:
    done = _print_installed_unit(install_cpctl(cli.folder / folder), cli)
    assert (done.returncode, done.stdout) == (2, "")
    assert "systemd cannot run a program with a quote or a backslash" in json.loads(done.stderr)["error"]["message"]


def _print_installed_unit(program: Path, cli: CliEnvironment, **changes: str) -> "subprocess.CompletedProcess[str]":
    """Print the unit of the outbox with an installed cpctl."""
    command = [program, "service", "print", "outbox", "-o", "json"]
    return subprocess.run(command, capture_output=True, text=True, env=cli.process_environment(**changes), timeout=60)


@pytest.mark.parametrize("name", ["a\nExecStartPre=/bin/rm -rf /", "a\r", "a\x1bb", "a\u2028b", "a\x85b"])
@pytest.mark.parametrize("options", [(), ("--user",), ("--cron",), ("--run-as", "press")])
def test_a_profile_name_cannot_add_lines(
    cli: CliEnvironment, invoke: Invoke, name: str, options: tuple[str, ...]
) -> None:
    cli.configure(f"profiles:\n  {json.dumps(name)}: {{base_url: 'http://127.0.0.1:9'}}\n")
    done = invoke(cli, "service", "print", "outbox", *options)
    assert (done.code, done.out) == (2, "")
    assert "line break" in done.err


@pytest.mark.parametrize("variable", ["CPCTL_DATA_DIR", "CPCTL_STORE", "CPCTL_SIGNAL_KEY_FILE", "HTTPS_PROXY"])
def test_a_variable_cannot_add_lines(cli: CliEnvironment, invoke: Invoke, variable: str) -> None:
    done = invoke(cli, "service", "print", "outbox", **{variable: "/tmp/a\nUser=root"})
    assert (done.code, done.out) == (2, "")


def test_the_folder_for_units_cannot_add_lines(cli: CliEnvironment, invoke: Invoke) -> None:
    done = invoke(cli, "service", "print", "outbox", "--user", XDG_CONFIG_HOME="/tmp/a\nb")
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize("end", [" ", "\\"])
def test_a_key_file_name_that_systemd_would_cut_is_refused(cli: CliEnvironment, invoke: Invoke, end: str) -> None:
    done = invoke(cli, "service", "print", "outbox", CPCTL_SIGNAL_KEY_FILE=f"/tmp/key{end}")
    assert (done.code, done.out) == (2, "")
    assert "ends in a space or a backslash" in done.err


def test_arguments_after_two_dashes_are_passed_to_the_service(cli: CliEnvironment) -> None:
    (service,) = print_units(cli, "outbox", "--", "--verbose", "--timeout", "7")
    assert load_with_systemd(service).command[-3:] == ["--verbose", "--timeout", "7"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--wach"], 'There is no option "--wach"'),
        (["more"], "unexpected extra argument"),
        (["--profile", "other"], "Put --profile before the --"),
        (["--dry-run"], "--dry-run cannot be passed"),
    ],
)
def test_an_invalid_option_of_the_service_is_refused(
    cli: CliEnvironment, invoke: Invoke, words: list[str], message: str
) -> None:
    done = invoke(cli, "service", "print", "outbox", "--", *words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["otbox"], 'Did you mean "outbox"?'),
        (["webhooks", "--timer"], "must run all the time"),
        (["webhooks", "--every", "5m"], "must run all the time"),
        (["outbox", "--user", "--run-as", "ana"], "run as you"),
        (["outbox", "--cron", "--user"], "cron has no units"),
        (["outbox", "--cron", "--timer"], "cannot be combined"),
        (["outbox", "--cron", "--write", "."], "crontab -"),
        (["outbox", "--force"], "--force needs --write"),
        (["outbox", "--every", "often"], '--every "often" is not a span'),
        (["outbox", "--every", "1s"], "from 10s to 1d"),
        (["outbox", "--every", "2d"], "from 10s to 1d"),
        (["outbox", "--run-as", "a b"], '--run-as "a b"'),
        (["outbox", "--run-as", "a\nb"], "is not a valid name of an account"),
        (["outbox", "--name", "../x"], '--name "../x"'),
        (["outbox", "--name", "x\n"], "is not a valid name of a unit"),
        ([], "Missing argument"),
    ],
)
def test_invalid_options_are_refused(cli: CliEnvironment, invoke: Invoke, arguments: list[str], message: str) -> None:
    done = invoke(cli, "service", "print", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_windows_users_are_referred_to_the_task_scheduler() -> None:
    with pytest.raises(InvalidInput, match="neither systemd nor cron"):
        parse_service("outbox", "nt")


def test_the_name_may_end_in_dot_service(cli: CliEnvironment, invoke: Invoke) -> None:
    (service,) = _print_units(invoke, cli, "outbox", "--name", "signals.service")
    assert service.file == "/etc/systemd/system/signals.service"
    assert "enable --now signals.service\n" in service.content


def test_exec_commands_share_the_limits_of_the_unit(cli: CliEnvironment, invoke: Invoke) -> None:
    done = invoke(cli, "service", "print", "webhooks", "--", "--exec", "/usr/local/bin/press in")
    assert "Commands started by --exec have the limits of the unit" in done.err
    assert ' --exec "/usr/local/bin/press in"\n' in done.out


def test_without_a_profile_there_is_nothing_to_print(unconfigured_cli: CliEnvironment) -> None:
    done = unconfigured_cli.run("service", "print", "outbox")
    assert (done.code, done.out) == (3, "")
    assert "No profile" in done.err


def test_a_profile_that_does_not_exist_is_named(cli: CliEnvironment) -> None:
    done = cli.run("service", "print", "outbox", "--profile", "sandbux")
    assert (done.code, done.out) == (3, "")
    assert 'Did you mean "sandbox"?' in done.err


def test_a_user_unit_needs_no_root(cli: CliEnvironment) -> None:
    (service,) = print_units(cli, "outbox", "--user")
    assert service.file == f"{cli.folder}/.config/systemd/user/cpctl-outbox.service"
    assert service.setting_values("WantedBy") == ["default.target"]
    assert "sudo" not in service.content
    assert "enable-linger" in service.content
    # Each of these needs root, or is refused by a user's systemd.
    assert not [line for line in service.content.splitlines() if line.startswith(("Protect", "Capab", "Private"))]
    assert not service.setting_values("User")


def test_files_in_tmp_are_not_hidden_from_the_service(cli: CliEnvironment, invoke: Invoke) -> None:
    (hidden,) = _print_units(invoke, cli, "outbox", CPCTL_DATA_DIR="/tmp/cpctl-data")
    assert hidden.setting_values("PrivateTmp") == []
    cli.configure(sandbox_configuration("http://127.0.0.1:9"))
    (service,) = _print_units(invoke, cli, "webhooks")
    assert service.setting_values("PrivateTmp") == ([] if is_below(Path(sys.executable), TEMP_FOLDERS) else ["yes"])


def test_the_exposure_level_stays_within_its_limit(cli: CliEnvironment) -> None:
    """`systemd-analyze security` gives 0 (best) to 10; docs/services.md says what remains."""
    for what in ("outbox", "webhooks"):
        units = print_units(cli, what, CPCTL_DATA_DIR="/srv/cpctl-data")
        assert verify_units(cli.folder / "units", units) == ""
        file = str(cli.folder / "units" / units[0].name)
        command = ["systemd-analyze", "security", "--offline=true", "--threshold=30", file]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout


def _print_units(invoke: Invoke, cli: CliEnvironment, *arguments: str, **changes: str | None) -> list[UnitFile]:
    done = invoke(cli, "service", "print", *arguments, "-o", "json", **changes)
    assert done.code == 0, done.err
    return [UnitFile(row["file"], row["content"]) for row in done.data]
