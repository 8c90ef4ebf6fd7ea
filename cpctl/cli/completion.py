"""`cpctl completion`: the script that teaches a shell cpctl's words."""

from typing import Annotated

import typer

from cpctl.cli.group import Commands
from cpctl.cli.run import Run
from cpctl.errors import InvalidInput, nearest

SHELLS = ("bash", "zsh", "fish")
FILES = {"bash": "cpctl.bash", "zsh": "_cpctl", "fish": "cpctl.fish"}
commands = Commands()


@commands.add("completion", "cpctl completion bash > ~/.local/share/bash-completion/completions/cpctl")
def print_completion(
    run: Run, shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]
) -> None:
    """Print the completion script of a shell."""
    run.output.write(iter([completion_script(shell)]))


def completion_script(shell: str) -> str:
    """The script of one shell. Raises InvalidInput for a shell that has none."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    if shell not in SHELLS:
        raise InvalidInput(f'There is no completion for "{shell}".', nearest(shell, SHELLS))
    script: str = get_completion_script(prog_name="cpctl", complete_var="_CPCTL_COMPLETE", shell=shell)
    return script.rstrip() + "\n"
