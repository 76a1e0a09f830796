"""How many CPUs a moldable job should have: pure functions of the rule in force and of what is left to do.

A chain is what is left of a scan from a job on: its bottom level, which shrinks with the number of CPUs that every
moldable job of it is given. CPUs are lent sparingly, because n CPUs never make a job n times as fast: a job gets the
fewest with which its chain ends by the horizon, the instant by which all the work could be done. Far from the end every
chain is shorter than that, and each job gets its fewest. Where memory and not CPUs is what the run is short of, the
jobs that hold much of it share the CPUs that no other job could use anyway.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from operator import neg

from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Rule

LAST_PATHS = 1.0
"""With fewer critical paths left than this, there may soon be too little to do for every CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """What a decision about CPUs rests on.

    The rule; the horizon; how many CPUs jobs of much memory should have on average (1 unless memory is what the run is
    short of), and how much of it is much; how many times the longest chain fits in the time that the work alone takes;
    and whether what ends scans has piled up.
    """

    rule: Rule
    horizon: float = 0.0
    large_cpus: float = 1.0
    large_bytes: float = math.inf
    n_paths_left: float = math.inf
    scans_first: bool = False

    def turn(self, shape: Shape) -> int:
        """The smaller, the earlier a job of this shape is looked at; among equals the longest path decides.

        What ends a path that is nearly done goes early, so that scans that were begun are finished; it delays others
        little. Where memory is what the run is short of, the jobs that hold much of it go before all, and towards the
        end of a run only paths count; but what ends scans, once much of it has piled up, goes before even these.
        """
        if shape.nearly_done and self.scans_first:
            return -1
        if self.n_paths_left <= LAST_PATHS:
            return 0
        if self.large_cpus > 1 and shape.request.mem_bytes > self.large_bytes:
            return 0
        return 1 if shape.nearly_done else 2

    def chain_s(self, now: float) -> float:
        """How long a chain that begins now may take."""
        return self.rule.slack * (self.horizon - now)


@dataclass(frozen=True, slots=True)
class Shape:
    """What jobs that are alike to the scheduler have in common.

    ``walls_s`` and ``chains_s`` are wall times and bottom levels with the fewest CPUs, with one more, and so on;
    ``chains_s`` is empty for jobs that are not moldable. A path is ``nearly_done`` when little of it is left.
    """

    request: Resources
    walls_s: tuple[float, ...]
    chains_s: tuple[float, ...] = ()
    nearly_done: bool = False

    def wall_s(self, cpus: int) -> float:
        """Expected wall time with so many CPUs."""
        return self.walls_s[cpus - self.request.cpus]

    def with_cpus(self, cpus: int) -> Resources:
        """The request with so many CPUs."""
        return Resources(cpus, self.request.mem_bytes)

    def wanted_cpus(self, guidance: Guidance, large: Sequence[int], free: Resources, now: float) -> int:
        """How many CPUs a job of this shape should have; it may be more than are free.

        ``large`` holds the CPUs of the jobs of much memory that run. A job that waits for memory is modest about CPUs,
        so that others can go on beside what is reserved for it.
        """
        fewest = self.request.cpus
        if not self.chains_s:
            return fewest
        most = fewest + len(self.walls_s) - 1
        if guidance.rule.fixed_cpus is not None:
            return min(max(guidance.rule.fixed_cpus, fewest), most)
        # chains shrink as CPUs grow, so their negatives are sorted
        n_more = bisect_left(self.chains_s, -guidance.chain_s(now), key=neg)
        wanted = fewest + min(n_more, len(self.walls_s) - 1)
        if guidance.large_cpus > 1 and self.request.mem_bytes > guidance.large_bytes:
            short_by = guidance.large_cpus * (len(large) + 1) - sum(large)
            at_least, at_most = math.floor(guidance.large_cpus), math.ceil(guidance.large_cpus)
            has_memory = self.request.mem_bytes <= free.mem_bytes
            wanted = max(wanted, min(max(round(short_by), at_least), at_most) if has_memory else at_least)
        return min(wanted, most)


def shape_of(job: Job, tails_s: tuple[float, ...], budget: Resources, *, nearly_done: bool) -> Shape:
    """The shape of a job; ``tails_s`` are the seconds from its end to that of its chain, with 1, 2, … CPUs."""
    if not job.moldable:
        return Shape(job.request, (job.wall_s,), nearly_done=nearly_done)
    choices = [cpus for cpus in job.cpu_choices if cpus <= budget.cpus]
    walls_s = tuple(job.wall_s_at(cpus) for cpus in choices)
    chains_s = tuple(wall_s + tails_s[cpus - 1] for cpus, wall_s in zip(choices, walls_s, strict=True))
    return Shape(job.request, walls_s, chains_s, nearly_done)
