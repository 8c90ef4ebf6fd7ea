"""Timing of two commands in turn, A B A B …, so that a machine that slows down slows both."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Command = Callable[[int], Sequence[str]]


@dataclass(frozen=True)
class PairedTimes:
    """Seconds of each run of two commands, in order."""

    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratio(self) -> float:
        """The median ratio of the pairs."""
        return statistics.median(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    def quartiles(self) -> tuple[float, float]:
        """The lower and the upper quartile of the ratios."""
        low, _, high = statistics.quantiles([a / b for a, b in zip(self.ours, self.theirs, strict=True)], n=4)
        return low, high


def time_in_turn(
    ours: Command, theirs: Command, runs: int, environment: Mapping[str, str], warmup_rounds: int = 2
) -> PairedTimes:
    """Run both commands `runs` times, after warm-up rounds that are not counted."""
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for number in range(-warmup_rounds, runs):
        for name, command in (("ours", ours), ("theirs", theirs)):
            seconds = _run_seconds(command(number), environment)
            if number >= 0:
                times[name].append(seconds)
    return PairedTimes(times["ours"], times["theirs"])


def _run_seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(
        command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, cwd=os.sep
    )
    return time.perf_counter() - started


def table_row(name: str, pair: PairedTimes, target_ratio: float) -> str:
    """A row of a table in docs/performance.md."""
    low, high = pair.quartiles()
    ours, theirs = (statistics.median(each) * 1000 for each in (pair.ours, pair.theirs))
    times = f"{ours:.0f} ms | {theirs:.0f} ms | **{pair.ratio:.2f}**"
    return f"| {name} | {times} | {low:.2f}–{high:.2f} | {target_ratio:.2f} |"
