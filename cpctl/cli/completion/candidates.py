"""`cpctl __complete KIND WORD...`: the completion candidates that depend on this machine.

It imports no typer, opens no connection, runs no key command, and writes only to the completion cache. On any
failure it prints nothing.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from cpctl.cli.completion.hint_cache import cache_path, format_description, is_completable, read_cache, read_profiles
from cpctl.config.paths import expand_path, find_cache_folder, find_config_file, find_default_store

if TYPE_CHECKING:
    from cpctl.outbox.completion_queries import CompletionItem

Candidates = Iterable[tuple[str, str]]
DEFAULT_NAME = "default"  # of a profile that the environment alone defines, as in config.profiles


class CompletionLine:
    """The words of the line before the cursor, and the profile that they select."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        self.words = words
        self.environment = environment
        self.config = self.option_value("--config")

    def option_value(self, *names: str) -> str | None:
        """The value of an option by any of its names; the last one wins."""
        found = None
        for number, word in enumerate(self.words):
            if word == "--":
                break
            for name in names:
                if word == name:
                    found = self.words[number + 1] if number + 1 < len(self.words) else found
                elif name.startswith("--") and word.startswith(f"{name}="):
                    found = word[len(name) + 1 :]
                elif not name.startswith("--") and word.startswith(name):
                    found = word[len(name) :]
        return found

    @cached_property
    def named_profile(self) -> str | None:
        """The profile that the line or the environment names; the configuration need not be read for it."""
        return self.option_value("-p", "--profile") or self.environment.get("CPCTL_PROFILE")

    @cached_property
    def profile_and_store(self) -> tuple[str, Path]:
        """The name of the selected profile, and its store. Raises ConfigError, KeyError, ValueError without one.

        It chooses as `config.profiles.load_profile` does, but without loading the profile.
        """
        profiles = read_profiles(self.config, self.environment)
        if self.named_profile:
            name = self.named_profile
        else:
            (name,) = [each for each, row in profiles.items() if row.is_default] or profiles or [DEFAULT_NAME]
        written = profiles[name].store if profiles or self.named_profile else ""
        if store := self.environment.get("CPCTL_STORE"):
            return name, expand_path(store)
        if written:
            return name, find_config_file(self.config, self.environment)[0].parent / expand_path(written)
        return name, find_default_store(self.environment)[0]


def print_candidates(arguments: Sequence[str]) -> None:
    """Print the candidates of the kind that the first argument names; the others are the line so far."""
    with suppress(Exception):
        kind, *words = arguments
        line = CompletionLine(words, {name: value for name, value in os.environ.items() if value})
        found: dict[str, str] = {}
        for text, description in COMPLETERS[kind](line):
            if is_completable(text) and text[0] != "-":
                found.setdefault(text, format_description(description))
        lines = (f"{text}\t{description}".rstrip("\t") + "\n" for text, description in found.items())
        sys.stdout.buffer.write("".join(lines).encode("utf-8", "replace"))
        sys.stdout.buffer.flush()


def _complete_profiles(line: CompletionLine) -> Candidates:
    for name, row in read_profiles(line.config, line.environment).items():
        yield name, "the default" if row.is_default else ""


def _complete_mappings(line: CompletionLine) -> Candidates:
    """Column mappings of the profile; the script holds the built-in ones."""
    from cpctl.config.bench_settings import read_shop_settings
    from cpctl.config.profiles import load_profile

    profile = load_profile(line.environment, line.config, line.named_profile)
    return [(name, "of the profile") for name in read_shop_settings(profile.shop_nodes).column_mappings]


def _complete_cached(*kinds: str, suffix: str = "") -> Callable[[CompletionLine], Candidates]:
    """Complete with what earlier commands have shown of these kinds."""

    def complete(line: CompletionLine) -> Candidates:
        config, _ = find_config_file(line.config, line.environment)
        profile = line.named_profile or line.profile_and_store[0]
        cached = read_cache(cache_path(find_cache_folder(line.environment), profile, config))
        return ((hint.text + suffix, hint.description) for hint in cached if hint.kind in kinds)

    return complete


def _find_items(line: CompletionLine, include_finished: bool) -> Iterator[tuple[str, str, str]]:
    """Items with order and description: those reported recently, then those that commands have shown."""
    reported: list[CompletionItem] = []
    with suppress(Exception):  # there may be no store yet
        from cpctl.outbox.completion_queries import list_recent_items

        name, store = line.profile_and_store
        reported = list_recent_items(store, name)
    done = {item.id for item in reported if item.is_finished and not include_finished}
    for item in reported:
        if item.id not in done:
            yield item.id, item.order, f"{item.latest_type}, order {item.order}"
    yield from ((item, order, f"order {order}") for item, order in _complete_cached("items")(line) if item not in done)


def _complete_items(include_finished: bool, line: CompletionLine) -> Candidates:
    """Complete with items of the order on the line, or of all orders; items already on the line are left out."""
    wanted = line.option_value("--order")
    for item, order, description in _find_items(line, include_finished):
        if wanted in (None, order) and item not in line.words:
            yield item, description


def _complete_orders(include_finished: bool, line: CompletionLine) -> Candidates:
    """Complete with the orders of the items on the line, or with all orders."""
    items: dict[str, set[str]] = {}
    for item, order, _ in _find_items(line, include_finished):
        items.setdefault(order, set()).add(item)
    for order in [order for order, own in items.items() if own & set(line.words)] or items:
        count = len(items[order])
        yield order, f"{count} item{'' if count == 1 else 's'}"


def _complete_from_store(query: str, *arguments: object) -> Callable[[CompletionLine], Candidates]:
    """Complete with the result of a query in `completion_queries`; ids already on the line are left out."""

    def complete(line: CompletionLine) -> Candidates:
        from cpctl.outbox import completion_queries

        name, store = line.profile_and_store
        for row in getattr(completion_queries, query)(store, name, *arguments):
            if isinstance(row, str):
                yield row, ""
            elif row[0] not in line.words:
                yield row

    return complete


def _complete_references(line: CompletionLine) -> Candidates:
    for column in ("order_reference", "item_reference"):
        yield from _complete_from_store("list_recent_event_values", column)(line)


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
    "items": partial(_complete_items, False),
    "reported-items": partial(_complete_items, True),
    "unfinished-orders": partial(_complete_orders, False),
    "reported-orders": partial(_complete_orders, True),
    "outbox-ids": _complete_from_store("list_recent_signals", True),
    "signal-ids": _complete_from_store("list_recent_signals", False),
    "stations": _complete_from_store("list_recent_names", "station"),
    "operators": _complete_from_store("list_recent_names", "operator"),
    "event-ids": _complete_from_store("list_recent_events"),
    "received-orders": _complete_from_store("list_recent_event_values", "order_id"),
    "received-items": _complete_from_store("list_recent_event_values", "item"),
    "received-references": _complete_references,
}
