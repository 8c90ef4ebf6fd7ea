"""`profile set-key` and `profile use`."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from conversation import CORE, SIGNAL, Conversation
from worlds import NOBODY, Result, World

from cpctl.sandbox.server.sandbox_server import Sandbox

Inside = Callable[..., Result]
SET = ("profile", "set-key")
OLD = "an-old-key-0000"


@pytest.fixture
def shop(fresh: World, sandbox: Sandbox, config: Path) -> World:
    """Two profiles, each of whose keys come in another way."""
    config.parent.mkdir()
    config.write_text(
        f"default_profile: here\nprofiles:\n  here:\n    base_url: {sandbox.base_url}\n"
        f"    core: {{api_key_file: keys/core}}\n    signal: {{api_key: {OLD}}} # typed\n"
        "    webhooks: {api_key_command: [pass, show, hook]}\n"
        f"  other:\n    base_url: {NOBODY}\n    core: {{api_key_file: keys/core}}\n",
        encoding="utf-8",
    )
    config.chmod(0o600)
    file = config.parent / "keys" / "core"
    file.parent.mkdir()
    file.write_text(OLD, encoding="utf-8")
    file.chmod(0o600)
    return fresh


def test_a_key_is_typed_without_being_shown_and_replaces_the_content_of_its_file(shop: World, config: Path) -> None:
    before = config.read_bytes()
    with Conversation(shop, *SET, "core", "--check", "-v", "--debug") as talk:
        talk.answer('Key of core for the profile "here" (not shown): ', CORE)
        assert talk.end() == 0
    assert CORE[:10] not in talk.screen
    assert "It is accepted by the service." in talk.screen
    assert "The profiles that use the same file have the new key, too: other." in talk.screen
    file = config.parent / "keys" / "core"
    assert file.read_text(encoding="utf-8") == f"{CORE}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert config.read_bytes() == before


def test_a_minus_at_a_terminal_is_typed_without_being_shown_too(shop: World, config: Path) -> None:
    with Conversation(shop, *SET, "core", "-") as talk:
        talk.answer("(not shown): ", CORE)
        assert talk.end() == 0
    assert CORE not in talk.screen


@pytest.mark.parametrize("text", [CORE, f"{CORE}\n", f"\ufeff{CORE}\r\n", f"  {CORE}\n\n"])
def test_a_script_gives_the_key_on_standard_input(shop: World, config: Path, text: str) -> None:
    result = shop.run(*SET, "core", "-", input=text)
    assert (result.code, result.out) == (0, "")
    assert CORE not in result.err
    assert (config.parent / "keys" / "core").read_text(encoding="utf-8") == f"{CORE}\n"


def test_a_key_in_the_configuration_moves_into_a_file_of_its_own(shop: World, config: Path) -> None:
    before = config.read_text(encoding="utf-8")
    result = shop.run(*SET, "signal", "-", "-o", "json", input=SIGNAL)
    assert result.code == 0
    file = config.parent / "here.signal.key"
    assert result.data == {"profile": "here", "service": "signal", "file": str(file), "key": "…5160"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    expected = before.replace(f"{{api_key: {OLD}}} # typed", "{api_key_file: here.signal.key} # typed")
    assert config.read_text(encoding="utf-8") == expected
    assert "`cpctl outbox release` lets the queue move again" in result.err


def test_a_service_without_a_key_gets_one(shop: World, config: Path) -> None:
    before = config.read_text(encoding="utf-8")
    assert shop.run(*SET, "signal", "-", "--profile", "other", input=SIGNAL).code == 0
    assert config.read_text(encoding="utf-8") == before + "    signal: {api_key_file: other.signal.key}\n"
    assert (config.parent / "other.signal.key").exists()


def test_a_key_that_a_command_prints_is_changed_where_the_command_finds_it(shop: World, config: Path) -> None:
    before = config.read_bytes()
    result = shop.run(*SET, "webhooks", "-", input=CORE)
    assert (result.code, result.out) == (3, "")
    assert 'The webhooks key of "here" comes from a command: webhooks.api_key_command, line 7' in result.err
    assert "Change the key where that command finds it" in result.err
    assert config.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "standard input: the key is empty."),
        ("abc", "standard input: the key has only 3 characters; it is cut off, or no key."),
        (f"{CORE}\n{SIGNAL}\n", "standard input: the key holds a blank, a line break"),
        ("Schlüssel-des-Hauses", "a character no key has"),
        ("x" * 5000, "more than 4096 characters are no key"),
    ],
)
def test_what_is_no_key_is_refused_and_the_old_one_stays(shop: World, config: Path, text: str, said: str) -> None:
    result = shop.run(*SET, "core", "-", input=text)
    assert (result.code, result.out) == (3, "")
    assert said in result.err
    assert (config.parent / "keys" / "core").read_text(encoding="utf-8") == OLD


def test_a_key_on_the_command_line_is_refused_and_not_repeated(shop: World, inside: Inside) -> None:
    for words in ((), ("-o", "json"), ("--debug",)):
        result = inside(shop, *SET, "core", CORE, *words)
        assert (result.code, result.out) == (2, "")
        assert "A key is never given on the command line" in result.err
        assert CORE not in result.err


@pytest.mark.parametrize(("words", "profile"), [((), "here"), (("--profile", "other"), "other")])
def test_without_a_terminal_and_without_a_minus_the_way_is_named_for_that_profile(
    shop: World, inside: Inside, words: tuple[str, ...], profile: str
) -> None:
    result = inside(shop, *SET, "signal", *words)
    assert (result.code, result.out) == (2, "")
    assert f"`cpctl profile set-key signal --profile {profile} - < FILE`" in result.err


def test_an_unknown_service_or_profile_names_the_nearest(shop: World, inside: Inside) -> None:
    result = inside(shop, *SET, "webhook", "-")
    assert (result.code, 'Did you mean "webhooks"?' in result.err) == (2, True)
    result = inside(shop, *SET, "core", "-", "-p", "heer")
    assert (result.code, 'Did you mean "here"?' in result.err) == (3, True)


def test_a_checked_key_that_is_refused_does_not_replace_the_old_one(shop: World, config: Path) -> None:
    before = config.read_bytes()
    result = shop.run(*SET, "core", "-", "--check", input=SIGNAL)
    assert result.code == 4
    assert "The key was not changed. Without --check it is kept unchecked." in result.err
    assert shop.run(*SET, "core", "-", "--check", "-p", "other", input=CORE).code == 75
    assert (config.parent / "keys" / "core").read_text(encoding="utf-8") == OLD
    assert config.read_bytes() == before


def test_a_dry_run_changes_nothing_and_reads_nothing(shop: World, inside: Inside, config: Path) -> None:
    before = config.read_bytes()
    for words in ((*SET, "signal", "-"), (*SET, "core"), ("profile", "use", "other")):
        result = inside(shop, *words, "--dry-run")
        assert result.code == 0, result
        assert "Dry run: nothing was changed." in result.err
    assert config.read_bytes() == before
    assert not (config.parent / "here.signal.key").exists()


def test_a_key_of_the_environment_that_beats_the_new_one_is_told(shop: World) -> None:
    result = shop.run(*SET, "core", "-", input=CORE, CPCTL_CORE_KEY=SIGNAL)
    assert "CPCTL_CORE_KEY is set in the environment and beats the core key of every profile." in result.err


def test_use_says_where_calls_go_from_now_on(shop: World, inside: Inside, config: Path) -> None:
    before = config.read_text(encoding="utf-8")
    result = inside(shop, "profile", "use", "other", "-o", "json")
    assert result.code == 0
    assert result.data == [{"name": "other", "environment": "sandbox", "base_url": NOBODY, "default": True}]
    assert f'The profile "other" is used from now on: calls go to {NOBODY} (sandbox).' in result.err
    assert config.read_text(encoding="utf-8") == before.replace("default_profile: here", "default_profile: other")
    assert inside(shop, "whoami", "-o", "value", "--query", "profile").out == "other\n"


def test_use_names_the_nearest_profile_and_changes_nothing(shop: World, inside: Inside, config: Path) -> None:
    before = config.read_bytes()
    result = inside(shop, "profile", "use", "othr")
    assert (result.code, result.out) == (3, "")
    assert 'Did you mean "other"?' in result.err
    assert config.read_bytes() == before


def test_use_says_when_the_environment_is_stronger(shop: World, inside: Inside) -> None:
    result = inside(shop, "profile", "use", "other", CPCTL_PROFILE="here")
    assert 'CPCTL_PROFILE is set in the environment; as long as it is, "here" is used.' in result.err


def test_a_refused_key_names_the_command_that_takes_another(shop: World, inside: Inside) -> None:
    result = inside(shop, "shipping", "levels")
    assert result.code == 4
    assert "`cpctl profile set-key core`" in result.err
