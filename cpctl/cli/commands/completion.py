"""`cpctl completion`: print the completion script of a shell."""

from typing import Annotated

import typer

from cpctl.cli.completion.scripts import SHELLS, render_script
from cpctl.cli.context import Context
from cpctl.cli.framework import Commands
from cpctl.errors import InvalidInput, suggest

SCRIPT_FILES = {shell.name: shell.file_name for shell in SHELLS.values()}
commands = Commands()


@commands.add("completion", "cpctl completion bash > ~/.local/share/bash-completion/completions/cpctl")
def print_completion(
    context: Context, shell: Annotated[str, typer.Argument(metavar="SHELL", help="Shell: bash, zsh or fish.")]
) -> None:
    """Print the completion script of a shell.

    It completes values too. References come from lists that cpctl has shown: they are kept in the user's cache folder
    (or CPCTL_CACHE_DIR), which may be deleted. Completion never calls the service.
    """
    context.output.write(iter([generate_completion_script(shell)]))


def generate_completion_script(shell: str) -> str:
    """Generate the script of one shell. Raises InvalidInput for an unknown shell."""
    if shell not in SHELLS:
        raise InvalidInput(f'There is no completion for "{shell}".', suggest(shell, SHELLS))
    return render_script(shell)
