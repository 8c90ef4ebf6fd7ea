"""The manual pages: complete, in the wheel, and read by man without a warning."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cpctl.cli.framework import LazyGroup, shared_parameters
from cpctl.cli.help.blocks import CodeBlock, DefinitionList, Heading, Paragraph
from cpctl.cli.root import COMMANDS, GROUPS
from cpctl.config.keys import KEY_VARIABLES, SERVICES
from cpctl.config.settings import KEY_SOURCE_SETTINGS, SETTINGS, SHOP_SETTINGS
from cpctl.errors import EXIT_CODE_MEANINGS
from harness.command_tree import ALL_COMMANDS
from tools.docs.manual_pages import render_manual_pages, write_manual_pages
from tools.docs.roff import render_blocks, render_page

ROOT = Path(__file__).parent.parent.parent
PAGES = [path for path, _ in render_manual_pages()]
needs_man = pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
needs_groff = pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")


def rendered_page(file: Path) -> str:
    """A page as a wide terminal shows it."""
    environment = {**os.environ, "MANWIDTH": "2000", "MANPAGER": "cat", "MAN_KEEP_FORMATTING": "", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["man", "-l", str(file)], capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def man_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all manual pages."""
    folder = tmp_path_factory.mktemp("man")
    write_manual_pages(folder)
    return folder


def test_cpctl_each_group_the_configuration_and_the_exit_status_have_a_page() -> None:
    names = {"cpctl.1", *(f"cpctl-{group}.1" for group in GROUPS), "cpctl-config.5", "cpctl-exit-codes.7"}
    assert {page.name for page in PAGES} == names
    assert all(page.parent.name == f"man{page.suffix[1:]}" for page in PAGES)


@needs_man
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_man_renders_a_page_without_warnings(man_folder: Path, page: Path) -> None:
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", f"./{page}"],
        cwd=man_folder,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_groff
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_groff_reports_no_warnings(man_folder: Path, page: Path) -> None:
    command = ["groff", "-ww", "-man", "-Tutf8", str(man_folder / page)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def own_options(group: str, name: str) -> set[str]:
    command: Any = LazyGroup(group, "").get_command(None, name)
    own = [each for each in command.params if each not in shared_parameters()]
    return {name for parameter in own for name in parameter.opts if name.startswith("-")}


@needs_man
@pytest.mark.parametrize("group", GROUPS)
def test_the_page_of_a_group_shows_its_commands_with_options_and_examples(man_folder: Path, group: str) -> None:
    text = rendered_page(man_folder / "man1" / f"cpctl-{group}.1")
    flat = re.sub(r"\s+", " ", text)
    for arguments in ALL_COMMANDS:
        if arguments[0] == group:
            assert f"   {' '.join(['cpctl', *arguments])} [OPTIONS]" in text
            command: Any = LazyGroup(group, "").get_command(None, arguments[1])
            assert re.sub(r"\s+", " ", command.epilog) in flat
            assert re.sub(r"\s+", " ", command.help.replace("`", "")) in flat
            for option in own_options(group, arguments[1]):
                assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), option


@needs_man
def test_the_page_of_cpctl_shows_groups_shared_options_and_commands_without_a_group(man_folder: Path) -> None:
    text = rendered_page(man_folder / "man1" / "cpctl.1")
    for name, sentence in GROUPS.items():
        assert re.search(rf"^ +{name}\s+{re.escape(sentence)}$", text, re.MULTILINE)
    for name in COMMANDS:
        assert f"   cpctl {name} [OPTIONS]" in text
    for parameter in shared_parameters():
        assert all(re.search(rf"(?<![\w-]){name}(?![\w-])", text) for name in parameter.opts)
    for name in (*KEY_VARIABLES.values(), "NO_COLOR", "--help", "--version"):
        assert name in text


@needs_man
def test_the_page_of_the_configuration_shows_every_setting_and_the_example(man_folder: Path) -> None:
    text = rendered_page(man_folder / "man5" / "cpctl-config.5")
    for name in (*SETTINGS, *SERVICES, *SHOP_SETTINGS, *KEY_SOURCE_SETTINGS):
        assert re.search(rf"^ +{name}\b", text, re.MULTILINE), name
    for line in (ROOT / "config.example.yaml").read_text(encoding="utf-8").splitlines():
        assert line in text


@needs_man
def test_the_page_of_the_exit_status_shows_every_number(man_folder: Path) -> None:
    text = rendered_page(man_folder / "man7" / "cpctl-exit-codes.7")
    for code, meaning in EXIT_CODE_MEANINGS.items():
        assert re.search(rf"^ +{int(code)}\s+{re.escape(meaning)}$", text, re.MULTILINE)


@needs_man
def test_roff_requests_and_special_characters_in_texts_are_escaped(tmp_path: Path) -> None:
    nasty = [".SH not a heading", "'quoted", "a \\fBbackslash\\fR", "--long-option", "~/x^y", '"double"', "Straße … 1"]
    blocks = [
        Heading("A - head"),
        DefinitionList([("-n", ".first"), ("a'b", "\\")]),
        *(Paragraph(text) for text in nasty),
    ]
    file = tmp_path / "x.1"
    page = render_page("x", 1, "a - summary", [("BODY", render_blocks([*blocks, CodeBlock("\n".join(nasty))]))])
    file.write_text(page)
    rendered = rendered_page(file)
    for text in nasty:
        assert rendered.count(text) == 2, text
    assert "x - a - summary" in rendered
    assert "   A - head" in rendered
    assert re.search(r"-n +\.first", rendered)


def test_pages_hold_no_date_and_no_version() -> None:
    for _, text in render_manual_pages():
        heading = next(line for line in text.splitlines() if line.startswith(".TH"))
        assert re.fullmatch(r'\.TH [A-Z\\-]+ [157] "" "cpctl" "cpctl manual"', heading)
