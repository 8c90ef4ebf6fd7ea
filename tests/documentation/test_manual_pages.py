"""The manual pages: complete, current, and read by man without a warning."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from cpctl.cli.framework import LazyGroup, SharedParameters
from cpctl.cli.help.blocks import CodeBlock, DefinitionList, Heading, Paragraph
from cpctl.cli.root import COMMANDS, GROUPS
from cpctl.config.keys import KEY_VARIABLES, SERVICES
from cpctl.config.settings import KEY_SOURCE_SETTINGS, SETTINGS, SHOP_SETTINGS
from cpctl.errors import EXIT_CODE_MEANINGS
from harness.command_tree import ALL_COMMANDS
from tools.docs.manual_pages import MAN_FOLDER, render_manual_pages
from tools.docs.roff import render_blocks, render_page

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(MAN_FOLDER.glob("man*/*"))
needs_man = pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
needs_groff = pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")


def rendered_page(file: Path) -> str:
    """A page as a wide terminal shows it."""
    environment = {**os.environ, "MANWIDTH": "2000", "MANPAGER": "cat", "MAN_KEEP_FORMATTING": "", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["man", "-l", str(file)], capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_there_is_a_page_for_cpctl_for_each_group_the_configuration_and_the_exit_status() -> None:
    names = {"cpctl.1", *(f"cpctl-{group}.1" for group in GROUPS), "cpctl-config.5", "cpctl-exit-codes.7"}
    assert {file.name for file in PAGES} == names == {file.name for file, _ in render_manual_pages()}
    assert all(file.parent.name == f"man{file.suffix[1:]}" for file in PAGES)


@needs_man
@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_man_renders_a_page_without_warnings(file: Path) -> None:
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", f"./{file.name}"],
        cwd=file.parent,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_groff
@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_groff_finds_nothing_to_warn_of(file: Path) -> None:
    done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", str(file)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def own_options(group: str, name: str) -> set[str]:
    command: Any = LazyGroup(group, "").get_command(None, name)
    return {
        opt
        for each in command.params
        if each not in SharedParameters.parameters()
        for opt in each.opts
        if opt[0] == "-"
    }


@needs_man
@pytest.mark.parametrize("group", GROUPS)
def test_the_page_of_a_group_shows_its_commands_with_options_and_examples(group: str) -> None:
    text = rendered_page(MAN_FOLDER / "man1" / f"cpctl-{group}.1")
    flat = re.sub(r"\s+", " ", text)
    for words in ALL_COMMANDS:
        if words[0] == group:
            assert f"   {' '.join(['cpctl', *words])} [OPTIONS]" in text
            made: Any = LazyGroup(group, "").get_command(None, words[1])
            assert re.sub(r"\s+", " ", made.epilog) in flat
            assert re.sub(r"\s+", " ", made.help.replace("`", "")) in flat
            for option in own_options(group, words[1]):
                assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), option


@needs_man
def test_the_page_of_cpctl_shows_groups_shared_options_and_what_stands_alone() -> None:
    text = rendered_page(MAN_FOLDER / "man1" / "cpctl.1")
    for name, sentence in GROUPS.items():
        assert re.search(rf"^ +{name}\s+{re.escape(sentence)}$", text, re.MULTILINE)
    for name in COMMANDS:
        assert f"   cpctl {name} [OPTIONS]" in text
    for parameter in SharedParameters.parameters():
        assert all(re.search(rf"(?<![\w-]){name}(?![\w-])", text) for name in parameter.opts)
    for name in (*KEY_VARIABLES.values(), "NO_COLOR", "--help", "--version"):
        assert name in text


@needs_man
def test_the_page_of_the_configuration_shows_every_setting_and_the_example() -> None:
    text = rendered_page(MAN_FOLDER / "man5" / "cpctl-config.5")
    for name in (*SETTINGS, *SERVICES, *SHOP_SETTINGS, *KEY_SOURCE_SETTINGS):
        assert re.search(rf"^ +{name}\b", text, re.MULTILINE), name
    for line in (ROOT / "config.example.yaml").read_text(encoding="utf-8").splitlines():
        assert line in text


@needs_man
def test_the_page_of_the_exit_status_shows_every_number() -> None:
    text = rendered_page(MAN_FOLDER / "man7" / "cpctl-exit-codes.7")
    for code, meaning in EXIT_CODE_MEANINGS.items():
        assert re.search(rf"^ +{int(code)}\s+{re.escape(meaning)}$", text, re.MULTILINE)


@needs_man
def test_nothing_that_a_text_holds_is_obeyed_or_changed(tmp_path: Path) -> None:
    nasty = [".SH not a heading", "'quoted", "a \\fBbackslash\\fR", "--long-option", "~/x^y", '"double"', "Straße … 1"]
    blocks = [
        Heading("A - head"),
        DefinitionList([("-n", ".first"), ("a'b", "\\")]),
        *(Paragraph(each) for each in nasty),
    ]
    file = tmp_path / "x.1"
    text = render_page("x", 1, "a - summary", [("BODY", render_blocks([*blocks, CodeBlock("\n".join(nasty))]))])
    file.write_text(text)
    rendered = rendered_page(file)
    for each in nasty:
        assert rendered.count(each) == 2, each
    assert "x - a - summary" in rendered
    assert "   A - head" in rendered
    assert re.search(r"-n +\.first", rendered)


def test_pages_hold_no_date_and_no_version() -> None:
    for _, text in render_manual_pages():
        heading = next(line for line in text.splitlines() if line.startswith(".TH"))
        assert re.fullmatch(r'\.TH [A-Z\\-]+ [157] "" "cpctl" "cpctl manual"', heading)


def test_the_wheel_and_the_source_archive_take_the_pages_along() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert build["wheel"]["shared-data"]["man"] == "share/man"
    assert "man" in build["sdist"]["include"]
