"""Times two commands in turn, A B A B …, so that a machine whose speed drifts slows both alike."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Command = Callable[[int], Sequence[str]]


@dataclass(frozen=True)
class Pair:
    """Seconds of each run of two commands, in the order they were run."""

    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratio(self) -> float:
        """The median of the ratios, pair by pair."""
        return statistics.median(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    def spread(self) -> tuple[float, float]:
        """A quarter of the pairs lies below the first number, a quarter above the second."""
        low, _, high = statistics.quantiles([a / b for a, b in zip(self.ours, self.theirs, strict=True)], n=4)
        return low, high


def measure(ours: Command, theirs: Command, runs: int, environment: Mapping[str, str], rounds: int = 2) -> Pair:
    """Run both commands `runs` times, after some rounds that are not counted."""
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for number in range(-rounds, runs):
        for name, command in (("ours", ours), ("theirs", theirs)):
            seconds = _seconds(command(number), environment)
            if number >= 0:
                times[name].append(seconds)
    return Pair(times["ours"], times["theirs"])


def _seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(
        command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, cwd=os.sep
    )
    return time.perf_counter() - started


def row(name: str, pair: Pair, aim: float) -> str:
    """A line of the table in docs/performance.md."""
    low, high = pair.spread()
    ours, theirs = (statistics.median(each) * 1000 for each in (pair.ours, pair.theirs))
    return f"| {name} | {ours:.0f} ms | {theirs:.0f} ms | **{pair.ratio:.2f}** | {low:.2f}–{high:.2f} | {aim:.2f} |"
