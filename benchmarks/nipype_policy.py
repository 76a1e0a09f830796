"""Which job nipype's MultiProc would start when, on a simulated clock: its policy without what it spends on a node.

Modelled from the source of nipype 1.11 (``pipeline/plugins/base.py``, ``multiproc.py``, ``pipeline/engine/utils.py``):

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush, heapreplace

from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job
from tntpipe.simulation.simulator import Span

POLL_S = 2.0
"""nipype's default of ``execution.poll_sleep_duration``."""

LEAST_FREE_GB = 0.01
"""With less than this free, ``_send_procs_to_workers`` returns at once."""

Ready = dict[Resources, list[int]]
"""Places in the order of the ready jobs, as one heap for each request."""


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
    order = topological_order(jobs)
    asked = [Resources(cpus_of(job), job.request.mem_bytes) for job in order]
    if raise_insufficient and not all(request.fits_in(budget) for request in asked):
        raise RuntimeError("Insufficient resources available for job")
    held = [Resources(min(r.cpus, budget.cpus), min(r.mem_bytes, budget.mem_bytes)) for r in asked]
    followers, n_pending = _followers(order)
    ready: Ready = {}
    for place, n in enumerate(n_pending):
        if not n:
            heappush(ready.setdefault(held[place], []), place)
    spans: list[Span] = []
    ends: list[tuple[int, int]] = []
    free, poll = budget, 0
    while len(spans) < len(order):
        for place in _first_fit(ready, free):
            job, began = order[place], poll * poll_s
            wall_s = durations[job.name] * _scale(job, asked[place].cpus)
            spans.append(Span(name=job.name, request=held[place], began=began, ended=began + wall_s, succeeded=True))
            heappush(ends, (poll + max(1, math.ceil(wall_s / poll_s)), place))
            free -= held[place]
        if not ends:
            raise RuntimeError(f"nothing runs and nothing may start within {budget}: nipype would poll for ever")
        poll = ends[0][0]  # the polls before it find everything as it was
        while ends and ends[0][0] == poll:
            _, place = heappop(ends)
            free += held[place]
            for follower in followers[place]:
                n_pending[follower] -= 1
                if not n_pending[follower]:
                    heappush(ready.setdefault(held[follower], []), follower)
    return tuple(spans)


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


def _first_fit(ready: Ready, free: Resources) -> Iterator[int]:
    """Take out of ``ready``, in order, what one pass starts; of each request only the first is looked at."""
    if not free.cpus or free.mem_bytes < LEAST_FREE_GB * GIB:
        return
    heads = [(heap[0], request) for request, heap in ready.items() if heap and request.fits_in(free)]
    heapify(heads)
    while heads:
        place, request = heads[0]
        if not request.fits_in(free):
            heappop(heads)
            continue
        free -= request
        heap = ready[request]
        heappop(heap)
        if heap:
            heapreplace(heads, (heap[0], request))
        else:
            heappop(heads)
        yield place


def _scale(job: Job, cpus: int) -> float:
    """What one second of the job with its fewest CPUs becomes."""
    if cpus not in job.cpu_choices:
        raise ValueError(f"{job.name} cannot be given {cpus} CPUs")
    return job.wall_s_at(cpus) / job.wall_s if job.wall_s else 1.0
