"""Every script of the cookbook and of the administrators' guide is run against a sandbox."""

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

# How many scripts of a document nobody runs here; each says why in a comment above it.
SKIPPED_BLOCK_COUNTS = {"cookbook.md": 1, "administration.md": 4}
RECIPES = [
    (name, block)
    for name in SKIPPED_BLOCK_COUNTS
    for block in fenced_blocks(ROOT / "docs" / name)
    if block.language == "sh"
]
RUN_RECIPES = [(name, block) for name, block in RECIPES if not block.skip_reason]
# A stand-in for the program that sends mail: keeps what it was told to send.
SENDMAIL_STUB = '#!/bin/sh\n{ echo "To: $3"; echo "Subject: $2"; cat; } >> "$HOME/sent"\n'
# The command, also where a script gives up its environment, as cron does.
CPCTL_STUB = f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m cpctl "$@"\n'


def case_id(value: object) -> str:
    return value.name or value.text.splitlines()[0] if isinstance(value, FencedBlock) else str(value)


def run_recipe(cli: CliEnvironment, page: str, script: str) -> "subprocess.CompletedProcess[str]":
    """A script in a sandbox of its own, with the files of its document beside it."""
    write_files((ROOT / "docs" / page).read_text(encoding="utf-8"), cli.folder)
    (cli.folder / "the-script").write_text(f'PATH="$HOME/bin:$PATH"\n{script}', encoding="utf-8")
    at_home = cli.folder / ".config" / "cpctl" / "config.yaml"  # for what forgets the rest of the environment
    at_home.parent.mkdir(parents=True, exist_ok=True)
    at_home.write_text(sandbox_configuration(UNREACHABLE_URL), encoding="utf-8")
    at_home.chmod(0o600)
    spare = cli.folder / "bin"
    spare.mkdir(exist_ok=True)
    for name, text in {"mail": SENDMAIL_STUB, "cpctl": CPCTL_STUB}.items():
        (spare / name).write_text(text, encoding="utf-8")
        (spare / name).chmod(0o700)
    command = cli.command_line("sandbox", "run", "--", "bash", "-eu", "-o", "pipefail", "the-script")
    return subprocess.run(
        command, capture_output=True, text=True, env=cli.process_environment(), cwd=cli.folder, timeout=120
    )


@pytest.mark.parametrize(("page", "block"), RUN_RECIPES, ids=case_id)
def test_every_script_does_what_it_is_there_for(
    unconfigured_cli: CliEnvironment, page: str, block: FencedBlock
) -> None:
    done = run_recipe(unconfigured_cli, page, block.text)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr and "command not found" not in done.stderr, done.stderr


def recipe_script(page: str, name: str) -> str:
    (found,) = [block.text for of, block in RECIPES if (of, block.name) == (page, name)]
    return found


def test_the_nightly_report_reaches_its_reader(unconfigured_cli: CliEnvironment) -> None:
    begun = "cpctl signal packed 999 --order 123456780000 --quiet >/dev/null 2>&1 || true\n"
    assert (
        run_recipe(unconfigured_cli, "cookbook.md", begun + recipe_script("cookbook.md", "nightly.sh")).returncode == 0
    )
    sent = (unconfigured_cli.folder / "sent").read_text(encoding="utf-8")
    assert sent.startswith("To: office@example.com\nSubject: Shift of 20")
    assert "CPCTL CRITICAL - 1 refused" in sent and "item_unknown" in sent


def test_what_a_damaged_store_still_holds_is_taken_over_as_the_guide_says(cli: CliEnvironment) -> None:
    cli.run(*shipped_command(), "--queue-only")
    aside = cli.store.with_name("cpctl.db.corrupt-20260120T130000000000Z")
    cli.store.rename(aside)
    lost = aside.with_name("cpctl.db.corrupt-20260121T130000000000Z")
    lost.write_bytes(b"nothing of it can be read")
    script = recipe_script("administration.md", "damaged.sh")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=cli.process_environment(PATH=path)
    )
    assert done.returncode == 0, done.stderr
    assert f"nothing can be read of {lost}" in done.stderr
    assert [row["item"] for row in cli.run_json("outbox", "list")] == [ITEM]
    assert {aside.name, lost.name} <= {file.name for file in (cli.store.parent / "damaged").iterdir()}
    assert "damaged" not in done.stdout, "monitoring is content"


@pytest.mark.parametrize("script", ["cpctl outbox flsh", "cpctl outbox show 99\ntrue", "false | cat", "echo $unset"])
def test_a_script_that_does_not_work_would_be_noticed(unconfigured_cli: CliEnvironment, script: str) -> None:
    assert run_recipe(unconfigured_cli, "cookbook.md", script).returncode != 0


@pytest.mark.parametrize("page", SKIPPED_BLOCK_COUNTS)
def test_scripts_that_nobody_runs_are_few_and_say_why(page: str) -> None:
    reasons = [block.skip_reason for name, block in RECIPES if name == page and block.skip_reason]
    assert len(reasons) == SKIPPED_BLOCK_COUNTS[page], "count them anew, and rather run them"
    assert all(re.match(r"needs \w+", reason) for reason in reasons), reasons
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert text.count("<!--") == len(reasons), "a comment that is no reason, or stands too far from its script"


@pytest.mark.parametrize("page", SKIPPED_BLOCK_COUNTS)
def test_most_scripts_are_run(page: str) -> None:
    assert len([name for name, _ in RUN_RECIPES if name == page]) >= 10
