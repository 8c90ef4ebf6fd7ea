"""The process: `cpctl`, or `python -m cpctl`."""

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

# A command makes few reference cycles and ends soon; searching for them costs a twentieth of its time.
GC_THRESHOLD = 50_000
EXIT_INTERRUPTED = 130
# Called by the completion scripts on a Tab, which must not wait for typer.
COMPLETE_COMMAND = "__complete"


def run() -> NoReturn:
    """Run the command line of this process and exit with its status.

    `main` closes everything that must be closed, and the streams are flushed here. The process then exits without
    taking its modules apart one by one, which would take as long as sending a signal.
    """
    gc.set_threshold(GC_THRESHOLD)
    if sys.argv[1:2] == [COMPLETE_COMMAND]:
        _complete()
    try:
        from cpctl.cli.main import main
    except KeyboardInterrupt:
        os._exit(EXIT_INTERRUPTED)
    status = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(status)


def _complete() -> NoReturn:
    """Print candidates for a shell; on any failure nothing, because the shell would show it as a candidate."""
    with suppress(BaseException):
        from cpctl.cli.completion.candidates import print_candidates

        print_candidates(sys.argv[2:])
    os._exit(0)


if __name__ == "__main__":
    run()
