"""The manual pages: cpctl, each group, the configuration file and the exit status. The wheel installs them.

It needs typer alone of cpctl's libraries: packaging/build_hook.py runs it wherever cpctl is built.
`python -m tools.docs.manual_pages FOLDER` writes the pages to a folder.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cpctl.cli.context import Context
from cpctl.cli.framework import shared_parameters
from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Paragraph
from cpctl.cli.help.topics import TOPICS
from cpctl.cli.root import COMMANDS, GROUPS, build_root
from cpctl.config.paths import CONFIG_FILE_NAME, STORE_FILE_NAME
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

ROOT = Path(__file__).parents[2]
CONFIG_PAGE, EXIT_CODES_PAGE = "cpctl-config", "cpctl-exit-codes"
# Topics about a part of a group; each is a section of the page of the group.
EXTRA_SECTIONS = {"signal": {"THE PACKING BENCH": "scan", "FILES OF SIGNALS": "files"}}

Section = tuple[str, Iterable[str]]


def render_manual_pages() -> Iterator[tuple[Path, str]]:
    """Every page with its path below the folder of manual pages."""
    yield _page_path("cpctl", 1), render_page("cpctl", 1, _name_summary(build_root().help or ""), _main_sections())
    for group, sentence in GROUPS.items():
        name = f"cpctl-{group}"
        yield _page_path(name, 1), render_page(name, 1, _name_summary(sentence), _group_sections(group))
    yield _page_path(CONFIG_PAGE, 5), render_page(CONFIG_PAGE, 5, "the configuration file of cpctl", _config_sections())
    yield (
        _page_path(EXIT_CODES_PAGE, 7),
        render_page(EXIT_CODES_PAGE, 7, "what the exit status of cpctl means", _exit_sections()),
    )


def write_manual_pages(folder: Path) -> None:
    """Write every page below a folder."""
    for path, text in render_manual_pages():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _page_path(name: str, section: int) -> Path:
    return Path(f"man{section}", f"{name}.{section}")


def _name_summary(sentence: str) -> str:
    return f"{sentence[0].lower()}{sentence[1:]}".rstrip(".")


def _main_sections() -> Iterator[Section]:
    yield "SYNOPSIS", [f"{render_bold('cpctl')} [\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]..."]
    yield "DESCRIPTION", render_blocks([Paragraph(_ABOUT)])
    yield "COMMANDS", render_terms([*((render_bold(name), words) for name, words in GROUPS.items())])
    yield "COMMANDS WITHOUT A GROUP", _command_sections("")
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
    # Without the short example of the topic: the whole one follows.
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
    yield Paragraph("See `man 7 cpctl-exit-codes`.")


def _command_sections(group: str) -> Iterator[str]:
    """Each command of a group, or each without a group: usage, help, options."""
    top = build_root()
    with top.make_context("cpctl", [], obj=Context({}), resilient_parsing=True) as typer_context:
        if not group:
            for name in COMMANDS:
                yield from _command_section(top.get_command(typer_context, name), name, typer_context)
            return
        found: Any = top.get_command(typer_context, group)
        with found.make_context(group, [], parent=typer_context, resilient_parsing=True) as inner:
            for name in found.list_commands(inner):
                yield from _command_section(found.get_command(inner, name), name, inner)


def _command_section(command: Any, name: str, parent: Any) -> Iterator[str]:
    with command.make_context(name, [], parent=parent, resilient_parsing=True) as typer_context:
        usage = " ".join([typer_context.command_path, *command.collect_usage_pieces(typer_context)])
        yield f'.SS "{escape_text(usage)}"'
        yield render_line(command.help)
        shared = shared_parameters()
        yield from _options([each for each in command.params if each not in shared], typer_context)
        if command.epilog:
            yield from render_code(command.epilog)


def _shared_options() -> Iterator[str]:
    top = build_root()
    with top.make_context("cpctl", [], obj=Context({}), resilient_parsing=True) as typer_context:
        yield from _options(top.get_params(typer_context), typer_context)


def _options(parameters: Iterable[Any], typer_context: Any) -> Iterator[str]:
    records = [parameter.get_help_record(typer_context) for parameter in parameters]
    yield from render_terms((render_option(names), meaning) for names, meaning in filter(None, records))


def _see_also(current_page: str) -> Iterator[Section]:
    pages = [("cpctl", 1), *((f"cpctl-{group}", 1) for group in GROUPS), (CONFIG_PAGE, 5), (EXIT_CODES_PAGE, 7)]
    others = [f"{render_bold(name)}({section})" for name, section in pages if name != current_page]
    yield "SEE ALSO", [",\n".join(others)]


_ABOUT = (
    "A print partner of Cloudprinter.com reports every step of every item: registered, in production, produced, "
    "packed, shipped, delayed, canceled. cpctl does that from a shell, a packing bench with a scanner, a folder of "
    "files or a cron job, and never loses a signal: an accepted signal is on disk before it is sent. It also lists, "
    "adds and cancels orders, and requests quotes. See `cpctl help TOPIC` and `cpctl explain CALL` for details; to "
    "try it out without an account, run `cpctl sandbox run -- bash`."
)
_FILES = [
    (f"~/.config/cpctl/{CONFIG_FILE_NAME}", "the configuration; `cpctl profile path` shows its path on this machine"),
    (f"~/.local/share/cpctl/{STORE_FILE_NAME}", "the store: the outbox and its history"),
]


if __name__ == "__main__":
    write_manual_pages(Path(sys.argv[1]))
