"""Standard output for data, standard error for messages; both may be closed, full, or not a terminal."""

import codecs
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TextIO

from cpctl.errors import InvalidInput, OutputError, suggest
from cpctl.output.formats import FORMATS
from cpctl.output.text import (
    CLEAR_LINE,
    ENCODING_ERROR_HANDLER,
    RED,
    YELLOW,
    escape_controls,
    escape_lines,
    inspect_terminal,
)
from cpctl.output.views import View, read_stream

# ENABLE_VIRTUAL_TERMINAL_PROCESSING of Windows' console functions.
_ENABLE_VIRTUAL_TERMINAL = 0x0004


def prepare_streams() -> None:
    """Make the three standard streams safe to use. Call it once, before any file is opened.

    A closed stream is replaced, so that no database or socket gets its number. Files and pipes get the same bytes
    on every system: UTF-8, LF line ends, and escapes for what cannot be encoded. A terminal keeps its encoding, and
    gets substitutes for what that lacks.
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
            is_utf8 = codecs.lookup(stream.encoding).name == "utf-8"
            stream.reconfigure(errors="backslashreplace" if is_utf8 else ENCODING_ERROR_HANDLER)
            _enable_ansi_escapes(stream)


def _enable_ansi_escapes(stream: TextIO) -> None:
    """Make a Windows console interpret escape codes; other terminals always do."""
    if sys.platform == "win32":
        import ctypes
        import msvcrt

        console = ctypes.c_void_p(msvcrt.get_osfhandle(stream.fileno()))
        mode = ctypes.c_ulong()
        if ctypes.windll.kernel32.GetConsoleMode(console, ctypes.byref(mode)):
            ctypes.windll.kernel32.SetConsoleMode(console, mode.value | _ENABLE_VIRTUAL_TERMINAL)


class Output:
    """Writes a command's result and its messages."""

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
        """`redact` masks the keys in a text. Raises InvalidInput for an unknown format or an invalid query."""
        if format is not None and format not in FORMATS:
            raise InvalidInput(f'There is no output format "{format}".', suggest(format, FORMATS))
        if format == "value" and query is None:
            raise InvalidInput("`-o value` needs --query.", "Such as: -o value --query '[].id'")
        self._redact = redact
        self._quiet = quiet
        self._verbose = verbose
        self._query = _compile_query(query)
        self._stdout_terminal = inspect_terminal(sys.stdout, color, environment)
        self._stderr_terminal = inspect_terminal(sys.stderr, color, environment)
        self.format = format or ("table" if self._stdout_terminal.is_tty else "tsv")
        self.stderr_is_terminal = self._stderr_terminal.is_tty

    def show(self, data: Any, view: View | None = None) -> None:
        """Write a result. Raises OutputError, BrokenPipeError, InvalidInput."""
        if self._query is not None:
            data, view = self._query(read_stream(data)), None
        self.write(FORMATS[self.format][0](data, view, self._stdout_terminal))

    def write(self, chunks: Iterator[str]) -> None:
        """Write text to standard output. Raises OutputError, BrokenPipeError unless all of it was written."""
        if sys.stdout is None:
            raise OutputError("The result could not be written: standard output is closed.")
        try:
            for chunk in chunks:
                sys.stdout.write(self._redact(chunk))
            sys.stdout.flush()
        except OSError as error:
            _discard_stdout()
            if isinstance(error, BrokenPipeError):
                raise
            raise OutputError(f"The result could not be written: {error.strerror}.") from error

    def ensure_reader(self) -> None:
        """Raise BrokenPipeError if standard output has no reader anymore, as far as the system reports it."""
        import select

        gone = False
        if sys.stdout is not None and hasattr(select, "poll"):
            with suppress(OSError, ValueError):
                poll = select.poll()
                poll.register(sys.stdout.fileno(), 0)  # no events: errors are always reported
                gone = bool(poll.poll(0))
        if gone:
            _discard_stdout()
            raise BrokenPipeError

    def note(self, text: str) -> None:
        """Write what happened; hidden by --quiet."""
        if not self._quiet:
            self._write_stderr(text)

    def warn(self, text: str) -> None:
        """Write a warning; hidden by -qq."""
        if self._quiet < 2:
            self._write_stderr(f"Warning: {text}", YELLOW)

    def detail(self, text: str) -> None:
        """Write details; shown by --verbose."""
        if self._verbose:
            self._write_stderr(text)

    def error(self, text: str) -> None:
        """Write an error; never hidden."""
        self._write_stderr(text, RED)

    def progress(self, text: str) -> None:
        """Rewrite one line of a terminal; do nothing elsewhere. An empty text clears the line."""
        if self.stderr_is_terminal and not self._quiet and sys.stderr is not None:
            with suppress(OSError):
                sys.stderr.write(f"\r{CLEAR_LINE}{escape_controls(self._redact(text))}")
                sys.stderr.flush()

    def _write_stderr(self, text: str, color: str = "") -> None:
        painted = self._stderr_terminal.paint(escape_lines(self._redact(text)), color)
        # A message that cannot be written must not fail the work.
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
        reason = str(error).splitlines()[0].rstrip(".:")
        message = f'--query "{query}" is not valid JMESPath: {reason}.'
        raise InvalidInput(message, "See jmespath.org for the language.") from error

    def run(data: Any) -> Any:
        try:
            return search(data)
        except (JMESPathError, ValueError, TypeError, RecursionError) as error:
            raise InvalidInput(f'--query "{query}" cannot be applied to this result: {error}.') from error

    return run


def _discard_stdout() -> None:
    """Redirect standard output to nothing, so that the interpreter does not fail again when it flushes at exit."""
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
