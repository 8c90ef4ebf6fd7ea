"""`cpctl signal send`: a file of signals checked, accepted, delivered, and told row by row."""

import csv
import re
import shutil
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from cpctl.cli.commands.signal.file_options import FileOptions
from cpctl.cli.context import Run
from cpctl.cli.dry_run import show_calls
from cpctl.cli.time_args import parse_time
from cpctl.config.bench_settings import shop_of
from cpctl.errors import ConfigError, ExitCode, InvalidInput, StoreError, nearest
from cpctl.imports.column_mapping import ALIASES, kind_named, map_columns
from cpctl.imports.importer import FAILED, INVALID, SHOWN, Batch, Result
from cpctl.imports.row_parser import Rules
from cpctl.imports.table_reader import RESULT_HEADINGS, Reading, Table, open_table
from cpctl.outbox.models import Origin, State
from cpctl.outbox.outbox import utc_now
from cpctl.outbox.queries import depth
from cpctl.output.columns import columns
from cpctl.output.private_files import private_file
from cpctl.signals.signal import Signal
from cpctl.signals.signal_types import KINDS, VERSIONS

if TYPE_CHECKING:
    from cpctl.outbox.delivery_result import Send

RESULT = columns("line", "state", "id", "type", "order", "item", "message")
CALLS_SHOWN = 3
_PIECE = 1000  # results that are written at a time
_GERMAN_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)")


class Outcome(NamedTuple):
    """What a file came to."""

    rows: int
    tally: Counter[str]
    status: ExitCode
    problems: list[str]  # the first of them

    def words(self) -> str:
        """`8 rows: 6 delivered, 1 duplicate, 1 refused`."""
        counted = ", ".join(f"{number} {state}" for state, number in self.tally.items())
        return f"{_several(self.rows, 'row')}{': ' + counted if counted else ''}"


def _several(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def send(run: Run, file: str, result: str, how: FileOptions) -> None:
    """Read a file of signals, accept and deliver them: the whole of `signal send`."""
    if result == "-":
        raise InvalidInput("--result - names no file.", "Add -o csv: the results go to standard output.")
    target = Path(result) if result else None
    if target and file != "-" and target.exists() and target.samefile(file):
        raise InvalidInput(f"--result {result} is the file itself.", "Name another file.")
    if target and not target.absolute().parent.is_dir():
        raise InvalidInput(f"--result {result}: There is no folder {target.parent}.", "Nothing was sent.")
    with _opened(file) as opened:
        batch, table = prepare(run, "standard input" if file == "-" else file, opened, how)
        try:
            if run.options.dry_run:
                _show_first_calls(run, batch)
                return
            outcome = work_through(run, batch, table, how, target)
            _show(run, batch, outcome)
        finally:
            batch.close()


def prepare(run: Run, name: str, opened: IO[bytes], how: FileOptions) -> tuple[Batch, Table]:
    """A file with what holds for its rows. Raises InvalidInput."""
    if how.no_header != bool(how.columns):
        raise InvalidInput("--no-header and --columns belong together.", "Such as: --no-header --columns item,tracking")
    names = [each.strip() for each in how.columns.split(",")] if how.columns else []
    table = open_table(name, opened, Reading(how.encoding, how.delimiter, names))
    if table.note:
        run.output.note(table.note)
    return Batch(run.outbox, table, _rules(run, table, how)), table


def _rules(run: Run, table: Table, how: FileOptions) -> Rules:
    shop = shop_of(run.profile.shop)
    constants = _constants(how.set)
    version = how.api_version or run.profile["signal_version"]
    if version not in VERSIONS:
        raise InvalidInput(f'--api-version "{version}" does not exist.', f"Valid: {', '.join(VERSIONS)}.")
    if how.type and kind_named(how.type) is None:
        raise InvalidInput(f'There is no signal "{how.type}".', nearest(how.type, KINDS))
    mapped = map_columns(table.headings, how.map, shop.maps)
    return Rules(
        version,
        mapped._replace(columns={name: at for name, at in mapped.columns.items() if name not in constants}),
        table.headings,
        utc_now(),
        _moment,
        how.type or mapped.type,
        constants,
        run.profile["shipping_option"],
        shop.carrier_options,
        shop.order_of_item.order_of if shop.order_of_item else None,
        Origin(run.profile["operator"], run.profile["station"]),
    )


def _moment(text: str) -> Any:
    """A time as files say it: ISO 8601, YYYYMMDD, or a German date. Raises InvalidInput."""
    if german := _GERMAN_DAY.fullmatch(text):
        text = f"{german[3]}-{german[2]:0>2}-{german[1]:0>2}{german[4]}"
    return parse_time(text, "time")


def _constants(texts: list[str] | None) -> dict[str, str]:
    found = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or name not in ALIASES:
            raise InvalidInput(f'--set "{text}" is not FIELD=VALUE.', nearest(name, ALIASES))
        found[name] = value.strip()
    return found


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    """A file that can be read again; standard input is kept in a temporary one."""
    try:
        if file != "-":
            with Path(file).open("rb") as opened:
                yield opened
            return
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error
    if sys.stdin is None:
        raise InvalidInput("Standard input is closed; there is nothing to read.")
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        yield kept


# --- the work -------------------------------------------------------------------------------


def work_through(run: Run, batch: Batch, table: Table, how: FileOptions, target: Path | None) -> Outcome:
    """Check, accept, deliver, write the result file. Raises InvalidInput where nothing was accepted, StoreError."""
    talk = run.output
    checked = batch.check(lambda rows: talk.progress(f"{rows} rows checked"))
    talk.progress("")
    if checked.wrong and not how.partial:
        tally, _, _ = tell(batch, table, target)
        return Outcome(checked.rows, tally, ExitCode.USAGE, checked.problems)
    if not how.queue_only:
        run.profile.key("signal").check()
    before = run.accepted
    run.accepted += checked.rows - checked.wrong  # should we be stopped now, some of them are safe
    try:
        batch.accept(lambda rows: talk.progress(f"{rows} of {checked.rows} rows accepted"))
    except StoreError as error:
        safe = f" {batch.new} rows were accepted before and are safe." if batch.new else ""
        raise StoreError(error.message + safe, error.hint) from error
    finally:
        talk.progress("")
    run.accepted = before + batch.new
    failed = None if how.queue_only else _delivered(run, batch, how)
    try:
        tally, problems, waiting = tell(batch, table, target)
    except InvalidInput as error:  # the work is done, whatever becomes of telling it
        talk.fail(f"cpctl: {error.message}")
        tally, problems, waiting = tell(batch, table, None)
    if not checked.rows:
        talk.note(f"{table.name} has no rows.")
    return Outcome(checked.rows, tally, failed or _status(run, tally, waiting, how), problems)


def _delivered(run: Run, batch: Batch, how: FileOptions) -> ExitCode | None:
    """Try to deliver. Whatever stands in the way now, the rows stay accepted."""
    waiting = depth(run.store, run.profile.name).waiting
    if not waiting:
        return None
    try:
        deliver(run, batch.first, how.connections, waiting)
    except ConfigError as error:
        run.output.fail(f"cpctl: Accepted and safe, but not sent: {error.message} {error.hint}".rstrip())
        return error.exit_code
    except StoreError as error:
        run.output.warn(f"Accepted, but how sending went is not known. {error.message}")
    return None


def deliver(run: Run, first: list[int], connections: int, waiting: int) -> None:
    """Send what waits over several connections; the signals in `first` alone before, even out of a paused queue."""
    from cpctl.cli.signal_sender import make_sender
    from cpctl.outbox.dispatcher import Delivery
    from cpctl.outbox.parallel_dispatcher import Crew

    sends: list[Send] = [make_sender(run) for _ in range(connections)]
    name = uuid.uuid4().hex
    if first:
        Delivery(run.outbox, sends[0], run.profile.timeout, run=name).deliver(first)
    started = time.monotonic()
    crew = Crew(run.outbox, sends, run.profile.timeout, run=name)
    for tried, _ in enumerate(crew.flush(probe=not first), 1):
        if run.output.talks_to_terminal:
            rate = tried / max(time.monotonic() - started, 0.001)
            left = max(waiting - len(first) - tried, 0) / rate
            run.output.progress(f"{tried + len(first)} of {waiting} sent, {rate:.0f} a second, {left:.0f} s left")
    run.output.progress("")


def _status(run: Run, tally: Counter[str], waiting: int, how: FileOptions) -> ExitCode:
    from cpctl.outbox.dispatcher import Delivery

    if any(tally[state] for state in FAILED):
        return ExitCode.CONFLICT
    if waiting and not how.queue_only:
        pause = Delivery(run.outbox, _nobody, run.profile.timeout).pause()
        if pause is not None:
            run.output.fail(
                f"cpctl: The queue is paused: {pause.message}. `cpctl outbox release`, when that is mended."
            )
            return ExitCode.KEY_REFUSED if pause.http_status in (401, 403) else ExitCode.REFUSED
    return ExitCode.TEMPORARY if waiting and how.require_delivery else ExitCode.DONE


def _nobody(signals: Any) -> Any:
    raise AssertionError("a paused queue is only looked at")


# --- telling --------------------------------------------------------------------------------


def tell(batch: Batch, table: Table, target: Path | None) -> tuple[Counter[str], list[str], int]:
    """Count what the rows came to, and write the result file where one is wanted.

    Returns the counts, the first problems, and how many signals still wait. Raises InvalidInput.
    """
    tally: Counter[str] = Counter()
    problems: list[str] = []
    waiting = 0
    with _result_file(table, target) as write:
        for each in batch.results():
            tally[each.state] += 1
            waiting += each.waits
            if each.state in FAILED and len(problems) < SHOWN:
                problems.append(f"line {each.row.line}: {each.state}: {each.message}")
            write(each)
    return tally, problems, waiting


@contextmanager
def _result_file(table: Table, target: Path | None) -> Iterator[Callable[[Result], None]]:
    if target is None:
        yield lambda result: None
        return
    kept = [number for number, name in enumerate(table.headings) if name.strip() not in RESULT_HEADINGS]
    # Excel knows UTF-8 by its mark; a file that had one keeps it.
    with private_file(target, "utf-8-sig" if table.encoding == "utf-8-sig" else "utf-8") as file:
        writer = csv.writer(file, delimiter=table.delimiter or ",", lineterminator="\n")
        writer.writerow([*(table.headings[number] for number in kept), *RESULT_HEADINGS])

        def write(result: Result) -> None:
            cells = result.row.cells
            own = [cells[number] if number < len(cells) else "" for number in kept]
            writer.writerow([*own, result.state, result.id, result.message])

        yield write


class _Results:
    """The results of all rows, read from the store while they are written: see `output.columns.LongData`."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def __iter__(self) -> Iterator[Any]:
        return (each.report() for each in self._batch.results())

    def pieces(self) -> Iterator[tuple[str, list[Any]]]:
        """Some results at a time, as JSON without brackets and as values."""
        import json

        piece: list[Any] = []
        for each in self:
            piece.append(each)
            if len(piece) == _PIECE:
                yield json.dumps(piece, ensure_ascii=False)[1:-1], piece
                piece = []
        if piece:
            yield json.dumps(piece, ensure_ascii=False)[1:-1], piece


def _show(run: Run, batch: Batch, outcome: Outcome) -> None:
    if outcome.status is ExitCode.USAGE:
        raise InvalidInput(not_accepted(outcome), "Mend the file, or accept the good rows with --partial.")
    run.status, run.worked = outcome.status, True
    talk = run.output
    talk.note(f"{outcome.words()}.")
    for problem in outcome.problems:
        talk.fail(f"  {problem}")
    if (failed := sum(outcome.tally[state] for state in FAILED)) > len(outcome.problems):
        talk.fail(f"  … and {failed - len(outcome.problems)} more.")
    if outcome.tally[State.QUEUED]:
        talk.note("What is queued is safe in the outbox. `cpctl outbox flush` sends.")
    if run.options.output or run.options.query:
        run.finish(_Results(batch), RESULT, outcome.status)


def not_accepted(outcome: Outcome) -> str:
    """Why nothing of a file was accepted: the first wrong rows, and how many more there are."""
    wrong = outcome.tally[INVALID]
    lines = [f"  {each}" for each in outcome.problems]
    lines += [f"  … and {wrong - len(lines)} more."] if wrong > len(lines) else []
    return "\n".join([f"{_wrong_rows(wrong)} wrong; nothing was accepted and nothing was sent.", *lines])


def _wrong_rows(number: int) -> str:
    return "1 row is" if number == 1 else f"{number} rows are"


def _show_first_calls(run: Run, batch: Batch) -> None:
    """What a dry run shows: how many calls there would be, and the first of them."""
    from cpctl.cli.signal_sender import calls_of
    from cpctl.outbox.dispatcher import LARGEST_BUNDLE, bundles

    waves: dict[int, list[Signal]] = {}
    per_order: Counter[str] = Counter()
    per_item: Counter[tuple[str, str]] = Counter()
    longest: dict[str, int] = {}

    def note(signal: Signal) -> None:
        # Signals of one item go one after the other: the second in another call than the first.
        nth = per_item[signal.order, signal.item] = per_item[signal.order, signal.item] + 1
        per_order[signal.order] += 1
        longest[signal.order] = max(longest.get(signal.order, 0), nth)
        if per_order.total() <= LARGEST_BUNDLE:
            waves.setdefault(nth, []).append(signal)

    checked = batch.check(lambda rows: run.output.progress(f"{rows} rows checked"), note)
    run.output.progress("")
    if checked.wrong:
        run.output.fail(
            "\n".join([f"cpctl: {_wrong_rows(checked.wrong)} wrong.", *(f"  {e}" for e in checked.problems)])
        )
    together = bool(waves) and bundles(waves[1][0].version)
    number = sum(
        max(longest[order], -(-signals // LARGEST_BUNDLE)) if together else signals
        for order, signals in per_order.items()
    )
    run.output.note(
        f"{_several(checked.rows, 'row')}, {_several(per_order.total(), 'signal')}, "
        f"about {_several(number, 'call')}; the first:"
    )
    calls = [call for wave in waves.values() for call in calls_of(run.profile, wave)]
    show_calls(run, calls[:CALLS_SHOWN])
    run.status = ExitCode.USAGE if checked.wrong else ExitCode.DONE
