"""A row per topic of `cpctl help`. The texts are made when they are asked for, and only theirs is loaded."""

import importlib
from collections.abc import Iterable
from typing import NamedTuple

from cpctl.cli.help.blocks import Block
from cpctl.errors import find_closest


class Topic(NamedTuple):
    """A topic: its sentence, where its text is made, other names for it, and the group of commands it is about."""

    name: str
    summary: str
    entry_point: str  # module and function of this folder
    aliases: tuple[str, ...] = ()
    group: str = ""

    def blocks(self) -> Iterable[Block]:
        """The text."""
        module, _, function = self.entry_point.partition(":")
        blocks: Iterable[Block] = getattr(importlib.import_module(f"cpctl.cli.help.{module}"), function)()
        return blocks


TOPICS: dict[str, Topic] = {
    row.name: row
    for row in (
        Topic(
            "signals", "What can be reported of an item, and how.", "shop_floor_topics:signals", ("types",), "signal"
        ),
        Topic(
            "outbox",
            "What happens to a signal until it is delivered.",
            "shop_floor_topics:outbox",
            ("delivery",),
            "outbox",
        ),
        Topic(
            "scan", "The packing bench: scanner, screen, command codes.", "shop_floor_topics:scan", ("bench", "scanner")
        ),
        Topic(
            "files",
            "Files of signals, their columns, and hot folders.",
            "shop_floor_topics:files",
            ("maps", "csv", "watch"),
        ),
        Topic(
            "webhooks", "How to receive what Cloudprinter reports.", "webhook_topic:webhooks", ("webhook",), "webhooks"
        ),
        Topic(
            "sandbox",
            "A Cloudprinter on this machine, and its faults.",
            "sandbox_topic:sandbox",
            ("faults",),
            "sandbox",
        ),
        Topic(
            "configuration",
            "The configuration file: every setting of a profile.",
            "environment_topics:configuration",
            ("config", "settings", "profiles"),
            "profile",
        ),
        Topic(
            "keys", "The three keys, and where to keep them.", "environment_topics:keys", ("key", "api-keys", "secrets")
        ),
        Topic("environment", "Every variable that is read.", "environment_topics:environment", ("env", "variables")),
        Topic(
            "output",
            "Formats, queries, colour, and what goes where.",
            "environment_topics:output",
            ("formats", "query"),
        ),
        Topic(
            "exit-codes",
            "What each exit status means.",
            "environment_topics:exit_codes",
            ("exit-status", "exit-code", "errors"),
        ),
    )
}


def find_topic(name: str) -> Topic | None:
    """The topic of that name, or with that among its other names; None if there is none."""
    wanted = name.lower().replace("_", "-").replace(" ", "-")
    return TOPICS.get(wanted) or next((row for row in TOPICS.values() if wanted in row.aliases), None)


def suggest_topic(name: str) -> str:
    """The topic whose name is most like this; empty if none is."""
    names = {each: row.name for row in TOPICS.values() for each in (row.name, *row.aliases)}
    return names.get(find_closest(name, names), "")
