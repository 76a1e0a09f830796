"""How soon a set of jobs could end at best: a bound that no schedule within the budget can beat.

Every term is a weighted area. If at every instant the running jobs have weights with a sum of at most 1, then the jobs
take at least the sum of weight times wall time, after the shortest path before them and before the shortest path after
them. Shares of CPUs and of memory are such weights; so are dual feasible functions of these shares, membership of one
path, and every weighted mean of them. A moldable job counts with the number of CPUs at which it counts least.

It knows estimates only, neither a clock nor a policy. Invariant: the bound is at most the makespan of every schedule
without preemption in which each job takes ``wall_s_at`` one of its choices of CPUs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tntpipe.planning.bounds.allotment import allotments
from tntpipe.planning.bounds.areas import weighted_areas
from tntpipe.planning.bounds.bound import ROUNDING, LowerBound, Term
from tntpipe.planning.bounds.instance import Instance
from tntpipe.planning.bounds.slots import pigeonholes
from tntpipe.planning.bounds.weights import ways_to_weigh
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job

__all__ = ["LowerBound", "Term", "lower_bound"]


def lower_bound(jobs: Iterable[Job], budget: Resources) -> LowerBound:
    """Bound from below the makespan of jobs within a budget, for every schedule that does not preempt.

    Parameters
    ----------
    jobs
        Jobs whose wall times are exact: a job takes ``wall_s_at`` one of its ``cpu_choices`` within the budget. Names
        in ``follows`` that none of them has are those of jobs that have ended.
    budget
        CPUs and bytes of memory that the running jobs share at every instant.

    Returns
    -------
    LowerBound
        Seconds, and which term gives them. Without jobs, 0 seconds.

    Raises
    ------
    ValueError
        If a job does not fit in the budget, two have the same name, or some follow each other in a circle.

    References
    ----------
    S. P. Fekete and J. Schepers, Math. Program. 91 (2001), 11–31 (dual feasible functions).
    J. Turek, J. L. Wolf and P. S. Yu, SPAA 1992, 323–332 (moldable jobs; chains against areas).
    K. Jansen and H. Zhang, J. Comput. Syst. Sci. 78 (2012), 245–259 (the allotment's linear program).

    Examples
    --------
    >>> jobs = [Job(name=name, request=Resources(1, 4), wall_s=10) for name in "abc"]
    >>> bound = lower_bound(jobs, Resources(8, 10))
    >>> round(bound.seconds, 3), bound.term.name, bound.n_at_once
    (20.0, 'MEMORY_SLOTS', 2)
    """
    instance = Instance.of(tuple(jobs), budget)
    critical_path_s = instance.longest_path_s(instance.shortest_s)
    chain = LowerBound(seconds=critical_path_s, critical_path_s=critical_path_s, budget=budget)
    best = max(_terms(instance, chain), key=lambda term: term.seconds) if critical_path_s else chain
    return replace(best, seconds=best.seconds * ROUNDING, critical_path_s=critical_path_s * ROUNDING)


def _terms(instance: Instance, chain: LowerBound) -> list[LowerBound]:
    """Every bound that was tried; with allotments only if jobs with their fewest CPUs make the longest chain matter."""
    ways = ways_to_weigh(instance)
    areas_by_way = {way: way.areas(instance.shapes) for way in ways}
    levels = instance.levels(areas_by_way.values())
    terms = [
        chain,
        *weighted_areas(instance, levels, areas_by_way, chain),
        *pigeonholes(instance, levels, chain),
    ]
    best_s = max(term.seconds for term in terms)
    if instance.longest_path_s(instance.walls_s) > best_s:
        cpu_function = next(way.cpu_function for way in ways if way.memory_weight < 1)
        memory_function = next(way.memory_function for way in ways if way.memory_weight > 0)
        terms += allotments(instance, cpu_function, memory_function, chain, best_s)
    return terms
