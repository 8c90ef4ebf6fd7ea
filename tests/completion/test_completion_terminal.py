"""The Tab key itself, at a terminal."""

import shutil
from pathlib import Path

import pytest
from completion_shells import ROOT, SHELLS, install, shell
from worlds import World

PACKAGE = Path("/usr/share/bash-completion/bash_completion")


@pytest.mark.parametrize("name", SHELLS)
def test_tab_completes_the_word_at_the_cursor(empty_world: World, name: str) -> None:
    with shell(name, install(empty_world, recorded=True)) as running:
        assert running.entered("cpctl sig") == ["signal"]
        assert running.entered("cpctl signal shipp") == ["signal", "shipped"]
        assert running.entered("cpctl orders list --output=tab") == ["orders", "list", "--output=table"]
        assert running.entered("cpctl signal canceled --cause CancelUs")[-1] == "CancelUserRequest"


@pytest.mark.skipif(not PACKAGE.exists(), reason="bash-completion is not installed")
def test_bash_completes_the_same_with_the_package_bash_completion(empty_world: World) -> None:
    with shell("bash", install(empty_world, recorded=True), package=f"source {PACKAGE}") as running:
        assert running.entered("cpctl orders list --output=tab") == ["orders", "list", "--output=table"]
        assert set(running.offered("cpctl sandbox run -- cpctl orders l")) == {"list", "log"}
        assert running.entered("FOO=1 cpctl ou") == ["outbox"]


def test_bash_completes_where_equals_sign_and_colon_part_no_words(empty_world: World) -> None:
    with shell("bash", install(empty_world), package="COMP_WORDBREAKS=' '") as running:
        assert running.entered("cpctl orders list --output=tab") == ["orders", "list", "--output=table"]


def test_bash_completes_in_the_middle_of_a_line(empty_world: World) -> None:
    with shell("bash", install(empty_world, recorded=True)) as running:
        back = "\x1b[D" * len(" list")
        assert running.entered("cpctl orde list" + back) == ["orders", "list"]


@pytest.mark.parametrize("name", SHELLS)
@pytest.mark.parametrize("quoted", ['"a b', "'a b", "a\\ b", "'a b  $(t"])
def test_a_word_that_is_begun_in_quotes_is_completed_in_them(empty_world: World, name: str, quoted: str) -> None:
    placed = install(empty_world)
    placed.configure("profiles: {'a b  $(touch ran)': {}}\n")
    with shell(name, World(placed.folder, placed.env(CPCTL_CONFIG=str(placed.config)))) as running:
        assert running.entered(f"cpctl --profile {quoted}") == ["--profile", "a b  $(touch ran)"]
    assert not (placed.folder / "ran").exists()


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_takes_the_script_from_a_file_that_is_read_in(empty_world: World) -> None:
    script = ROOT / "completions" / "_cpctl"
    with shell("zsh", install(empty_world, recorded=True), package=f"source {script}") as running:
        assert running.entered("cpctl signal shipp") == ["signal", "shipped"]
