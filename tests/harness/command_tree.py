"""The tree of commands, walked; nothing here names a command."""

import importlib
import shlex

from cpctl.cli.root import COMMANDS, GROUPS


def all_commands() -> dict[tuple[str, ...], list[str]]:
    """Every command with the arguments of its own example (the first call of cpctl in it)."""
    found = {}
    for module in [*GROUPS, *COMMANDS]:
        for name, declared in importlib.import_module(f"cpctl.cli.commands.{module}").commands.declarations.items():
            words = (module, name) if module in GROUPS else (name,)
            found[words] = _example_arguments(words, shlex.split(declared.example))
    return found


def _example_arguments(words: tuple[str, ...], example: list[str]) -> list[str]:
    """What the example says after the command, up to a pipe or a file; also where it begins with another program."""
    call = ["cpctl", *words]
    starts = [at for at in range(len(example)) if example[at : at + len(call)] == call]
    assert starts, f"the example of `cpctl {' '.join(words)}` does not show it: {shlex.join(example)}"
    rest = example[starts[0] + len(call) :]
    end = next((at for at, word in enumerate(rest) if word in (">", "|", "<", "&&", ";")), len(rest))
    return rest[:end]


ALL_COMMANDS = all_commands()
