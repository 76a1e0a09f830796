"""By when all that is left could be done: the horizon, from the work left of each scan and the chains that lead it.

It is an estimate, not a bound (see :mod:`tntpipe.scheduler.bounds`), and quick enough to be made during the run: work
is kept as a handful of sums, and scans are looked at one by one only once their chains are as long as the run.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import neg
from typing import NamedTuple

from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Rule
from tntpipe.scheduler.molding import Guidance

N_BISECTIONS = 12
"""Halvings of the interval that holds the horizon: to a four-thousandth of it."""


@dataclass(frozen=True, slots=True)
class Memory:
    """How memory is used up: of jobs above ``large_bytes`` so few fit that they cannot use every CPU with one each.

    Beside as many of the largest as fit, ``beside_bytes`` are left.
    """

    total_bytes: int
    large_bytes: float
    beside_bytes: int

    def share(self, mem_bytes: int) -> float:
        """The share that a job really takes up: a third, where three fit and not four; none, if it fits beside."""
        return 1 / (self.total_bytes // mem_bytes) if mem_bytes > self.beside_bytes else 0.0


def memory_of(jobs: Iterable[Job], budget: Resources) -> Memory:
    """How these jobs use up the memory of the budget."""
    large_bytes = budget.mem_bytes / budget.cpus
    largest_bytes = max((job.request.mem_bytes for job in jobs), default=0)
    beside_bytes = budget.mem_bytes % largest_bytes if largest_bytes > large_bytes else 0
    return Memory(budget.mem_bytes, large_bytes, beside_bytes)


@dataclass(slots=True)
class Work:
    """What a set of jobs will hold, for how long, as functions of the CPUs k that all the moldable ones get.

    With S(k) = k / (1 + a (k - 1)), k CPUs for t / S(k) seconds are t (1 - a) + t a k CPU seconds. Memory counts as a
    share of the budget: of which n fit at once, each holds 1 / n.
    """

    cpu_s: float = 0.0
    cpu_s_per_cpu: float = 0.0
    memory_s: float = 0.0
    memory_s_at_one: float = 0.0
    large_cpu_s_per_cpu: float = 0.0
    large_memory_s_at_one: float = 0.0
    n_moldable: int = 0

    def add(self, job: Job, memory: Memory, times: int = 1) -> None:
        """Count a job in, or with ``times=-1`` out."""
        cpus, wall_s = job.request.cpus, times * job.wall_s
        share = memory.share(job.request.mem_bytes)
        if not job.moldable:
            self.cpu_s += cpus * wall_s
            self.memory_s += share * wall_s
            return
        self.n_moldable += times
        overhead = job.thread_overhead
        alone_s = wall_s * cpus / (1 + overhead * (cpus - 1))
        self.cpu_s += alone_s * (1 - overhead)
        self.cpu_s_per_cpu += alone_s * overhead
        self.memory_s += share * alone_s * overhead
        self.memory_s_at_one += share * alone_s * (1 - overhead)
        if job.request.mem_bytes > memory.large_bytes:
            self.large_cpu_s_per_cpu += alone_s * overhead
            self.large_memory_s_at_one += share * alone_s * (1 - overhead)

    def copy(self) -> Work:
        """A copy that can be changed."""
        return replace(self)

    def add_running(self, request: Resources, rest_s: float, memory: Memory) -> None:
        """Count in what is left of a running job, whose CPUs are given."""
        self.cpu_s += request.cpus * rest_s
        self.memory_s += memory.share(request.mem_bytes) * rest_s

    def add_all(self, other: Work, sign: int = 1) -> None:
        """Count in all that ``other`` counts, or with ``sign=-1`` out."""
        self.cpu_s += sign * other.cpu_s
        self.cpu_s_per_cpu += sign * other.cpu_s_per_cpu
        self.memory_s += sign * other.memory_s
        self.memory_s_at_one += sign * other.memory_s_at_one
        self.large_cpu_s_per_cpu += sign * other.large_cpu_s_per_cpu
        self.large_memory_s_at_one += sign * other.large_memory_s_at_one
        self.n_moldable += sign * other.n_moldable

    def wall_s_with_large_at(self, cpus: float, budget: Resources) -> tuple[float, float]:
        """How long all CPUs would be busy, and all memory be held, if only the large jobs had more than one CPU."""
        cpu_s = self.cpu_s + self.cpu_s_per_cpu + self.large_cpu_s_per_cpu * (cpus - 1)
        return cpu_s / budget.cpus, self.memory_s + self.memory_s_at_one - self.large_memory_s_at_one * (1 - 1 / cpus)


class ScanLeft(NamedTuple):
    """The work of a scan that has not begun, and its longest chain, what runs included, with 1, 2, … CPUs."""

    work: Work
    chains_s: Sequence[float]


def look_ahead(
    left: Work,
    scans: Sequence[ScanLeft],
    budget: Resources,
    memory: Memory,
    rule: Rule,
    most_cpus: int,
    now: float,
) -> Guidance:
    """Find the horizon; ``left`` counts all that is left, what runs included."""
    large_cpus = _balancing_cpus(left, budget, most_cpus)
    least_s = max(left.wall_s_with_large_at(large_cpus, budget))
    longest_s = max((scan.chains_s[0] for scan in scans), default=0.0)
    horizon_s = least_s
    if longest_s > rule.slack * least_s and rule.fixed_cpus is None:
        horizon_s = _horizon_s(left, scans, budget, rule, least_s)
    return Guidance(
        rule=rule,
        horizon=now + horizon_s,
        large_cpus=max(1.0, large_cpus * rule.large_factor) if large_cpus > 1 else 1.0,
        large_bytes=memory.large_bytes,
        n_paths_left=least_s / longest_s if longest_s else math.inf,
    )


def _horizon_s(left: Work, scans: Sequence[ScanLeft], budget: Resources, rule: Rule, least_s: float) -> float:
    """In what time all fits where each scan gets the fewest CPUs with which its chain does."""
    other = left.copy()
    for work, _ in scans:
        other.add_all(work, -1)
    low_s = max(least_s, *(scan.chains_s[-1] for scan in scans))
    high_s = max(low_s, max(scan.chains_s[0] for scan in scans) / rule.slack)
    for _ in range(N_BISECTIONS):
        middle_s = (low_s + high_s) / 2
        cpu_s, memory_s = other.cpu_s + other.cpu_s_per_cpu, other.memory_s + other.memory_s_at_one
        for work, chains_s in scans:
            cpus = 1 + bisect_left(chains_s, -rule.slack * middle_s, 0, len(chains_s) - 1, key=neg)
            cpu_s += work.cpu_s + work.cpu_s_per_cpu * cpus
            memory_s += work.memory_s + work.memory_s_at_one / cpus
        if cpu_s <= middle_s * budget.cpus and memory_s <= middle_s:
            high_s = middle_s
        else:
            low_s = middle_s
    return high_s


def _balancing_cpus(left: Work, budget: Resources, most_cpus: int) -> float:
    """How many CPUs the large jobs should have on average, for CPUs and memory to be used up at the same time."""
    low, high = 1.0, float(most_cpus)
    cpu_wall_s, memory_wall_s = left.wall_s_with_large_at(low, budget)
    if memory_wall_s <= cpu_wall_s or not left.large_memory_s_at_one:
        return low
    for _ in range(N_BISECTIONS):
        middle = (low + high) / 2
        cpu_wall_s, memory_wall_s = left.wall_s_with_large_at(middle, budget)
        if memory_wall_s > cpu_wall_s:
            low = middle
        else:
            high = middle
    return high
