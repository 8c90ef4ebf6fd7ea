"""Suggestions for mistyped commands and options; loaded only after a failure."""

from collections.abc import Iterable, Mapping
from typing import Any

from cpctl.cli.help.topics import TOPICS
from cpctl.errors import find_closest, suggest

# Words that share half of their letters, such as "undo" and "send", are different words, not typing errors.
_SIMILARITY_CUTOFF = 0.55


def suggest_command(name: str, available: Iterable[str], groups: Mapping[str, list[str]], is_top_level: bool) -> str:
    """A hint for an unknown command: the closest available one, or the same command of another group.

    At the top level also a similar command of any group, and a topic of `cpctl help`.
    """
    own, lowered = list(available), name.lower()
    inner = {command for commands in groups.values() for command in commands}
    closest = find_closest(name, [*own, *inner] if is_top_level else own, cutoff=_SIMILARITY_CUTOFF)
    exact = lowered if lowered in inner and lowered not in own else ""
    if is_top_level and not exact and lowered in TOPICS:
        return f"Did you mean `cpctl help {lowered}`?"
    if found := exact or (closest if closest not in own else ""):
        lines = [f"`cpctl {group} {found}`" for group, commands in groups.items() if found in commands]
        return f"Did you mean {_join_with_or(lines)}?"
    return suggest(name, own, cutoff=_SIMILARITY_CUTOFF)


def describe_usage_error(error: Any) -> str:
    """typer's message about a wrong command line; for an unknown option, with the closest one."""
    option = getattr(error, "option_name", "")
    if not hasattr(error, "possibilities") or not error.ctx:
        return str(error.format_message())
    found = ""
    if option.startswith("--"):
        names = [
            name for each in error.ctx.command.get_params(error.ctx) for name in (*each.opts, *each.secondary_opts)
        ]
        found = _find_similar_option(option, [name for name in names if name.startswith("--")])
    return f'There is no option "{option}".' + (f' Did you mean "{found}"?' if found else "")


def _find_similar_option(option: str, known: Iterable[str]) -> str:
    """The option that has the typed one as a whole word, else the most similar; leading dashes do not count."""
    bare = {name.removeprefix("--"): name for name in known}
    word = option.removeprefix("--").lower()
    found = next((name for name in bare if word in name.split("-")), "") or find_closest(word, bare)
    return bare[found] if found else ""


def _join_with_or(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
