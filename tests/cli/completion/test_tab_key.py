"""The Tab key itself, at a terminal."""

import shutil
from pathlib import Path

import pytest

from harness.cli_environment import CliEnvironment
from harness.shells import ROOT, SHELLS, install_cpctl, running_shell

BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")


@pytest.mark.parametrize("name", SHELLS)
def test_tab_completes_the_word_at_the_cursor(unconfigured_cli: CliEnvironment, name: str) -> None:
    with running_shell(name, install_cpctl(unconfigured_cli, record_only=True)) as running:
        assert running.complete_and_enter("cpctl sig") == ["signal"]
        assert running.complete_and_enter("cpctl signal shipp") == ["signal", "shipped"]
        assert running.complete_and_enter("cpctl orders list --output=tab") == ["orders", "list", "--output=table"]
        assert running.complete_and_enter("cpctl signal canceled --cause CancelUs")[-1] == "CancelUserRequest"


@pytest.mark.skipif(not BASH_COMPLETION.exists(), reason="bash-completion is not installed")
def test_bash_completes_the_same_with_the_package_bash_completion(unconfigured_cli: CliEnvironment) -> None:
    with running_shell(
        "bash", install_cpctl(unconfigured_cli, record_only=True), setup_lines=f"source {BASH_COMPLETION}"
    ) as running:
        assert running.complete_and_enter("cpctl orders list --output=tab") == ["orders", "list", "--output=table"]
        assert set(running.completions("cpctl sandbox run -- cpctl orders l")) == {"list", "log"}
        assert running.complete_and_enter("FOO=1 cpctl ou") == ["outbox"]


def test_bash_completes_without_equals_sign_and_colon_as_word_breaks(unconfigured_cli: CliEnvironment) -> None:
    with running_shell("bash", install_cpctl(unconfigured_cli), setup_lines="COMP_WORDBREAKS=' '") as running:
        assert running.complete_and_enter("cpctl orders list --output=tab") == ["orders", "list", "--output=table"]


def test_bash_completes_in_the_middle_of_a_line(unconfigured_cli: CliEnvironment) -> None:
    with running_shell("bash", install_cpctl(unconfigured_cli, record_only=True)) as running:
        back = "\x1b[D" * len(" list")
        assert running.complete_and_enter("cpctl orde list" + back) == ["orders", "list"]


@pytest.mark.parametrize("name", SHELLS)
@pytest.mark.parametrize("quoted", ['"a b', "'a b", "a\\ b", "'a b  $(t"])
def test_a_quoted_word_is_completed_in_its_quotes(unconfigured_cli: CliEnvironment, name: str, quoted: str) -> None:
    placed = install_cpctl(unconfigured_cli)
    placed.configure("profiles: {'a b  $(touch ran)': {}}\n")
    with running_shell(
        name, CliEnvironment(placed.folder, placed.process_environment(CPCTL_CONFIG=str(placed.config)))
    ) as running:
        assert running.complete_and_enter(f"cpctl --profile {quoted}") == ["--profile", "a b  $(touch ran)"]
    assert not (placed.folder / "ran").exists()


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_can_source_the_script(unconfigured_cli: CliEnvironment) -> None:
    script = ROOT / "completions" / "_cpctl"
    with running_shell(
        "zsh", install_cpctl(unconfigured_cli, record_only=True), setup_lines=f"source {script}"
    ) as running:
        assert running.complete_and_enter("cpctl signal shipp") == ["signal", "shipped"]
