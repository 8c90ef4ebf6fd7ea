"""`profile set-key` and `profile use`."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from cpctl.sandbox.server.sandbox_server import Sandbox
from harness.cli_environment import UNREACHABLE_URL, CliEnvironment, CliResult
from harness.prompt_session import CORE_KEY, SIGNAL_KEY, PromptSession

Invoke = Callable[..., CliResult]
SET_KEY_COMMAND = ("profile", "set-key")
OLD_KEY = "an-old-key-0000"


@pytest.fixture
def two_profile_cli(fresh_cli: CliEnvironment, sandbox: Sandbox, config_file: Path) -> CliEnvironment:
    """Two profiles; each key of the first has another kind of source."""
    config_file.parent.mkdir()
    config_file.write_text(
        f"default_profile: here\nprofiles:\n  here:\n    base_url: {sandbox.base_url}\n"
        f"    core: {{api_key_file: keys/core}}\n    signal: {{api_key: {OLD_KEY}}} # typed\n"
        "    webhooks: {api_key_command: [pass, show, hook]}\n"
        f"  other:\n    base_url: {UNREACHABLE_URL}\n    core: {{api_key_file: keys/core}}\n",
        encoding="utf-8",
    )
    config_file.chmod(0o600)
    file = config_file.parent / "keys" / "core"
    file.parent.mkdir()
    file.write_text(OLD_KEY, encoding="utf-8")
    file.chmod(0o600)
    return fresh_cli


def test_a_typed_key_is_not_shown_and_replaces_the_content_of_its_file(
    two_profile_cli: CliEnvironment, config_file: Path
) -> None:
    before = config_file.read_bytes()
    with PromptSession(two_profile_cli, *SET_KEY_COMMAND, "core", "--check", "-v", "--debug") as talk:
        talk.answer('The core key of "here" (not shown): ', CORE_KEY)
        assert talk.wait_for_exit() == 0
    assert CORE_KEY[:10] not in talk.raw_output
    assert "It was accepted by the service." in talk.raw_output
    assert "These profiles use the same file and have the new key too: other." in talk.raw_output
    file = config_file.parent / "keys" / "core"
    assert file.read_text(encoding="utf-8") == f"{CORE_KEY}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert config_file.read_bytes() == before


def test_a_minus_at_a_terminal_prompts_without_showing_the_key(
    two_profile_cli: CliEnvironment, config_file: Path
) -> None:
    with PromptSession(two_profile_cli, *SET_KEY_COMMAND, "core", "-") as talk:
        talk.answer("(not shown): ", CORE_KEY)
        assert talk.wait_for_exit() == 0
    assert CORE_KEY not in talk.raw_output


@pytest.mark.parametrize("text", [CORE_KEY, f"{CORE_KEY}\n", f"\ufeff{CORE_KEY}\r\n", f"  {CORE_KEY}\n\n"])
def test_a_script_gives_the_key_on_standard_input(
    two_profile_cli: CliEnvironment, config_file: Path, text: str
) -> None:
    result = two_profile_cli.run(*SET_KEY_COMMAND, "core", "-", input=text)
    assert (result.code, result.out) == (0, "")
    assert CORE_KEY not in result.err
    assert (config_file.parent / "keys" / "core").read_text(encoding="utf-8") == f"{CORE_KEY}\n"


def test_a_key_in_the_configuration_moves_to_its_own_file(two_profile_cli: CliEnvironment, config_file: Path) -> None:
    before = config_file.read_text(encoding="utf-8")
    result = two_profile_cli.run(*SET_KEY_COMMAND, "signal", "-", "-o", "json", input=SIGNAL_KEY)
    assert result.code == 0
    file = config_file.parent / "here.signal.key"
    assert result.data == {"profile": "here", "service": "signal", "file": str(file), "key": "…5160"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    expected = before.replace(f"{{api_key: {OLD_KEY}}} # typed", "{api_key_file: here.signal.key} # typed")
    assert config_file.read_text(encoding="utf-8") == expected
    assert "`cpctl outbox release` resumes the queue" in result.err


def test_a_service_without_a_key_gets_one(two_profile_cli: CliEnvironment, config_file: Path) -> None:
    before = config_file.read_text(encoding="utf-8")
    assert two_profile_cli.run(*SET_KEY_COMMAND, "signal", "-", "--profile", "other", input=SIGNAL_KEY).code == 0
    assert config_file.read_text(encoding="utf-8") == before + "    signal: {api_key_file: other.signal.key}\n"
    assert (config_file.parent / "other.signal.key").exists()


def test_a_key_from_a_command_cannot_be_set(two_profile_cli: CliEnvironment, config_file: Path) -> None:
    before = config_file.read_bytes()
    result = two_profile_cli.run(*SET_KEY_COMMAND, "webhooks", "-", input=CORE_KEY)
    assert (result.code, result.out) == (3, "")
    assert 'The webhooks key of "here" comes from a command: webhooks.api_key_command, line 7' in result.err
    assert "Change the key where that command reads it" in result.err
    assert config_file.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "standard input: the key is empty."),
        ("abc", "standard input: the key has only 3 characters; it is truncated or not a key."),
        (f"{CORE_KEY}\n{SIGNAL_KEY}\n", "standard input: the key contains a space, a line break"),
        ("Schlüssel-des-Hauses", "a character that is not allowed in a key"),
        ("x" * 5000, "the key is longer than 4096 characters"),
    ],
)
def test_an_invalid_key_is_refused_and_the_old_one_stays(
    two_profile_cli: CliEnvironment, config_file: Path, text: str, message: str
) -> None:
    result = two_profile_cli.run(*SET_KEY_COMMAND, "core", "-", input=text)
    assert (result.code, result.out) == (3, "")
    assert message in result.err
    assert (config_file.parent / "keys" / "core").read_text(encoding="utf-8") == OLD_KEY


def test_a_key_on_the_command_line_is_refused_and_not_repeated(two_profile_cli: CliEnvironment, invoke: Invoke) -> None:
    for arguments in ((), ("-o", "json"), ("--debug",)):
        result = invoke(two_profile_cli, *SET_KEY_COMMAND, "core", CORE_KEY, *arguments)
        assert (result.code, result.out) == (2, "")
        assert "A key cannot be given on the command line" in result.err
        assert CORE_KEY not in result.err


@pytest.mark.parametrize(("arguments", "profile"), [((), "here"), (("--profile", "other"), "other")])
def test_without_a_terminal_the_hint_names_the_command_for_that_profile(
    two_profile_cli: CliEnvironment, invoke: Invoke, arguments: tuple[str, ...], profile: str
) -> None:
    result = invoke(two_profile_cli, *SET_KEY_COMMAND, "signal", *arguments)
    assert (result.code, result.out) == (2, "")
    assert f"`cpctl profile set-key signal --profile {profile} - < FILE`" in result.err


def test_an_unknown_service_or_profile_gets_the_nearest_name(two_profile_cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(two_profile_cli, *SET_KEY_COMMAND, "webhook", "-")
    assert (result.code, 'Did you mean "webhooks"?' in result.err) == (2, True)
    result = invoke(two_profile_cli, *SET_KEY_COMMAND, "core", "-", "-p", "heer")
    assert (result.code, 'Did you mean "here"?' in result.err) == (3, True)


def test_a_checked_key_that_is_refused_does_not_replace_the_old_one(
    two_profile_cli: CliEnvironment, config_file: Path
) -> None:
    before = config_file.read_bytes()
    result = two_profile_cli.run(*SET_KEY_COMMAND, "core", "-", "--check", input=SIGNAL_KEY)
    assert result.code == 4
    assert "The key was not changed. Without --check it is written unchecked." in result.err
    assert two_profile_cli.run(*SET_KEY_COMMAND, "core", "-", "--check", "-p", "other", input=CORE_KEY).code == 75
    assert (config_file.parent / "keys" / "core").read_text(encoding="utf-8") == OLD_KEY
    assert config_file.read_bytes() == before


def test_a_dry_run_changes_nothing_and_reads_nothing(
    two_profile_cli: CliEnvironment, invoke: Invoke, config_file: Path
) -> None:
    before = config_file.read_bytes()
    for arguments in ((*SET_KEY_COMMAND, "signal", "-"), (*SET_KEY_COMMAND, "core"), ("profile", "use", "other")):
        result = invoke(two_profile_cli, *arguments, "--dry-run")
        assert result.code == 0, result
        assert "Dry run: nothing was changed." in result.err
    assert config_file.read_bytes() == before
    assert not (config_file.parent / "here.signal.key").exists()


def test_a_key_in_the_environment_that_overrides_the_new_one_is_a_warning(two_profile_cli: CliEnvironment) -> None:
    result = two_profile_cli.run(*SET_KEY_COMMAND, "core", "-", input=CORE_KEY, CPCTL_CORE_KEY=SIGNAL_KEY)
    assert "CPCTL_CORE_KEY is set in the environment and overrides the core key of every profile." in result.err


def test_use_shows_where_calls_go(two_profile_cli: CliEnvironment, invoke: Invoke, config_file: Path) -> None:
    before = config_file.read_text(encoding="utf-8")
    result = invoke(two_profile_cli, "profile", "use", "other", "-o", "json")
    assert result.code == 0
    assert result.data == [{"name": "other", "environment": "sandbox", "base_url": UNREACHABLE_URL, "default": True}]
    assert f'The profile "other" is now the default: calls go to {UNREACHABLE_URL} (sandbox).' in result.err
    assert config_file.read_text(encoding="utf-8") == before.replace("default_profile: here", "default_profile: other")
    assert invoke(two_profile_cli, "whoami", "-o", "value", "--query", "profile").out == "other\n"


def test_use_of_an_unknown_profile_names_the_nearest_and_changes_nothing(
    two_profile_cli: CliEnvironment, invoke: Invoke, config_file: Path
) -> None:
    before = config_file.read_bytes()
    result = invoke(two_profile_cli, "profile", "use", "othr")
    assert (result.code, result.out) == (3, "")
    assert 'Did you mean "other"?' in result.err
    assert config_file.read_bytes() == before


def test_use_warns_if_the_environment_overrides_the_default(two_profile_cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(two_profile_cli, "profile", "use", "other", CPCTL_PROFILE="here")
    assert 'CPCTL_PROFILE is set in the environment and overrides the default: "here" is used.' in result.err


def test_a_refused_key_gets_a_hint_with_set_key(two_profile_cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(two_profile_cli, "shipping", "levels")
    assert result.code == 4
    assert "`cpctl profile set-key core`" in result.err
