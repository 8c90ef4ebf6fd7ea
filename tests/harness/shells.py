"""Real shells for completion tests: lines are typed at a terminal, and the words that the shell read are checked."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pexpect
import pytest

from harness.cli_environment import CliEnvironment

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = {"bash": "cpctl.bash", "zsh": "_cpctl", "fish": "cpctl.fish"}
TIMEOUT_SECONDS = 30.0
PROMPT, COMMAND_FINISHED = "ready>", "<done>"
# The key that inserts all matches into the line, and the Tab key.
INSERT_ALL_KEY = "\x18"
TAB_KEY = "\t"

# `cpctl` is a function here that records the words the shell has read, and runs nothing.
BASH_STARTUP = """
PS1='{ready}' PS2=
bind 'set bell-style none' 'set enable-bracketed-paste off' 'set completion-query-items 0' 'set page-completions off'
bind '"\\C-x": insert-completions'
{package}
source '{script}'
cpctl() {{ printf '%s\\0' "$@" >'{read}'; echo '{done}'; }}
"""
ZSH_STARTUP = """
PS1='{ready}' PS2= RPS1=
unsetopt beep prompt_cr prompt_sp
{functions}
autoload -Uz compinit && compinit -u -D
{package}
zstyle ':completion:*' insert-tab false
every() {{ _main_complete "$@"; compstate[insert]=all; compstate[list]= }}
zle -C all-words complete-word every
bindkey '^X' all-words
cpctl() {{ printf '%s\\0' "$@" >'{read}'; echo '{done}'; }}
"""
FISH_STARTUP = """
function fish_prompt; printf '{ready}'; end
function fish_greeting; end
source '{script}'
function cpctl; printf '%s\\0' $argv >'{read}'; echo '{done}'; end
"""


SHELLS = [
    pytest.param(name, marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed"))
    for name in ("bash", "zsh", "fish")
]
Completer = Callable[[str], list[str]]


class Shell(NamedTuple):
    """A running shell at a terminal."""

    name: str
    process: "pexpect.spawn[str]"
    words_file: Path  # the words of the entered line

    def complete_and_enter(self, text: str, key: str = TAB_KEY) -> list[str]:
        """Type a text and a key, then Enter: the words that the shell read, without the program's name."""
        self.process.send(text + key)
        self.process.send("\r")
        self.process.expect_exact(COMMAND_FINISHED)
        self.process.expect_exact(PROMPT)
        return self.words_file.read_bytes().decode().split("\0")[:-1]

    def completions(self, text: str) -> list[str]:
        """All completions that the shell offers at the end of a line."""
        words = self.complete_and_enter(text, INSERT_ALL_KEY)
        given = len([word for word in text.split(" ")[1:] if word])
        return words[given - (0 if text.endswith(" ") else 1) :]


@contextmanager
def running_shell(name: str, cli: CliEnvironment, setup_lines: str = "", **changes: str) -> Iterator[Shell]:
    """Run a shell at a terminal of 200 columns with cpctl's completion and without the user's settings.

    `setup_lines` are run when the shell starts; with zsh they replace the folder of functions.
    """
    read, script = cli.folder / "read", ROOT / "completions" / SCRIPTS[name]
    lines = {"bash": BASH_STARTUP, "zsh": ZSH_STARTUP, "fish": FISH_STARTUP}[name].format(
        ready=PROMPT,
        done=COMMAND_FINISHED,
        script=script,
        read=read,
        package=setup_lines,
        functions="" if setup_lines else f"fpath=('{script.parent}' $fpath)",
    )
    start = cli.folder / {"bash": "bashrc", "zsh": ".zshrc", "fish": "start.fish"}[name]
    start.write_text(lines, encoding="utf-8")
    arguments = {
        "bash": ["--noprofile", "--rcfile", str(start), "-i"],
        "zsh": ["-d", "-i"],
        "fish": ["--no-config", "-i", "-C", f"source {start}"],
    }[name]
    environment = cli.process_environment(TERM="xterm", ZDOTDIR=str(cli.folder), LC_ALL="C.UTF-8", **changes)
    process = pexpect.spawn(
        str(shutil.which(name)), arguments, env=environment, cwd=cli.folder, encoding="utf-8", timeout=TIMEOUT_SECONDS
    )
    process.setwinsize(50, 200)
    try:
        process.expect_exact(PROMPT)
        yield Shell(name, process, read)
    finally:
        process.close(force=True)


def fish_completions(cli: CliEnvironment, line: str) -> dict[str, str]:
    """The completions of fish at the end of a line with their descriptions, without a terminal."""
    source = f"source '{ROOT / 'completions' / SCRIPTS['fish']}'; complete -C \"$LINE\""
    done = subprocess.run(
        ["fish", "--no-config", "-c", source],
        env=cli.process_environment(LINE=line, LC_ALL="C.UTF-8"),
        cwd=cli.folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert not done.stderr, done.stderr
    return dict((*row.split("\t"), "")[:2] for row in done.stdout.splitlines())


def shell_completer(name: str, cli: CliEnvironment, stack: ExitStack) -> Completer:
    """A function that returns the completions of a shell at the end of a line."""
    if name == "fish":
        return lambda line: list(fish_completions(cli, line))
    running = stack.enter_context(running_shell(name, cli))
    return running.completions


def install_cpctl(cli: CliEnvironment, record_only: bool = False) -> CliEnvironment:
    """The environment with a `cpctl` in its PATH: the real one, or one that only records its calls."""
    folder = cli.folder / "bin"
    folder.mkdir()
    program = folder / "cpctl"
    calls = cli.folder / "calls"
    body = f"echo \"$@\" >>'{calls}'" if record_only else f'exec "{sys.executable}" -m cpctl "$@"'
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    return CliEnvironment(cli.folder, cli.process_environment(PATH=os.pathsep.join([str(folder), os.environ["PATH"]])))
