"""Topics about the shop floor: signals, the outbox, the bench, files."""

from collections.abc import Iterator

from cpctl.cli.help.blocks import Block, Code, Head, Rows, Words


def signals() -> Iterator[Block]:
    """What can be reported of an item."""
    from cpctl.signals.signal_types import KINDS, LATEST

    yield Words("A signal says what happened to an item. In the order of the work:")
    yield Rows(
        [
            (f"signal {kind.command}", f"{kind.name}: {kind.meaning}{_versions(kind.required)}")
            for kind in KINDS.values()
        ]
    )
    yield Code("cpctl signal shipped 123456780001 --order 123456780000 --tracking 1A2B3C4D5E6F")
    yield Words(
        f"The version of CloudSignal is {LATEST}, unless the profile (signal_version) or --api-version says otherwise. "
        "--at says when it happened, if not now. Several items of one order can be named at once."
    )
    yield Words(
        "`cpctl explain shipped` shows a signal's fields; `cpctl signal causes` lists why an item may be canceled. "
        "Without a network a signal is accepted all the same: see `cpctl help outbox`."
    )


def _versions(required: object) -> str:
    from cpctl.signals.signal_types import VERSIONS

    known = [version for version in VERSIONS if version in required]  # type: ignore[operator]
    return "" if len(known) == len(VERSIONS) else f" (only version {', '.join(known)})"


def answer_rows() -> list[tuple[str, str, str]]:
    """What an answer does to a signal: the answer, what the signal then is, the exit status."""
    from cpctl.api.failures import ALL, HOLD, LATER
    from cpctl.outbox.models import State

    becomes = {LATER: f"{State.QUEUED}, tried again by the schedule", HOLD: f"{State.HELD}, the queue is paused"}
    rows = [("any 2xx", str(State.DELIVERED), "0")]
    for fault in ALL:
        status = "0 (75 with --require-delivery)" if fault.remedy == LATER else str(int(fault.exit_code))
        rows.append((f"{fault.words} ({fault.when})", becomes.get(fault.remedy, str(State.REFUSED)), status))
    return rows


def outbox() -> Iterator[Block]:
    """What happens to a signal until it is delivered."""
    from cpctl.outbox.dispatcher import SCHEDULE
    from cpctl.outbox.models import STATE_MEANINGS

    yield Words(
        "Accepted means: on this machine's disk. Delivered means: Cloudprinter has said so. A signal command does the "
        "first, then tries the second; what is accepted is never lost, and keeps the time of the event."
    )
    yield Head("States")
    yield Rows([(str(state), meaning) for state, meaning in STATE_MEANINGS.items()])
    yield Head("What an answer does")
    yield Rows(_by_state())
    yield Words(
        f"What fails for a while is tried again after {', '.join(map(_span, SCHEDULE))}, then ever again at that "
        "distance. A signal waits for the earlier ones of its item. A refused key pauses the queue: put it right, "
        "then `cpctl outbox release`."
    )
    yield Words("Something has to send what waits: a line for cron, or `cpctl outbox flush --watch` as a service.")
    yield Code("*/5 * * * *  cpctl outbox flush --quiet\n0 7 * * *    cpctl outbox check")


def _by_state() -> list[tuple[str, str]]:
    """The answers that have one effect together: the state, and from what it follows."""
    answers: dict[tuple[str, str], list[str]] = {}
    for answer, state, status in answer_rows():
        answers.setdefault((state, status), []).append(answer)
    return [
        (_first(state), f"{'; '.join(said)}: {state}; exit status {status}")
        for (state, status), said in answers.items()
    ]


def _first(state: str) -> str:
    return state.partition(",")[0]


def _span(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min" if seconds < 3600 else f"{seconds // 3600} h"


def scan() -> Iterator[Block]:
    """The packing bench."""
    from cpctl.packing.models import LEVEL_MEANINGS
    from cpctl.packing.scan_decoder import MEANINGS
    from cpctl.signals.carriers import CARRIERS

    yield Words(
        "`cpctl signal scan` is for a bench with a scanner and a screen: scan an item, scan its label, next. Several "
        "items in one parcel: scan all of them, then the label. It works offline; sending never holds a scan up."
    )
    yield Code(
        "cpctl signal sheet --html commands.html   # print the command codes\n"
        "cpctl signal scan --check                 # test scanner, layout and sound\n"
        "cpctl signal scan --type shipped"
    )
    yield Head("Command codes")
    yield Rows([(str(command), meaning) for command, meaning in MEANINGS.items()])
    yield Head("Verdicts")
    yield Rows([(level.upper(), meaning) for level, meaning in LEVEL_MEANINGS.items()])
    yield Words("Each verdict is a word, a colour and a sound (--sound bell, none, or a command of your own).")
    yield Head("Setting up, in the profile")
    yield Words(
        "item_pattern says what an item's code looks like, order_of_item how its order follows from it, badge_prefix "
        "what a badge begins with, carriers whose labels are stuck on here:"
    )
    yield Rows(list(CARRIERS.items()))
    yield Words(
        "A check digit that is wrong only asks: OK keeps the label. `cpctl help configuration` has the settings."
    )


def files() -> Iterator[Block]:
    """Files of signals, their columns, hot folders."""
    from cpctl.imports.column_mapping import ALIASES, PRESETS

    yield Words(
        "`cpctl signal send FILE` reports a file of signals: CSV, TSV, JSON or JSONL. The same file again sends "
        "nothing twice. If one row is wrong none is accepted, unless --partial."
    )
    yield Code(
        "cpctl signal send shipped.csv --type shipped --result shipped.result.csv\n"
        "cpctl signal watch inbox --map ups-worldship"
    )
    yield Head("Fields, and the headings that are understood")
    yield Rows([(field, ", ".join(names)) for field, names in ALIASES.items()])
    yield Words(
        "Case, blanks and umlauts do not matter. --type is the type of rows that name none, --set FIELD=VALUE says "
        "something in every row. A row whose void column says yes is skipped. Ids in a spreadsheet must be text."
    )
    yield Head("--map NAME: exports of shipping software")
    yield Rows([(name, preset.meaning) for name, preset in PRESETS.items()])
    yield Words("A map of your own stands under `maps` in the profile:")
    yield Code("maps:\n  bench2: {tracking: Parcel, item: Our Ref, at: Day, type: ItemShipped}")
    yield Words(
        "`cpctl signal watch FOLDER` takes every file that is put into a folder, and moves it to done or error with "
        "its results beside it; --once is for cron."
    )
