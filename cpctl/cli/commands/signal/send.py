"""`cpctl signal send`: check, accept and deliver a file of signals, and show what became of each row."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cpctl.cli.commands.signal.submit import FileOptions, choose_api_version, print_send_error
from cpctl.cli.context import Context
from cpctl.cli.dry_run import show_calls
from cpctl.cli.time_args import parse_time
from cpctl.clock import utc_now
from cpctl.config.bench_settings import read_shop_settings
from cpctl.errors import ExitCode, InvalidInput, StoreError, suggest
from cpctl.files import private_file
from cpctl.imports.column_mapping import find_signal_type, map_columns, parse_constants
from cpctl.imports.importer import INVALID, Importer, ImportSummary, ResultWriter
from cpctl.imports.row_parser import RowRules
from cpctl.imports.table_reader import open_table
from cpctl.outbox.models import Origin, State
from cpctl.outbox.queries import read_queue_depth
from cpctl.output.text import format_count
from cpctl.output.views import make_columns
from cpctl.sdk.sender import CallEstimate, build_calls
from cpctl.signals.signal_types import SIGNAL_TYPES

RESULT_COLUMNS = make_columns("line", "state", "id", "type", "order", "item", "message")
MAX_SHOWN_CALLS = 3


def send_signal_file(context: Context, file: str, result_file: str, options: FileOptions) -> None:
    """Read a file of signals, accept and deliver them."""
    target = _check_result_path(file, result_file)
    with _open_seekable(file) as stream:
        importer = open_import(context, "standard input" if file == "-" else file, stream, options)
        if context.options.dry_run:
            _show_first_calls(context, importer)
            return
        summary, status = import_file(context, importer, options, target)
        _show_summary(context, importer, summary, status)


def _check_result_path(file: str, result_file: str) -> Path | None:
    if not result_file:
        return None
    target = Path(result_file)
    if result_file == "-":
        raise InvalidInput("--result - does not name a file.", "Add -o csv: the results go to standard output.")
    if file != "-" and target.exists() and target.samefile(file):
        raise InvalidInput(f"--result {result_file} is the file of signals itself.", "Name another file.")
    if not target.absolute().parent.is_dir():
        raise InvalidInput(f"--result {result_file}: There is no folder {target.parent}.", "Nothing was sent.")
    return target


@contextmanager
def _open_seekable(file: str) -> Iterator[IO[bytes]]:
    """Open a file that can be read more than once; standard input is copied to a temporary file."""
    if file != "-":
        try:
            opened = Path(file).open("rb")  # noqa: SIM115 (closed below)
        except OSError as error:
            raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error
        with opened:
            yield opened
        return
    if sys.stdin is None:
        raise InvalidInput("Standard input is closed; there is nothing to read.")
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        yield copy


def open_import(context: Context, name: str, stream: IO[bytes], options: FileOptions) -> Importer:
    """Read the header of a file and prepare its import. Raises InvalidInput."""
    if options.no_header != bool(options.columns):
        raise InvalidInput("--no-header and --columns belong together.", "Such as: --no-header --columns item,tracking")
    names = [column.strip() for column in options.columns.split(",")] if options.columns else []
    table = open_table(name, stream, options.encoding, options.delimiter, names)
    if table.note:
        context.output.note(table.note)
    shop = read_shop_settings(context.profile.shop_nodes)
    constants = parse_constants(options.constants or ())
    version = choose_api_version(context, options.api_version)
    if options.type and find_signal_type(options.type) is None:
        raise InvalidInput(f'There is no signal "{options.type}".', suggest(options.type, SIGNAL_TYPES))
    mapping = map_columns(table.headings, options.mapping, shop.column_mappings)
    columns = {name: at for name, at in mapping.columns.items() if name not in constants}
    rules = RowRules(
        version,
        mapping._replace(columns=columns),
        table.headings,
        utc_now(),
        lambda text: parse_time(text, "time"),
        options.type or mapping.type,
        constants,
        context.profile["shipping_option"],
        shop.carrier_options,
        shop.order_of_item.derive_order if shop.order_of_item else None,
        Origin(context.profile["operator"], context.profile["station"]),
    )
    return Importer(context.outbox, table, rules)


def import_file(
    context: Context, importer: Importer, options: FileOptions, result_path: Path | None
) -> tuple[ImportSummary, ExitCode]:
    """Check, accept and deliver a file, and write its result file; USAGE means that nothing was accepted.

    Raises InvalidInput if the file cannot be read to its end, StoreError.
    """
    output = context.output
    importer.check(lambda rows: output.progress(f"{rows} rows checked"))
    output.progress("")
    if importer.invalid_count and not options.partial:
        return _write_results(importer, result_path), ExitCode.USAGE
    if not options.queue_only:
        context.profile.key_source("signal").check()
    _accept_rows(context, importer)
    error_status = None if options.queue_only else deliver_backlog(context, importer.first_order_ids, options)
    try:
        summary = _write_results(importer, result_path)
    except InvalidInput as error:  # the rows are accepted, even if their results cannot be written
        output.error(f"cpctl: {error.message}")
        summary = importer.summarize()
    if not importer.row_count:
        output.note(f"{importer.table.name} has no rows.")
    return summary, error_status or _exit_status(context, summary, options)


def _accept_rows(context: Context, importer: Importer) -> None:
    before, valid_count = context.accepted_count, importer.row_count - importer.invalid_count
    context.accepted_count += valid_count  # if we are stopped now, some of them are safe
    try:
        importer.accept(lambda rows: context.output.progress(f"{rows} of {importer.row_count} rows accepted"))
    except StoreError as error:
        count = importer.new_count
        safe = f" {count} rows were accepted before and are safe." if count else ""
        raise StoreError(error.message + safe, error.hint) from error
    finally:
        context.output.progress("")
    context.accepted_count = before + importer.new_count


def deliver_backlog(context: Context, first_ids: list[int], options: FileOptions) -> ExitCode | None:
    """Send everything that waits; returns the exit status of what prevented it. The signals stay accepted."""
    waiting_count = read_queue_depth(context.store, context.profile.name).waiting_count
    if not waiting_count:
        return None
    started = time.monotonic()

    def show_progress(sent: int) -> None:
        rate = sent / max(time.monotonic() - started, 0.001)
        seconds_left = max(waiting_count - sent, 0) / rate
        context.output.progress(f"{sent} of {waiting_count} sent, {rate:.0f} a second, {seconds_left:.0f} s left")

    error = context.reporter.deliver_backlog(first_ids, options.connections, show_progress)
    context.output.progress("")
    return print_send_error(context, error)


def _write_results(importer: Importer, path: Path | None) -> ImportSummary:
    if path is None:
        return importer.summarize()
    # Excel recognizes UTF-8 by a byte order mark: the result file has one if the table has.
    with private_file(path, "utf-8-sig" if importer.table.encoding == "utf-8-sig" else "utf-8") as file:
        return importer.summarize(ResultWriter(file, importer.table).write)


def _exit_status(context: Context, summary: ImportSummary, options: FileOptions) -> ExitCode:
    if summary.failure_count:
        return ExitCode.CONFLICT
    if summary.waiting_count and not options.queue_only and (pause := context.outbox.read_pause()):
        context.output.error(
            f"cpctl: The queue is paused: {pause.message}. Once that is fixed: `cpctl outbox release`."
        )
        return ExitCode.KEY_REFUSED if pause.http_status in (401, 403) else ExitCode.REFUSED
    return ExitCode.TEMPORARY if summary.waiting_count and options.require_delivery else ExitCode.DONE


def _show_summary(context: Context, importer: Importer, summary: ImportSummary, status: ExitCode) -> None:
    if status is ExitCode.USAGE:
        raise InvalidInput(format_rejection(summary), "Fix the file, or accept the valid rows with --partial.")
    context.exit_status, context.is_work_done = status, True
    context.output.note(f"{format_summary(summary)}.")
    for line in format_failures(summary):
        context.output.error(line)
    if summary.state_counts[State.QUEUED]:
        context.output.note("What is queued is safe in the outbox. `cpctl outbox flush` sends.")
    if context.has_explicit_output:
        context.finish((result.to_dict() for result in importer.results()), RESULT_COLUMNS, status)


def format_summary(summary: ImportSummary) -> str:
    """`8 rows: 6 delivered, 1 duplicate, 1 refused`."""
    counts = ", ".join(f"{number} {state}" for state, number in summary.state_counts.items())
    return f"{format_count(summary.row_count, 'row')}{': ' + counts if counts else ''}"


def format_failures(summary: ImportSummary) -> list[str]:
    """A line for each of the first rows that failed, and how many more there are."""
    lines = [
        f"  line {result.row.line}: {'' if result.state == INVALID else result.state + ': '}{result.message}"
        for result in summary.failures
    ]
    hidden = summary.failure_count - len(lines)
    return [*lines, f"  … and {hidden} more."] if hidden else lines


def format_rejection(summary: ImportSummary) -> str:
    """Why nothing of a file was accepted."""
    wrong = _format_wrong_rows(summary.state_counts[INVALID])
    return "\n".join([f"{wrong} wrong; nothing was accepted and nothing was sent.", *format_failures(summary)])


def _format_wrong_rows(number: int) -> str:
    return "1 row is" if number == 1 else f"{number} rows are"


def _show_first_calls(context: Context, importer: Importer) -> None:
    """Show how many calls there would be, and the first of them."""
    estimate = CallEstimate()
    importer.check(lambda rows: context.output.progress(f"{rows} rows checked"), estimate.add)
    context.output.progress("")
    if importer.invalid_count:
        wrong = f"cpctl: {_format_wrong_rows(importer.invalid_count)} wrong."
        context.output.error("\n".join([wrong, *format_failures(importer.summarize())]))
    context.output.note(
        f"{format_count(importer.row_count, 'row')}, {format_count(estimate.signal_count, 'signal')}, "
        f"about {format_count(estimate.call_count, 'call')}; the first:"
    )
    calls = [call for signals in estimate.first_waves.values() for call in build_calls(context.profile, signals)]
    show_calls(context, calls[:MAX_SHOWN_CALLS])
    context.exit_status = ExitCode.USAGE if importer.invalid_count else ExitCode.DONE
