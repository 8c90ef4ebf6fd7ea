"""The topics of `cpctl help`: a row per topic, and a text per topic in the folder `texts`.

In a text, a line that begins with `#` is a heading and indented lines are code. A paragraph `{{name}}` is the table of
that name in `topic_tables`; inside a paragraph `{{name}}` is a value from there.
"""

import re
from collections.abc import Iterator
from importlib import resources
from textwrap import dedent
from typing import NamedTuple

from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Heading, Paragraph
from cpctl.errors import find_closest

_PLACEHOLDER = re.compile(r"\{\{([a-z-]+)\}\}")


class Topic(NamedTuple):
    """A topic: its name, one sentence, other names, and the group of commands it is about."""

    name: str
    summary: str
    aliases: tuple[str, ...] = ()
    group: str = ""

    def blocks(self) -> Iterator[Block]:
        """The text, with its tables."""
        # Not by its path: cpctl may run from a zip file.
        file = resources.files("cpctl.cli.help").joinpath("texts", f"{self.name}.txt")
        for part in file.read_text(encoding="utf-8").rstrip().split("\n\n"):
            yield _parse_block(part)


def _parse_block(part: str) -> Block:
    if part.startswith("# "):
        return Heading(part.removeprefix("# "))
    if part.startswith("    "):
        return CodeBlock(dedent(part))
    from cpctl.cli.help.topic_tables import VALUES, table_rows

    if match := _PLACEHOLDER.fullmatch(part):
        return DefinitionList(table_rows(match[1]))
    return Paragraph(_PLACEHOLDER.sub(lambda match: VALUES[match[1]](), part))


TOPICS: dict[str, Topic] = {
    row.name: row
    for row in (
        Topic("signals", "What can be reported about an item, and how.", ("types",), "signal"),
        Topic("outbox", "What happens to a signal until it is delivered.", ("delivery",), "outbox"),
        Topic("scan", "The packing bench: scanner, screen, command codes.", ("bench", "scanner")),
        Topic("files", "Files of signals, their columns, and hot folders.", ("maps", "csv", "watch")),
        Topic("webhooks", "How to receive what Cloudprinter reports.", ("webhook",), "webhooks"),
        Topic("sandbox", "The simulated Cloudprinter on this machine, and its faults.", ("faults",), "sandbox"),
        Topic(
            "configuration",
            "The configuration file: every setting of a profile.",
            ("config", "settings", "profiles"),
            "profile",
        ),
        Topic("keys", "The three keys, and where to keep them.", ("key", "api-keys", "secrets")),
        Topic("environment", "Every environment variable that cpctl reads.", ("env", "variables")),
        Topic("output", "Formats, queries, color, and the two output streams.", ("formats", "query")),
        Topic("exit-codes", "What each exit status means.", ("exit-status", "exit-code", "errors")),
    )
}


def find_topic(name: str) -> Topic | None:
    """The topic of that name or alias; None if there is none."""
    wanted = name.lower().replace("_", "-").replace(" ", "-")
    return TOPICS.get(wanted) or next((row for row in TOPICS.values() if wanted in row.aliases), None)


def suggest_topic(name: str) -> str:
    """The topic whose name or alias is closest; empty if none is close."""
    names = {alias: row.name for row in TOPICS.values() for alias in (row.name, *row.aliases)}
    return names.get(find_closest(name, names), "")
