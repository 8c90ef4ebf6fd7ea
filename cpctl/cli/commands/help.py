"""`cpctl help`: the help of a command, or a topic."""

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
        list[str] | None, typer.Argument(metavar="[TOPIC|COMMAND...]", help="A topic, or the words of a command.")
    ] = None,
) -> None:
    """Show the help of a command, or a topic such as exit-codes."""
    wanted = names or []
    topic = find_topic(wanted[0]) if len(wanted) == 1 else None
    name, text = (
        (topic.name, _render_topic(context, topic))
        if topic
        else (" ".join(wanted), _render_command_help(context, wanted))
    )
    if context.options.output or context.options.query:
        context.show({"topic": name, "text": text} if wanted else _list_topics())
    else:
        context.output.write(iter([text]))


def _list_topics() -> list[dict[str, str]]:
    return [{"topic": topic.name, "meaning": topic.summary} for topic in TOPICS.values()]


def _render_topic(context: Context, topic: Topic) -> str:
    top = build_root()
    text = render_plain([Paragraph(f"{topic.name}: {topic.summary}"), *topic.blocks()])
    if topic.group not in top.summaries():
        return text
    inner = top.get_command(None, topic.group).summaries()
    return (
        f"{text}\n{render_plain([Heading(f'Commands of `cpctl {topic.group}`'), DefinitionList(list(inner.items()))])}"
    )


def _make_unknown_error(names: list[str], error: Exception) -> Exception:
    """What is wrong with the words: of one word, topics count as well as commands."""
    if (topic := find_topic(names[0])) and names[0] not in build_root().summaries():
        return InvalidInput(f'The topic "{topic.name}" takes no "{names[1]}".', f"`cpctl help {topic.name}` shows it.")
    near = suggest_topic(names[0]) if len(names) == 1 else ""
    if near or (len(names) == 1 and "Did you mean" not in str(error)):
        hint = f' Did you mean "{near}"?' if near else ""
        return InvalidInput(f'There is no topic and no command "{names[0]}".{hint}', "`cpctl help` lists them.")
    return error


def _render_command_help(context: Context, names: list[str]) -> str:
    """What --help shows; for no words at all with the list of topics. Raises InvalidInput naming the nearest."""
    try:
        text = render_help(build_root(), names, context)
    except UsageError as error:
        raise _make_unknown_error(names, error) from error
    topics = render_plain(
        [Heading("Topics of `cpctl help`"), DefinitionList([(row.name, row.summary) for row in TOPICS.values()])]
    )
    return text if names else f"{text}\n{topics}"
