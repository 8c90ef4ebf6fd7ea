"""Every command in a document is valid, with each of its options."""

import re
import subprocess
from pathlib import Path

import pytest

from harness.documented_commands import DocumentedCommand, document_commands, script_commands, usage_error
from harness.markdown_pages import DOCUMENTS, ROOT, fenced_blocks

EXAMPLE_SCRIPTS = sorted((ROOT / "examples").glob("*.sh"))
DOCUMENTED_COMMANDS = [(document.name, shown) for document in DOCUMENTS for shown in document_commands(document)]
DOCUMENTED_COMMANDS += [
    (script.name, shown) for script in EXAMPLE_SCRIPTS for shown in script_commands(script.read_text(encoding="utf-8"))
]
SHELL_BLOCKS = [
    (document.name, block.text) for document in DOCUMENTS for block in fenced_blocks(document) if block.language == "sh"
]


@pytest.mark.parametrize(
    ("page", "shown"), DOCUMENTED_COMMANDS, ids=lambda value: getattr(value, "command", str(value))
)
def test_every_documented_command_is_valid(page: str, shown: DocumentedCommand) -> None:
    assert usage_error(shown) == "", f"{page}: cpctl {' '.join(shown.arguments)}"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("cpctl signal shiped 1 --order 2", "shipped"),
        ("cpctl outbox list --stat refused", "--stat"),
        ("cpctl outbox show", "ID"),
        ("cpctl sandbox fault down now", "now"),
        ('count=$(cpctl outbox list -o value --qery "length(@)")', "--qery"),
        ("/usr/local/bin/cpctl outbox flsh --quiet || logger 'cpctl outbox is wrong'", "flsh"),
        ('sh -c "cpctl outbox flush --quite" | tee log', "--quite"),
    ],
)
def test_an_invalid_command_is_found(line: str, words: str) -> None:
    (shown, *_) = script_commands(line)
    assert words in usage_error(shown)


@pytest.mark.parametrize(
    "line",
    [
        "# cpctl has it:",
        "sudo useradd --system cpctl",
        "sudo -u cpctl env HOME=/tmp true",
        "pipx inject cpctl uvicorn",
        "systemctl restart cpctl-outbox.service now",
    ],
)
def test_the_name_alone_is_not_a_command(line: str) -> None:
    assert list(script_commands(line)) == []


def test_commands_are_found_in_every_kind_of_block() -> None:
    lines = {" ".join(shown.arguments) for _, shown in DOCUMENTED_COMMANDS}
    assert len(lines) > 150
    for one in (
        "service print outbox --cron",  # a shell block
        "outbox check --warn 15m --crit 1h",  # a crontab
        "outbox flush --quiet",  # a Windows command line
        "signal produced 123456790001 --order 123456790000 -o value --query [0].state",  # a console block
        "orders cancel",  # running text, one of several with |
    ):
        assert one in lines


@pytest.mark.parametrize(("page", "script"), SHELL_BLOCKS, ids=lambda value: str(value)[:40])
def test_a_shell_can_parse_every_block(page: str, script: str) -> None:
    read = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
    assert read.returncode == 0, f"{page}: {read.stderr}"


def test_every_document_is_checked() -> None:
    assert {Path("README.md"), Path("docs/services.md")} <= {page.relative_to(ROOT) for page in DOCUMENTS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_no_document_installs_cpctl_from_an_index(document: Path) -> None:
    text = document.read_text(encoding="utf-8").replace("Do not run `pip install cpctl`", "")
    assert re.findall(r"""pipx? install [^`\n]*(?<=[\s"'])cpctl(?![-\w./])[^`\n]*""", text) == []
