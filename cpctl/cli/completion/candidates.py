"""What a shell asks at a Tab: the words of one kind that only this machine knows.

This is the whole of `cpctl __complete KIND WORD…`. It imports no typer, touches no network, writes nothing, runs no
key command, and has nothing to say about trouble: no words, exit status 0.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cpctl.cli.completion.hint_cache import cache_path, format_description, is_completable, read_cache
from cpctl.config.paths import find_cache_folder, find_config_file
from cpctl.config.profile_names import find_store_without_yaml, summarize_profiles

if TYPE_CHECKING:
    from cpctl.outbox.completion_queries import CompletionItem

Candidates = Iterable[tuple[str, str]]


class CompletionLine(NamedTuple):
    """The words of the line before the cursor, and what they say of the profile."""

    words: Sequence[str]
    profile: str | None
    config: str | None
    environment: Mapping[str, str]

    def option_value(self, *names: str) -> str | None:
        """The value of an option by any of its names; the last one wins."""
        return _find_option_value(self.words, names)


def print_candidates(arguments: Sequence[str]) -> None:
    """Print the words of the kind that the first argument names; the others are the line so far."""
    with suppress(Exception):
        kind, *words = arguments
        environment = {name: value for name, value in os.environ.items() if value}
        line = CompletionLine(
            words, _find_option_value(words, ("-p", "--profile")), _find_option_value(words, ("--config",)), environment
        )
        found: dict[str, str] = {}
        for word, more in COMPLETERS[kind](line):
            if is_completable(word) and word[0] != "-":
                found.setdefault(word, more)
        lines = (_format_candidate(word, more) for word, more in found.items())
        sys.stdout.buffer.write("".join(lines).encode("utf-8", "replace"))
        sys.stdout.buffer.flush()


def _format_candidate(word: str, more: str) -> str:
    more = format_description(more)
    return f"{word}\t{more}\n" if more else f"{word}\n"


def _find_option_value(words: Sequence[str], names: Sequence[str]) -> str | None:
    found = None
    for number, word in enumerate(words):
        if word == "--":
            break
        for name in names:
            if word == name:
                found = words[number + 1] if number + 1 < len(words) else found
            elif name.startswith("--") and word.startswith(f"{name}="):
                found = word[len(name) + 1 :]
            elif not name.startswith("--") and word.startswith(name):
                found = word[len(name) :]
    return found


def _complete_profiles(line: CompletionLine) -> Candidates:
    file, _ = find_config_file(line.config, line.environment)
    if seen := summarize_profiles(file.read_text(encoding="utf-8-sig")):
        yield from ((name, "the default" if name == seen.default else "") for name in seen.profiles)
        return
    from cpctl.config.config_file import read_configuration

    configuration = read_configuration(line.config, line.environment)
    for name in configuration.profiles if configuration else ():
        yield name, "the default" if configuration and name == configuration.default else ""


def _complete_mappings(line: CompletionLine) -> Candidates:
    """The shop's own; those that cpctl brings stand in the script."""
    from cpctl.config.bench_settings import read_shop_settings
    from cpctl.config.profiles import load_profile

    profile = load_profile(line.environment, line.config, line.profile)
    return [(name, "of the profile") for name in read_shop_settings(profile.shop_nodes).column_mappings]


def _complete_cached(*kinds: str, suffix: str = "") -> Callable[[CompletionLine], Candidates]:
    """What earlier commands have shown of these kinds."""

    def words(line: CompletionLine) -> Iterator[tuple[str, str]]:
        config, _ = find_config_file(line.config, line.environment)
        folder = find_cache_folder(line.environment)
        for each in read_cache(cache_path(folder, _find_profile_name(line), config)):
            if each.kind in kinds:
                yield each.text + suffix, each.description

    return words


def _find_profile_name(line: CompletionLine) -> str:
    """The profile in force; where it is named, the configuration need not be read."""
    named = line.profile or line.environment.get("CPCTL_PROFILE")
    return named or _find_profile_and_store(line)[0]


def _find_profile_and_store(line: CompletionLine) -> tuple[str, Path]:
    """The profile and its store."""
    with suppress(OSError):  # there may be no configuration, and all that is needed in the environment
        if seen := find_store_without_yaml(line.environment, line.config, line.profile):
            return seen
    from cpctl.config.profiles import load_profile

    profile = load_profile(line.environment, line.config, line.profile)
    return profile.name, profile.store


def _find_items(line: CompletionLine, include_finished: bool) -> Iterator[tuple[str, str, str]]:
    """Items with their order and what is known of them: those reported lately, then those that were shown."""
    reported: list[CompletionItem] = []
    with suppress(Exception):  # there may be no store yet
        from cpctl.outbox.completion_queries import list_recent_items

        name, store = _find_profile_and_store(line)
        reported = list_recent_items(store, name)
    done = {each.id for each in reported if each.is_finished and not include_finished}
    yield from (
        (each.id, each.order, f"{each.latest_type}, order {each.order}") for each in reported if each.id not in done
    )
    yield from ((item, order, f"order {order}") for item, order in _complete_cached("items")(line) if item not in done)


def _complete_items(include_finished: bool) -> Callable[[CompletionLine], Candidates]:
    """Items of the order that the line names, else of all; none that stands in the line already."""

    def words(line: CompletionLine) -> Iterator[tuple[str, str]]:
        wanted = line.option_value("--order")
        for item, order, more in _find_items(line, include_finished):
            if wanted in (None, order) and item not in line.words:
                yield item, more

    return words


def _complete_orders(include_finished: bool) -> Callable[[CompletionLine], Candidates]:
    """Orders of the items that the line names, else all."""

    def words(line: CompletionLine) -> Iterator[tuple[str, str]]:
        found: dict[str, set[str]] = {}
        for item, order, _ in _find_items(line, include_finished):
            found.setdefault(order, set()).add(item)
        meant = [order for order, those in found.items() if those & set(line.words)]
        yield from ((order, _format_item_count(len(found[order]))) for order in meant or found)

    return words


def _format_item_count(number: int) -> str:
    return "1 item" if number == 1 else f"{number} items"


def _complete_signals(undelivered_only: bool) -> Callable[[CompletionLine], Candidates]:
    def words(line: CompletionLine) -> Candidates:
        from cpctl.outbox.completion_queries import list_recent_signals

        name, store = _find_profile_and_store(line)
        return [
            (number, words)
            for number, words in list_recent_signals(store, name, undelivered_only)
            if number not in line.words
        ]

    return words


def _complete_signal_column(column: str) -> Callable[[CompletionLine], Candidates]:
    def words(line: CompletionLine) -> Candidates:
        from cpctl.outbox.completion_queries import list_recent_names

        name, store = _find_profile_and_store(line)
        return [(word, "") for word in list_recent_names(store, name, column)]

    return words


def _complete_events(line: CompletionLine) -> Candidates:
    from cpctl.outbox.completion_queries import list_recent_events

    name, store = _find_profile_and_store(line)
    return [(number, words) for number, words in list_recent_events(store, name) if number not in line.words]


def _complete_event_columns(*columns: str) -> Callable[[CompletionLine], Candidates]:
    """What the webhooks were about that were received."""

    def words(line: CompletionLine) -> Candidates:
        from cpctl.outbox.completion_queries import list_recent_event_values

        name, store = _find_profile_and_store(line)
        return [(word, "") for column in columns for word in list_recent_event_values(store, name, column)]

    return words


COMPLETERS: Mapping[str, Callable[[CompletionLine], Candidates]] = {
    "profiles": _complete_profiles,
    "maps": _complete_mappings,
    "orders": _complete_cached("orders", "publish-orders"),
    "open-orders": _complete_cached("open-orders", "open-publish-orders"),
    "products": _complete_cached("products"),
    "specs": _complete_cached("products", suffix=","),
    "categories": _complete_cached("categories"),
    "mixes": _complete_cached("mixes"),
    "catalogs": _complete_cached("catalogs"),
    "titles": _complete_cached("titles"),
    "levels": _complete_cached("levels"),
    "items": _complete_items(include_finished=False),
    "seen-items": _complete_items(include_finished=True),
    "made-orders": _complete_orders(include_finished=False),
    "seen-orders": _complete_orders(include_finished=True),
    "outbox-ids": _complete_signals(undelivered_only=True),
    "signal-ids": _complete_signals(undelivered_only=False),
    "stations": _complete_signal_column("station"),
    "operators": _complete_signal_column("operator"),
    "event-ids": _complete_events,
    "told-orders": _complete_event_columns("order_id"),
    "told-items": _complete_event_columns("item"),
    "told-references": _complete_event_columns("order_reference", "item_reference"),
}
