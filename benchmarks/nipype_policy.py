"""Which job nipype's MultiProc would start when, on a simulated clock: its policy without what it spends on a node.

The order is a policy handed to our scheduler, :class:`~tntpipe.scheduler.first_fit.FirstFit` with nipype's own sort;
the poll is the world that it runs in. Modelled from the source of nipype 1.11 (``pipeline/plugins/base.py``,
``multiproc.py``, ``pipeline/engine/utils.py``):

* The loop looks at what has ended, starts what it may, and sleeps until ``poll_s`` after it began; no end wakes it. So
  all starts lie on multiples of ``poll_s``, and a job's followers are ready, and what it held is free, at the first
  such instant not before its end.
* Ready jobs are tried in the order of networkx' topological sort, generation by generation, and each that fits in what
  is left starts: first fit, no priority, no reservation. ``_sort_jobs`` leaves this order as it is.
* Nothing is tried while no CPU, or less than 0.01 GB, is free as the pass begins; within a pass there is no such stop.
* A job that asks for more than the total is an error by default (``raise_insufficient``), else it is counted as asking
  for the total.

Its sort depends on the order in which nodes and connections were added; here both follow the list of jobs: all nodes
first, then for each job its connections. Requests are declared as bytes / 2**30 GB, so that nipype's floating-point
sums are exact and equal to those of the integers here. Map nodes, cached nodes, GPUs and failures are left out. The run
itself returns later than its last span ends: at the next poll that is seen, and one more poll is slept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush

from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.first_fit import FirstFit
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Ended, Event, Launch, Stop
from tntpipe.scheduler.policy import Levels
from tntpipe.simulation.simulator import Span

POLL_S = 2.0
"""nipype's default of ``execution.poll_sleep_duration``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NipypeOrder(FirstFit):
    """First fit in nipype's sort, which depends on how the jobs are listed; ours does not."""

    places: Mapping[str, int]

    def rank(self, job: Job, levels: Levels, place: int) -> tuple[float, float]:
        return self.places[job.name], 0.0


class PolledWorld:
    """A simulated clock on which ends are seen at multiples of ``poll_s`` only; ``spans`` come as they start."""

    def __init__(self, walls_s: Mapping[str, float], poll_s: float) -> None:
        self._walls_s, self._poll_s, self._poll = walls_s, poll_s, 0
        self._ends: list[tuple[int, str]] = []
        self.spans: list[Span] = []

    def now(self) -> float:
        return self._poll * self._poll_s

    def launch(self, action: Launch) -> None:
        began, wall_s = self.now(), self._walls_s[action.name]
        span = Span(name=action.name, request=action.request, began=began, ended=began + wall_s, succeeded=True)
        self.spans.append(span)
        heappush(self._ends, (self._poll + max(1, math.ceil(wall_s / self._poll_s)), action.name))

    def stop(self, action: Stop) -> None:
        raise NotImplementedError("nothing is stopped here")

    def wait(self, *, block: bool = True) -> Sequence[Event]:
        if not self._ends:
            raise RuntimeError("nothing runs and nothing may start: nipype would poll for ever")
        self._poll = self._ends[0][0]  # the polls before it find everything as it was
        events = []
        while self._ends and self._ends[0][0] == self._poll:
            events.append(Ended(name=heappop(self._ends)[1], succeeded=True))
        return events


def fixed_cpus(cpus: int) -> Callable[[Job], int]:
    """One number of CPUs for every job that may have it, as one command-line option sets it; else the nearest that it
    may have."""
    return lambda job: min(max(cpus, job.cpu_choices[0]), job.cpu_choices[-1])


def nipype_spans(
    jobs: Sequence[Job],
    durations: Mapping[str, float],
    budget: Resources,
    cpus_of: Callable[[Job], int],
    poll_s: float = POLL_S,
    *,
    raise_insufficient: bool = True,
) -> tuple[Span, ...]:
    """Run the jobs; the spans in the order of their starts.

    ``cpus_of`` is what a job declares and runs with, for all of the run; ``durations`` are with its fewest CPUs.

    Raises
    ------
    RuntimeError
        A job asks for more than the budget, or the jobs left would wait for ever.
    """
    asked = {job.name: Resources(cpus_of(job), job.request.mem_bytes) for job in jobs}
    if raise_insufficient and not all(request.fits_in(budget) for request in asked.values()):
        raise RuntimeError("Insufficient resources available for job")
    order = topological_order(jobs)
    walls_s = {job.name: durations[job.name] * _scale(job, asked[job.name].cpus) for job in jobs}
    world = PolledWorld(walls_s, poll_s)
    policy = NipypeOrder(places={job.name: place for place, job in enumerate(order)})
    drive(Scheduler([_declared(job, asked[job.name], budget) for job in jobs], budget, policy=policy), world)
    return tuple(world.spans)


def _declared(job: Job, asked: Resources, budget: Resources) -> Job:
    """The job as nipype knows it: with one number of CPUs, and no larger than the total."""
    cpus = min(asked.cpus, budget.cpus)
    request = Resources(cpus, min(asked.mem_bytes, budget.mem_bytes))
    return replace(job, request=request, max_cpus=cpus, thread_overhead=0.0)


def topological_order(jobs: Sequence[Job]) -> list[Job]:
    """Sort as networkx does: those that follow none, as listed, then each as soon as all that it follows are placed."""
    followers, n_pending = _followers(jobs)
    places = [place for place, n in enumerate(n_pending) if not n]
    for place in places:
        for follower in followers[place]:
            n_pending[follower] -= 1
            if not n_pending[follower]:
                places.append(follower)
    if len(places) < len(jobs):
        raise ValueError("some jobs follow each other in a cycle")
    return [jobs[place] for place in places]


def _followers(jobs: Sequence[Job]) -> tuple[list[list[int]], list[int]]:
    """For each place, the places of the jobs directly after it, and how many it directly follows."""
    place_of = {job.name: place for place, job in enumerate(jobs)}
    followers: list[list[int]] = [[] for _ in jobs]
    for place, job in enumerate(jobs):
        for name in set(job.follows):
            followers[place_of[name]].append(place)
    return followers, [len(set(job.follows)) for job in jobs]


def _scale(job: Job, cpus: int) -> float:
    """What one second of the job with its fewest CPUs becomes."""
    if cpus not in job.cpu_choices:
        raise ValueError(f"{job.name} cannot be given {cpus} CPUs")
    return job.wall_s_at(cpus) / job.wall_s if job.wall_s else 1.0
