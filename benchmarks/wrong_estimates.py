"""A first run whose estimates are wrong by half, beside one that knew: what learning while running is worth.

40 scans of the real pipeline on the simulated clock; memory of each step within 30 % of its kind's mean, time within
20 %. ``knew`` has the largest peak of each kind as its request and the kind's mean time. The wrong ones have half, or
half as much again, of both. Only the machine's watchdog enforces anything, as in a real run.

    python -m benchmarks.wrong_estimates [--scans 40] [--seeds 11 12]
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.cohorts import cohort_graph
from benchmarks.memory_world import MemoryWorld
from tntpipe.executors.learner import Learner
from tntpipe.formatting import GIB, MIB
from tntpipe.profiling.estimates import MEMORY_MARGIN, Estimates
from tntpipe.resources import Resources
from tntpipe.run.jobs import jobs_of
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.simulation.adviser import Adviser

SMOKE = ("--scans", "2", "--seeds", "11")

N_SCANS = 40
SEEDS = (11, 12)
BUDGETS = ((16, 64), (40, 188), (8, 16))
FACTORS = (0.5, 1.5)
MEMORY_SPREAD, TIME_SPREAD = 0.3, 0.2


@dataclass(frozen=True, slots=True)
class Cohort:
    """The jobs with their kinds' mean needs, and what each really needs and takes."""

    jobs: Sequence[Job]
    sizes: Mapping[str, tuple[str, int]]
    peaks: Mapping[str, int]
    times: Mapping[str, float]

    def expecting(self, factor: float, budget: Resources) -> list[Job]:
        """The jobs as somebody sees them who is wrong by a factor."""
        return [
            replace(
                job,
                request=_request(job, min(factor * job.request.mem_bytes, budget.mem_bytes)),
                wall_s=factor * job.wall_s,
            )
            for job in self.jobs
        ]

    def known(self) -> list[Job]:
        """The jobs as somebody sees them who knows the kinds, and not what differs from scan to scan."""
        largest: dict[str, int] = {}
        for job in self.jobs:
            largest[job.kind] = max(largest.get(job.kind, 0), self.peaks[job.name])
        return [replace(job, request=_request(job, largest[job.kind])) for job in self.jobs]


def cohort(seed: int, n_scans: int) -> Cohort:
    graph = cohort_graph(n_scans, second_registration=False)
    jobs = [
        replace(job, request=_request(job, job.request.mem_bytes / MEMORY_MARGIN))
        for job in jobs_of(graph, Estimates(), (), None)
    ]
    rng = random.Random(seed)
    peaks = {job.name: int(job.request.mem_bytes * rng.uniform(1 - MEMORY_SPREAD, 1 + MEMORY_SPREAD)) for job in jobs}
    times = {job.name: job.wall_s * rng.uniform(1 - TIME_SPREAD, 1 + TIME_SPREAD) for job in jobs}
    return Cohort(jobs, {step.name: (step.variant, step.voxels) for step in graph}, peaks, times)


def _request(job: Job, mem_bytes: float) -> Resources:
    return Resources(job.request.cpus, round(mem_bytes / (32 * MIB)) * 32 * MIB)


def run(told: Cohort, jobs: Sequence[Job], budget: Resources, *, learns: bool) -> MemoryWorld:
    world = MemoryWorld(told.times, told.peaks, jobs, budget)
    teacher = Learner(jobs, told.sizes, budget) if learns else None
    drive(Scheduler(jobs, budget), world, adviser=Adviser(), teacher=teacher)
    return world


def main() -> None:
    """Print a line for each budget and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=N_SCANS)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args()
    print(f"{'budget':<18} {'seed':>4} {'knew, s':>8}   estimates: time / knew, stopped by the watchdog, lost")
    for cpus, gib in BUDGETS:
        budget = Resources(cpus, gib * GIB)
        for seed in options.seeds:
            told = cohort(seed, options.scans)
            knew = run(told, told.known(), budget, learns=False)
            cells = []
            for factor in FACTORS:
                world = run(told, told.expecting(factor, budget), budget, learns=True)
                lost = sum(death.given_up for death in world.deaths)
                cells.append(f"×{factor}: {world.now() / knew.now():.3f}, {len(world.deaths)}, {lost}")
            print(f"{budget!s:<18} {seed:>4} {knew.now():>8.0f}   {'   '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
