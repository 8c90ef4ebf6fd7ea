"""The units that `cpctl service print` prints, as systemd understands them."""

import getpass
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from service_world import Unit, as_systemd_reads, complaints, install_cpctl, printed, split
from worlds import Result, World, configuration

from cpctl.cli.commands.service.host import TEMP_FOLDERS, is_below
from cpctl.cli.commands.service.plan_builder import parse_service
from cpctl.errors import InvalidInput

Inside = Callable[..., Result]
ME = getpass.getuser()
HOSTILE = "50% $HOME 'a' \"b\" \\ ; --watch"


@pytest.mark.parametrize("what", ["outbox", "webhooks"])
@pytest.mark.parametrize("options", [(), ("--user",), ("--run-as", "daemon"), ("--name", "cpctl-second")])
def test_systemd_has_nothing_to_say_against_a_service(world: World, what: str, options: tuple[str, ...]) -> None:
    units = printed(world, what, *options)
    assert complaints(world.folder / "units", units, *(["--user"] if "--user" in options else [])) == ""


@pytest.mark.parametrize("options", [("--timer",), ("--every", "90s"), ("--timer", "--user")])
def test_systemd_has_nothing_to_say_against_a_timer(world: World, options: tuple[str, ...]) -> None:
    units = printed(world, "outbox", *options)
    assert [unit.name for unit in units] == ["cpctl-outbox.service", "cpctl-outbox.timer"]
    assert complaints(world.folder / "units", units, *(["--user"] if "--user" in options else [])) == ""


def test_a_unit_with_a_mistake_would_be_found(world: World) -> None:
    service, *_ = printed(world, "outbox")
    wrong = service._replace(content=service.content.replace("RestartSec", "RestartsSec"))
    assert "RestartsSec" in complaints(world.folder / "units", [wrong])


@pytest.mark.parametrize("options", [(), ("--timer",), ("--user", "--every", "5m")])
def test_the_printed_text_holds_the_same_files_as_the_json(world: World, options: tuple[str, ...]) -> None:
    shown = world.run("service", "print", "outbox", *options)
    assert shown.code == 0, shown.err
    units, by_cron = shown.out.split("\n# Without systemd")
    assert by_cron.count("\n") >= 1
    assert [(unit.file, unit.content.strip()) for unit in split(units)] == [
        (unit.file, unit.content.strip()) for unit in printed(world, "outbox", *options)
    ]


def test_the_service_sends_from_the_store_of_the_person_who_prints_it(world: World) -> None:
    (service,) = printed(world, "outbox")
    read = as_systemd_reads(service)
    assert read.environment["CPCTL_DATA_DIR"] == str(world.store.parent)
    assert read.environment["CPCTL_CONFIG"] == str(world.config)
    assert read.command[-4:] == ["outbox", "flush", "--watch", "--profile=sandbox"]
    assert service.lines("User") == [ME]
    assert f"ReadWritePaths: -{world.store.parent}" in read.lines


def test_a_store_that_a_variable_names_is_named_to_the_service(world: World, inside: Inside) -> None:
    store = world.folder / "elsewhere" / "shop.db"
    (service,) = _printed(inside, world, "outbox", CPCTL_STORE="elsewhere/shop.db")
    assert f"CPCTL_STORE={store}" in service.lines("Environment")
    assert service.lines("ReadWritePaths") == [f"-{store.parent}"]


def test_a_store_that_the_profile_names_is_left_to_the_profile(world: World, inside: Inside) -> None:
    world.configure(configuration("http://127.0.0.1:9", "    store: shop/own.db\n"))
    (service,) = _printed(inside, world, "outbox")
    assert not [line for line in service.lines("Environment") if line.startswith(("CPCTL_STORE", "CPCTL_DATA"))]
    assert service.lines("ReadWritePaths") == [f"-{world.folder / 'shop'}"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a store away")
def test_a_store_of_another_person_is_sent_by_that_person(world: World, inside: Inside) -> None:
    world.run("signal", "packed", "123456780001", "--order", "123456780000", "--queue-only")
    os.chown(world.store, 65534, 65534)
    (service,) = _printed(inside, world, "outbox")
    assert service.lines("User") == ["nobody"]


def test_webhooks_run_as_an_account_of_their_own_with_a_store_of_their_own(world: World) -> None:
    (service,) = printed(world, "webhooks")
    assert service.lines("User") == ["cpctl"]
    assert service.lines("StateDirectory") == ["cpctl"]
    assert "CPCTL_DATA_DIR=%S/cpctl" in service.lines("Environment")
    assert "CPCTL_CONFIG=/etc/cpctl/config.yaml" in service.lines("Environment")
    assert service.lines("ProtectHome") == ["yes"]
    assert service.lines("Type") == ["notify"]


def test_webhooks_can_share_the_store_of_a_person(world: World, inside: Inside) -> None:
    (service,) = _printed(inside, world, "webhooks", "--run-as", ME)
    assert service.lines("ReadWritePaths") == [f"-{world.store.parent}"]
    assert service.lines("StateDirectory") == []


def test_who_prints_a_service_for_another_account_is_told_what_it_needs(world: World) -> None:
    done = world.run("service", "print", "outbox", "--run-as", "press")
    assert "useradd --system --no-create-home press" in done.err
    assert f"does not send what is accepted in {world.store}" in done.err
    assert '/etc/cpctl/config.yaml must have the profile "sandbox"' in done.err
    assert all(f"# {line.removeprefix('Warning: ')}" in done.out for line in done.err.splitlines())


def test_a_configuration_without_keys_is_enough_where_the_key_is_a_credential(world: World) -> None:
    world.configure("profiles:\n  production: {}\n")
    key = world.folder / "signal.key"
    key.write_text("a-key-for-signal-only\n")
    key.chmod(0o600)
    assert world.json("whoami", CPCTL_SIGNAL_KEY_FILE=str(key))["profile"] == "production"


def test_the_environment_alone_makes_a_service_too(empty_world: World) -> None:
    settings = {"CPCTL_BASE_URL": "http://127.0.0.1:9", "CPCTL_TIMEOUT": "12", "CPCTL_SIGNAL_KEY": "a-key-never-shown"}
    (service,) = printed(empty_world, "outbox", **settings)
    read = as_systemd_reads(service)
    assert read.command[-3:] == ["outbox", "flush", "--watch"]
    assert read.environment["CPCTL_BASE_URL"] == "http://127.0.0.1:9"
    assert read.environment["CPCTL_TIMEOUT"] == "12"
    assert "CPCTL_CONFIG" not in read.environment
    assert "never-shown" not in service.content


def test_a_proxy_is_handed_on_and_its_password_is_not(world: World) -> None:
    (open_one,) = printed(world, "outbox", HTTPS_PROXY="http://proxy:3128", NO_PROXY="localhost")
    assert {"HTTPS_PROXY=http://proxy:3128", "NO_PROXY=localhost"} <= set(open_one.lines("Environment"))
    done = world.run("service", "print", "outbox", HTTPS_PROXY="http://ana:hush-hush@proxy:3128")
    assert "hush-hush" not in done.out + done.err
    assert "HTTPS_PROXY holds a password and is left out" in done.err


@pytest.mark.parametrize("what", ["outbox", "webhooks"])
def test_a_profile_with_a_name_full_of_traps_reaches_the_service_unchanged(
    world: World, inside: Inside, what: str
) -> None:
    world.configure(f"profiles:\n  {json.dumps(HOSTILE)}: {{base_url: 'http://127.0.0.1:9'}}\n")
    (service,) = _printed(inside, world, what)
    assert as_systemd_reads(service).command[-1] == f"--profile={HOSTILE}"
    assert complaints(world.folder / "units", [service]) == ""


def test_folders_with_names_full_of_traps_reach_the_service_unchanged(world: World) -> None:
    folder = world.folder / "we $HOME 100% \"x\" 'y' \\z"
    folder.mkdir()
    program = install_cpctl(world.folder / "50% of $HOME; all")
    key = folder / "the signal.key"
    key.write_text("a-key-for-signal-only\n")
    key.chmod(0o600)
    done = _run(program, world, CPCTL_DATA_DIR=str(folder / "data"), CPCTL_SIGNAL_KEY_FILE=str(key))
    service = Unit(**json.loads(done.stdout)[0])
    read = as_systemd_reads(service)
    assert read.command[0] == str(program)
    assert read.environment["CPCTL_DATA_DIR"] == str(folder / "data")
    assert f"ReadWritePaths: -{folder / 'data'}" in read.lines
    assert service.lines("LoadCredential") == [f"signal:{key}".replace("%", "%%")]
    assert complaints(world.folder / "units", [service]) == ""


@pytest.mark.parametrize("folder", ["it's", 'the "new" one', "back\\slash"])
def test_a_program_that_systemd_would_not_run_is_refused(world: World, folder: str) -> None:
    done = _run(install_cpctl(world.folder / folder), world)
    assert (done.returncode, done.stdout) == (2, "")
    assert "systemd runs no program with a quote or a backslash" in json.loads(done.stderr)["error"]["message"]


def _run(program: Path, world: World, **changes: str) -> "subprocess.CompletedProcess[str]":
    """Print the service of the outbox with a cpctl that is installed somewhere."""
    command = [program, "service", "print", "outbox", "-o", "json"]
    return subprocess.run(command, capture_output=True, text=True, env=world.env(**changes), timeout=60)


@pytest.mark.parametrize("name", ["a\nExecStartPre=/bin/rm -rf /", "a\r", "a\x1bb", "a\u2028b", "a\x85b"])
@pytest.mark.parametrize("options", [(), ("--user",), ("--cron",), ("--run-as", "press")])
def test_a_profile_cannot_bring_lines_of_its_own(
    world: World, inside: Inside, name: str, options: tuple[str, ...]
) -> None:
    world.configure(f"profiles:\n  {json.dumps(name)}: {{base_url: 'http://127.0.0.1:9'}}\n")
    done = inside(world, "service", "print", "outbox", *options)
    assert (done.code, done.out) == (2, "")
    assert "The profile" in done.err and "line break" in done.err


@pytest.mark.parametrize("variable", ["CPCTL_DATA_DIR", "CPCTL_STORE", "CPCTL_SIGNAL_KEY_FILE", "HTTPS_PROXY"])
def test_a_variable_cannot_bring_lines_of_its_own(world: World, inside: Inside, variable: str) -> None:
    done = inside(world, "service", "print", "outbox", **{variable: "/tmp/a\nUser=root"})
    assert (done.code, done.out) == (2, "")


def test_a_home_for_units_cannot_bring_lines_of_its_own(world: World, inside: Inside) -> None:
    done = inside(world, "service", "print", "outbox", "--user", XDG_CONFIG_HOME="/tmp/a\nb")
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize("end", [" ", "\\"])
def test_a_key_file_whose_name_systemd_would_cut_is_refused(world: World, inside: Inside, end: str) -> None:
    done = inside(world, "service", "print", "outbox", CPCTL_SIGNAL_KEY_FILE=f"/tmp/key{end}")
    assert (done.code, done.out) == (2, "")
    assert "ends in a blank or a backslash" in done.err


def test_what_stands_after_two_dashes_is_said_to_the_service(world: World) -> None:
    (service,) = printed(world, "outbox", "--", "--verbose", "--timeout", "7")
    assert as_systemd_reads(service).command[-3:] == ["--verbose", "--timeout", "7"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--wach"], 'There is no option "--wach"'),
        (["more"], "unexpected extra argument"),
        (["--profile", "other"], "Put --profile before the --"),
        (["--dry-run"], "--dry-run cannot be given"),
    ],
)
def test_an_option_that_the_service_does_not_know_is_found_before_it_is_installed(
    world: World, inside: Inside, words: list[str], told: str
) -> None:
    done = inside(world, "service", "print", "outbox", "--", *words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["otbox"], 'Did you mean "outbox"?'),
        (["webhooks", "--timer"], "has to run all the time"),
        (["webhooks", "--every", "5m"], "has to run all the time"),
        (["outbox", "--user", "--run-as", "ana"], "run as you"),
        (["outbox", "--cron", "--user"], "cron has no units"),
        (["outbox", "--cron", "--timer"], "choose one"),
        (["outbox", "--cron", "--write", "."], "crontab -"),
        (["outbox", "--force"], "--force without --write"),
        (["outbox", "--every", "often"], '--every "often" is not a span'),
        (["outbox", "--every", "1s"], "from 10s to 1d"),
        (["outbox", "--every", "2d"], "from 10s to 1d"),
        (["outbox", "--run-as", "a b"], '--run-as "a b"'),
        (["outbox", "--run-as", "a\nb"], "cannot be the name of an account"),
        (["outbox", "--name", "../x"], '--name "../x"'),
        (["outbox", "--name", "x\n"], "cannot be the name of a unit"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_meant_is_refused(world: World, inside: Inside, arguments: list[str], told: str) -> None:
    done = inside(world, "service", "print", *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_windows_is_told_what_it_has_instead() -> None:
    with pytest.raises(InvalidInput, match="neither systemd nor cron"):
        parse_service("outbox", "nt")


def test_the_ending_of_a_unit_may_be_part_of_its_name(world: World, inside: Inside) -> None:
    (service,) = _printed(inside, world, "outbox", "--name", "signals.service")
    assert service.file == "/etc/systemd/system/signals.service"
    assert "enable --now signals.service\n" in service.content


def test_what_exec_starts_is_said_to_share_the_limits(world: World, inside: Inside) -> None:
    done = inside(world, "service", "print", "webhooks", "--", "--exec", "/usr/local/bin/press in")
    assert "What --exec starts lives within the limits of the unit" in done.err
    assert ' --exec "/usr/local/bin/press in"\n' in done.out


def test_without_a_profile_there_is_nothing_to_print(empty_world: World) -> None:
    done = empty_world.run("service", "print", "outbox")
    assert (done.code, done.out) == (3, "")
    assert "No profile" in done.err


def test_a_profile_that_does_not_exist_is_named(world: World) -> None:
    done = world.run("service", "print", "outbox", "--profile", "sandbux")
    assert (done.code, done.out) == (3, "")
    assert 'Did you mean "sandbox"?' in done.err


def test_a_unit_of_ones_own_needs_no_root(world: World) -> None:
    (service,) = printed(world, "outbox", "--user")
    assert service.file == f"{world.folder}/.config/systemd/user/cpctl-outbox.service"
    assert service.lines("WantedBy") == ["default.target"]
    assert "sudo" not in service.content
    assert "enable-linger" in service.content
    # Each of these needs root, or makes a person's own systemd refuse the unit.
    assert not [line for line in service.content.splitlines() if line.startswith(("Protect", "Capab", "Private"))]
    assert not service.lines("User")


def test_what_lies_in_tmp_is_not_hidden_from_the_service(world: World, inside: Inside) -> None:
    (hidden,) = _printed(inside, world, "outbox", CPCTL_DATA_DIR="/tmp/cpctl-data")
    assert hidden.lines("PrivateTmp") == []
    world.configure(configuration("http://127.0.0.1:9"))
    (service,) = _printed(inside, world, "webhooks")
    assert service.lines("PrivateTmp") == ([] if is_below(Path(sys.executable), TEMP_FOLDERS) else ["yes"])


def test_the_service_stays_within_the_exposure_we_promise(world: World) -> None:
    """`systemd-analyze security` gives 0 (best) to 10; docs/services.md says what remains."""
    for what in ("outbox", "webhooks"):
        units = printed(world, what, CPCTL_DATA_DIR="/srv/cpctl-data")
        assert complaints(world.folder / "units", units) == ""
        file = str(world.folder / "units" / units[0].name)
        command = ["systemd-analyze", "security", "--offline=true", "--threshold=30", file]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout


def _printed(inside: Inside, world: World, *arguments: str, **changes: str | None) -> list[Unit]:
    done = inside(world, "service", "print", *arguments, "-o", "json", **changes)
    assert done.code == 0, done.err
    return [Unit(row["file"], row["content"]) for row in done.data]
