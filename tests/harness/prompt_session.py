"""A user at a real terminal: the session waits for prompts, answers them, and keeps all output."""

import io
import signal
import sys
from types import TracebackType

import pexpect
import pyte

from harness.cli_environment import TIMEOUT_SECONDS, CliEnvironment

CORE_KEY, SIGNAL_KEY, WEBHOOK_KEY = (
    "1a2b3c4d5e6f70810000000000000c0e",
    "9f8e7d6c5b4a39280000000000005160",
    "77665544332211000000000000000f00",
)


class PromptSession:
    """`cpctl` with all its streams on one terminal."""

    def __init__(self, cli: CliEnvironment, *arguments: str, columns: int = 200, **changes: str | None) -> None:
        environment = {"TERM": "xterm-256color", **cli.process_environment(**changes)}
        self._seen = io.BytesIO()
        self._columns = columns
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "cpctl", *arguments],
            env=environment,  # type: ignore[arg-type]
            cwd=str(cli.folder),
            timeout=TIMEOUT_SECONDS,
            dimensions=(90, columns),
        )
        self._child.logfile_read = self._seen

    def __enter__(self) -> "PromptSession":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.close(force=True)

    @property
    def raw_output(self) -> str:
        """All output of the terminal, with echoed input."""
        return self._seen.getvalue().decode()

    @property
    def screen_lines(self) -> list[str]:
        """The visible lines."""
        screen = pyte.Screen(self._columns, 90)
        pyte.ByteStream(screen).feed(self._seen.getvalue())
        return [line.rstrip() for line in screen.display if line.strip()]

    def wait_for(self, question: str) -> None:
        """Wait for a prompt."""
        self._child.expect_exact(question)

    def answer(self, question: str, text: str) -> None:
        """Wait for a prompt, and type the answer."""
        self.wait_for(question)
        self._child.sendline(text)

    def send_control(self, letter: str) -> None:
        """Press Ctrl and a letter."""
        self._child.sendcontrol(letter)

    def terminate(self) -> None:
        """Send SIGTERM, as a service manager does."""
        self._child.kill(signal.SIGTERM)

    def wait_for_exit(self) -> int:
        """Wait for the end, and return the exit status."""
        self._child.expect(pexpect.EOF)
        self._child.close()
        assert self._child.exitstatus is not None, f"ended by signal {self._child.signalstatus}"
        return self._child.exitstatus
