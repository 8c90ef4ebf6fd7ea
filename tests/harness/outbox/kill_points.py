"""A process that runs command lines of cpctl in forks of itself, which kill themselves at a given point.

Reads jobs from standard input, one JSON object a line, and prints a JSON object for each. The points are counted
from 1: before and after every COMMIT, before every post and after its response.
"""

import json
import os
import signal
import sqlite3
import sys
import tempfile
from functools import partial
from typing import IO, Any

from cpctl.api.client import Client, Response
from cpctl.cli.commands import outbox
from cpctl.cli.commands import signal as signal_commands
from cpctl.cli.commands.outbox import flush
from cpctl.cli.commands.signal import submit
from cpctl.cli.main import main
from cpctl.outbox import dispatcher

PRELOADED_MODULES = (flush, outbox, submit, signal_commands, dispatcher)  # so that a fork need not load them


class KillSwitch:
    """Counts the points that a run reaches, and ends it at one of them like a power cut."""

    def __init__(self, kill_point: int) -> None:
        self._left = kill_point

    def reach(self, name: str) -> None:
        self._left -= 1
        if self._left == 0:
            os.write(2, f"killed {name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def install_kill_points(kill_switch: KillSwitch) -> None:
    """Put the points into the commits of SQLite and the posts of our client."""
    post = Client.post

    class Watched(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql != "COMMIT":
                return super().execute(sql, *values)
            kill_switch.reach("before a commit")
            done = super().execute(sql, *values)
            kill_switch.reach("after a commit")
            return done

    def watched(client: Client, *arguments: Any) -> Response:
        kill_switch.reach("before a send")
        answer = post(client, *arguments)
        kill_switch.reach("after an answer")
        return answer

    sqlite3.connect = partial(sqlite3.connect, factory=Watched)  # type: ignore[assignment]
    Client.post = watched  # type: ignore[method-assign, assignment]


def run_in_fork(job: dict[str, Any], out: IO[bytes], err: IO[bytes]) -> None:
    """Become a run of cpctl, in the fork."""
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    for number, stream in ((0, open(os.devnull, "rb")), (1, out), (2, err)):  # noqa: PTH123, SIM115
        os.dup2(stream.fileno(), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if job["die_at"]:
        install_kill_points(KillSwitch(job["die_at"]))
    status = main(job["argv"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def run_job(job: dict[str, Any]) -> dict[str, Any]:
    """Fork, wait, and return how it ended."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            try:
                run_in_fork(job, out, err)
            finally:
                os._exit(99)
        _, status = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        code = os.waitstatus_to_exitcode(status)
        return {"code": code, "out": out.read().decode(), "err": err.read().decode()}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run_job(json.loads(line))), flush=True)
