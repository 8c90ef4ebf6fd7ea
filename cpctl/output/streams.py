"""Standard output for data, standard error for talk; both may be closed, full, or not a terminal."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TextIO

from cpctl.errors import InvalidInput, OutputError, suggest
from cpctl.output.columns import View, materialize
from cpctl.output.formats import FORMATS
from cpctl.output.text import (
    ENCODING_ERROR_HANDLER,
    TerminalInfo,
    can_show_blocks,
    escape_controls,
    escape_lines,
    wants_color,
)

# ENABLE_VIRTUAL_TERMINAL_PROCESSING of Windows' console functions.
_ENABLE_VIRTUAL_TERMINAL = 0x0004
_RED, _YELLOW, _RESET = "\x1b[31m", "\x1b[33m", "\x1b[0m"


def prepare_streams() -> None:
    """Make the three standard streams safe to use. Called once, before anything is opened.

    A closed one is replaced, so that no database or socket is given its number. Files and pipes
    get the same bytes on every system: UTF-8, lines that end with LF, and what is no text
    written out. A terminal keeps its encoding, and gets stand-ins for what that lacks.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            if not stream.isatty():
                stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
                continue
            stream.reconfigure(errors="backslashreplace" if _is_utf8(stream.encoding) else ENCODING_ERROR_HANDLER)
            _enable_ansi_escapes(stream)


def _is_utf8(encoding: str) -> bool:
    return encoding.lower().replace("-", "").replace("_", "") == "utf8"


def _enable_ansi_escapes(stream: TextIO) -> None:
    """Have a Windows console obey escape codes instead of showing them; other terminals do without being asked."""
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        console = ctypes.c_void_p(msvcrt.get_osfhandle(stream.fileno()))
        mode = ctypes.c_ulong()
        if ctypes.windll.kernel32.GetConsoleMode(console, ctypes.byref(mode)):
            ctypes.windll.kernel32.SetConsoleMode(console, mode.value | _ENABLE_VIRTUAL_TERMINAL)


class Output:
    """Where a command's result and its talk go."""

    def __init__(
        self,
        environment: Mapping[str, str],
        redact: Callable[[str], str],
        format: str | None = None,
        query: str | None = None,
        color: str = "auto",
        quiet: int = 0,
        verbose: int = 0,
    ) -> None:
        """`hide` takes the keys out of a text. Raises InvalidInput for a format or query that cannot be."""
        if format is not None and format not in FORMATS:
            raise InvalidInput(f'There is no output format "{format}".', suggest(format, FORMATS))
        if format == "value" and query is None:
            raise InvalidInput("`-o value` needs --query.", "Such as: -o value --query '[].id'")
        self._redact = redact
        self._quiet = quiet
        self._verbose = verbose
        self._query = _compile_query(query)
        terminal = _is_terminal(sys.stdout)
        self.format = format or ("table" if terminal else "tsv")
        self._terminal = TerminalInfo(
            terminal,
            wants_color(color, terminal, environment),
            _terminal_width() if terminal else None,
            can_show_blocks(terminal, environment, windows=os.name == "nt"),
        )
        self.stderr_is_terminal = _is_terminal(sys.stderr)
        self._stderr_has_color = wants_color(color, self.stderr_is_terminal, environment)

    def show(self, data: Any, view: View | None = None) -> None:
        """Write a result. Raises OutputError, BrokenPipeError, InvalidInput."""
        if self._query is not None:
            data, view = self._query(materialize(data)), None
        self.write(FORMATS[self.format][0](data, view, self._terminal))

    def write(self, chunks: Iterator[str]) -> None:
        """Write text to standard output, all of it or an error. Raises OutputError, BrokenPipeError."""
        if sys.stdout is None:
            raise OutputError("The result could not be written: standard output is closed.")
        try:
            for piece in chunks:
                sys.stdout.write(self._redact(piece))
            sys.stdout.flush()
        except BrokenPipeError:
            _discard_stdout()
            raise
        except OSError as error:
            _discard_stdout()
            raise OutputError(f"The result could not be written: {error.strerror}.") from error

    def ensure_reader(self) -> None:
        """Raise BrokenPipeError where nobody reads standard output any more, as far as the system tells."""
        import select

        gone = False
        if sys.stdout is not None and hasattr(select, "poll"):
            with suppress(OSError, ValueError):
                poll = select.poll()
                poll.register(sys.stdout.fileno(), 0)  # asks for nothing; an error is told all the same
                gone = bool(poll.poll(0))
        if gone:
            _discard_stdout()
            raise BrokenPipeError

    def note(self, text: str) -> None:
        """Say what happened; hidden by --quiet."""
        if not self._quiet:
            self._write_stderr(text)

    def warn(self, text: str) -> None:
        """Say what a person should look at; hidden by -qq."""
        if self._quiet < 2:
            self._write_stderr(f"Warning: {text}", _YELLOW)

    def detail(self, text: str) -> None:
        """Say more; shown by --verbose."""
        if self._verbose:
            self._write_stderr(text)

    def error(self, text: str) -> None:
        """Say what went wrong; never hidden."""
        self._write_stderr(text, _RED)

    def progress(self, text: str) -> None:
        """Rewrite one line of talk on a terminal; nothing elsewhere. An empty text clears the line."""
        if self.stderr_is_terminal and not self._quiet and sys.stderr is not None:
            with suppress(OSError):
                sys.stderr.write(f"\r\x1b[K{escape_controls(self._redact(text))}")
                sys.stderr.flush()

    def _write_stderr(self, text: str, color: str = "") -> None:
        safe = escape_lines(self._redact(text))
        painted = f"{color}{safe}{_RESET}" if color and self._stderr_has_color else safe
        # Talk that nobody can hear must not undo the work.
        with suppress(OSError, AttributeError, ValueError):
            sys.stderr.write(painted + "\n")
            sys.stderr.flush()


def _compile_query(query: str | None) -> Callable[[Any], Any] | None:
    if query is None:
        return None
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        search = jmespath.compile(query).search
    except (JMESPathError, ValueError, RecursionError) as error:
        words = str(error).splitlines()[0].rstrip(".:")
        raise InvalidInput(
            f'--query "{query}" is not JMESPath: {words}.', "See jmespath.org for the language."
        ) from error

    def run(data: Any) -> Any:
        try:
            return search(data)
        except (JMESPathError, ValueError, TypeError, RecursionError) as error:
            raise InvalidInput(f'--query "{query}" cannot be applied to this result: {error}.') from error

    return run


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _terminal_width() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _discard_stdout() -> None:
    """Point standard output at nothing, so that the interpreter does not fail a second time on its way out."""
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
