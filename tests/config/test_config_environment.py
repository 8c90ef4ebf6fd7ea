"""The environment: it beats the file, an empty variable is none, and it is enough on its own."""

from collections.abc import Callable
from typing import Any

import pytest
from worlds import ITEM, NOBODY, ORDER, Result, World, keys_of_sandbox

from cpctl.config.keys import KEY_VARIABLES
from cpctl.config.profiles import OTHER_VARIABLES, SETTINGS
from cpctl.sandbox.server.sandbox_server import Sandbox

Inside = Callable[..., Result]


def setting(inside: Inside, world: World, name: str, *more: str, **changes: str | None) -> tuple[Any, Any]:
    result = inside(world, "whoami", "-o", "json", *more, **changes)
    assert result.code == 0, result
    found = result.data["settings"][name]
    return found["value"], found["source"]


def test_the_base_url_of_the_environment_beats_that_of_the_file(world: World, sandbox: Sandbox, inside: Inside) -> None:
    assert setting(inside, world, "base_url") == (sandbox.base_url, "line 3")
    assert setting(inside, world, "base_url", CPCTL_BASE_URL=NOBODY) == (NOBODY, "CPCTL_BASE_URL")
    assert setting(inside, world, "base_url", CPCTL_BASE_URL="")[0] == sandbox.base_url


def test_the_timeout_comes_from_option_environment_file_or_default(
    world: World, sandbox: Sandbox, inside: Inside
) -> None:
    assert setting(inside, world, "timeout") == ("30", "default")
    world.config.write_text(world.config.read_text(encoding="utf-8") + "    timeout: 11\n", encoding="utf-8")
    assert setting(inside, world, "timeout")[0] == "11"
    assert setting(inside, world, "timeout", CPCTL_TIMEOUT="12") == ("12", "CPCTL_TIMEOUT")
    assert setting(inside, world, "timeout", "--timeout", "13", CPCTL_TIMEOUT="12") == ("13", "--timeout")
    assert setting(inside, world, "timeout", CPCTL_TIMEOUT="")[0] == "11"


def test_the_store_comes_from_two_variables_and_the_file(world: World, inside: Inside) -> None:
    folder = world.folder
    assert setting(inside, world, "store") == (str(folder / "data" / "cpctl.db"), "CPCTL_DATA_DIR")
    world.config.write_text(world.config.read_text(encoding="utf-8") + "    store: of-file.db\n", encoding="utf-8")
    assert setting(inside, world, "store")[0] == str(folder / "of-file.db")
    assert setting(inside, world, "store", CPCTL_STORE="~/of-env.db") == (str(folder / "of-env.db"), "CPCTL_STORE")
    assert setting(inside, world, "store", CPCTL_STORE="")[0] == str(folder / "of-file.db")


def test_without_any_word_configuration_and_store_lie_in_the_users_folders(empty_world: World, inside: Inside) -> None:
    rows = inside(empty_world, "profile", "path", "-o", "json", CPCTL_DATA_DIR=None).data
    assert [row["source"] for row in rows] == ["default", "default"]
    assert all(row["path"].startswith(str(empty_world.folder)) and not row["exists"] for row in rows)


def test_the_configuration_is_named_by_option_or_variable(world: World, inside: Inside) -> None:
    other = world.folder / "other.yaml"
    other.write_text("profiles: {other: {signal: {api_key: another-signal-key}}}\n", encoding="utf-8")
    other.chmod(0o600)
    assert inside(world, "whoami", "-o", "json").data["profile"] == "sandbox"
    assert inside(world, "whoami", "-o", "json", CPCTL_CONFIG=str(other)).data["profile"] == "other"
    assert inside(world, "whoami", "-o", "json", "--config", "other.yaml").data["profile"] == "other"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"CPCTL_BASE_URL": "http://api.example.org"}, 'CPCTL_BASE_URL: "http://api.example.org" must begin with'),
        ({"CPCTL_TIMEOUT": "soon"}, 'CPCTL_TIMEOUT: "soon" must be a number of seconds'),
        ({"CPCTL_STORE": "postgresql://x/y"}, "CPCTL_STORE: "),
        ({"CPCTL_PROFILE": "nobody"}, "(CPCTL_PROFILE)"),
    ],
)
def test_a_wrong_variable_is_named(world: World, inside: Inside, changes: dict[str, str], words: str) -> None:
    result = inside(world, "whoami", **changes)
    assert result.code == 3
    assert words in result.err


def test_a_wrong_timeout_of_the_option_is_named(world: World, inside: Inside) -> None:
    result = inside(world, "whoami", "--timeout", "soon")
    assert '--timeout "soon" must be a number of seconds' in result.err
    assert result.code == 2


def test_the_environment_alone_is_enough(empty_world: World, sandbox: Sandbox) -> None:
    alone = {**keys_of_sandbox(), "CPCTL_BASE_URL": sandbox.base_url}
    done = empty_world.json("signal", "packed", ITEM, "--order", ORDER, **alone)
    assert [row["state"] for row in done] == ["delivered"]
    assert [row["profile"] for row in done] == ["default"]
    assert empty_world.json("outbox", "list", **alone) == []
    found = empty_world.json("whoami", **alone)
    assert (found["config"], found["profile_source"]) == (None, "environment")


def test_one_key_in_the_environment_is_enough(empty_world: World, inside: Inside) -> None:
    found = inside(empty_world, "whoami", "-o", "json", CPCTL_SIGNAL_KEY="a-signal-key-1234").data
    assert found["base_url"] == "https://api.cloudprinter.com"
    assert found["environment"] == "live"
    assert found["keys"] == {
        "core": {"key": None, "source": None},
        "signal": {"key": "…1234", "source": "CPCTL_SIGNAL_KEY"},
        "webhooks": {"key": None, "source": None},
    }


def test_empty_variables_are_as_good_as_none(empty_world: World, inside: Inside) -> None:
    names = [row.variable for row in SETTINGS.values() if row.variable] + [*OTHER_VARIABLES, *KEY_VARIABLES.values()]
    empty = dict.fromkeys(names, "")
    result = inside(empty_world, "whoami", **empty)
    assert result.code == 3
    assert result.err.startswith("cpctl: No profile: there is no profile in ")


def test_without_anything_one_line_says_what_to_do_next(empty_world: World, inside: Inside) -> None:
    for command in (["whoami"], ["outbox", "list"], ["signal", "packed", "1", "--order", "2"]):
        result = inside(empty_world, *command)
        assert (result.code, result.out) == (3, "")
        (line,) = result.err.splitlines()
        accepted = "NOT ACCEPTED: " if command[0] == "signal" else ""
        assert line.startswith(f"cpctl: {accepted}No profile: there is no profile in ")
        assert line.endswith("`cpctl profile init` makes one.")
    assert not empty_world.store.exists()
