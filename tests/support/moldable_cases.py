"""Random cohorts of scans with moldable jobs, and what the rules about CPUs and turns mean, from their definitions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from hypothesis import settings
from hypothesis import strategies as st
from virtual_time import Case, Decision, Story, budget, play, ranks, total

from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.scheduler.drive import Thinker
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import LaunchReason, Rule
from tntpipe.scheduler.nodes import NEARLY_DONE
from tntpipe.scheduler.policy import OVERRUN_FACTOR, Reservation

rule = settings(max_examples=60, deadline=None, derandomize=True)

rules = st.builds(
    Rule,
    slack=st.sampled_from([1.0, 0.5, 1.1, 2.0]),
    fixed_cpus=st.none() | st.integers(1, 8),
    widen=st.booleans(),
    large_factor=st.sampled_from([1.0, 0.5, 2.0]),
)


def moldable(
    name: str,
    *follows: str,
    cpus: int = 1,
    most: int = 4,
    gib: int = 0,
    wall_s: float = 1,
    a: float = 0.5,
    of: str = "",
) -> Job:
    """A job that may have up to ``most`` CPUs, with a thread overhead of ``a``, for the scan ``of``."""
    return Job(
        name=name,
        request=Resources(cpus, gib * GIB),
        wall_s=wall_s,
        follows=follows,
        group=of,
        max_cpus=most,
        thread_overhead=a,
    )


@st.composite
def cohorts(
    draw, estimates: str = "wrong", failing: bool = False, interrupted: bool = False, moody: bool = False, most: int = 9
) -> Case:
    """Scans that share one small graph, unlike in size, and some jobs of no scan; ``moody``: rules change meanwhile.

    Estimates are ``wrong``, ``upper bounds`` of the true times, or ``exact``.
    """
    within = budget(draw(st.integers(1, 6)), draw(st.integers(1, 8)))
    walls_s = st.sampled_from([10, 0, 1, 2, 3, 6, 21, 60])
    kinds = st.tuples(
        st.just(1) | st.integers(1, within.cpus),
        st.just(0) | st.integers(0, within.mem_bytes // GIB),
        walls_s,
        st.sampled_from([1, 2, 4, 8]),
        st.sampled_from([0.08, 0.0, 0.5, 1.0]),
    )
    steps = draw(st.lists(kinds, min_size=1, max_size=4))
    follows = [draw(st.sets(st.integers(0, step - 1), max_size=2)) if step else () for step in range(len(steps))]
    scans = draw(st.permutations("abcdefghi"[: draw(st.integers(1, most))]))
    sizes = {scan: draw(st.sampled_from([1.0, 1.0, 0.5, 3.0])) for scan in scans}
    jobs = []
    for scan in scans:
        for step, (cpus, gib, wall_s, most_cpus, a) in enumerate(steps):
            names = [f"{scan}{before}" for before in follows[step]]
            jobs.append(
                moldable(
                    f"{scan}{step}",
                    *names,
                    cpus=cpus,
                    most=most_cpus,
                    gib=gib,
                    wall_s=sizes[scan] * wall_s,
                    a=a,
                    of=scan,
                )
            )
    for number, (cpus, gib, wall_s, most_cpus, a) in enumerate(draw(st.lists(kinds, max_size=2))):
        before = draw(st.sets(st.sampled_from([job.name for job in jobs]), max_size=2))
        jobs.append(moldable(f"z{number}", *before, cpus=cpus, most=most_cpus, gib=gib, wall_s=wall_s, a=a))
        if draw(st.booleans()):
            after = replace(jobs[0], name="y", follows=(*jobs[0].follows, f"z{number}"), group="y")
            jobs += [after] if after.name not in {job.name for job in jobs} else []
    factors = {"wrong": [1.0, 0.0, 0.3, 0.9, 1.5, 4.0], "upper bounds": [1.0, 0.0, 0.3, 0.9], "exact": [1.0]}[estimates]
    durations = {job.name: job.wall_s * draw(st.sampled_from(factors)) for job in jobs}
    return Case(
        tuple(jobs),
        within,
        durations,
        frozenset(draw(st.sets(st.sampled_from(list(durations)), max_size=4)) if failing else ()),
        float(draw(st.integers(0, 60))) if interrupted and draw(st.booleans()) else math.inf,
        draw(rules) if moody else Rule(),
        tuple(draw(st.lists(st.none() | rules, max_size=6))) if moody else (),
    )


def chains_s(jobs: tuple[Job, ...], cpus: int) -> dict[str, float]:
    """For each job, the longest chain that it begins when all that can use so many CPUs gets them."""
    followers: dict[str, list[Job]] = {job.name: [] for job in jobs}
    for job in jobs:
        for name in set(job.follows):
            followers[name].append(job)
    chains: dict[str, float] = {}

    def chain_s(job: Job) -> float:
        if job.name not in chains:
            used = min(max(cpus, job.cpu_choices[0]), job.cpu_choices[-1])
            chains[job.name] = job.wall_s_at(used) + max(map(chain_s, followers[job.name]), default=0.0)
        return chains[job.name]

    return {job.name: chain_s(job) for job in jobs}


class Told:
    """A run, and what should be true of its decisions."""

    def __init__(self, case: Case, adviser: Thinker | None = None) -> None:
        self.case = case
        self.jobs: Mapping[str, Job] = case.by_name
        self.within = case.within
        self.story: Story = play(*case, adviser=adviser)
        self.decisions: list[Decision] = self.story.decisions(case.jobs)
        self.ranks = ranks(case.jobs)

    @cached_property
    def _chains_s(self) -> dict[int, dict[str, float]]:
        return {cpus: chains_s(self.case.jobs, cpus) for cpus in range(1, self.within.cpus + 1)}

    def choices(self, name: str) -> list[int]:
        """The numbers of CPUs that a job may be given within the budget."""
        return [cpus for cpus in self.jobs[name].cpu_choices if cpus <= self.within.cpus]

    def expected_ends(self, decision: Decision) -> dict[str, float]:
        """When each running job should end with the CPUs that it has, as seen at the decision."""
        ends = {}
        for name, since in decision.running.items():
            end = since + self.jobs[name].wall_s_at(decision.held[name].cpus)
            ends[name] = end if end >= decision.now else since + OVERRUN_FACTOR * (decision.now - since)
        return ends

    def room_at(self, instant: float, decision: Decision) -> Resources:
        """What of the budget the running jobs should have left by an instant."""
        ends = self.expected_ends(decision)
        return self.within - total(decision.held[name] for name, end in ends.items() if end > instant)

    def spare(self, decision: Decision, reserved: Reservation) -> Resources:
        """What the reserved job will leave at its shadow time."""
        return self.room_at(reserved.shadow_time, decision) - reserved.request

    def queue(self, decision: Decision) -> frozenset[str]:
        """The ready jobs that may start."""
        return decision.waiting - decision.mark.parked

    def is_alike(self, name: str, other: str) -> bool:
        """Whether the scheduler cannot tell two jobs apart, but for their place in the order and their name."""
        one, two = self.jobs[name], self.jobs[other]
        choices, others = self.choices(name), self.choices(other)
        return (
            one.request == two.request
            and choices == others
            and all(one.wall_s_at(cpus) == two.wall_s_at(cpus) for cpus in choices)
            and (
                len(choices) == 1 or all(self._chains_s[cpus][name] == self._chains_s[cpus][other] for cpus in choices)
            )
            and self.is_nearly_done(name) == self.is_nearly_done(other)
        )

    def is_nearly_done(self, name: str) -> bool:
        """Whether little is left of a scan's path from this job on, beside the longest path of the run."""
        longest_s = max(-rank[0] for rank in self.ranks.values())
        return bool(self.jobs[name].group) and -self.ranks[name][0] < NEARLY_DONE * longest_s

    def place(self, name: str, decision: Decision) -> tuple[int, tuple[float, int, str]]:
        """A job's place in the order in which jobs are looked at."""
        guidance = decision.mark.guidance
        is_large = guidance.large_cpus > 1 and self.jobs[name].request.mem_bytes > guidance.large_bytes
        if guidance.scans_first and self.is_nearly_done(name):
            turn = -1
        elif guidance.n_paths_left <= 1 or is_large:
            turn = 0
        else:
            turn = 1 if self.is_nearly_done(name) else 2
        return turn, self.ranks[name]

    def large(self, decision: Decision) -> list[int]:
        """The CPUs of the jobs of much memory that ran when the jobs behind the reserved one were looked at."""
        behind = {launch.name for launch in decision.launched if launch.reason is not LaunchReason.IN_ORDER}
        return [
            request.cpus
            for name, request in decision.held.items()
            if name not in behind and request.mem_bytes > decision.mark.guidance.large_bytes
        ]

    def wanted_cpus(self, name: str, decision: Decision, large: list[int]) -> int:
        """How many CPUs a job that fits should have: the fewest with which its chain is in time, or all that help."""
        choices, guidance = self.choices(name), decision.mark.guidance
        if len(choices) == 1:
            return choices[0]
        if guidance.rule.fixed_cpus is not None:
            return min(max(guidance.rule.fixed_cpus, choices[0]), choices[-1])
        left_s = guidance.rule.slack * (guidance.horizon - decision.now)
        wanted = next((cpus for cpus in choices if self._chains_s[cpus][name] <= left_s), choices[-1])
        if guidance.large_cpus > 1 and self.jobs[name].request.mem_bytes > guidance.large_bytes:
            share = round(guidance.large_cpus * (len(large) + 1) - sum(large))
            share = min(max(share, math.floor(guidance.large_cpus)), math.ceil(guidance.large_cpus))
            wanted = min(max(wanted, share), choices[-1])
        return wanted
