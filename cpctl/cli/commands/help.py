"""`cpctl help`: the help of a command, or of a topic."""

from typing import Annotated

import typer

from cpctl.cli.context import Context
from cpctl.cli.framework import Commands, UsageError, render_help
from cpctl.cli.help.blocks import DefinitionList, Heading, Paragraph, render_plain
from cpctl.cli.help.topics import TOPICS, Topic, find_topic, suggest_topic
from cpctl.cli.root import build_root
from cpctl.errors import InvalidInput

commands = Commands()


@commands.add("help", "cpctl help exit-codes")
def show_help(
    context: Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[TOPIC|COMMAND...]", help="Topic, or the words of a command.")
    ] = None,
) -> None:
    """Show the help of a command, or of a topic such as exit-codes."""
    words = names or []
    topic = find_topic(words[0]) if len(words) == 1 else None
    text = _render_topic(topic) if topic else _render_command_help(context, words)
    if not context.has_explicit_output:
        context.output.write(iter([text]))
    elif words:
        context.show({"topic": topic.name if topic else " ".join(words), "text": text})
    else:
        context.show([{"topic": topic.name, "meaning": topic.summary} for topic in TOPICS.values()])


def _render_topic(topic: Topic) -> str:
    blocks = [Paragraph(f"{topic.name}: {topic.summary}"), *topic.blocks()]
    if topic.group:
        commands = build_root().get_command(None, topic.group).summaries()
        blocks += [Heading(f"Commands of `cpctl {topic.group}`"), DefinitionList(list(commands.items()))]
    return render_plain(blocks)


def _make_unknown_error(names: list[str], error: Exception) -> Exception:
    """The error for unknown words; a single word may be meant as a topic."""
    if (topic := find_topic(names[0])) and names[0] not in build_root().summaries():
        return InvalidInput(f'The topic "{topic.name}" takes no "{names[1]}".', f"`cpctl help {topic.name}` shows it.")
    closest = suggest_topic(names[0]) if len(names) == 1 else ""
    if closest or (len(names) == 1 and "Did you mean" not in str(error)):
        hint = f' Did you mean "{closest}"?' if closest else ""
        return InvalidInput(f'There is no topic or command "{names[0]}".{hint}', "`cpctl help` lists them.")
    return error


def _render_command_help(context: Context, names: list[str]) -> str:
    """What --help shows; without words also the list of topics. Raises InvalidInput with the closest name."""
    try:
        text = render_help(build_root(), names, context)
    except UsageError as error:
        raise _make_unknown_error(names, error) from error
    topics = render_plain(
        [Heading("Topics of `cpctl help`"), DefinitionList([(row.name, row.summary) for row in TOPICS.values()])]
    )
    return text if names else f"{text}\n{topics}"
