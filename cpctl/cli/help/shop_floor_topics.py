"""Topics about the shop floor: signals, the outbox, the bench, files."""

from collections.abc import Iterator

from cpctl.cli.help.blocks import Block, CodeBlock, DefinitionList, Heading, Paragraph


def signals() -> Iterator[Block]:
    """What can be reported of an item."""
    from cpctl.signals.signal_types import LATEST_API_VERSION, SIGNAL_TYPES

    yield Paragraph("A signal says what happened to an item. In the order of the work:")
    yield DefinitionList(
        [
            (f"signal {kind.command}", f"{kind.name}: {kind.meaning}{_version_note(kind.required)}")
            for kind in SIGNAL_TYPES.values()
        ]
    )
    yield CodeBlock("cpctl signal shipped 123456780001 --order 123456780000 --tracking 1A2B3C4D5E6F")
    yield Paragraph(
        f"The version of CloudSignal is {LATEST_API_VERSION}, unless the profile (signal_version) or --api-version says otherwise. "
        "--at says when it happened, if not now. Several items of one order can be named at once."
    )
    yield Paragraph(
        "`cpctl explain shipped` shows a signal's fields; `cpctl signal causes` lists why an item may be canceled. "
        "Without a network a signal is accepted all the same: see `cpctl help outbox`."
    )


def _version_note(required: object) -> str:
    from cpctl.signals.signal_types import API_VERSIONS

    known = [version for version in API_VERSIONS if version in required]  # type: ignore[operator]
    return "" if len(known) == len(API_VERSIONS) else f" (only version {', '.join(known)})"


def response_rows() -> list[tuple[str, str, str]]:
    """What an answer does to a signal: the answer, what the signal then is, the exit status."""
    from cpctl.api.failures import HOLD, RETRY, SIGNAL_FAILURES
    from cpctl.outbox.models import State

    becomes = {RETRY: f"{State.QUEUED}, tried again by the schedule", HOLD: f"{State.HELD}, the queue is paused"}
    rows = [("any 2xx", str(State.DELIVERED), "0")]
    for fault in SIGNAL_FAILURES:
        status = "0 (75 with --require-delivery)" if fault.disposition == RETRY else str(int(fault.exit_code))
        rows.append(
            (f"{fault.message} ({fault.condition})", becomes.get(fault.disposition, str(State.REFUSED)), status)
        )
    return rows


def outbox() -> Iterator[Block]:
    """What happens to a signal until it is delivered."""
    from cpctl import retry
    from cpctl.outbox.models import STATE_MEANINGS

    yield Paragraph(
        "Accepted means: on this machine's disk. Delivered means: Cloudprinter has said so. A signal command does the "
        "first, then tries the second; what is accepted is never lost, and keeps the time of the event."
    )
    yield Heading("States")
    yield DefinitionList([(str(state), meaning) for state, meaning in STATE_MEANINGS.items()])
    yield Heading("What an answer does")
    yield DefinitionList(_group_by_state())
    yield Paragraph(
        f"What fails for a while is tried again after {', '.join(map(_format_interval, retry.SIGNALS.delays))}, then ever again at that "
        "distance. A signal waits for the earlier ones of its item. A refused key pauses the queue: put it right, "
        "then `cpctl outbox release`."
    )
    yield Paragraph("Something has to send what waits: a line for cron, or `cpctl outbox flush --watch` as a service.")
    yield CodeBlock("*/5 * * * *  cpctl outbox flush --quiet\n0 7 * * *    cpctl outbox check")


def _group_by_state() -> list[tuple[str, str]]:
    """The answers that have one effect together: the state, and from what it follows."""
    answers: dict[tuple[str, str], list[str]] = {}
    for answer, state, status in response_rows():
        answers.setdefault((state, status), []).append(answer)
    return [
        (_state_name(state), f"{'; '.join(said)}: {state}; exit status {status}")
        for (state, status), said in answers.items()
    ]


def _state_name(state: str) -> str:
    return state.partition(",")[0]


def _format_interval(seconds: float) -> str:
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min" if seconds < 3600 else f"{seconds // 3600} h"


def scan() -> Iterator[Block]:
    """The packing bench."""
    from cpctl.packing.models import SEVERITY_MEANINGS
    from cpctl.packing.scanned_codes import COMMAND_MEANINGS
    from cpctl.signals.carriers import CARRIER_NAMES

    yield Paragraph(
        "`cpctl signal scan` is for a bench with a scanner and a screen: scan an item, scan its label, next. Several "
        "items in one parcel: scan all of them, then the label. It works offline; sending never holds a scan up."
    )
    yield CodeBlock(
        "cpctl signal sheet --html commands.html   # print the command codes\n"
        "cpctl signal scan --check                 # test scanner, layout and sound\n"
        "cpctl signal scan --type shipped"
    )
    yield Heading("Command codes")
    yield DefinitionList([(str(command), meaning) for command, meaning in COMMAND_MEANINGS.items()])
    yield Heading("Verdicts")
    yield DefinitionList([(level.upper(), meaning) for level, meaning in SEVERITY_MEANINGS.items()])
    yield Paragraph("Each verdict is a word, a colour and a sound (--sound bell, none, or a command of your own).")
    yield Heading("Setting up, in the profile")
    yield Paragraph(
        "item_pattern says what an item's code looks like, order_of_item how its order follows from it, badge_prefix "
        "what a badge begins with, carriers whose labels are stuck on here:"
    )
    yield DefinitionList(list(CARRIER_NAMES.items()))
    yield Paragraph(
        "A check digit that is wrong only asks: OK keeps the label. `cpctl help configuration` has the settings."
    )


def files() -> Iterator[Block]:
    """Files of signals, their columns, hot folders."""
    from cpctl.imports.column_mapping import COLUMN_ALIASES, PRESETS

    yield Paragraph(
        "`cpctl signal send FILE` reports a file of signals: CSV, TSV, JSON or JSONL. The same file again sends "
        "nothing twice. If one row is wrong none is accepted, unless --partial."
    )
    yield CodeBlock(
        "cpctl signal send shipped.csv --type shipped --result shipped.result.csv\n"
        "cpctl signal watch inbox --map ups-worldship"
    )
    yield Heading("Fields, and the headings that are understood")
    yield DefinitionList([(field, ", ".join(names)) for field, names in COLUMN_ALIASES.items()])
    yield Paragraph(
        "Case, blanks and umlauts do not matter. --type is the type of rows that name none, --set FIELD=VALUE says "
        "something in every row. A row whose void column says yes is skipped. Ids in a spreadsheet must be text."
    )
    yield Heading("--map NAME: exports of shipping software")
    yield DefinitionList([(name, preset.meaning) for name, preset in PRESETS.items()])
    yield Paragraph("A map of your own stands under `maps` in the profile:")
    yield CodeBlock("maps:\n  bench2: {tracking: Parcel, item: Our Ref, at: Day, type: ItemShipped}")
    yield Paragraph(
        "`cpctl signal watch FOLDER` takes every file that is put into a folder, and moves it to done or error with "
        "its results beside it; --once is for cron."
    )
