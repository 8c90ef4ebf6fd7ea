"""What a person meant by a word that does not exist. Loaded only on the way to a failure."""

from collections.abc import Iterable, Mapping
from typing import Any

from cpctl.cli.help.topics import TOPICS
from cpctl.errors import find_closest, suggest

# Two words with half of their letters in common, as "undo" and "send", are not the same word mistyped.
_SIMILARITY_CUTOFF = 0.55


def suggest_command(name: str, available: Iterable[str], groups: Mapping[str, list[str]], is_top_level: bool) -> str:
    """A hint for a command that does not exist among those that are `here`.

    A word that is a command of some group names it; at the top (`anywhere`) also one that is nearly so, and a topic
    of `cpctl help`.
    """
    own = list(available)
    inner = {word for words in groups.values() for word in words}
    near = find_closest(name, [*own, *inner] if is_top_level else own, cutoff=_SIMILARITY_CUTOFF)
    exact = name.lower() if name.lower() in inner and name.lower() not in own else ""
    if is_top_level and not exact and name.lower() in TOPICS:
        return f"Did you mean `cpctl help {name.lower()}`?"
    if word := exact or (near if near not in own else ""):
        lines = [f"`cpctl {group} {word}`" for group, words in groups.items() if word in words]
        return f"Did you mean {_join_with_or(lines)}?"
    return suggest(name, own, cutoff=_SIMILARITY_CUTOFF)


def describe_usage_error(error: Any) -> str:
    """What typer found wrong with a command line; for an option that does not exist, the nearest that does."""
    option = getattr(error, "option_name", "")
    if not hasattr(error, "possibilities") or not error.ctx:
        return str(error.format_message())
    known = [name for each in error.ctx.command.get_params(error.ctx) for name in (*each.opts, *each.secondary_opts)]
    found = (
        _find_similar_option(option, [name for name in known if name.startswith("--")])
        if option.startswith("--")
        else ""
    )
    return f'There is no option "{option}".' + (f' Did you mean "{found}"?' if found else "")


def _find_similar_option(option: str, known: Iterable[str]) -> str:
    """The option that is meant: one of which this is a whole word, or the most similar, whose dashes say nothing."""
    bare = {name.removeprefix("--"): name for name in known}
    word = option.removeprefix("--").lower()
    found = next((name for name in bare if word in name.split("-")), "") or find_closest(word, bare)
    return bare[found] if found else ""


def _join_with_or(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
