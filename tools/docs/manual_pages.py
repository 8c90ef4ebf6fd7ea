"""Writes the manual pages, from the command tree and the tables: cpctl, its groups, configuration, exit status."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cpctl.cli.context import Context
from cpctl.cli.framework import SharedParameters
from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Paragraph
from cpctl.cli.help.topics import TOPICS
from cpctl.cli.root import COMMANDS, GROUPS, build_root
from cpctl.config.paths import CONFIG_FILE_NAME, STORE_FILE_NAME
from tools.docs.console_blocks import ROOT
from tools.docs.roff import (
    escape_text,
    render_blocks,
    render_bold,
    render_code,
    render_line,
    render_option,
    render_page,
    render_terms,
)

MAN_FOLDER = ROOT / "man"
CONFIG_PAGE, EXIT_CODES_PAGE = "cpctl-config", "cpctl-exit-codes"
# Topics that are about a part of a group, and stand on its page as sections of their own.
EXTRA_SECTIONS = {"signal": {"THE PACKING BENCH": "scan", "FILES OF SIGNALS": "files"}}

Section = tuple[str, Iterable[str]]


def render_manual_pages() -> Iterator[tuple[Path, str]]:
    """Every page with its place."""
    yield _page_path("cpctl", 1), render_page("cpctl", 1, _name_summary(build_root().help or ""), _main_sections())
    for group, sentence in GROUPS.items():
        name = f"cpctl-{group}"
        yield _page_path(name, 1), render_page(name, 1, _name_summary(sentence), _group_sections(group))
    yield _page_path(CONFIG_PAGE, 5), render_page(CONFIG_PAGE, 5, "the configuration file of cpctl", _config_sections())
    yield (
        _page_path(EXIT_CODES_PAGE, 7),
        render_page(EXIT_CODES_PAGE, 7, "what the exit status of cpctl means", _exit_sections()),
    )


def _page_path(name: str, section: int) -> Path:
    return MAN_FOLDER / f"man{section}" / f"{name}.{section}"


def _name_summary(sentence: str) -> str:
    """A sentence as the summary of a page."""
    return f"{sentence[0].lower()}{sentence[1:]}".rstrip(".")


def _main_sections() -> Iterator[Section]:
    yield "SYNOPSIS", [f"{render_bold('cpctl')} [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]..."]
    yield "DESCRIPTION", render_blocks([Paragraph(_ABOUT)])
    yield "COMMANDS", render_terms([*((render_bold(name), words) for name, words in GROUPS.items())])
    yield "COMMANDS THAT STAND ALONE", _command_sections("")
    yield "OPTIONS", _shared_options()
    for title, topic in (("OUTPUT", "output"), ("ENVIRONMENT", "environment")):
        yield title, render_blocks(TOPICS[topic].blocks())
    yield "FILES", render_blocks([DefinitionList(_FILES)])
    yield "EXIT STATUS", render_blocks(_exit_status_blocks(TOPICS["exit-codes"].blocks()))
    yield from _see_also("cpctl")


def _group_sections(group: str) -> Iterator[Section]:
    yield "SYNOPSIS", [f"{render_bold(f'cpctl {group}')} [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]..."]
    topic = next((row for row in TOPICS.values() if row.group == group), None)
    yield "DESCRIPTION", render_blocks(topic.blocks() if topic else [Paragraph(GROUPS[group])])
    for title, part in EXTRA_SECTIONS.get(group, {}).items():
        yield title, render_blocks(TOPICS[part].blocks())
    yield "COMMANDS", _command_sections(group)
    yield "OPTIONS OF EVERY COMMAND", _shared_options()
    yield from _see_also(f"cpctl-{group}")


def _config_sections() -> Iterator[Section]:
    # The whole example stands below.
    yield (
        "DESCRIPTION",
        render_blocks(block for block in TOPICS["configuration"].blocks() if not isinstance(block, CodeBlock)),
    )
    yield "KEYS", render_blocks(TOPICS["keys"].blocks())
    yield "EXAMPLE", render_code((ROOT / "config.example.yaml").read_text(encoding="utf-8"))
    yield "FILES", render_blocks([DefinitionList(_FILES[:1])])
    yield from _see_also(CONFIG_PAGE)


def _exit_sections() -> Iterator[Section]:
    yield "DESCRIPTION", render_blocks(TOPICS["exit-codes"].blocks())
    yield from _see_also(EXIT_CODES_PAGE)


def _exit_status_blocks(blocks: Iterable[Block]) -> Iterator[Block]:
    yield from (block for block in blocks if isinstance(block, DefinitionList))
    yield Paragraph("`man 7 cpctl-exit-codes` says more.")


def _command_sections(group: str) -> Iterator[str]:
    """Each command of a group, or of those that stand alone: how it is written, what it does, its options."""
    top = build_root()
    with top.make_context("cpctl", [], obj=Context({}), resilient_parsing=True) as context:
        if not group:
            for name in COMMANDS:
                yield from _command_section(top.get_command(context, name), name, context)
            return
        made: Any = top.get_command(context, group)
        with made.make_context(group, [], parent=context, resilient_parsing=True) as inner:
            for name in made.list_commands(inner):
                yield from _command_section(made.get_command(inner, name), name, inner)


def _command_section(command: Any, name: str, parent: Any) -> Iterator[str]:
    with command.make_context(name, [], parent=parent, resilient_parsing=True) as context:
        yield f'.SS "{escape_text(" ".join([context.command_path, *command.collect_usage_pieces(context)]))}"'
        yield render_line(command.help)
        yield from _options([each for each in command.params if each not in SharedParameters.parameters()], context)
        if command.epilog:
            yield from render_code(command.epilog)


def _shared_options() -> Iterator[str]:
    top = build_root()
    with top.make_context("cpctl", [], obj=Context({}), resilient_parsing=True) as context:
        yield from _options(top.get_params(context), context)


def _options(parameters: Iterable[Any], context: Any) -> Iterator[str]:
    records = [each.get_help_record(context) for each in parameters]
    yield from render_terms((render_option(names), meaning) for names, meaning in filter(None, records))


def _see_also(current_page: str) -> Iterator[Section]:
    pages = [("cpctl", 1), *((f"cpctl-{group}", 1) for group in GROUPS), (CONFIG_PAGE, 5), (EXIT_CODES_PAGE, 7)]
    others = [f"{render_bold(name)}({section})" for name, section in pages if name != current_page]
    yield "SEE ALSO", [",\n".join(others)]


_ABOUT = (
    "A print partner of Cloudprinter.com reports every step of every item: registered, in production, produced, "
    "packed, shipped, delayed, canceled. cpctl does that from a shell, a bench with a scanner, a folder of files or "
    "a cron job, and never loses a signal: what it accepts is on disk before it is sent. It also lists, adds and "
    "cancels orders, and asks for quotes. `cpctl help TOPIC` and `cpctl explain CALL` say more; to try it out "
    "without an account, type `cpctl sandbox run -- bash`."
)
_FILES = [
    (f"~/.config/cpctl/{CONFIG_FILE_NAME}", "the configuration; `cpctl profile path` says where it is on this machine"),
    (f"~/.local/share/cpctl/{STORE_FILE_NAME}", "the store: the outbox and its history"),
]
