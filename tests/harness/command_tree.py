"""All commands of cpctl with their examples, from the command tree."""

import importlib
import shlex

from cpctl.cli.root import COMMANDS, GROUPS


def all_commands() -> dict[tuple[str, ...], list[str]]:
    """Every command with the arguments in its own example."""
    found = {}
    for module in [*GROUPS, *COMMANDS]:
        for name, declared in importlib.import_module(f"cpctl.cli.commands.{module}").commands.declarations.items():
            words = (module, name) if module in GROUPS else (name,)
            found[words] = _example_arguments(words, shlex.split(declared.example))
    return found


def _example_arguments(arguments: tuple[str, ...], example: list[str]) -> list[str]:
    """The arguments after the command in an example, up to a pipe or a redirection."""
    call = ["cpctl", *arguments]
    starts = [at for at in range(len(example)) if example[at : at + len(call)] == call]
    assert starts, f"the example of `cpctl {' '.join(arguments)}` does not show it: {shlex.join(example)}"
    rest = example[starts[0] + len(call) :]
    end = next((at for at, word in enumerate(rest) if word in (">", "|", "<", "&&", ";")), len(rest))
    return rest[:end]


ALL_COMMANDS = all_commands()
