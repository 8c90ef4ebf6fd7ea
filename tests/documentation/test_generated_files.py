"""Generated files are current, and examples do what they show."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli_environment import CliEnvironment
from tools.docs.generate import CONSOLE_DOCUMENTS, render_console_document, static_files

ROOT = Path(__file__).parents[2]


def test_generated_files_are_current() -> None:
    for path, text in static_files():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make docs`"


@pytest.mark.parametrize("name", CONSOLE_DOCUMENTS)
def test_console_blocks_print_what_they_show(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == render_console_document(name), "run `make docs`"


def test_the_example_script_ships_an_order_through_an_outage(cli: CliEnvironment) -> None:
    done = subprocess.run(
        [*cli.command_line("sandbox", "run", "--", "bash", str(ROOT / "examples" / "ship-an-order.sh"))],
        capture_output=True,
        text=True,
        env=cli.process_environment(PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])),
    )
    assert done.returncode == 0, done.stderr
    received = done.stdout.rpartition("# What the service received")[2]
    assert re.findall(r"\b(Item\w+)\t", received) == [
        kind
        for kind in ("ItemRegistered", "ItemProduce", "ItemProduced", "ItemPacked", "ItemShipped")
        for _ in range(2)
    ]
    assert "nothing waits" in done.stdout


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.skipif(not (ROOT / ".venv" / "installed").exists(), reason="this checkout is not set up with make")
def test_make_demo_does_the_main_job() -> None:
    done = subprocess.run(["make", "demo"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ItemShipped") >= 4


def test_make_alone_lists_what_can_be_made() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True)
    for target in ("demo", "test", "lint", "docs", "bench", "dist"):
        assert re.search(rf"^{target}\s", done.stdout, re.MULTILINE)
