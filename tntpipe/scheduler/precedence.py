"""Which jobs come after which: refuses sets of jobs that could not all run, and measures the path that follows each.

It knows no instant and no state; it is asked once, before anything starts. Invariant: whatever it accepts can be run to
the end by starting, one at a time, any job whose predecessors have ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tntpipe.errors import BudgetError, GraphError
from tntpipe.formatting import GIB, and_more
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job

N_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Precedence:
    """Jobs by name, sorted by it, and the names of those that come directly after each."""

    jobs: Mapping[str, Job]
    followers: Mapping[str, list[str]]
    order: Sequence[Job]

    def tails_s(self, cpus: int) -> dict[str, float]:
        """For each job, the seconds from its end to the end of the longest chain behind it.

        Every moldable job has so many CPUs, or as many as it can use.
        """

        def wall_s(job: Job) -> float:
            return job.wall_s_at(min(max(cpus, job.request.cpus), job.max_cpus)) if job.moldable else job.wall_s

        return self.tails(wall_s)

    def tails(self, weight: Callable[[Job], float]) -> dict[str, float]:
        """For each job, the weight of the heaviest chain behind it, itself left out."""
        tails: dict[str, float] = {}
        levels: dict[str, float] = {}
        for job in reversed(self.order):
            tails[job.name] = max((levels[name] for name in self.followers[job.name]), default=0.0)
            levels[job.name] = weight(job) + tails[job.name]
        return tails


def precedence_of(jobs: Sequence[Job], budget: Resources) -> Precedence:
    """Which of these jobs come after which; or one error that tells every reason for which they cannot all be run."""
    by_name = {job.name: job for job in sorted(jobs, key=lambda job: job.name)}
    followers = _followers_of(by_name)
    order = _topological_order(by_name, followers)
    graph_problems = [*_repeated_names(jobs), *_unknown_names(jobs), *_cycles(by_name, order)]
    too_large = [job.request for job in jobs if not job.request.fits_in(budget)]
    fact = "\n".join([*graph_problems, *_above_budget(jobs, budget)])
    remedies = []
    if graph_problems:
        remedies.append("Each job needs a name of its own, and may follow only jobs of this run that do not follow it.")
    if too_large:
        enough = Resources(
            max(budget.cpus, *(request.cpus for request in too_large)),
            max(budget.mem_bytes, *(request.mem_bytes for request in too_large)),
        )
        remedies.append(f"Give the run at least {_rounded_up(enough)}.")
    if remedies:
        raise (GraphError if graph_problems else BudgetError)(fact, remedy=" ".join(remedies))
    return Precedence(by_name, followers, order)


def _topological_order(jobs: Mapping[str, Job], followers: Mapping[str, list[str]]) -> list[Job]:
    """Sort jobs so that each comes after those it follows; jobs in a cycle, or behind one, are left out."""
    n_pending = {name: len(_known_predecessors(job, jobs)) for name, job in jobs.items()}
    order = [job for name, job in jobs.items() if not n_pending[name]]
    for job in order:
        for follower in followers[job.name]:
            n_pending[follower] -= 1
            if not n_pending[follower]:
                order.append(jobs[follower])
    return order


def _followers_of(jobs: Mapping[str, Job]) -> dict[str, list[str]]:
    followers: dict[str, list[str]] = {name: [] for name in jobs}
    for name, job in jobs.items():
        for predecessor in _known_predecessors(job, jobs):
            followers[predecessor].append(name)
    return followers


def _known_predecessors(job: Job, jobs: Mapping[str, Job]) -> list[str]:
    return [name for name in dict.fromkeys(job.follows) if name in jobs]


def _repeated_names(jobs: Sequence[Job]) -> Iterator[str]:
    for name, count in Counter(job.name for job in jobs).items():
        if count > 1:
            yield f"{count} jobs have the name {name}."


def _unknown_names(jobs: Sequence[Job]) -> Iterator[str]:
    names = {job.name for job in jobs}
    for job in jobs:
        unknown = [name for name in dict.fromkeys(job.follows) if name not in names]
        if unknown:
            yield f"{job.name} follows {_some(unknown)}, not in this run."


def _cycles(jobs: Mapping[str, Job], order: Sequence[Job]) -> Iterator[str]:
    """Walk backwards from each job that no order reaches; such a job follows another, so the walk comes full circle."""
    if len(order) == len(jobs):
        return
    unreached = jobs.keys() - {job.name for job in order}
    seen: set[str] = set()
    for name in jobs:
        walk: list[str] = []
        while name in unreached and name not in seen:
            seen.add(name)
            walk.append(name)
            name = next(predecessor for predecessor in jobs[name].follows if predecessor in unreached)
        if name in walk:
            cycle = [name, *reversed(walk[walk.index(name) :])]
            yield f"Each of these comes before the next: {' → '.join(cycle)}."


def _above_budget(jobs: Sequence[Job], budget: Resources) -> Iterator[str]:
    names_by_request: dict[Resources, list[str]] = {}
    for job in jobs:
        if not job.request.fits_in(budget):
            names_by_request.setdefault(job.request, []).append(job.name)
    for request, names in names_by_request.items():
        ask = "asks for" if len(names) == 1 else "ask each for"
        yield f"{_some(names)} {ask} {_rounded_up(request)}, more than the whole budget of {budget}."


def _some(names: Sequence[str]) -> str:
    return and_more(names, N_NAMES_SHOWN)


def _rounded_up(amount: Resources) -> Resources:
    """Round the memory up to a tenth of a GiB, as it is printed, so that giving what is printed is enough."""
    return Resources(amount.cpus, -(-amount.mem_bytes * 10 // GIB) * GIB // 10)
