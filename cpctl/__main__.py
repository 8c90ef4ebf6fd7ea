"""The process: `cpctl`, or `python -m cpctl`."""

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

# A run makes few cycles and ends soon; looking for them costs a twentieth of its time.
GC_THRESHOLD = 50_000
EXIT_INTERRUPTED = 130
# What the completion scripts call at a Tab; it must not wait for typer.
COMPLETE_COMMAND = "__complete"


def run() -> NoReturn:
    """Run the command line of this process and leave with its status.

    The process leaves without taking its modules apart one by one, which would take as long
    as sending a signal does. All that must be closed is closed by `main`; what remains is to
    write out the streams.
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
    """Answer a shell that completes a line. Whatever happens, it hears words or nothing."""
    with suppress(BaseException):
        from cpctl.cli.completion.candidates import print_candidates

        print_candidates(sys.argv[2:])
    os._exit(0)


if __name__ == "__main__":
    run()
