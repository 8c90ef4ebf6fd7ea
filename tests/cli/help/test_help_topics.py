"""`cpctl help`: topics with their tables, and the help of every command."""

import re
import shlex
from collections.abc import Callable

import pytest

from cpctl import retry
from cpctl.api.failures import SIGNAL_FAILURES
from cpctl.cli.context import Context
from cpctl.cli.framework import LazyGroup
from cpctl.cli.help.blocks import CodeBlock, DefinitionList, Heading, Paragraph, render_plain
from cpctl.cli.help.topics import TOPICS, response_rows
from cpctl.cli.root import COMMANDS, GROUPS, build_root
from cpctl.config.keys import KEY_VARIABLES, SERVICES
from cpctl.config.settings import KEY_SOURCE_SETTINGS, OTHER_VARIABLES, SETTINGS, SHOP_SETTINGS
from cpctl.errors import ExitCode
from cpctl.imports.column_mapping import COLUMN_ALIASES, PRESETS
from cpctl.outbox.models import State
from cpctl.output.formats import FORMATS
from cpctl.output.text import ENVIRONMENT_VARIABLES
from cpctl.packing.models import Severity
from cpctl.packing.scanned_codes import BenchCommand
from cpctl.sandbox.faults import FAULT_KINDS
from cpctl.signals.carriers import CARRIER_NAMES
from cpctl.signals.signal_types import SIGNAL_TYPES
from cpctl.webhooks.server.server_settings import RESPONSE_MEANINGS
from harness.cli_environment import CliEnvironment, CliResult
from harness.command_tree import ALL_COMMANDS

Invoke = Callable[..., CliResult]

# The names that a topic must contain: every row of its tables.
EXPECTED_NAMES: dict[str, list[str]] = {
    "exit-codes": [str(int(code)) for code in ExitCode],
    "environment": [
        *(row.variable for row in SETTINGS.values() if row.variable),
        *KEY_VARIABLES.values(),
        *(f"{name}_FILE" for name in KEY_VARIABLES.values()),
        *OTHER_VARIABLES,
        *ENVIRONMENT_VARIABLES,
    ],
    "output": list(FORMATS),
    "outbox": [*map(str, State), *(fault.message for fault in SIGNAL_FAILURES), f"{retry.SIGNALS.delays[0]} s"],
    "scan": [*map(str, BenchCommand), *(level.upper() for level in Severity), *CARRIER_NAMES],
    "files": [*COLUMN_ALIASES, *PRESETS],
    "webhooks": [str(status) for status in RESPONSE_MEANINGS],
    "sandbox": list(FAULT_KINDS),
    "keys": [*SERVICES, *KEY_SOURCE_SETTINGS],
    "configuration": [*SETTINGS, *SERVICES, *SHOP_SETTINGS],
    "signals": [kind.name for kind in SIGNAL_TYPES.values()],
}


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_shows_every_row_of_its_tables(unconfigured_cli: CliEnvironment, invoke: Invoke, topic: str) -> None:
    result = invoke(unconfigured_cli, "help", topic)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"{topic}: {TOPICS[topic].summary}\n")
    one_line = " ".join(result.out.split())
    missing = [
        name for name in EXPECTED_NAMES[topic] if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", one_line)
    ]
    assert missing == []


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_fits_a_terminal_of_80_columns(unconfigured_cli: CliEnvironment, invoke: Invoke, topic: str) -> None:
    lines = invoke(unconfigured_cli, "help", topic).out.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("topic", TOPICS)
def test_every_command_in_a_topic_is_valid(topic: str) -> None:
    texts = [block.text for block in TOPICS[topic].blocks() if isinstance(block, CodeBlock | Paragraph)]
    typed = [line for text in texts for line in re.findall(r"`(cpctl [a-z][^`]*)`", text)]
    typed += [
        found[0]
        for block in TOPICS[topic].blocks()
        if isinstance(block, CodeBlock)
        for line in block.text.splitlines()
        if (found := re.search(r"cpctl [^>#]*", line))
    ]
    assert typed
    for line in typed:
        words = shlex.split(line)[1:]
        name, *rest = words[2:] if words[0] == "--profile" else words
        if name == "webhooks" and name not in GROUPS:
            continue
        context = build_root().make_context("cpctl", [], obj=Context({}), resilient_parsing=True)
        command = build_root().get_command(context, name)
        assert command is not None, line
        if name in GROUPS:
            command = command.get_command(None, rest[0])
            assert command is not None, line
            rest = rest[1:]
        if rest:
            command.make_context(name, rest, obj=Context({}))


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_about_a_group_ends_with_its_commands(
    unconfigured_cli: CliEnvironment, invoke: Invoke, topic: str
) -> None:
    group = TOPICS[topic].group
    text = invoke(unconfigured_cli, "help", topic).out
    if group in GROUPS:
        assert f"Commands of `cpctl {group}`\n" in text
        for name, sentence in LazyGroup(group, "").summaries().items():
            assert f"\n  {name} " in text
            assert sentence.split()[0] in text
    else:
        assert "Commands of `cpctl" not in text


def test_help_alone_shows_the_help_of_cpctl_and_the_topics(unconfigured_cli: CliEnvironment) -> None:
    result = unconfigured_cli.run("help")
    assert result.out.startswith(unconfigured_cli.run("--help").out.rstrip("\n"))
    for topic in TOPICS.values():
        assert re.search(rf"^  {topic.name} +{re.escape(topic.summary)}$", result.out, re.MULTILINE)


@pytest.mark.parametrize("arguments", [[], *([name] for name in GROUPS), *map(list, ALL_COMMANDS)], ids=" ".join)
def test_help_of_a_command_equals_its_help_option(
    unconfigured_cli: CliEnvironment, invoke: Invoke, arguments: list[str]
) -> None:
    if len(arguments) == 1 and arguments[0] in TOPICS:
        pytest.skip("a topic of the same name comes first")
    shown = invoke(unconfigured_cli, "help", *arguments).out
    expected = invoke(unconfigured_cli, *arguments, "--help").out
    assert shown.split("\nTopics of `cpctl help`")[0].rstrip("\n") == expected.rstrip("\n")


@pytest.mark.parametrize("arguments", ALL_COMMANDS, ids=" ".join)
def test_the_help_of_a_command_has_a_sentence_own_options_first_and_an_example(
    unconfigured_cli: CliEnvironment, invoke: Invoke, arguments: tuple[str, ...]
) -> None:
    text = invoke(unconfigured_cli, *arguments, "--help").out
    usage, sentence = text.split("\n\n")[:2]
    assert usage.startswith(f"Usage: cpctl {' '.join(arguments)}")
    assert re.match(r"  [A-Z].*\.", " ".join(sentence.split("\n")))
    titles = re.findall(r"^(\w[\w ]*):$", text, re.MULTILINE)
    own = [each for each in ("Arguments", "Options") if each in titles]
    assert titles == [*own, "Options of every command", "Example"]
    assert f"cpctl {' '.join(arguments)}" in text.rpartition("Example:")[2]
    shared = text.partition("Options of every command:")[2].partition("\nExample:")[0]
    assert shared.strip().splitlines()[-1].split()[:2] == ["-h,", "--help"]


@pytest.mark.parametrize(
    ("typed", "topic"),
    [(row.name, row.name) for row in TOPICS.values()]
    + [(other, row.name) for row in TOPICS.values() for other in row.aliases]
    + [("EXIT_CODES", "exit-codes"), ("Exit-Codes", "exit-codes")],
)
def test_a_topic_has_other_names(unconfigured_cli: CliEnvironment, invoke: Invoke, typed: str, topic: str) -> None:
    assert invoke(unconfigured_cli, "help", typed).out.startswith(f"{topic}: ")


def test_topic_names_are_unique_and_hide_no_command() -> None:
    names = [name for row in TOPICS.values() for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names))
    for row in TOPICS.values():
        hidden = {row.name, *row.aliases} & {*GROUPS, *COMMANDS}
        assert hidden <= {row.group}, "its topic has to show the commands of the group"


@pytest.mark.parametrize(
    ("arguments", "suggested"),
    [
        (["exit-cods"], '"exit-codes"'),
        (["enviroment"], '"environment"'),
        (["sgnal"], '"signals"'),
        (["shipped"], "`cpctl signal shipped`"),
        (["signal", "shiped"], '"shipped"'),
        (["ordrs", "add"], '"orders"'),
        (["whoam"], '"whoami"'),
    ],
)
def test_a_mistyped_topic_or_command_gets_a_suggestion(
    unconfigured_cli: CliEnvironment, invoke: Invoke, arguments: list[str], suggested: str
) -> None:
    result = invoke(unconfigured_cli, "help", *arguments)
    assert (result.code, result.out) == (2, "")
    assert f"Did you mean {suggested}?" in result.err


def test_extra_words_are_refused(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(unconfigured_cli, "help", "whoami", "now")
    assert (result.code, result.out) == (2, "")
    assert "`cpctl whoami` has no subcommands." in result.err
    result = invoke(unconfigured_cli, "help", "exit-codes", "now")
    assert (result.code, result.out) == (2, "")
    assert 'The topic "exit-codes" takes no "now".' in result.err


@pytest.mark.parametrize("word", ["xyzzy", ""])
def test_an_unknown_word_points_to_the_list_of_topics(
    unconfigured_cli: CliEnvironment, invoke: Invoke, word: str
) -> None:
    result = invoke(unconfigured_cli, "help", word)
    assert result.code == 2
    assert result.err == f'cpctl: There is no topic or command "{word}".\n  `cpctl help` lists them.\n'


def test_a_topic_typed_as_a_command_is_suggested(unconfigured_cli: CliEnvironment, invoke: Invoke) -> None:
    result = invoke(unconfigured_cli, "exit-codes")
    assert result.code == 2
    assert "Did you mean `cpctl help exit-codes`?" in result.err


def test_help_as_json_has_topic_and_text(unconfigured_cli: CliEnvironment) -> None:
    one = unconfigured_cli.run_json("help", "exit-codes")
    assert (one["topic"], one["text"]) == ("exit-codes", unconfigured_cli.run("help", "exit-codes").out)
    assert unconfigured_cli.run_json("help", "orders", "add")["text"].startswith("Usage: cpctl orders add")
    listed = unconfigured_cli.run_json("help")
    assert [each["topic"] for each in listed] == list(TOPICS)
    assert unconfigured_cli.run("help", "--query", "[0].topic", "-o", "value").out == "signals\n"


def test_help_needs_no_configuration_and_no_home(unconfigured_cli: CliEnvironment) -> None:
    result = unconfigured_cli.run("help", "outbox", HOME=None, CPCTL_CONFIG="/nowhere/at/all.yaml", CPCTL_DATA_DIR=None)
    assert (result.code, result.err) == (0, "")


def test_responses_in_the_outbox_topic_lead_to_known_states() -> None:
    assert {state.partition(",")[0] for _, state, _ in response_rows()} <= {str(state) for state in State}


def test_blocks_are_wrapped_to_the_width() -> None:
    text = render_plain(
        [
            Heading("A heading"),
            Paragraph("Some words that are far too long for one line, with `cpctl outbox flush` in them."),
            DefinitionList([("a", "short"), ("a-name-that-is-longer-than-most", "stands alone")]),
            CodeBlock("cpctl  --as  it  is\n  indented"),
        ],
        40,
    )
    assert text == (
        "A heading\n"
        "Some words that are far too long for one\n"
        "line, with `cpctl outbox flush` in them.\n\n"
        "  a  short\n"
        "  a-name-that-is-longer-than-most\n"
        "     stands alone\n\n"
        "  cpctl  --as  it  is\n"
        "    indented\n"
    )
