"""The configuration file: every mistake in it is reported with its line, its column and a hint."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli_environment import CliEnvironment, CliResult

Invoke = Callable[..., CliResult]
KEYS = "    core: {api_key: core-key-0001}\n    signal: {api_key: signal-key-0002}\n"
VALID_CONFIG = f"profiles:\n  here:\n{KEYS}"


@pytest.fixture
def cli_with_config_path(unconfigured_cli: CliEnvironment) -> CliEnvironment:
    """An environment whose CPCTL_CONFIG names a file that does not exist yet."""
    return CliEnvironment(
        unconfigured_cli.folder, {**unconfigured_cli.environment, "CPCTL_CONFIG": str(unconfigured_cli.config)}
    )


def config_error(invoke: Invoke, cli: CliEnvironment, text: str, *more: str, **changes: str | None) -> str:
    """What stderr says about a configuration that is refused; nothing is on stdout."""
    cli.configure(text)
    result = invoke(cli, "whoami", *more, **changes)
    assert (result.code, result.out) == (3, ""), result
    return result.err


def test_a_valid_configuration_is_accepted(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    cli_with_config_path.configure(VALID_CONFIG)
    assert invoke(cli_with_config_path, "whoami", "-o", "value", "--query", "profile").out == "here\n"


@pytest.mark.parametrize(
    ("text", "line", "column", "name", "near"),
    [
        (f"profiles:\n  here:\n{KEYS}    base-url: https://x\n", 5, 5, "base-url", "base_url"),
        ("profiles:\n  here:\n    core: {api_kee: x}\n", 3, 12, "api_kee", "api_key"),
        ("profiles:\n  here:\n    signal:\n      api_key_fil: x\n", 4, 7, "api_key_fil", "api_key_file"),
        (f"default_profil: here\n{VALID_CONFIG}", 1, 1, "default_profil", "default_profile"),
        ("profiles:\n  here:\n    Signal: {api_key: x}\n", 3, 5, "Signal", "signal"),
    ],
)
def test_an_unknown_name_is_reported_with_its_line_and_the_nearest_valid_name(
    cli_with_config_path: CliEnvironment, invoke: Invoke, text: str, line: int, column: int, name: str, near: str
) -> None:
    error = config_error(invoke, cli_with_config_path, text)
    assert f'{cli_with_config_path.config}, line {line}, column {column}: unknown name "{name}"' in error
    assert f'Did you mean "{near}"?' in error


def test_a_name_unlike_any_valid_name_gets_a_list_of_all_valid_names(
    cli_with_config_path: CliEnvironment, invoke: Invoke
) -> None:
    error = config_error(invoke, cli_with_config_path, "profiles:\n  here:\n    core: {zzz: x}\n")
    assert "Valid: api_key, api_key_file, api_key_command." in error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (VALID_CONFIG + "    timeout: 5\n    timeout: 6\n", 'line 6, column 5: "timeout" is given twice'),
        (VALID_CONFIG + "  here: {}\n", 'line 5, column 3: "here" is given twice; the first time in line 2'),
        ("- a\n- b\n", "line 1, column 1: the configuration must be a list of `name: value` lines"),
        ("profiles: [here]\n", "line 1, column 1: profiles must be a list of `name: value` lines"),
        ("just words\n", "line 1, column 1: the configuration must be"),
        ("profiles:\n  here:\n    core: secret\n", "line 3, column 5: core must be a list of `name: value` lines"),
        (VALID_CONFIG + "    timeout: [1]\n", "line 5, column 5: timeout must be a single value"),
        (VALID_CONFIG + "    ? [a, b]\n    : c\n", "line 5, column 7: a name must be plain text"),
        (f"default_profile: hear\n{VALID_CONFIG}", 'line 1, column 1: there is no profile "hear"'),
        ("profiles: {a: b: c}\n", "line 1, column 16"),
        ("profiles: *nobody\n", "line 1, column 11"),
        ("profiles: &all {here: *all}\n", "config.yaml"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1"),
    ],
)
def test_an_invalid_configuration_is_refused_with_line_and_column(
    cli_with_config_path: CliEnvironment, invoke: Invoke, text: str, message: str
) -> None:
    error = config_error(invoke, cli_with_config_path, text)
    assert message in error
    assert "bug" not in error


def test_a_tab_gets_a_hint(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    error = config_error(invoke, cli_with_config_path, "profiles:\n\there:\n")
    assert f"{cli_with_config_path.config}, line 2, column 1" in error
    assert "replace the tab by spaces" in error


def test_a_file_that_is_not_utf8_is_refused(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    cli_with_config_path.config.write_bytes(b"profiles:\n  M\xfcnchen: {}\n")
    cli_with_config_path.config.chmod(0o600)
    result = invoke(cli_with_config_path, "whoami")
    assert result.code == 3
    assert "not UTF-8 text (byte 13)" in result.err


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(
    cli_with_config_path: CliEnvironment, invoke: Invoke
) -> None:
    cli_with_config_path.config.write_bytes(b"\xef\xbb\xbf" + VALID_CONFIG.replace("\n", "\r\n").encode())
    cli_with_config_path.config.chmod(0o600)
    assert invoke(cli_with_config_path, "whoami").code == 0


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "profiles:\n", "---\n"])
def test_an_empty_configuration_has_no_profile(cli_with_config_path: CliEnvironment, invoke: Invoke, text: str) -> None:
    assert "No profile: there is no profile in" in config_error(invoke, cli_with_config_path, text)


def test_a_configuration_named_by_option_or_variable_must_exist(
    cli_with_config_path: CliEnvironment, invoke: Invoke
) -> None:
    result = invoke(cli_with_config_path, "whoami")
    assert result.code == 3
    assert f"There is no configuration file {cli_with_config_path.config} (named by CPCTL_CONFIG)." in result.err
    result = invoke(cli_with_config_path, "whoami", "--config", "nowhere.yaml")
    assert "There is no configuration file nowhere.yaml (named by --config)." in result.err


@pytest.mark.parametrize(("mode", "shown"), [(0o644, "0644"), (0o640, "0640"), (0o604, "0604"), (0o666, "0666")])
def test_a_configuration_that_others_can_read_is_refused(
    cli_with_config_path: CliEnvironment, invoke: Invoke, mode: int, shown: str
) -> None:
    cli_with_config_path.configure(VALID_CONFIG, mode)
    result = invoke(cli_with_config_path, "signal", "packed", "1", "--order", "2")
    assert (result.code, result.out) == (3, "")
    assert f"can be read by others (its mode is {shown})" in result.err
    assert f"Type: chmod 600 {cli_with_config_path.config}" in result.err
    assert not cli_with_config_path.store.exists()


def test_chmod_is_never_suggested_for_a_folder_or_a_device(
    cli_with_config_path: CliEnvironment, invoke: Invoke
) -> None:
    cli_with_config_path.folder.chmod(0o755)
    folder = invoke(cli_with_config_path, "whoami", CPCTL_CONFIG=str(cli_with_config_path.folder))
    assert (folder.code, folder.err) == (
        3,
        f"cpctl: The configuration {cli_with_config_path.folder} cannot be read: Is a directory.\n",
    )
    key = "an-invented-signal-key"
    nothing = invoke(
        cli_with_config_path,
        "whoami",
        "-o",
        "value",
        "--query",
        "profile",
        CPCTL_CONFIG="/dev/null",
        CPCTL_SIGNAL_KEY=key,
    )
    assert (nothing.code, nothing.out) == (0, "default\n"), nothing.err


TWO_PROFILES = f"profiles:\n  bench:\n{KEYS}  office:\n{KEYS}"


@pytest.mark.parametrize(
    ("arguments", "changes", "source"),
    [(["-p", "bensh"], {}, "--profile"), ([], {"CPCTL_PROFILE": "bensh"}, "CPCTL_PROFILE")],
)
def test_an_unknown_profile_is_reported_with_its_source_and_the_nearest_name(
    cli_with_config_path: CliEnvironment, invoke: Invoke, arguments: list[str], changes: dict[str, str], source: str
) -> None:
    error = config_error(invoke, cli_with_config_path, TWO_PROFILES, *arguments, **changes)
    assert f'There is no profile "bensh" in {cli_with_config_path.config} ({source}).' in error
    assert 'Did you mean "bench"?' in error


def test_several_profiles_without_a_default_require_a_choice(
    cli_with_config_path: CliEnvironment, invoke: Invoke
) -> None:
    error = config_error(invoke, cli_with_config_path, TWO_PROFILES)
    assert "there are several profiles and no default_profile" in error
    assert "Choose with --profile: bench, office." in error


@pytest.mark.parametrize(
    ("arguments", "changes", "name", "source"),
    [
        ([], {}, "office", "default_profile"),
        ([], {"CPCTL_PROFILE": "bench"}, "bench", "CPCTL_PROFILE"),
        (["--profile", "office"], {"CPCTL_PROFILE": "bench"}, "office", "--profile"),
        ([], {"CPCTL_PROFILE": ""}, "office", "default_profile"),
    ],
)
def test_the_option_overrides_the_variable_which_overrides_the_file(
    cli_with_config_path: CliEnvironment,
    invoke: Invoke,
    arguments: list[str],
    changes: dict[str, str],
    name: str,
    source: str,
) -> None:
    cli_with_config_path.configure(f"default_profile: office\n{TWO_PROFILES}")
    found = invoke(cli_with_config_path, "whoami", "-o", "json", *arguments, **changes).data
    assert (found["profile"], found["profile_source"]) == (name, source)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base_url: http://api.example.org", "must begin with https://"),
        ("base_url: http://10.0.0.1", "must begin with https://"),
        ("base_url: ftp://localhost", "must begin with https://"),
        ("base_url: api.example.org", "must begin with https://"),
        ("base_url: http://localhost.example.org", "must begin with https://"),
        ("base_url: https://user:pass@api.example.org", "must contain nothing but scheme, host, port and path"),
        ("base_url: https://user@api.example.org", "must contain nothing but"),
        ("base_url: https://api.example.org/?a=b", "must contain nothing but"),
        ("base_url: https://api.example.org:99999", "is not a URL"),
        ("base_url: 'https://[::1'", "is not a URL"),
        ("timeout: soon", "must be a number of seconds, such as 30"),
        ("timeout: 0", "must be more than 0 and at most 3600 seconds"),
        ("timeout: -1", "must be more than 0 and at most 3600 seconds"),
        ("timeout: nan", "must be more than 0 and at most 3600 seconds"),
        ("timeout: .inf", "must be a number of seconds"),
        ("timeout: 1e9", "must be more than 0 and at most 3600 seconds"),
        ("signal_version: 2.1", "must be 1.1 or 2.0"),
        ("signal_version: 2", "must be 1.1 or 2.0"),
        ("signal_1_1_path: /status/", "must be /1.1/status/ or /cloudsignal/1.1/status/"),
        ("environment: production", "must be live or sandbox"),
        ("store: postgresql://db/cpctl", "cannot be a database server yet; name a file"),
    ],
)
def test_an_invalid_value_is_reported_with_its_line(
    cli_with_config_path: CliEnvironment, invoke: Invoke, text: str, message: str
) -> None:
    error = config_error(invoke, cli_with_config_path, f"{VALID_CONFIG}    {text}\n")
    assert f"{cli_with_config_path.config}, line 5, column 5: {text.partition(':')[0]}" in error
    assert message in error


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://localhost:8900", "sandbox"),
        ("http://127.0.0.1:8900/", "sandbox"),
        ("http://127.8.9.1", "sandbox"),
        ("http://[::1]:8900", "sandbox"),
        ("https://api.example.org/proxy/", "live"),
    ],
)
def test_https_anywhere_and_http_on_this_machine_are_accepted(
    cli_with_config_path: CliEnvironment, invoke: Invoke, url: str, kind: str
) -> None:
    cli_with_config_path.configure(f"{VALID_CONFIG}    base_url: '{url}'\n")
    found = invoke(cli_with_config_path, "whoami", "-o", "json").data
    assert (found["base_url"], found["environment"]) == (url.rstrip("/"), kind)


@pytest.mark.parametrize("written", ["2.0", '"2.0"', "'2.0'"])
def test_the_version_may_be_written_with_or_without_quotes(
    cli_with_config_path: CliEnvironment, invoke: Invoke, written: str
) -> None:
    cli_with_config_path.configure(f"{VALID_CONFIG}    signal_version: {written}\n    timeout: 007\n")
    settings = invoke(cli_with_config_path, "whoami", "-o", "json").data["settings"]
    assert settings["signal_version"] == {"value": "2.0", "source": "line 5"}
    assert settings["timeout"]["value"] == "007"


def test_a_relative_store_path_is_relative_to_the_configuration(
    cli_with_config_path: CliEnvironment, invoke: Invoke
) -> None:
    folder = cli_with_config_path.folder / "etc"
    folder.mkdir()
    file = folder / "mine.yaml"
    file.write_text(f"{VALID_CONFIG}    store: shop/outbox.db\n", encoding="utf-8")
    file.chmod(0o600)
    done = invoke(cli_with_config_path, "--config", str(file), "signal", "packed", "1", "--order", "2", "--queue-only")
    assert done.code == 0, done.err
    assert (folder / "shop" / "outbox.db").exists()
    assert (folder / "shop").stat().st_mode & 0o777 == 0o700
    assert (folder / "shop" / "outbox.db").stat().st_mode & 0o777 == 0o600


def test_a_store_path_may_begin_with_a_tilde(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    cli_with_config_path.configure(f"{VALID_CONFIG}    store: ~/kept.db\n")
    place = invoke(cli_with_config_path, "profile", "path", "-o", "value", "--query", "[1].path").out
    assert Path(place.strip()) == cli_with_config_path.folder / "kept.db"


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000, f"{VALID_CONFIG}    x: {'[' * 9000}"]
)
def test_deep_nesting_is_refused_and_does_not_crash_the_process(
    cli_with_config_path: CliEnvironment, text: str
) -> None:
    cli_with_config_path.configure(text)
    result = cli_with_config_path.run("whoami")
    assert (result.code, result.out) == (3, "")
    assert "nested more than 100 levels deep" in result.err


def test_aliases_that_expand_without_end_are_refused(cli_with_config_path: CliEnvironment, invoke: Invoke) -> None:
    rows = [f"a{row}: &a{row} [{', '.join([f'*a{row - 1}'] * 9)}]" for row in range(1, 30)]
    err = config_error(invoke, cli_with_config_path, "\n".join(["a0: &a0 [x]", *rows, "profiles: *a29"]))
    assert "aliases counted" in err
