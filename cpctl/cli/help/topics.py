"""A row per topic of `cpctl help`. The texts are made when they are asked for, and only theirs is loaded."""

import importlib
from collections.abc import Iterable
from typing import NamedTuple

from cpctl.cli.help.blocks import Block
from cpctl.errors import closest


class Topic(NamedTuple):
    """A topic: its sentence, where its text is made, other names for it, and the group of commands it is about."""

    name: str
    sentence: str
    text: str  # module and function of this folder
    also: tuple[str, ...] = ()
    group: str = ""

    def blocks(self) -> Iterable[Block]:
        """The text."""
        module, _, function = self.text.partition(":")
        blocks: Iterable[Block] = getattr(importlib.import_module(f"cpctl.cli.help.{module}"), function)()
        return blocks


TOPICS: dict[str, Topic] = {
    row.name: row
    for row in (
        Topic("signals", "What can be reported of an item, and how.", "shop:signals", ("types",), "signal"),
        Topic("outbox", "What happens to a signal until it is delivered.", "shop:outbox", ("delivery",), "outbox"),
        Topic("scan", "The packing bench: scanner, screen, command codes.", "shop:scan", ("bench", "scanner")),
        Topic("files", "Files of signals, their columns, and hot folders.", "shop:files", ("maps", "csv", "watch")),
        Topic("webhooks", "How to receive what Cloudprinter reports.", "webhooks:webhooks", ("webhook",), "webhooks"),
        Topic("sandbox", "A Cloudprinter on this machine, and its faults.", "sandbox:sandbox", ("faults",), "sandbox"),
        Topic(
            "configuration",
            "The configuration file: every setting of a profile.",
            "machine:configuration",
            ("config", "settings", "profiles"),
            "profile",
        ),
        Topic("keys", "The three keys, and where to keep them.", "machine:keys", ("key", "api-keys", "secrets")),
        Topic("environment", "Every variable that is read.", "machine:environment", ("env", "variables")),
        Topic("output", "Formats, queries, colour, and what goes where.", "machine:output", ("formats", "query")),
        Topic(
            "exit-codes",
            "What each exit status means.",
            "machine:exit_codes",
            ("exit-status", "exit-code", "errors"),
        ),
    )
}


def topic_named(name: str) -> Topic | None:
    """The topic of that name, or with that among its other names; None if there is none."""
    wanted = name.lower().replace("_", "-").replace(" ", "-")
    return TOPICS.get(wanted) or next((row for row in TOPICS.values() if wanted in row.also), None)


def nearest_topic(name: str) -> str:
    """The topic whose name is most like this; empty if none is."""
    names = {each: row.name for row in TOPICS.values() for each in (row.name, *row.also)}
    return names.get(closest(name, names), "")
