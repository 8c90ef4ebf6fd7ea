"""The environment: it overrides the file, empty variables count as unset, and it is enough without a file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from cpctl.config.keys import KEY_VARIABLES
from cpctl.config.paths import find_cache_folder, find_config_file, find_default_store
from cpctl.config.settings import OTHER_VARIABLES, SETTINGS
from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import ITEM, ORDER, UNREACHABLE_URL, CliEnvironment, CliResult, sandbox_key_variables

Invoke = Callable[..., CliResult]


def effective_setting(
    invoke: Invoke, cli: CliEnvironment, name: str, *more: str, **changes: str | None
) -> tuple[Any, Any]:
    result = invoke(cli, "whoami", "-o", "json", *more, **changes)
    assert result.code == 0, result
    found = result.data["settings"][name]
    return found["value"], found["source"]


def test_the_base_url_in_the_environment_overrides_the_file(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    assert effective_setting(invoke, cli, "base_url") == (sandbox.base_url, "line 3")
    assert effective_setting(invoke, cli, "base_url", CPCTL_BASE_URL=UNREACHABLE_URL) == (
        UNREACHABLE_URL,
        "CPCTL_BASE_URL",
    )
    assert effective_setting(invoke, cli, "base_url", CPCTL_BASE_URL="")[0] == sandbox.base_url


def test_the_timeout_comes_from_option_environment_file_or_default(
    cli: CliEnvironment, sandbox: Sandbox, invoke: Invoke
) -> None:
    assert effective_setting(invoke, cli, "timeout") == ("30", "default")
    cli.config.write_text(cli.config.read_text(encoding="utf-8") + "    timeout: 11\n", encoding="utf-8")
    assert effective_setting(invoke, cli, "timeout")[0] == "11"
    assert effective_setting(invoke, cli, "timeout", CPCTL_TIMEOUT="12") == ("12", "CPCTL_TIMEOUT")
    assert effective_setting(invoke, cli, "timeout", "--timeout", "13", CPCTL_TIMEOUT="12") == ("13", "--timeout")
    assert effective_setting(invoke, cli, "timeout", CPCTL_TIMEOUT="")[0] == "11"


def test_the_store_comes_from_two_variables_and_the_file(cli: CliEnvironment, invoke: Invoke) -> None:
    folder = cli.folder
    assert effective_setting(invoke, cli, "store") == (str(folder / "data" / "cpctl.db"), "CPCTL_DATA_DIR")
    cli.config.write_text(cli.config.read_text(encoding="utf-8") + "    store: of-file.db\n", encoding="utf-8")
    assert effective_setting(invoke, cli, "store")[0] == str(folder / "of-file.db")
    assert effective_setting(invoke, cli, "store", CPCTL_STORE="~/of-env.db") == (
        str(folder / "of-env.db"),
        "CPCTL_STORE",
    )
    assert effective_setting(invoke, cli, "store", CPCTL_STORE="")[0] == str(folder / "of-file.db")


def test_by_default_configuration_and_store_are_in_the_users_folders(
    unconfigured_cli: CliEnvironment, invoke: Invoke
) -> None:
    rows = invoke(unconfigured_cli, "profile", "path", "-o", "json", CPCTL_DATA_DIR=None).data
    assert [row["source"] for row in rows] == ["default", "default"]
    assert all(row["path"].startswith(str(unconfigured_cli.folder)) and not row["exists"] for row in rows)


def test_an_option_or_a_variable_names_the_configuration(cli: CliEnvironment, invoke: Invoke) -> None:
    other = cli.folder / "other.yaml"
    other.write_text("profiles: {other: {signal: {api_key: another-signal-key}}}\n", encoding="utf-8")
    other.chmod(0o600)
    assert invoke(cli, "whoami", "-o", "json").data["profile"] == "sandbox"
    assert invoke(cli, "whoami", "-o", "json", CPCTL_CONFIG=str(other)).data["profile"] == "other"
    assert invoke(cli, "whoami", "-o", "json", "--config", "other.yaml").data["profile"] == "other"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"CPCTL_BASE_URL": "http://api.example.org"}, 'CPCTL_BASE_URL: "http://api.example.org" must begin with'),
        ({"CPCTL_TIMEOUT": "soon"}, 'CPCTL_TIMEOUT: "soon" must be a number of seconds'),
        ({"CPCTL_STORE": "postgresql://x/y"}, "CPCTL_STORE: "),
        ({"CPCTL_PROFILE": "nobody"}, "(CPCTL_PROFILE)"),
    ],
)
def test_an_invalid_variable_is_reported_by_name(
    cli: CliEnvironment, invoke: Invoke, changes: dict[str, str], message: str
) -> None:
    result = invoke(cli, "whoami", **changes)
    assert result.code == 3
    assert message in result.err


def test_an_invalid_timeout_option_is_reported(cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(cli, "whoami", "--timeout", "soon")
    assert '--timeout "soon" must be a number of seconds' in result.err
    assert result.code == 2


def test_the_environment_alone_is_enough(unconfigured_cli: CliEnvironment, sandbox: Sandbox) -> None:
    alone = {**sandbox_key_variables(), "CPCTL_BASE_URL": sandbox.base_url}
    done = unconfigured_cli.run_json("signal", "packed", ITEM, "--order", ORDER, **alone)
    assert [row["state"] for row in done] == ["delivered"]
    assert [row["profile"] for row in done] == ["default"]
    assert unconfigured_cli.run_json("outbox", "list", **alone) == []
    found = unconfigured_cli.run_json("whoami", **alone)
    assert (found["config"], found["profile_source"]) == (None, "environment")


def test_one_key_in_the_environment_is_enough(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    found = invoke(unconfigured_cli, "whoami", "-o", "json", CPCTL_SIGNAL_KEY="a-signal-key-1234").data
    assert found["base_url"] == "https://api.cloudprinter.com"
    assert found["environment"] == "live"
    assert found["keys"] == {
        "core": {"key": None, "source": None},
        "signal": {"key": "…1234", "source": "CPCTL_SIGNAL_KEY"},
        "webhooks": {"key": None, "source": None},
    }


def test_empty_variables_count_as_unset(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    names = [row.variable for row in SETTINGS.values() if row.variable] + [*OTHER_VARIABLES, *KEY_VARIABLES.values()]
    empty = dict.fromkeys(names, "")
    result = invoke(unconfigured_cli, "whoami", **empty)
    assert result.code == 3
    assert result.err.startswith("cpctl: No profile: there is no profile in ")


def test_without_configuration_one_line_says_what_to_do_next(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    for command in (["whoami"], ["outbox", "list"], ["signal", "packed", "1", "--order", "2"]):
        result = invoke(unconfigured_cli, *command)
        assert (result.code, result.out) == (3, "")
        (line,) = result.err.splitlines()
        accepted = "NOT ACCEPTED: " if command[0] == "signal" else ""
        assert line.startswith(f"cpctl: {accepted}No profile: there is no profile in ")
        assert line.endswith("`cpctl profile init` creates one.")
    assert not unconfigured_cli.store.exists()


@pytest.mark.parametrize("home", ["/home/anna", "/home/anna/", "here", None])
@pytest.mark.parametrize("named", ["/srv/x", "/srv/x/", None])
def test_the_default_folders_are_those_of_platformdirs(
    monkeypatch: pytest.MonkeyPatch, home: str | None, named: str | None
) -> None:
    """On Linux they are found without it, because importing it takes a sixth of a Tab."""
    for name, value in {
        "HOME": home,
        **dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"), named),
    }.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert find_config_file(None, {})[0].parent == Path(platformdirs.user_config_dir("cpctl"))
    assert find_default_store({})[0].parent == Path(platformdirs.user_data_dir("cpctl"))
    assert find_cache_folder({}) == Path(platformdirs.user_cache_dir("cpctl"))
