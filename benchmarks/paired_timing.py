"""Times two commands in turn, A B A B …, so that a machine whose speed drifts slows both alike."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Command = Callable[[int], Sequence[str]]


@dataclass(frozen=True)
class PairedTimes:
    """Seconds of each run of two commands, in the order they were run."""

    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratio(self) -> float:
        """The median of the ratios, pair by pair."""
        return statistics.median(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    def quartiles(self) -> tuple[float, float]:
        """A quarter of the pairs lies below the first number, a quarter above the second."""
        low, _, high = statistics.quantiles([a / b for a, b in zip(self.ours, self.theirs, strict=True)], n=4)
        return low, high


def time_in_turn(
    ours: Command, theirs: Command, runs: int, environment: Mapping[str, str], warmup_rounds: int = 2
) -> PairedTimes:
    """Run both commands `runs` times, after some rounds that are not counted."""
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
    """A line of the table in docs/performance.md."""
    low, high = pair.quartiles()
    ours, theirs = (statistics.median(each) * 1000 for each in (pair.ours, pair.theirs))
    return f"| {name} | {ours:.0f} ms | {theirs:.0f} ms | **{pair.ratio:.2f}** | {low:.2f}–{high:.2f} | {target_ratio:.2f} |"
