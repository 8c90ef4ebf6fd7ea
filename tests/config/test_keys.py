"""Keys: their sources, invalid keys, and that only the last characters are shown."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cpctl.config.keys import Key, mask_keys
from harness.cli_environment import CliEnvironment, CliResult

Invoke = Callable[..., CliResult]
KEY = "00112233445566778899aabbccddeeff"
PYTHON_EXECUTABLE = sys.executable


@pytest.fixture
def cli_with_config_path(unconfigured_cli: CliEnvironment) -> CliEnvironment:
    return CliEnvironment(
        unconfigured_cli.folder, {**unconfigured_cli.environment, "CPCTL_CONFIG": str(unconfigured_cli.config)}
    )


def configure_key(cli: CliEnvironment, key_setting: str, more: str = "") -> CliEnvironment:
    cli.configure(f"profiles:\n  here:\n    signal:\n      {key_setting}\n{more}")
    return cli


def write_private_file(file: Path, text: str, mode: int = 0o600) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def key_details(invoke: Invoke, cli: CliEnvironment, *more: str, code: int = 0, **changes: str | None) -> Any:
    result = invoke(cli, "whoami", "-o", "json", *more, **changes)
    assert result.code == code, result
    assert KEY not in result.out + result.err
    return result.data["keys"]["signal"]


def key_error(invoke: Invoke, cli: CliEnvironment, **changes: str | None) -> str:
    """What stderr says if a command cannot read its key; it exits with 3 and keeps nothing."""
    result = invoke(cli, "signal", "packed", "1", "--order", "2", **changes)
    assert (result.code, result.out) == (3, ""), result
    assert KEY not in result.err
    return result.err


def test_a_key_may_be_in_the_configuration_file(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    configure_key(cli_with_config_path, f"api_key: {KEY}")
    assert key_details(invoke, cli_with_config_path) == {"key": "…eeff", "source": "signal.api_key, line 4"}


@pytest.mark.parametrize("key", ["0000012345678901", "0123456789012345", "1e10000000000000", "0x12345678901234"])
def test_a_key_that_looks_like_a_number_is_kept_as_it_was_written(
    cli_with_config_path: CliEnvironment, invoke: Invoke, key: str, tmp_path: Path
) -> None:
    configure_key(cli_with_config_path, f"api_key: {key}")
    assert key_details(invoke, cli_with_config_path)["key"] == f"…{key[-4:]}"


def test_no_character_of_a_short_key_is_shown(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    configure_key(cli_with_config_path, "api_key: abc12345678")
    assert key_details(invoke, cli_with_config_path)["key"] == "***"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "  \n\n"])
def test_a_key_file_is_relative_to_the_configuration(
    cli_with_config_path: CliEnvironment, invoke: Invoke, end: str
) -> None:
    file = write_private_file(cli_with_config_path.folder / "keys" / "signal.key", KEY + end)
    configure_key(cli_with_config_path, "api_key_file: keys/signal.key")
    assert key_details(invoke, cli_with_config_path) == {
        "key": "…eeff",
        "source": f"signal.api_key_file, line 4 ({file})",
    }


def test_a_key_file_path_may_begin_with_a_tilde(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    write_private_file(cli_with_config_path.folder / "keys" / "signal.key", KEY)
    configure_key(cli_with_config_path, "api_key_file: ~/keys/signal.key")
    assert key_details(invoke, cli_with_config_path)["key"] == "…eeff"


@pytest.mark.parametrize(("mode", "shown"), [(0o644, "0644"), (0o440, "0440")])
def test_a_key_file_that_others_can_read_is_refused(
    cli_with_config_path: CliEnvironment, invoke: Invoke, mode: int, shown: str
) -> None:
    file = write_private_file(cli_with_config_path.folder / "signal.key", KEY, mode)
    configure_key(cli_with_config_path, "api_key_file: signal.key")
    error = key_error(invoke, cli_with_config_path)
    assert f"{file} can be read by others (its mode is {shown})" in error
    assert f"Type: chmod 600 {file}" in error
    assert not cli_with_config_path.store.exists()


@pytest.mark.parametrize(
    ("file", "message"), [("/", "cannot be read: Is a directory"), ("/dev/null", "the key is empty")]
)
def test_chmod_is_never_suggested_for_what_is_not_a_key_file(
    cli_with_config_path: CliEnvironment, invoke: Invoke, file: str, message: str
) -> None:
    error = key_error(invoke, cli_with_config_path, CPCTL_CONFIG=None, CPCTL_SIGNAL_KEY_FILE=file)
    assert message in error
    assert "chmod" not in error


def test_systemd_credentials_may_have_any_mode(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    folder = cli_with_config_path.folder / "credentials"
    file = write_private_file(folder / "signal", KEY, 0o440)
    environment = {"CPCTL_CONFIG": None, "CPCTL_SIGNAL_KEY_FILE": str(file)}
    assert "can be read by others" in key_error(invoke, cli_with_config_path, **environment)
    assert key_details(invoke, cli_with_config_path, **environment, CREDENTIALS_DIRECTORY=str(folder))["key"] == "…eeff"
    other = write_private_file(cli_with_config_path.folder / "elsewhere", KEY, 0o440)
    environment["CPCTL_SIGNAL_KEY_FILE"] = str(other)
    assert "can be read by others" in key_error(
        invoke, cli_with_config_path, **environment, CREDENTIALS_DIRECTORY=str(folder)
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        ("", "the key is empty"),
        ("\n\n", "the key is empty"),
        (f"{KEY}\nmore\n", "the key contains a space, a line break or a character that is not allowed in a key"),
        ("Schlüssel", "a character that is not allowed in a key"),
        ("two words", "the key contains a space"),
    ],
)
def test_a_key_file_without_a_valid_key_is_refused(
    cli_with_config_path: CliEnvironment, invoke: Invoke, content: str | None, message: str
) -> None:
    if content is not None:
        write_private_file(cli_with_config_path.folder / "signal.key", content)
    configure_key(cli_with_config_path, "api_key_file: signal.key")
    error = key_error(invoke, cli_with_config_path)
    assert "signal.api_key_file, line 4" in error
    assert message in error


def test_a_key_file_that_is_a_folder_is_refused(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    (cli_with_config_path.folder / "signal.key").mkdir(mode=0o700)
    configure_key(cli_with_config_path, "api_key_file: signal.key")
    assert "cannot be read: Is a directory" in key_error(invoke, cli_with_config_path)


@pytest.mark.parametrize("output", [f"{KEY}\\n", f"{KEY}", f"{KEY}\\nuser: shop\\nurl: x\\n"])
def test_the_first_line_of_a_command_is_the_key(
    cli_with_config_path: CliEnvironment, invoke: Invoke, output: str
) -> None:
    script = write_private_file(cli_with_config_path.folder / "show.py", f'import sys\nsys.stdout.write("{output}")\n')
    configure_key(cli_with_config_path, f"api_key_command: [{PYTHON_EXECUTABLE}, {script}]")
    assert key_details(invoke, cli_with_config_path) == {
        "key": "…eeff",
        "source": f"signal.api_key_command, line 4 ({PYTHON_EXECUTABLE} {script})",
    }


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ('["false"]', "`false` failed with exit status 1"),
        ("[no-such-program-anywhere]", "`no-such-program-anywhere` failed: No such file or directory"),
        ('["true"]', "the key is empty"),
        ("[echo, two words]", "the key contains a space"),
    ],
)
def test_a_failing_key_command_is_reported_and_the_signal_is_queued(
    cli_with_config_path: CliEnvironment, invoke: Invoke, command: str, message: str
) -> None:
    """A password store may be locked while the bench keeps packing: the signal is queued, and sent later."""
    configure_key(cli_with_config_path, f"api_key_command: {command}")
    result = invoke(cli_with_config_path, "signal", "packed", "1", "--order", "2", "-o", "json")
    assert result.code == 3
    assert message in result.err
    assert "signal.api_key_command, line 4" in result.err
    assert [row["state"] for row in result.data] == ["queued"]


def test_a_key_command_must_be_a_list_and_never_runs_in_a_shell(
    cli_with_config_path: CliEnvironment, invoke: Invoke
) -> None:
    configure_key(cli_with_config_path, "api_key_command: pass show cpctl/signal")
    error = invoke(cli_with_config_path, "whoami")
    assert error.code == 3
    assert "line 4, column 7: api_key_command must be a list, such as [pass, show, cpctl/signal]" in error.err
    configure_key(cli_with_config_path, "api_key_command: []")
    assert invoke(cli_with_config_path, "whoami").code == 3


def test_whoami_shows_why_a_key_cannot_be_read(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    configure_key(cli_with_config_path, 'api_key_command: ["false"]')
    found = key_details(invoke, cli_with_config_path, code=3)
    assert found["key"] is None
    assert "failed with exit status 1" in found["problem"]


def test_two_sources_for_one_key_are_refused(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    configure_key(cli_with_config_path, f"api_key: {KEY}\n      api_key_file: x")
    error = key_error(invoke, cli_with_config_path)
    assert "line 3, column 5: signal has more than one key: api_key, api_key_file" in error
    assert "Keep one of them." in error


@pytest.mark.parametrize("name", ["CPCTL_SIGNAL_KEY", "CPCTL_CORE_KEY", "CPCTL_WEBHOOK_KEY"])
def test_a_key_and_a_key_file_in_the_environment_are_refused_together(
    cli_with_config_path: CliEnvironment, invoke: Invoke, name: str
) -> None:
    configure_key(cli_with_config_path, f"api_key: {KEY}")
    error = key_error(invoke, cli_with_config_path, **{name: KEY, f"{name}_FILE": "x"})
    assert f"Both {name} and {name}_FILE are set." in error


@pytest.mark.parametrize(
    ("service", "name"),
    [("core", "CPCTL_CORE_KEY"), ("signal", "CPCTL_SIGNAL_KEY"), ("webhooks", "CPCTL_WEBHOOK_KEY")],
)
def test_a_key_in_the_environment_overrides_the_file(
    cli_with_config_path: CliEnvironment, invoke: Invoke, service: str, name: str
) -> None:
    cli_with_config_path.configure(f"profiles:\n  here:\n    {service}: {{api_key: of-the-file-1111}}\n")
    file = write_private_file(cli_with_config_path.folder / "other.key", "of-a-key-file-3333")

    def key(**changes: str | None) -> Any:
        return invoke(cli_with_config_path, "whoami", "-o", "json", **changes).data["keys"][service]

    assert key() == {"key": "…1111", "source": f"{service}.api_key, line 3"}
    assert key(**{name: "of-the-environment-2222"}) == {"key": "…2222", "source": name}
    assert key(**{f"{name}_FILE": str(file)}) == {"key": "…3333", "source": f"{name}_FILE ({file})"}
    assert key(**{name: "", f"{name}_FILE": ""})["key"] == "…1111"


def test_a_missing_key_is_reported_with_both_ways_to_add_it(
    cli_with_config_path: CliEnvironment, invoke: Invoke
) -> None:
    cli_with_config_path.configure(f"profiles:\n  here:\n    core: {{api_key: {KEY}}}\n")
    error = key_error(invoke, cli_with_config_path)
    assert 'The profile "here" has no key for signal.' in error
    assert "Add one with `cpctl profile set-key signal --profile here`, or set CPCTL_SIGNAL_KEY." in error
    assert not cli_with_config_path.store.exists()


def test_the_same_key_for_core_and_signal_is_a_warning(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    configure_key(cli_with_config_path, f"api_key: {KEY}", f"    core: {{api_key: {KEY}}}\n")
    result = invoke(cli_with_config_path, "whoami")
    assert result.code == 0
    assert "Warning: core and signal have the same key" in result.err
    checked = invoke(cli_with_config_path, "profile", "check", "-o", "json")
    assert checked.code == 0
    assert [row["verdict"] for row in checked.data].count("warning") == 1
    assert "same key" in checked.data[-1]["remedy"]
    assert invoke(cli_with_config_path, "whoami", "-qq").err == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_mode_of_the_file_counts_also_for_root(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    """The user id does not matter: others can read a file of root with such a mode too."""
    configure_key(cli_with_config_path, f"api_key: {KEY}")
    cli_with_config_path.config.chmod(0o604)
    assert invoke(cli_with_config_path, "whoami").code == 3
    cli_with_config_path.config.chmod(0o400)
    assert invoke(cli_with_config_path, "whoami").code == 0


def test_a_key_that_begins_like_another_is_masked_completely() -> None:
    assert mask_keys("say long-key-0123-and-more", [Key("long-key-0123"), Key("long-key-0123-and-more")]) == "say ***"
