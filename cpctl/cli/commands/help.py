"""`cpctl help`: the help of a command, or a topic."""

from typing import Annotated

import typer

from cpctl.cli.context import Run
from cpctl.cli.framework import Commands, UsageError, help_of
from cpctl.cli.help.blocks import Head, Rows, Words, plain
from cpctl.cli.help.topics import TOPICS, Topic, nearest_topic, topic_named
from cpctl.cli.root import root
from cpctl.errors import InvalidInput

commands = Commands()


@commands.add("help", "cpctl help exit-codes")
def show_help(
    run: Run,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[TOPIC|COMMAND...]", help="A topic, or the words of a command.")
    ] = None,
) -> None:
    """Show the help of a command, or a topic such as exit-codes."""
    wanted = words or []
    topic = topic_named(wanted[0]) if len(wanted) == 1 else None
    name, text = (topic.name, _topic(run, topic)) if topic else (" ".join(wanted), _command(run, wanted))
    if run.options.output or run.options.query:
        run.show({"topic": name, "text": text} if wanted else _topics())
    else:
        run.output.write(iter([text]))


def _topics() -> list[dict[str, str]]:
    return [{"topic": topic.name, "meaning": topic.sentence} for topic in TOPICS.values()]


def _topic(run: Run, topic: Topic) -> str:
    top = root()
    text = plain([Words(f"{topic.name}: {topic.sentence}"), *topic.blocks()])
    if topic.group not in top.summaries():
        return text
    inner = top.get_command(None, topic.group).summaries()
    return f"{text}\n{plain([Head(f'Commands of `cpctl {topic.group}`'), Rows(list(inner.items()))])}"


def _unknown(words: list[str], error: Exception) -> Exception:
    """What is wrong with the words: of one word, topics count as well as commands."""
    if (topic := topic_named(words[0])) and words[0] not in root().summaries():
        return InvalidInput(f'The topic "{topic.name}" takes no "{words[1]}".', f"`cpctl help {topic.name}` shows it.")
    near = nearest_topic(words[0]) if len(words) == 1 else ""
    if near or (len(words) == 1 and "Did you mean" not in str(error)):
        hint = f' Did you mean "{near}"?' if near else ""
        return InvalidInput(f'There is no topic and no command "{words[0]}".{hint}', "`cpctl help` lists them.")
    return error


def _command(run: Run, words: list[str]) -> str:
    """What --help shows; for no words at all with the list of topics. Raises InvalidInput naming the nearest."""
    try:
        text = help_of(root(), words, run)
    except UsageError as error:
        raise _unknown(words, error) from error
    topics = plain([Head("Topics of `cpctl help`"), Rows([(row.name, row.sentence) for row in TOPICS.values()])])
    return text if words else f"{text}\n{topics}"
