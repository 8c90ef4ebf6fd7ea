"""The way in: the only place where an error becomes a message and an exit status."""

import json
import os
import signal
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import typer

from cpctl.cli.context import Ended, Run
from cpctl.cli.framework import UsageError
from cpctl.cli.root import root
from cpctl.errors import ConfigError, CpctlError, ExitCode, InvalidInput, OutputError
from cpctl.output.streams import Output, prepare_streams


class Terminated(BaseException):
    """SIGTERM arrived. Not an Exception, so that nothing but the way out catches it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name) and return its exit status."""
    prepare_streams()
    signal.signal(signal.SIGTERM, _terminate)
    arguments = list(sys.argv[1:] if argv is None else argv)
    run = Run(os.environ)
    try:
        return _guarded(run, arguments)
    except KeyboardInterrupt:
        return _stopped(run, "Interrupted", ExitCode.INTERRUPTED)
    except Terminated:
        return _stopped(run, "Terminated", ExitCode.TERMINATED)
    finally:
        run.close()


def _terminate(number: int, frame: Any) -> None:
    raise Terminated


def _guarded(run: Run, arguments: list[str]) -> int:
    try:
        return _invoke(run, arguments)
    except UsageError as error:
        return _fail(run, arguments, _usage(error))
    except OutputError as error:
        failed = _fail(run, arguments, error)
        return run.status if run.worked else failed
    except CpctlError as error:
        failed = _fail(run, arguments, error)
        return run.status if run.worked and isinstance(error, InvalidInput) else failed
    except BrokenPipeError:
        return run.status if run.worked else ExitCode.CLOSED_PIPE
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        return _bug(run, arguments, error)


def _invoke(run: Run, arguments: list[str]) -> int:
    command = root()
    try:
        with command.make_context("cpctl", arguments, obj=run) as context:
            command.invoke(context)
    except typer.Exit as ended:
        _flush()
        return ended.exit_code
    except Ended:
        pass
    except OSError:
        _flush()  # where it is help that could not be written, this says so
        raise
    finally:
        run.remember()
    _flush()
    return run.status


def _flush() -> None:
    """Help and version are written by typer; a closed pipe or full disk must show here and not on the way out."""
    if sys.stdout is not None:
        Output({}, str).write(iter(()))


def _usage(error: Any) -> InvalidInput:
    """typer's words about a wrong command line, with the help to ask for."""
    from cpctl.cli.suggestions import usage_words

    where = error.ctx.command_path if error.ctx else "cpctl"
    return InvalidInput(usage_words(error), f"`{where} --help` shows how.")


def _fail(run: Run, arguments: list[str], error: CpctlError) -> int:
    """Tell what went wrong: a sentence and a hint, or JSON where JSON was asked for."""
    output = run.plain_output
    if _wants_json(run, arguments):
        output.fail(json.dumps(_as_json(run, error), ensure_ascii=False))
    else:
        output.fail(f"cpctl: {error.message}")
        if error.hint:
            output.fail(f"  {error.hint}")
    if run.options.debug:
        _traceback(output)
    return error.exit_code


def _wants_json(run: Run, arguments: list[str]) -> bool:
    """Whether errors are read by a program; a wrong command line leaves the options unread."""
    if run.options.output in ("json", "jsonl"):
        return True
    wanted = {"-ojson", "--output=json", "-ojsonl", "--output=jsonl"}
    pairs = pairwise(arguments)
    return bool(wanted & set(arguments)) or any(
        name in ("-o", "--output") and value in ("json", "jsonl") for name, value in pairs
    )


def _as_json(run: Run, error: CpctlError) -> dict[str, Any]:
    try:
        profile = run.profile.name
    except ConfigError:
        profile = None
    return {
        "error": {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "exit_code": int(error.exit_code),
            "http_status": error.http_status,
            "retryable": error.retryable,
            "profile": profile,
        }
    }


def _stopped(run: Run, how: str, status: ExitCode) -> int:
    output = run.plain_output
    output.progress("")
    safe = "; what was accepted is safe, and `cpctl outbox flush` sends it" if run.accepted else ""
    if not run.options.quiet or run.accepted:
        output.fail(f"cpctl: {how}{safe}.")
    return status


def _bug(run: Run, arguments: list[str], error: Exception) -> int:
    words = f"This is a bug in cpctl: {type(error).__name__}: {error}"
    hint = "" if run.options.debug else "Run it again with --debug and report what it shows."
    return _fail(run, arguments, CpctlError(words, hint))


def _traceback(output: Output) -> None:
    import traceback

    output.fail(traceback.format_exc().rstrip())
