"""Every script in the cookbook and the administrators' guide runs against a sandbox."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli_environment import ITEM, UNREACHABLE_URL, CliEnvironment, sandbox_configuration, shipped_command
from harness.markdown_pages import ROOT, FencedBlock, fenced_blocks
from tools.docs.console_blocks import write_files

# How many scripts of a document are not run; a comment above each says why.
SKIPPED_BLOCK_COUNTS = {"cookbook.md": 1, "administration.md": 4}
RECIPES = [
    (name, block)
    for name in SKIPPED_BLOCK_COUNTS
    for block in fenced_blocks(ROOT / "docs" / name)
    if block.language == "sh"
]
RUN_RECIPES = [(name, block) for name, block in RECIPES if not block.skip_reason]
# Replaces the mail program: saves the mail.
SENDMAIL_STUB = '#!/bin/sh\n{ echo "To: $3"; echo "Subject: $2"; cat; } >> "$HOME/sent"\n'
# The command, also for scripts that clear their environment as cron does.
CPCTL_STUB = f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m cpctl "$@"\n'


def case_id(value: object) -> str:
    return value.name or value.text.splitlines()[0] if isinstance(value, FencedBlock) else str(value)


def run_recipe(cli: CliEnvironment, page: str, script: str) -> "subprocess.CompletedProcess[str]":
    """Run a script in a new sandbox, with the files of its document beside it."""
    write_files((ROOT / "docs" / page).read_text(encoding="utf-8"), cli.folder)
    (cli.folder / "the-script").write_text(f'PATH="$HOME/bin:$PATH"\n{script}', encoding="utf-8")
    # Scripts that clear their environment read the configuration in the home folder.
    home_config = cli.folder / ".config" / "cpctl" / "config.yaml"
    home_config.parent.mkdir(parents=True, exist_ok=True)
    home_config.write_text(sandbox_configuration(UNREACHABLE_URL), encoding="utf-8")
    home_config.chmod(0o600)
    programs = cli.folder / "bin"
    programs.mkdir(exist_ok=True)
    for name, text in {"mail": SENDMAIL_STUB, "cpctl": CPCTL_STUB}.items():
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o700)
    command = cli.command_line("sandbox", "run", "--", "bash", "-eu", "-o", "pipefail", "the-script")
    return subprocess.run(
        command, capture_output=True, text=True, env=cli.process_environment(), cwd=cli.folder, timeout=120
    )


@pytest.mark.parametrize(("page", "block"), RUN_RECIPES, ids=case_id)
def test_every_script_in_the_documents_succeeds(
    unconfigured_cli: CliEnvironment, page: str, block: FencedBlock
) -> None:
    done = run_recipe(unconfigured_cli, page, block.text)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr and "command not found" not in done.stderr, done.stderr


def recipe_script(page: str, name: str) -> str:
    (script,) = [block.text for document, block in RECIPES if (document, block.name) == (page, name)]
    return script


def test_the_nightly_report_is_mailed(unconfigured_cli: CliEnvironment) -> None:
    refused_signal = "cpctl signal packed 999 --order 123456780000 --quiet >/dev/null 2>&1 || true\n"
    script = refused_signal + recipe_script("cookbook.md", "nightly.sh")
    assert run_recipe(unconfigured_cli, "cookbook.md", script).returncode == 0
    sent = (unconfigured_cli.folder / "sent").read_text(encoding="utf-8")
    assert sent.startswith("To: office@example.com\nSubject: Shift of 20")
    assert "CPCTL CRITICAL - 1 refused" in sent and "item_unknown" in sent


def test_signals_of_a_damaged_store_are_imported_as_the_guide_says(cli: CliEnvironment) -> None:
    cli.run(*shipped_command(), "--queue-only")
    readable = cli.store.with_name("cpctl.db.corrupt-20260120T130000000000Z")
    cli.store.rename(readable)
    unreadable = readable.with_name("cpctl.db.corrupt-20260121T130000000000Z")
    unreadable.write_bytes(b"not a store at all")
    script = recipe_script("administration.md", "damaged.sh")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=cli.process_environment(PATH=path)
    )
    assert done.returncode == 0, done.stderr
    assert f"cannot read anything from {unreadable}" in done.stderr
    assert [row["item"] for row in cli.run_json("outbox", "list")] == [ITEM]
    assert {readable.name, unreadable.name} <= {file.name for file in (cli.store.parent / "damaged").iterdir()}
    assert "damaged" not in done.stdout, "`outbox check` is OK afterwards"


@pytest.mark.parametrize("script", ["cpctl outbox flsh", "cpctl outbox show 99\ntrue", "false | cat", "echo $unset"])
def test_a_broken_script_fails(unconfigured_cli: CliEnvironment, script: str) -> None:
    assert run_recipe(unconfigured_cli, "cookbook.md", script).returncode != 0


@pytest.mark.parametrize("page", SKIPPED_BLOCK_COUNTS)
def test_scripts_that_are_not_run_say_why(page: str) -> None:
    reasons = [block.skip_reason for name, block in RECIPES if name == page and block.skip_reason]
    assert len(reasons) == SKIPPED_BLOCK_COUNTS[page], "update the count, or better run them"
    assert all(re.match(r"needs \w+", reason) for reason in reasons), reasons
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert text.count("<!--") == len(reasons), "a comment that gives no reason, or that is not right above its script"


@pytest.mark.parametrize("page", SKIPPED_BLOCK_COUNTS)
def test_most_scripts_are_run(page: str) -> None:
    assert len([name for name, _ in RUN_RECIPES if name == page]) >= 10
