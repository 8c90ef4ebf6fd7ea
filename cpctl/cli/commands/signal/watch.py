"""`cpctl signal watch`: import every file that is put into a hot folder."""

import json
import time
from datetime import datetime
from pathlib import Path

from cpctl.cli.commands.signal.send import (
    deliver_backlog,
    format_failures,
    format_rejection,
    format_summary,
    import_file,
    open_import,
)
from cpctl.cli.commands.signal.submit import FileOptions
from cpctl.cli.context import Context
from cpctl.cli.time_args import parse_duration
from cpctl.errors import ExitCode, InvalidInput
from cpctl.imports.hot_folder import DONE_FOLDER, HotFolder, result_path
from cpctl.imports.importer import ImportSummary

_FLUSH_INTERVAL_SECONDS = 30.0


def run_hot_folder(context: Context, folder: str, options: FileOptions, interval: str, settle: str, once: bool) -> None:
    """Import interrupted files, then every file that is complete; once, or until the process is stopped."""
    interval_seconds = parse_duration(interval, "--interval").total_seconds()
    settle_seconds = parse_duration(settle, "--settle").total_seconds()
    if not options.queue_only:
        context.profile.key_source("signal").check()
    inbox = HotFolder(Path(folder), settle_seconds)
    with inbox.lock():
        if not once:
            context.output.note(f"Watching {folder}. Files are moved to done or error when they are imported.")
        for file in inbox.find_interrupted():
            _import_and_archive(context, inbox, file, options)
        inbox.find_complete()
        flushed_at = time.monotonic()
        while True:
            time.sleep(settle_seconds if once else interval_seconds)
            for file in inbox.find_complete():
                if busy := inbox.claim(file):
                    _import_and_archive(context, inbox, busy, options)
            if once:
                return
            if not options.queue_only and time.monotonic() - flushed_at > _FLUSH_INTERVAL_SECONDS:
                deliver_backlog(context, [], options)
                flushed_at = time.monotonic()


def _import_and_archive(context: Context, hot_folder: HotFolder, busy: Path, options: FileOptions) -> None:
    """Import a file, again if it has changed meanwhile, move it away, and print a line about it."""
    result = result_path(busy.with_name("." + busy.name))
    while True:
        before = busy.stat()
        summary, status, message = _import_file(context, busy, result, options)
        after = busy.stat()
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            break  # else another program was still writing; rows that are accepted already become duplicates
    succeeded = status not in (ExitCode.USAGE, ExitCode.CONFLICT)
    target = hot_folder.archive(busy, succeeded, result)
    context.exit_status = ExitCode(max(context.exit_status, ExitCode.DONE if succeeded else ExitCode.CONFLICT))
    _log_outcome(context, busy.name, summary, message, target)


def _import_file(
    context: Context, busy: Path, result: Path, options: FileOptions
) -> tuple[ImportSummary | None, ExitCode, str]:
    """What became of a file; no summary if it could not be read. Raises StoreError, ConfigError."""
    try:
        with busy.open("rb") as stream:
            importer = open_import(context, busy.name, stream, options)
            summary, status = import_file(context, importer, options, result)
    except OSError as error:
        return None, ExitCode.USAGE, f"cannot be read: {error.strerror}"
    except InvalidInput as error:
        return None, ExitCode.USAGE, f"{error.message} {error.hint}".rstrip()
    if status is ExitCode.USAGE:
        return summary, status, format_rejection(summary)
    return summary, status, "\n".join([format_summary(summary), *format_failures(summary)])


def _log_outcome(context: Context, name: str, summary: ImportSummary | None, message: str, target: Path) -> None:
    moved_to = f"{target.parent.name}/{target.name}"
    if context.options.output in ("json", "jsonl"):
        entry = {
            "time": datetime.now().astimezone().isoformat(timespec="seconds"),
            "file": name,
            "moved_to": moved_to,
            "rows": summary.row_count if summary else 0,
            "states": dict(summary.state_counts) if summary else {},
            "message": message,
        }
        context.output.write(iter([json.dumps(entry, ensure_ascii=False) + "\n"]))
        return
    first, *details = message.split("\n")
    line = f"{datetime.now():%H:%M:%S} {name}: {first.rstrip('.')} → {moved_to}"
    write = context.output.note if target.parent.name == DONE_FOLDER else context.output.error
    write("\n".join([line, *details]))
