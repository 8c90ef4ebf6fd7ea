"""Keys: from where they come, what is wrong with them, and that only their end is shown."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from worlds import Result, World

from cpctl.config.keys import Key, mask_keys

Inside = Callable[..., Result]
KEY = "00112233445566778899aabbccddeeff"
PYTHON = sys.executable


@pytest.fixture
def configured(empty_world: World) -> World:
    return World(empty_world.folder, {**empty_world.environment, "CPCTL_CONFIG": str(empty_world.config)})


def with_key(world: World, way: str, more: str = "") -> World:
    world.configure(f"profiles:\n  here:\n    signal:\n      {way}\n{more}")
    return world


def private(file: Path, text: str, mode: int = 0o600) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def facts(inside: Inside, world: World, *more: str, code: int = 0, **changes: str | None) -> Any:
    result = inside(world, "whoami", "-o", "json", *more, **changes)
    assert result.code == code, result
    assert KEY not in result.out + result.err
    return result.data["keys"]["signal"]


def problem(inside: Inside, world: World, **changes: str | None) -> str:
    """What a command that needs the key says; it ends with 3 and keeps nothing."""
    result = inside(world, "signal", "packed", "1", "--order", "2", **changes)
    assert (result.code, result.out) == (3, ""), result
    assert KEY not in result.err
    return result.err


def test_a_key_may_stand_in_the_file(configured: World, inside: Inside) -> None:
    with_key(configured, f"api_key: {KEY}")
    assert facts(inside, configured) == {"key": "…eeff", "source": "signal.api_key, line 4"}


@pytest.mark.parametrize("key", ["0000012345678901", "0123456789012345", "1e10000000000000", "0x12345678901234"])
def test_a_key_that_looks_like_a_number_is_kept_as_it_was_written(
    configured: World, inside: Inside, key: str, tmp_path: Path
) -> None:
    with_key(configured, f"api_key: {key}")
    assert facts(inside, configured)["key"] == f"…{key[-4:]}"


def test_a_short_key_shows_nothing_of_itself(configured: World, inside: Inside) -> None:
    with_key(configured, "api_key: abc12345678")
    assert facts(inside, configured)["key"] == "***"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "  \n\n"])
def test_a_key_file_lies_beside_the_configuration(configured: World, inside: Inside, end: str) -> None:
    file = private(configured.folder / "keys" / "signal.key", KEY + end)
    with_key(configured, "api_key_file: keys/signal.key")
    assert facts(inside, configured) == {"key": "…eeff", "source": f"signal.api_key_file, line 4 ({file})"}


def test_a_key_file_may_be_named_from_the_home_folder(configured: World, inside: Inside) -> None:
    private(configured.folder / "keys" / "signal.key", KEY)
    with_key(configured, "api_key_file: ~/keys/signal.key")
    assert facts(inside, configured)["key"] == "…eeff"


@pytest.mark.parametrize(("mode", "shown"), [(0o644, "0644"), (0o440, "0440")])
def test_a_key_file_that_others_can_read_is_refused(configured: World, inside: Inside, mode: int, shown: str) -> None:
    file = private(configured.folder / "signal.key", KEY, mode)
    with_key(configured, "api_key_file: signal.key")
    said = problem(inside, configured)
    assert f"{file} can be read by others (its mode is {shown})" in said
    assert f"Type: chmod 600 {file}" in said
    assert not configured.store.exists()


@pytest.mark.parametrize(("file", "said"), [("/", "cannot be read: Is a directory"), ("/dev/null", "the key is empty")])
def test_nobody_is_told_to_change_the_mode_of_what_is_no_key_file(
    configured: World, inside: Inside, file: str, said: str
) -> None:
    told = problem(inside, configured, CPCTL_CONFIG=None, CPCTL_SIGNAL_KEY_FILE=file)
    assert said in told
    assert "chmod" not in told


def test_what_systemd_hands_over_has_modes_of_its_own(configured: World, inside: Inside) -> None:
    folder = configured.folder / "credentials"
    file = private(folder / "signal", KEY, 0o440)
    environment = {"CPCTL_CONFIG": None, "CPCTL_SIGNAL_KEY_FILE": str(file)}
    assert "can be read by others" in problem(inside, configured, **environment)
    assert facts(inside, configured, **environment, CREDENTIALS_DIRECTORY=str(folder))["key"] == "…eeff"
    other = private(configured.folder / "elsewhere", KEY, 0o440)
    environment["CPCTL_SIGNAL_KEY_FILE"] = str(other)
    assert "can be read by others" in problem(inside, configured, **environment, CREDENTIALS_DIRECTORY=str(folder))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        ("", "the key is empty"),
        ("\n\n", "the key is empty"),
        (f"{KEY}\nmore\n", "the key holds a blank, a line break or a character no key has"),
        ("Schlüssel", "a character no key has"),
        ("two words", "the key holds a blank"),
    ],
)
def test_a_key_file_without_a_key_is_said_so(
    configured: World, inside: Inside, content: str | None, words: str
) -> None:
    if content is not None:
        private(configured.folder / "signal.key", content)
    with_key(configured, "api_key_file: signal.key")
    said = problem(inside, configured)
    assert "signal.api_key_file, line 4" in said
    assert words in said


def test_a_key_file_that_is_a_folder_is_no_key(configured: World, inside: Inside) -> None:
    (configured.folder / "signal.key").mkdir(mode=0o700)
    with_key(configured, "api_key_file: signal.key")
    assert "cannot be read: Is a directory" in problem(inside, configured)


@pytest.mark.parametrize("output", [f"{KEY}\\n", f"{KEY}", f"{KEY}\\nuser: shop\\nurl: x\\n"])
def test_the_first_line_of_a_command_is_the_key(configured: World, inside: Inside, output: str) -> None:
    script = private(configured.folder / "show.py", f'import sys\nsys.stdout.write("{output}")\n')
    with_key(configured, f"api_key_command: [{PYTHON}, {script}]")
    assert facts(inside, configured) == {
        "key": "…eeff",
        "source": f"signal.api_key_command, line 4 ({PYTHON} {script})",
    }


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ('["false"]', "`false` ended with status 1"),
        ("[no-such-program-anywhere]", "`no-such-program-anywhere` failed: No such file or directory"),
        ('["true"]', "the key is empty"),
        ("[echo, two words]", "the key holds a blank"),
    ],
)
def test_a_command_that_gives_no_key_is_said_so_and_the_signal_is_safe(
    configured: World, inside: Inside, command: str, words: str
) -> None:
    """A password store may be locked while the bench packs on: the signal is kept, and sent when it opens."""
    with_key(configured, f"api_key_command: {command}")
    result = inside(configured, "signal", "packed", "1", "--order", "2", "-o", "json")
    assert result.code == 3
    assert words in result.err
    assert "signal.api_key_command, line 4" in result.err
    assert [row["state"] for row in result.data] == ["queued"]


def test_a_command_is_a_list_of_words_and_never_a_line_for_a_shell(configured: World, inside: Inside) -> None:
    with_key(configured, "api_key_command: pass show cpctl/signal")
    said = inside(configured, "whoami")
    assert said.code == 3
    assert "line 4, column 7: api_key_command must be a list, such as [pass, show, cpctl/signal]" in said.err
    with_key(configured, "api_key_command: []")
    assert inside(configured, "whoami").code == 3


def test_whoami_tells_why_a_key_cannot_be_had(configured: World, inside: Inside) -> None:
    with_key(configured, 'api_key_command: ["false"]')
    found = facts(inside, configured, code=3)
    assert found["key"] is None
    assert "ended with status 1" in found["problem"]


def test_two_sources_for_one_key_are_refused(configured: World, inside: Inside) -> None:
    with_key(configured, f"api_key: {KEY}\n      api_key_file: x")
    said = problem(inside, configured)
    assert "line 3, column 5: signal has more than one key: api_key, api_key_file" in said
    assert "Keep one of them." in said


@pytest.mark.parametrize("name", ["CPCTL_SIGNAL_KEY", "CPCTL_CORE_KEY", "CPCTL_WEBHOOK_KEY"])
def test_a_key_and_a_key_file_in_the_environment_contradict_each_other(
    configured: World, inside: Inside, name: str
) -> None:
    with_key(configured, f"api_key: {KEY}")
    said = problem(inside, configured, **{name: KEY, f"{name}_FILE": "x"})
    assert f"Both {name} and {name}_FILE are set." in said


@pytest.mark.parametrize(
    ("service", "name"),
    [("core", "CPCTL_CORE_KEY"), ("signal", "CPCTL_SIGNAL_KEY"), ("webhooks", "CPCTL_WEBHOOK_KEY")],
)
def test_a_key_of_the_environment_beats_that_of_the_file(
    configured: World, inside: Inside, service: str, name: str
) -> None:
    configured.configure(f"profiles:\n  here:\n    {service}: {{api_key: of-the-file-1111}}\n")
    file = private(configured.folder / "other.key", "of-a-key-file-3333")

    def key(**changes: str | None) -> Any:
        return inside(configured, "whoami", "-o", "json", **changes).data["keys"][service]

    assert key() == {"key": "…1111", "source": f"{service}.api_key, line 3"}
    assert key(**{name: "of-the-environment-2222"}) == {"key": "…2222", "source": name}
    assert key(**{f"{name}_FILE": str(file)}) == {"key": "…3333", "source": f"{name}_FILE ({file})"}
    assert key(**{name: "", f"{name}_FILE": ""})["key"] == "…1111"


def test_a_missing_key_is_named_with_both_ways_to_give_it(configured: World, inside: Inside) -> None:
    configured.configure(f"profiles:\n  here:\n    core: {{api_key: {KEY}}}\n")
    said = problem(inside, configured)
    assert 'The profile "here" has no key for signal.' in said
    assert "`cpctl profile set-key signal --profile here` keeps one; or set CPCTL_SIGNAL_KEY." in said
    assert not configured.store.exists()


def test_the_same_key_for_core_and_signal_is_a_warning(configured: World, inside: Inside) -> None:
    with_key(configured, f"api_key: {KEY}", f"    core: {{api_key: {KEY}}}\n")
    result = inside(configured, "whoami")
    assert result.code == 0
    assert "Warning: core and signal have the same key" in result.err
    checked = inside(configured, "profile", "check", "-o", "json")
    assert checked.code == 0
    assert [row["verdict"] for row in checked.data].count("warning") == 1
    assert "same key" in checked.data[-1]["remedy"]
    assert inside(configured, "whoami", "-qq").err == ""


@pytest.mark.skipif(os.name == "nt", reason="modes are of POSIX")
def test_the_mode_counts_for_every_user_also_for_root(configured: World, inside: Inside) -> None:
    """No test of the user's id: what root reads, others may read as well."""
    with_key(configured, f"api_key: {KEY}")
    configured.config.chmod(0o604)
    assert inside(configured, "whoami").code == 3
    configured.config.chmod(0o400)
    assert inside(configured, "whoami").code == 0


def test_a_key_that_begins_as_another_is_hidden_whole() -> None:
    assert mask_keys("say long-key-0123-and-more", [Key("long-key-0123"), Key("long-key-0123-and-more")]) == "say ***"
