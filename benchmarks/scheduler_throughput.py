"""How many decisions a second the scheduler takes, as the number of jobs grows, on a simulated clock.

Each scan is a graph of 25 kinds of jobs; all scans start at once. True times are within 20 % of the estimates, unknown
to the scheduler. Only the time spent in the scheduler counts; a decision is one call of ``handle``, which takes in the
end of one job and, on average, launches another.
"""

from __future__ import annotations

import argparse
import gc
import random
from collections.abc import Iterable
from time import perf_counter

from tntpipe.executors.drive import drive
from tntpipe.executors.simulator import SimulatedWorld
from tntpipe.resources import GIB, MIB, Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.events import Action, Event, Job

N_KINDS = 25


class TimedScheduler(Scheduler):
    """A scheduler that remembers how long each decision took."""

    def __init__(self, jobs: Iterable[Job], budget: Resources) -> None:
        super().__init__(jobs, budget)
        self.decisions_s: list[float] = []

    def handle(self, events: Iterable[Event], now: float) -> tuple[Action, ...]:
        began = perf_counter()
        actions = super().handle(events, now)
        self.decisions_s.append(perf_counter() - began)
        return actions


def make_jobs(n_jobs: int, max_cpus: int, rng: random.Random) -> list[Job]:
    """Draw one graph of 25 kinds and repeat it for as many scans as it takes."""
    kinds = [
        (
            Resources(rng.choice((1, 1, 1, max_cpus)), rng.randint(1, 40) * 100 * MIB),
            float(rng.randint(5, 1200)),
            tuple(sorted(rng.sample(range(kind), k=min(kind, rng.choice((1, 1, 2)))))),
        )
        for kind in range(N_KINDS)
    ]
    return [
        Job(
            name=f"{scan:05d}_{kind:02d}",
            request=request,
            wall_s=wall_s,
            follows=tuple(f"{scan:05d}_{before:02d}" for before in follows),
        )
        for scan in range(n_jobs // N_KINDS)
        for kind, (request, wall_s, follows) in enumerate(kinds)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1_000, 3_000, 10_000, 30_000, 100_000])
    parser.add_argument("--cpus", type=int, default=40)
    parser.add_argument("--memory_gb", type=int, default=188)
    parser.add_argument("--max_cpus", type=int, default=4, help="CPUs of the quarter of the kinds that take several")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(f"{'jobs':>8} {'set up, s':>10} {'decisions':>10} {'decisions/s':>12} {'median, us':>11} {'p99, us':>8}")
    for n_jobs in args.jobs:
        rng = random.Random(args.seed)
        jobs = make_jobs(n_jobs, args.max_cpus, rng)
        durations = {job.name: job.wall_s * rng.uniform(0.8, 1.2) for job in jobs}
        gc.collect()
        began = perf_counter()
        scheduler = TimedScheduler(jobs, Resources(args.cpus, args.memory_gb * GIB))
        setup_s = perf_counter() - began
        drive(scheduler, SimulatedWorld(durations))
        times_s = sorted(scheduler.decisions_s)
        n = len(times_s)
        print(
            f"{n_jobs:8d} {setup_s:10.2f} {n:10d} {n / sum(times_s):12.0f} "
            f"{times_s[n // 2] * 1e6:11.1f} {times_s[n * 99 // 100] * 1e6:8.1f}"
        )


if __name__ == "__main__":
    main()
