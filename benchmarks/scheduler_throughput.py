"""How many decisions a second the scheduler takes, as the number of jobs grows, on a simulated clock.

Each scan is a graph of 25 kinds of jobs; all scans start at once. True times are within 20 % of the estimates, unknown
to the scheduler. Only the CPU time spent in the scheduler counts, whatever else the machine does meanwhile; a decision
is one call of ``handle``, which takes in the end of one job and, on average, launches another.

``live_decisions`` does the same with a cohort whose steps are moldable, and looks at how long the adviser thinks at a
stretch: a job that ends meanwhile waits so long for its decision.
"""

from __future__ import annotations

import argparse
import gc
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import process_time

from benchmarks.cohort_policies import TimedAdviser
from benchmarks.cohorts import cohort_jobs, true_times
from tntpipe.formatting import GIB, MIB
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Action, Event
from tntpipe.simulation.simulator import SimulatedWorld

SMOKE = ("--jobs", "100")

N_KINDS = 25
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
BUDGET = Resources(40, 188 * GIB)
N_RUNS = 3
MAX_CPUS = 4
"""CPUs of the quarter of the kinds that take several."""


class TimedScheduler(Scheduler):
    """A scheduler that remembers how long each decision took."""

    def __init__(self, jobs: Iterable[Job], budget: Resources) -> None:
        super().__init__(jobs, budget)
        self.decisions_s: list[float] = []

    def handle(self, events: Iterable[Event], now: float) -> tuple[Action, ...]:
        began = process_time()
        actions = super().handle(events, now)
        self.decisions_s.append(process_time() - began)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """How long so many jobs took to set up, and their decisions, from the shortest to the longest.

    Of several runs alike this is the fastest; the slowest took so many decisions a second.
    """

    n_jobs: int
    setup_s: float
    slowest_per_second: float
    decisions_s: tuple[float, ...]

    @property
    def total_s(self) -> float:
        """The time spent in all decisions together."""
        return sum(self.decisions_s)

    @property
    def per_second(self) -> float:
        """Decisions a second."""
        return len(self.decisions_s) / self.total_s

    def quantile_s(self, part: float) -> float:
        """The decision that is longer than this part of them."""
        return self.decisions_s[int(len(self.decisions_s) * part)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveDecisions:
    """The decisions of a run of a cohort, looking ahead aside, and the slices in which its adviser thought."""

    budget: Resources
    most_live: int
    decisions_s: tuple[float, ...]
    slices_s: tuple[float, ...]

    def quantile_s(self, part: float) -> float:
        """The decision that is longer than this part of them."""
        return self.decisions_s[int(len(self.decisions_s) * part)]


def throughputs(
    sizes: Iterable[int] = SIZES, budget: Resources = BUDGET, max_cpus: int = MAX_CPUS, seed: int = 0
) -> Iterator[Throughput]:
    """Run so many jobs, several times each; on a machine with other work only the fastest is near to the cost."""
    for n_jobs in sizes:
        rng = random.Random(seed)
        jobs = make_jobs(n_jobs, max_cpus, rng)
        durations = {job.name: job.wall_s * rng.uniform(0.8, 1.2) for job in jobs}
        setups_s, runs = [], []
        for _ in range(N_RUNS):
            gc.collect()
            began = process_time()
            scheduler = TimedScheduler(jobs, budget)
            setups_s.append(process_time() - began)
            gc.freeze()  # as a run does once it is planned
            drive(scheduler, SimulatedWorld(durations))
            gc.unfreeze()
            runs.append(scheduler.decisions_s)
        fastest, slowest = min(runs, key=sum), max(runs, key=sum)
        yield Throughput(
            n_jobs=n_jobs,
            setup_s=min(setups_s),
            slowest_per_second=len(slowest) / sum(slowest),
            decisions_s=tuple(sorted(fastest)),
        )


def live_decisions(n_scans: int, budgets: Iterable[Resources], seed: int) -> Iterator[LiveDecisions]:
    """Run a cohort with second registration on each budget, once without the adviser and once with it."""
    jobs = cohort_jobs(n_scans, second_registration=True)
    times = true_times(jobs, seed)
    for budget in budgets:
        gc.collect()
        alone = _WatchedScheduler(jobs, budget)
        drive(alone, SimulatedWorld(times, jobs=jobs))
        adviser = TimedAdviser()
        drive(Scheduler(jobs, budget), SimulatedWorld(times, jobs=jobs), adviser=adviser)
        yield LiveDecisions(
            budget=budget,
            most_live=alone.most_live,
            decisions_s=tuple(sorted(alone.decisions_s)),
            slices_s=tuple(sorted(adviser.slices_s)),
        )


class _WatchedScheduler(TimedScheduler):
    """Remembers as well how many scans had jobs running at once."""

    def __init__(self, jobs: Sequence[Job], budget: Resources) -> None:
        super().__init__(jobs, budget)
        self._group_of = {job.name: job.group for job in jobs}
        self.most_live = 0

    def handle(self, events: Iterable[Event], now: float) -> tuple[Action, ...]:
        actions = super().handle(events, now)
        self.most_live = max(self.most_live, len({self._group_of[held.name] for held in self.running} - {""}))
        return actions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=SIZES)
    parser.add_argument("--cpus", type=int, default=BUDGET.cpus)
    parser.add_argument("--memory_gb", type=int, default=BUDGET.mem_bytes // GIB)
    parser.add_argument("--max_cpus", type=int, default=MAX_CPUS)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(f"{'jobs':>8} {'set up, s':>10} {'decisions':>10} {'decisions/s':>12} {'median, us':>11} {'p99, us':>8}")
    for run in throughputs(args.jobs, Resources(args.cpus, args.memory_gb * GIB), args.max_cpus, args.seed):
        print(
            f"{run.n_jobs:8d} {run.setup_s:10.2f} {len(run.decisions_s):10d} {run.per_second:12.0f} "
            f"{run.quantile_s(0.5) * 1e6:11.1f} {run.quantile_s(0.99) * 1e6:8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
