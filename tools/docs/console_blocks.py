"""The console blocks of documents, run, with their real output.

A fenced block of the language `console` holds lines `$ command`. All commands of a document run in order, in a terminal
of 100 columns, with one new sandbox per document. Times, ports and temporary folders differ from run to run, so they
are normalized. `make docs` writes the result, and a test compares it.

A block of another language with a name, such as "```sh ship.sh", is a file of that name; all these files are written
before the first command runs.
"""

import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from cpctl.cli.commands.sandbox import render_configuration
from cpctl.sandbox.server.sandbox_server import Sandbox

ROOT = Path(__file__).parents[2]
TERMINAL_COLUMNS = 100
SHOWN_HOME = "/home/ana"
# The sandbox's clock is stopped; only commands of a document advance it.
FIXED_TIME = datetime(2026, 1, 20, 13, 0, 0, tzinfo=UTC)
CONSOLE_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_BLOCK = re.compile(r"^```(?!console\b)\w+ ([\w.-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NORMALIZATIONS = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d GMT"), "2026-01-20 13:00:00 GMT"),
    # Except times of that day, which a document sets itself.
    (re.compile(r"(?!2026-01-20)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "2026-01-20T13:00:00Z"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "a1e771f2e375bc33b5385fcc8091a328481bc45f3bff13de96ba0e7585ff936f"),
    (re.compile(r"http://127\.0\.0\.1:\d{5}"), "http://127.0.0.1:48900"),
)


def run_console_blocks(text: str) -> str:
    """The document with the output of every console block replaced."""
    with _folder_of_same_length(SHOWN_HOME) as folder, Sandbox(real_now=lambda: FIXED_TIME) as sandbox:
        shutil.copytree(ROOT / "examples", folder / "examples")
        write_files(text, folder)
        environment = _command_environment(folder, sandbox)
        return CONSOLE_BLOCK.sub(lambda match: f"```console\n{_run_block(match[1], folder, environment)}```", text)


def write_files(text: str, folder: Path) -> None:
    """Write the files in a document to a folder."""
    for name, content in FILE_BLOCK.findall(text):
        (folder / name).write_text(content, encoding="utf-8")
        (folder / name).chmod(0o700 if content.startswith("#!") else 0o600)


@contextmanager
def _folder_of_same_length(shown: str) -> Iterator[Path]:
    """A folder whose path is as long as the one shown for it, so that tables keep their columns."""
    while True:
        folder = Path("/tmp") / secrets.token_hex(8)[: len(shown) - len("/tmp/")]
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            break
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _command_environment(folder: Path, sandbox: Sandbox) -> dict[str, str]:
    config = folder / "config.yaml"
    config.touch(mode=0o600)
    config.write_text(render_configuration(sandbox), encoding="utf-8")
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(folder),
        "TERM": "dumb",
        "CPCTL_STATION": "bench-1",
        "CPCTL_CONFIG": str(config),
        "CPCTL_DATA_DIR": str(folder / "data"),
        "CPCTL_SANDBOX_CONTROL": sandbox.control_url,
    }


def _run_block(block: str, folder: Path, environment: Mapping[str, str]) -> str:
    commands = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"$ {command}\n{_command_output(command, folder, environment)}" for command in commands)


def _command_output(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    """The output of a command on a terminal, standard output and standard error together."""
    import pexpect

    child = pexpect.spawn(
        "bash",
        ["-c", command],
        cwd=str(folder),
        env=dict(environment),
        dimensions=(50, TERMINAL_COLUMNS),
        encoding="utf-8",
    )
    child.expect(pexpect.EOF, timeout=60)
    if "command not found" in child.before:  # or the error would be in the document
        raise RuntimeError(f"{command}: {child.before}")
    text = child.before.replace("\r\n", "\n").replace(str(folder), SHOWN_HOME)
    text = re.sub(r"\r\x1b\[K[^\n]*(?=\r\x1b\[K)|\r\x1b\[K", "", text)  # progress lines that were overwritten
    for pattern, replacement in NORMALIZATIONS:
        text = pattern.sub(replacement, text)
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


def rewrite_document(file: Path) -> None:
    """Write the real output into a document."""
    file.write_text(run_console_blocks(file.read_text(encoding="utf-8")), encoding="utf-8")
