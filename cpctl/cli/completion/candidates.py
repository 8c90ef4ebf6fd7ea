"""`cpctl __complete KIND WORD...`: the completion candidates that depend on this machine.

It imports no typer, opens no connection, writes nothing and runs no key command. On any failure it prints nothing.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from cpctl.cli.completion.hint_cache import cache_path, format_description, is_completable, read_cache
from cpctl.config.paths import find_cache_folder, find_config_file
from cpctl.output.text import format_count

if TYPE_CHECKING:
    from cpctl.outbox.completion_queries import CompletionItem

Candidates = Iterable[tuple[str, str]]


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
        """The name of the selected profile, and its store. Raises ConfigError."""
        from cpctl.config.profiles import load_profile

        profile = load_profile(self.environment, self.config, self.named_profile)
        return profile.name, profile.store


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
    from cpctl.config.profiles import read_configuration

    configuration = read_configuration(line.config, line.environment)
    for name in configuration.profiles if configuration else ():
        yield name, "the default" if configuration and name == configuration.default else ""


def _complete_mappings(line: CompletionLine) -> Candidates:
    """Column mappings of the profile; the script holds the built-in ones."""
    from cpctl.config.bench_settings import read_shop_settings
    from cpctl.config.profiles import load_profile

    profile = load_profile(line.environment, line.config, line.named_profile)
    return [(name, "of the profile") for name in read_shop_settings(profile.shop_nodes).column_mappings]


def _complete_cached(*kinds: str, suffix: str = "") -> Callable[[CompletionLine], Candidates]:
    """Complete with what earlier commands have shown of these kinds."""

    def complete(line: CompletionLine) -> Iterator[tuple[str, str]]:
        config, _ = find_config_file(line.config, line.environment)
        profile = line.named_profile or line.profile_and_store[0]
        for hint in read_cache(cache_path(find_cache_folder(line.environment), profile, config)):
            if hint.kind in kinds:
                yield hint.text + suffix, hint.description

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


def _complete_items(include_finished: bool) -> Callable[[CompletionLine], Candidates]:
    """Complete with items of the order on the line, or of all orders; items already on the line are left out."""

    def complete(line: CompletionLine) -> Iterator[tuple[str, str]]:
        wanted = line.option_value("--order")
        for item, order, description in _find_items(line, include_finished):
            if wanted in (None, order) and item not in line.words:
                yield item, description

    return complete


def _complete_orders(include_finished: bool) -> Callable[[CompletionLine], Candidates]:
    """Complete with the orders of the items on the line, or with all orders."""

    def complete(line: CompletionLine) -> Iterator[tuple[str, str]]:
        items: dict[str, set[str]] = {}
        for item, order, _ in _find_items(line, include_finished):
            items.setdefault(order, set()).add(item)
        orders_on_line = [order for order, own in items.items() if own & set(line.words)]
        yield from ((order, format_count(len(items[order]), "item")) for order in orders_on_line or items)

    return complete


def _complete_from_store(query: str, *arguments: object) -> Callable[[CompletionLine], Candidates]:
    """Complete with the result of a query in `completion_queries`; ids already on the line are left out."""

    def complete(line: CompletionLine) -> Iterator[tuple[str, str]]:
        name, store = line.profile_and_store
        for row in getattr(import_module("cpctl.outbox.completion_queries"), query)(store, name, *arguments):
            if isinstance(row, str):
                yield row, ""
            elif row[0] not in line.words:
                yield row

    return complete


def _complete_references(line: CompletionLine) -> Iterator[tuple[str, str]]:
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
    "items": _complete_items(include_finished=False),
    "reported-items": _complete_items(include_finished=True),
    "unfinished-orders": _complete_orders(include_finished=False),
    "reported-orders": _complete_orders(include_finished=True),
    "outbox-ids": _complete_from_store("list_recent_signals", True),
    "signal-ids": _complete_from_store("list_recent_signals", False),
    "stations": _complete_from_store("list_recent_names", "station"),
    "operators": _complete_from_store("list_recent_names", "operator"),
    "event-ids": _complete_from_store("list_recent_events"),
    "received-orders": _complete_from_store("list_recent_event_values", "order_id"),
    "received-items": _complete_from_store("list_recent_event_values", "item"),
    "received-references": _complete_references,
}
