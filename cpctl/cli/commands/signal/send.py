"""`cpctl signal send`: a file of signals checked, accepted, delivered, and told row by row."""

import csv
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from cpctl.cli.commands.signal.file_options import FileOptions
from cpctl.cli.context import Context
from cpctl.cli.dry_run import show_calls
from cpctl.cli.time_args import parse_time
from cpctl.clock import utc_now
from cpctl.config.bench_settings import read_shop_settings
from cpctl.errors import ConfigError, ExitCode, InvalidInput, StoreError, suggest
from cpctl.files import private_file
from cpctl.imports.column_mapping import COLUMN_ALIASES, find_signal_type, map_columns
from cpctl.imports.importer import FAILED_STATES, INVALID, MAX_SHOWN_PROBLEMS, Importer, RowResult
from cpctl.imports.row_parser import RowRules
from cpctl.imports.table_reader import RESULT_HEADINGS, Table, TableFormat, open_table
from cpctl.outbox.models import Origin, State
from cpctl.outbox.queries import read_queue_depth
from cpctl.output.columns import make_columns
from cpctl.signals.signal import Signal
from cpctl.signals.signal_types import API_VERSIONS, SIGNAL_TYPES

if TYPE_CHECKING:
    from cpctl.outbox.delivery_result import Send

RESULT_COLUMNS = make_columns("line", "state", "id", "type", "order", "item", "message")
CALLS_SHOWN = 3
_RESULTS_PER_CHUNK = 1000  # results that are written at a time
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)")


class FileOutcome(NamedTuple):
    """What a file came to."""

    rows: int
    state_counts: Counter[str]
    status: ExitCode
    problems: list[str]  # the first of them

    def summary(self) -> str:
        """`8 rows: 6 delivered, 1 duplicate, 1 refused`."""
        counted = ", ".join(f"{number} {state}" for state, number in self.state_counts.items())
        return f"{_format_count(self.rows, 'row')}{': ' + counted if counted else ''}"


def _format_count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def send_signal_file(context: Context, file: str, result_file: str, options: FileOptions) -> None:
    """Read a file of signals, accept and deliver them: the whole of `signal send`."""
    if result_file == "-":
        raise InvalidInput("--result - names no file.", "Add -o csv: the results go to standard output.")
    target = Path(result_file) if result_file else None
    if target and file != "-" and target.exists() and target.samefile(file):
        raise InvalidInput(f"--result {result_file} is the file itself.", "Name another file.")
    if target and not target.absolute().parent.is_dir():
        raise InvalidInput(f"--result {result_file}: There is no folder {target.parent}.", "Nothing was sent.")
    with _open_seekable(file) as opened:
        batch, table = open_batch(context, "standard input" if file == "-" else file, opened, options)
        try:
            if context.options.dry_run:
                _show_first_calls(context, batch)
                return
            outcome = import_batch(context, batch, table, options, target)
            _show_outcome(context, batch, outcome)
        finally:
            batch.close()


def open_batch(context: Context, name: str, stream: IO[bytes], options: FileOptions) -> tuple[Importer, Table]:
    """A file with what holds for its rows. Raises InvalidInput."""
    if options.no_header != bool(options.columns):
        raise InvalidInput("--no-header and --columns belong together.", "Such as: --no-header --columns item,tracking")
    names = [each.strip() for each in options.columns.split(",")] if options.columns else []
    table = open_table(name, stream, TableFormat(options.encoding, options.delimiter, names))
    if table.note:
        context.output.note(table.note)
    return Importer(context.outbox, table, _make_row_rules(context, table, options)), table


def _make_row_rules(context: Context, table: Table, options: FileOptions) -> RowRules:
    shop = read_shop_settings(context.profile.shop_nodes)
    constants = _parse_constants(options.constants)
    version = options.api_version or context.profile["signal_version"]
    if version not in API_VERSIONS:
        raise InvalidInput(f'--api-version "{version}" does not exist.', f"Valid: {', '.join(API_VERSIONS)}.")
    if options.type and find_signal_type(options.type) is None:
        raise InvalidInput(f'There is no signal "{options.type}".', suggest(options.type, SIGNAL_TYPES))
    mapped = map_columns(table.headings, options.mapping, shop.column_mappings)
    return RowRules(
        version,
        mapped._replace(columns={name: at for name, at in mapped.columns.items() if name not in constants}),
        table.headings,
        utc_now(),
        _parse_event_time,
        options.type or mapped.type,
        constants,
        context.profile["shipping_option"],
        shop.carrier_options,
        shop.order_of_item.derive_order if shop.order_of_item else None,
        Origin(context.profile["operator"], context.profile["station"]),
    )


def _parse_event_time(text: str) -> Any:
    """A time as files say it: ISO 8601, YYYYMMDD, or a German date. Raises InvalidInput."""
    if german := _GERMAN_DATE.fullmatch(text):
        text = f"{german[3]}-{german[2]:0>2}-{german[1]:0>2}{german[4]}"
    return parse_time(text, "time")


def _parse_constants(texts: list[str] | None) -> dict[str, str]:
    found = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or name not in COLUMN_ALIASES:
            raise InvalidInput(f'--set "{text}" is not FIELD=VALUE.', suggest(name, COLUMN_ALIASES))
        found[name] = value.strip()
    return found


@contextmanager
def _open_seekable(file: str) -> Iterator[IO[bytes]]:
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


def import_batch(
    context: Context, batch: Importer, table: Table, options: FileOptions, result_path: Path | None
) -> FileOutcome:
    """Check, accept, deliver, write the result file. Raises InvalidInput where nothing was accepted, StoreError."""
    talk = context.output
    checked = batch.check(lambda rows: talk.progress(f"{rows} rows checked"))
    talk.progress("")
    if checked.invalid_count and not options.partial:
        tally, _, _ = write_results(batch, table, result_path)
        return FileOutcome(checked.row_count, tally, ExitCode.USAGE, checked.problems)
    if not options.queue_only:
        context.profile.key_source("signal").check()
    before = context.accepted_count
    context.accepted_count += (
        checked.row_count - checked.invalid_count
    )  # should we be stopped now, some of them are safe
    try:
        batch.accept(lambda rows: talk.progress(f"{rows} of {checked.row_count} rows accepted"))
    except StoreError as error:
        safe = f" {batch.new_count} rows were accepted before and are safe." if batch.new_count else ""
        raise StoreError(error.message + safe, error.hint) from error
    finally:
        talk.progress("")
    context.accepted_count = before + batch.new_count
    failed = None if options.queue_only else _try_to_deliver(context, batch, options)
    try:
        tally, problems, waiting = write_results(batch, table, result_path)
    except InvalidInput as error:  # the work is done, whatever becomes of telling it
        talk.error(f"cpctl: {error.message}")
        tally, problems, waiting = write_results(batch, table, None)
    if not checked.row_count:
        talk.note(f"{table.name} has no rows.")
    return FileOutcome(checked.row_count, tally, failed or _exit_status(context, tally, waiting, options), problems)


def _try_to_deliver(context: Context, batch: Importer, options: FileOptions) -> ExitCode | None:
    """Try to deliver. Whatever stands in the way now, the rows stay accepted."""
    waiting = read_queue_depth(context.store, context.profile.name).waiting_count
    if not waiting:
        return None
    try:
        deliver_backlog(context, batch.first_order_ids, options.connections, waiting)
    except ConfigError as error:
        context.output.error(f"cpctl: Accepted and safe, but not sent: {error.message} {error.hint}".rstrip())
        return error.exit_code
    except StoreError as error:
        context.output.warn(f"Accepted, but how sending went is not known. {error.message}")
    return None


def deliver_backlog(context: Context, first_ids: list[int], connections: int, waiting_count: int) -> None:
    """Send what waits over several connections; the signals in `first` alone before, even out of a paused queue."""
    from cpctl.cli.signal_sender import make_sender
    from cpctl.outbox.dispatcher import Dispatcher

    sends: list[Send] = [make_sender(context) for _ in range(connections)]
    dispatcher = Dispatcher(context.outbox, sends, context.profile.timeout)
    if first_ids:
        dispatcher.deliver(first_ids)
    started = time.monotonic()
    for tried, _ in enumerate(dispatcher.flush(probe=not first_ids), 1):
        if context.output.stderr_is_terminal:
            rate = tried / max(time.monotonic() - started, 0.001)
            left = max(waiting_count - len(first_ids) - tried, 0) / rate
            context.output.progress(
                f"{tried + len(first_ids)} of {waiting_count} sent, {rate:.0f} a second, {left:.0f} s left"
            )
    context.output.progress("")


def _exit_status(context: Context, tally: Counter[str], waiting: int, options: FileOptions) -> ExitCode:
    if any(tally[state] for state in FAILED_STATES):
        return ExitCode.CONFLICT
    if waiting and not options.queue_only:
        pause = context.outbox.read_pause()
        if pause is not None:
            context.output.error(
                f"cpctl: The queue is paused: {pause.message}. `cpctl outbox release`, when that is mended."
            )
            return ExitCode.KEY_REFUSED if pause.http_status in (401, 403) else ExitCode.REFUSED
    return ExitCode.TEMPORARY if waiting and options.require_delivery else ExitCode.DONE


# --- telling --------------------------------------------------------------------------------


def write_results(batch: Importer, table: Table, result_path: Path | None) -> tuple[Counter[str], list[str], int]:
    """Count what the rows came to, and write the result file where one is wanted.

    Returns the counts, the first problems, and how many signals still wait. Raises InvalidInput.
    """
    tally: Counter[str] = Counter()
    problems: list[str] = []
    waiting = 0
    with _open_result_file(table, result_path) as write:
        for each in batch.results():
            tally[each.state] += 1
            waiting += each.is_waiting
            if each.state in FAILED_STATES and len(problems) < MAX_SHOWN_PROBLEMS:
                problems.append(f"line {each.row.line}: {each.state}: {each.message}")
            write(each)
    return tally, problems, waiting


@contextmanager
def _open_result_file(table: Table, result_path: Path | None) -> Iterator[Callable[[RowResult], None]]:
    if result_path is None:
        yield lambda result: None
        return
    kept = [number for number, name in enumerate(table.headings) if name.strip() not in RESULT_HEADINGS]
    # Excel knows UTF-8 by its mark; a file that had one keeps it.
    with private_file(result_path, "utf-8-sig" if table.encoding == "utf-8-sig" else "utf-8") as file:
        writer = csv.writer(file, delimiter=table.delimiter or ",", lineterminator="\n")
        writer.writerow([*(table.headings[number] for number in kept), *RESULT_HEADINGS])

        def write(result: RowResult) -> None:
            cells = result.row.cells
            own = [cells[number] if number < len(cells) else "" for number in kept]
            writer.writerow([*own, result.state, result.id, result.message])

        yield write


class _StoredResults:
    """The results of all rows, read from the store while they are written: see `output.columns.LongData`."""

    def __init__(self, batch: Importer) -> None:
        self._batch = batch

    def __iter__(self) -> Iterator[Any]:
        return (each.to_dict() for each in self._batch.results())

    def chunks(self) -> Iterator[tuple[str, list[Any]]]:
        """Some results at a time, as JSON without brackets and as values."""
        import json

        piece: list[Any] = []
        for each in self:
            piece.append(each)
            if len(piece) == _RESULTS_PER_CHUNK:
                yield json.dumps(piece, ensure_ascii=False)[1:-1], piece
                piece = []
        if piece:
            yield json.dumps(piece, ensure_ascii=False)[1:-1], piece


def _show_outcome(context: Context, batch: Importer, outcome: FileOutcome) -> None:
    if outcome.status is ExitCode.USAGE:
        raise InvalidInput(format_rejection(outcome), "Mend the file, or accept the good rows with --partial.")
    context.exit_status, context.is_work_done = outcome.status, True
    talk = context.output
    talk.note(f"{outcome.summary()}.")
    for problem in outcome.problems:
        talk.error(f"  {problem}")
    if (failed := sum(outcome.state_counts[state] for state in FAILED_STATES)) > len(outcome.problems):
        talk.error(f"  … and {failed - len(outcome.problems)} more.")
    if outcome.state_counts[State.QUEUED]:
        talk.note("What is queued is safe in the outbox. `cpctl outbox flush` sends.")
    if context.options.output or context.options.query:
        context.finish(_StoredResults(batch), RESULT_COLUMNS, outcome.status)


def format_rejection(outcome: FileOutcome) -> str:
    """Why nothing of a file was accepted: the first wrong rows, and how many more there are."""
    wrong = outcome.state_counts[INVALID]
    lines = [f"  {each}" for each in outcome.problems]
    lines += [f"  … and {wrong - len(lines)} more."] if wrong > len(lines) else []
    return "\n".join([f"{_format_wrong_rows(wrong)} wrong; nothing was accepted and nothing was sent.", *lines])


def _format_wrong_rows(number: int) -> str:
    return "1 row is" if number == 1 else f"{number} rows are"


def _show_first_calls(context: Context, batch: Importer) -> None:
    """What a dry run shows: how many calls there would be, and the first of them."""
    from cpctl.cli.signal_sender import build_calls
    from cpctl.outbox.dispatcher import MAX_BUNDLE_SIZE, supports_bundles

    waves: dict[int, list[Signal]] = {}
    per_order: Counter[str] = Counter()
    per_item: Counter[tuple[str, str]] = Counter()
    longest: dict[str, int] = {}

    def note(signal: Signal) -> None:
        # Signals of one item go one after the other: the second in another call than the first.
        nth = per_item[signal.order, signal.item] = per_item[signal.order, signal.item] + 1
        per_order[signal.order] += 1
        longest[signal.order] = max(longest.get(signal.order, 0), nth)
        if per_order.total() <= MAX_BUNDLE_SIZE:
            waves.setdefault(nth, []).append(signal)

    checked = batch.check(lambda rows: context.output.progress(f"{rows} rows checked"), note)
    context.output.progress("")
    if checked.invalid_count:
        context.output.error(
            "\n".join(
                [f"cpctl: {_format_wrong_rows(checked.invalid_count)} wrong.", *(f"  {e}" for e in checked.problems)]
            )
        )
    together = bool(waves) and supports_bundles(waves[1][0].version)
    number = sum(
        max(longest[order], -(-signals // MAX_BUNDLE_SIZE)) if together else signals
        for order, signals in per_order.items()
    )
    context.output.note(
        f"{_format_count(checked.row_count, 'row')}, {_format_count(per_order.total(), 'signal')}, "
        f"about {_format_count(number, 'call')}; the first:"
    )
    calls = [call for wave in waves.values() for call in build_calls(context.profile, wave)]
    show_calls(context, calls[:CALLS_SHOWN])
    context.exit_status = ExitCode.USAGE if checked.invalid_count else ExitCode.DONE
