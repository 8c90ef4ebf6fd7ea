"""The entry point: the only place that turns errors into messages and exit statuses."""

import json
import os
import signal
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import typer

from cpctl.cli.context import CommandFinished, Context
from cpctl.cli.framework import UsageError
from cpctl.cli.root import build_root
from cpctl.errors import ConfigError, CpctlError, ExitCode, InvalidInput, OutputError
from cpctl.output.streams import Output, prepare_streams


class Terminated(BaseException):
    """SIGTERM arrived. It is not an Exception, so that only `main` catches it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name) and return its exit status."""
    prepare_streams()
    signal.signal(signal.SIGTERM, _raise_terminated)
    arguments = list(sys.argv[1:] if argv is None else argv)
    context = Context(os.environ)
    try:
        return _run_reporting_errors(context, arguments)
    except KeyboardInterrupt:
        return _report_interruption(context, "Interrupted", ExitCode.INTERRUPTED)
    except Terminated:
        return _report_interruption(context, "Terminated", ExitCode.TERMINATED)
    finally:
        context.close()


def _raise_terminated(number: int, frame: Any) -> None:
    raise Terminated


def _run_reporting_errors(context: Context, arguments: list[str]) -> int:
    try:
        return _run_command(context, arguments)
    except UsageError as error:
        return _report_error(context, arguments, _to_invalid_input(error))
    except CpctlError as error:
        failed = _report_error(context, arguments, error)
        # Once the work is done these come from printing, which must not change the exit status.
        is_from_printing = context.is_work_done and isinstance(error, OutputError | InvalidInput)
        return context.exit_status if is_from_printing else failed
    except BrokenPipeError:
        return context.exit_status if context.is_work_done else ExitCode.CLOSED_PIPE
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        return _report_bug(context, arguments, error)


def _run_command(context: Context, arguments: list[str]) -> int:
    command = build_root()
    try:
        with command.make_context("cpctl", arguments, obj=context) as typer_context:
            command.invoke(typer_context)
    except typer.Exit as ended:
        _flush_stdout()
        return ended.exit_code
    except CommandFinished:
        pass
    except OSError:
        _flush_stdout()  # raises OutputError if help could not be written
        raise
    finally:
        context.save_completion_hints()
    _flush_stdout()
    return context.exit_status


def _flush_stdout() -> None:
    """typer writes help and version; a closed pipe or a full disk must fail here, not when Python exits."""
    if sys.stdout is not None:
        Output({}, str).write(iter(()))


def _to_invalid_input(error: Any) -> InvalidInput:
    from cpctl.cli.suggestions import describe_usage_error

    where = error.ctx.command_path if error.ctx else "cpctl"
    return InvalidInput(describe_usage_error(error), f"`{where} --help` shows how.")


def _report_error(context: Context, arguments: list[str], error: CpctlError) -> int:
    output = context.error_output
    if _wants_json(context, arguments):
        output.error(json.dumps(_error_document(context, error), ensure_ascii=False))
    else:
        output.error(f"cpctl: {error.message}")
        if error.hint:
            output.error(f"  {error.hint}")
    if context.options.debug:
        import traceback

        output.error(traceback.format_exc().rstrip())
    return error.exit_code


def _wants_json(context: Context, arguments: list[str]) -> bool:
    """Whether the output is JSON; a wrong command line leaves the options unparsed, so the words count."""
    if context.options.output in ("json", "jsonl"):
        return True
    if {"-ojson", "--output=json", "-ojsonl", "--output=jsonl"} & set(arguments):
        return True
    return any(name in ("-o", "--output") and value in ("json", "jsonl") for name, value in pairwise(arguments))


def _error_document(context: Context, error: CpctlError) -> dict[str, Any]:
    try:
        profile = context.profile.name
    except ConfigError:
        profile = None
    names = ("code", "message", "hint", "exit_code", "http_status", "retryable")
    return {"error": {**{name: getattr(error, name) for name in names}, "profile": profile}}


def _report_interruption(context: Context, reason: str, status: ExitCode) -> int:
    output = context.error_output
    output.progress("")
    safe = "; accepted signals are safe, and `cpctl outbox flush` sends them" if context.accepted_count else ""
    if not context.options.quiet or context.accepted_count:
        output.error(f"cpctl: {reason}{safe}.")
    return status


def _report_bug(context: Context, arguments: list[str], error: Exception) -> int:
    message = f"This is a bug in cpctl: {type(error).__name__}: {error}"
    hint = "" if context.options.debug else "Run it again with --debug, and report the output."
    return _report_error(context, arguments, CpctlError(message, hint))
