"""How much memory to give: the reference's rule, simple ones and ours, on made-up tasks with the spread of real ones.

The generator is made so that three simple rules fare on it as they were published to fare on 14 249 tasks of public
nf-core workflows (the rows PUBLISHED); the tasks of a kind come in the order in which they would end, so that the small
ones teach first. Calibrated on seeds 1 to 4; the figures are of seeds 11 to 14.

    python -m benchmarks.memory_rules [--seeds 11 12 13 14]
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tntpipe.formatting import GIB, MIB
from tntpipe.profiling.memory_rule import MemoryRule, Peak

SMOKE = ("--seeds", "11")

SEEDS = (11, 12, 13, 14)
N_TASKS = 14_249
RETRY_FACTOR = 2.0

PUBLISHED = {
    "largest of the first two, no retry (the reference)": (46.0, 1.13),
    "largest so far × 1.1": (3.4, 0.44),
    "0.95 quantile × 1.1 + 64 MiB": (1.8, 0.50),
    "ours: a line where there is one, else the padded largest": (1.4, 0.45),
}

Rule = Callable[[Sequence[Peak], Peak], float]
"""From the peaks so far and the task that comes, of which only the voxels may be looked at, to the bytes given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How kinds of task differ: the generator's parameters, sigmas being those of log-normal distributions."""

    tasks_a_kind: float = 25.0
    line_part: float
    size_sigma: float = 0.35
    line_noise: float = 0.03
    scatter: float
    in_order: float = 0.6
    base_gib: float
    base_sigma: float


SPREADS = {
    "half of the kinds along lines": Spread(line_part=0.5, scatter=0.03, base_gib=0.4, base_sigma=1.0),
    "few lines, more scatter": Spread(tasks_a_kind=15.0, line_part=0.2, scatter=0.15, base_gib=0.2, base_sigma=1.5),
}
"""The two of 120 tried sets of parameters under which the simple rules came nearest to what was published."""


def kinds(seed: int, spread: Spread) -> Iterator[list[Peak]]:
    """The tasks of one kind after another, until there are enough."""
    rng = random.Random(seed)
    n_left = N_TASKS
    while n_left > 0:
        n = min(max(4, round(rng.lognormvariate(math.log(spread.tasks_a_kind), 1.0))), 3000)
        n_left -= n
        base = rng.lognormvariate(math.log(spread.base_gib * GIB), spread.base_sigma)
        has_line = rng.random() < spread.line_part
        noise = rng.expovariate(1 / (spread.line_noise if has_line else spread.scatter))
        sizes = [rng.lognormvariate(0, spread.size_sigma) for _ in range(n)]
        peaks = []
        for size in sizes:
            expected = base * (0.2 + 0.8 * size) if has_line else base
            peaks.append(Peak(round(size * 1e6), max(round(expected * rng.lognormvariate(0, noise)), 10 * MIB)))
        ends = [(peak.mem_bytes / base) * rng.lognormvariate(0, spread.in_order) for peak in peaks]
        yield [peak for _, peak in sorted(zip(ends, peaks, strict=True), key=lambda pair: pair[0])]


def largest_of_two(seen: Sequence[Peak], task: Peak) -> float:
    return max(peak.mem_bytes for peak in seen[:2])


def padded_largest(seen: Sequence[Peak], task: Peak) -> float:
    return 1.1 * max(peak.mem_bytes for peak in seen)


def quantile(seen: Sequence[Peak], task: Peak) -> float:
    ordered = sorted(peak.mem_bytes for peak in seen)
    return 1.1 * ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)] + 64 * MIB


def fare(rule: Rule | None, seed: int, spread: Spread, *, retry: bool) -> tuple[float, float]:
    """Per cent of tasks killed, and wasted over used bytes; a killed attempt is wasted whole.

    The first two tasks of a kind are the profile: they are not counted. ``None`` stands for our rule, which keeps sums
    instead of a list.
    """
    n = n_killed = 0
    used = wasted = 0.0
    for tasks in kinds(seed, spread):
        ours = MemoryRule(tasks[:2])
        for number, task in enumerate(tasks[2:], start=2):
            given = ours.request_bytes(task.voxels) if rule is None else rule(tasks[:number], task)
            n += 1
            if given < task.mem_bytes:
                n_killed += 1
                if not retry:
                    wasted += given
                    used += task.mem_bytes
                    continue
            while given < task.mem_bytes:
                wasted += given
                given *= RETRY_FACTOR
            used += task.mem_bytes
            wasted += given - task.mem_bytes
            ours.see(task)
    return 100 * n_killed / n, wasted / used


def rows(seeds: Sequence[int], spread: Spread) -> Iterator[tuple[str, float, float]]:
    rules: tuple[tuple[Rule | None, bool], ...] = (
        (largest_of_two, False),
        (padded_largest, True),
        (quantile, True),
        (None, True),
    )
    for name, (rule, retry) in zip(PUBLISHED, rules, strict=True):
        fared = [fare(rule, seed, spread, retry=retry) for seed in seeds]
        yield name, statistics.mean(killed for killed, _ in fared), statistics.mean(waste for _, waste in fared)


def main() -> None:
    """Print a table for each spread."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    seeds = parser.parse_args().seeds
    for title, spread in SPREADS.items():
        print(f"\n{title:<60} {'killed %':>9} {'waste/used':>11}   published")
        for name, killed, waste in rows(seeds, spread):
            print(f"{name:<60} {killed:>9.2f} {waste:>11.3f}   {PUBLISHED[name][0]} {PUBLISHED[name][1]}", flush=True)


if __name__ == "__main__":
    main()
