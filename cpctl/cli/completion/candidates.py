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

from cpctl.cli.completion.hint_cache import file_of, is_word, read, sentence
from cpctl.config.paths import cache_folder, config_file
from cpctl.config.profile_names import glance, place_at_a_glance

if TYPE_CHECKING:
    from cpctl.outbox.completion_queries import Item

Words = Iterable[tuple[str, str]]


class Line(NamedTuple):
    """The words of the line before the cursor, and what they say of the profile."""

    words: Sequence[str]
    profile: str | None
    config: str | None
    environment: Mapping[str, str]

    def value(self, *names: str) -> str | None:
        """The value of an option by any of its names; the last one wins."""
        return _value(self.words, names)


def answer(arguments: Sequence[str]) -> None:
    """Print the words of the kind that the first argument names; the others are the line so far."""
    with suppress(Exception):
        kind, *words = arguments
        environment = {name: value for name, value in os.environ.items() if value}
        line = Line(words, _value(words, ("-p", "--profile")), _value(words, ("--config",)), environment)
        found: dict[str, str] = {}
        for word, more in KINDS[kind](line):
            if is_word(word) and word[0] != "-":
                found.setdefault(word, more)
        lines = (_written(word, more) for word, more in found.items())
        sys.stdout.buffer.write("".join(lines).encode("utf-8", "replace"))
        sys.stdout.buffer.flush()


def _written(word: str, more: str) -> str:
    more = sentence(more)
    return f"{word}\t{more}\n" if more else f"{word}\n"


def _value(words: Sequence[str], names: Sequence[str]) -> str | None:
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


def _profiles(line: Line) -> Words:
    file, _ = config_file(line.config, line.environment)
    if seen := glance(file.read_text(encoding="utf-8-sig")):
        yield from ((name, "the default" if name == seen.default else "") for name in seen.profiles)
        return
    from cpctl.config.profiles import read_configuration

    configuration = read_configuration(line.config, line.environment)
    for name in configuration.profiles if configuration else ():
        yield name, "the default" if configuration and name == configuration.default else ""


def _maps(line: Line) -> Words:
    """The shop's own; those that cpctl brings stand in the script."""
    from cpctl.config.bench_settings import shop_of
    from cpctl.config.profiles import load_profile

    profile = load_profile(line.environment, line.config, line.profile)
    return [(name, "of the profile") for name in shop_of(profile.shop).maps]


def _kept(*kinds: str, end: str = "") -> Callable[[Line], Words]:
    """What earlier commands have shown of these kinds."""

    def words(line: Line) -> Iterator[tuple[str, str]]:
        config, _ = config_file(line.config, line.environment)
        folder = cache_folder(line.environment)
        for each in read(file_of(folder, _profile_name(line), config)):
            if each.kind in kinds:
                yield each.word + end, each.sentence

    return words


def _profile_name(line: Line) -> str:
    """The profile in force; where it is named, the configuration need not be read."""
    named = line.profile or line.environment.get("CPCTL_PROFILE")
    return named or _place(line)[0]


def _place(line: Line) -> tuple[str, Path]:
    """The profile and its store."""
    with suppress(OSError):  # there may be no configuration, and all that is needed in the environment
        if seen := place_at_a_glance(line.environment, line.config, line.profile):
            return seen
    from cpctl.config.profiles import load_profile

    profile = load_profile(line.environment, line.config, line.profile)
    return profile.name, profile.store


def _known_items(line: Line, finished: bool) -> Iterator[tuple[str, str, str]]:
    """Items with their order and what is known of them: those reported lately, then those that were shown."""
    reported: list[Item] = []
    with suppress(Exception):  # there may be no store yet
        from cpctl.outbox.completion_queries import items

        name, store = _place(line)
        reported = items(store, name)
    done = {each.id for each in reported if each.finished and not finished}
    yield from ((each.id, each.order, f"{each.latest}, order {each.order}") for each in reported if each.id not in done)
    yield from ((item, order, f"order {order}") for item, order in _kept("items")(line) if item not in done)


def _items(finished: bool) -> Callable[[Line], Words]:
    """Items of the order that the line names, else of all; none that stands in the line already."""

    def words(line: Line) -> Iterator[tuple[str, str]]:
        wanted = line.value("--order")
        for item, order, more in _known_items(line, finished):
            if wanted in (None, order) and item not in line.words:
                yield item, more

    return words


def _orders(finished: bool) -> Callable[[Line], Words]:
    """Orders of the items that the line names, else all."""

    def words(line: Line) -> Iterator[tuple[str, str]]:
        found: dict[str, set[str]] = {}
        for item, order, _ in _known_items(line, finished):
            found.setdefault(order, set()).add(item)
        meant = [order for order, those in found.items() if those & set(line.words)]
        yield from ((order, _counted(len(found[order]))) for order in meant or found)

    return words


def _counted(number: int) -> str:
    return "1 item" if number == 1 else f"{number} items"


def _signals(undelivered: bool) -> Callable[[Line], Words]:
    def words(line: Line) -> Words:
        from cpctl.outbox.completion_queries import signals

        name, store = _place(line)
        return [(number, words) for number, words in signals(store, name, undelivered) if number not in line.words]

    return words


def _named(column: str) -> Callable[[Line], Words]:
    def words(line: Line) -> Words:
        from cpctl.outbox.completion_queries import names

        name, store = _place(line)
        return [(word, "") for word in names(store, name, column)]

    return words


def _events(line: Line) -> Words:
    from cpctl.outbox.completion_queries import events

    name, store = _place(line)
    return [(number, words) for number, words in events(store, name) if number not in line.words]


def _told(*columns: str) -> Callable[[Line], Words]:
    """What the webhooks were about that were received."""

    def words(line: Line) -> Words:
        from cpctl.outbox.completion_queries import told

        name, store = _place(line)
        return [(word, "") for column in columns for word in told(store, name, column)]

    return words


KINDS: Mapping[str, Callable[[Line], Words]] = {
    "profiles": _profiles,
    "maps": _maps,
    "orders": _kept("orders", "publish-orders"),
    "open-orders": _kept("open-orders", "open-publish-orders"),
    "products": _kept("products"),
    "specs": _kept("products", end=","),
    "categories": _kept("categories"),
    "mixes": _kept("mixes"),
    "catalogs": _kept("catalogs"),
    "titles": _kept("titles"),
    "levels": _kept("levels"),
    "items": _items(finished=False),
    "seen-items": _items(finished=True),
    "made-orders": _orders(finished=False),
    "seen-orders": _orders(finished=True),
    "outbox-ids": _signals(undelivered=True),
    "signal-ids": _signals(undelivered=False),
    "stations": _named("station"),
    "operators": _named("operator"),
    "event-ids": _events,
    "told-orders": _told("order_id"),
    "told-items": _told("item"),
    "told-references": _told("order_reference", "item_reference"),
}
