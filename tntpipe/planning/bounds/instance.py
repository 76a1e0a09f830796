"""Jobs as numbers in a topological order, so that loops are short, and what must pass before and after each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job, seconds_of_one


@dataclass(frozen=True, slots=True)
class Shape:
    """What a job's weight depends on; for each choice of CPUs, ``rates`` has what one second at the fewest becomes."""

    mem_bytes: int
    rates: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Levels:
    """Seconds that must pass before each job can start (heads) and after it has ended (tails)."""

    heads_s: Sequence[float]
    tails_s: Sequence[float]


@dataclass(frozen=True, slots=True)
class Instance:
    """What the terms know of jobs; ``shape_of`` gives ranks in ``shapes``, ``before`` and ``after`` numbers of jobs.

    ``walls_s`` are with the fewest CPUs, ``shortest_s`` with the most that a job can use within the budget.
    """

    budget: Resources
    shapes: Sequence[Shape]
    shape_of: Sequence[int]
    walls_s: Sequence[float]
    shortest_s: Sequence[float]
    before: Sequence[Sequence[int]]
    after: Sequence[Sequence[int]]

    @classmethod
    def of(cls, jobs: Sequence[Job], budget: Resources) -> Instance:
        """Raise ``ValueError`` if a job does not fit, two have the same name, or some follow each other in a circle."""
        _refuse_what_cannot_run(jobs, budget)
        by_name = {job.name: job for job in jobs}
        follows = {job.name: [name for name in dict.fromkeys(job.follows) if name in by_name] for job in jobs}
        order = [by_name[name] for name in TopologicalSorter(follows).static_order()]
        number_of = {job.name: number for number, job in enumerate(order)}
        before = [[number_of[name] for name in follows[job.name]] for job in order]
        after: list[list[int]] = [[] for _ in order]
        for number, predecessors in enumerate(before):
            for predecessor in predecessors:
                after[predecessor].append(number)
        keys = [(job.request, job.max_cpus, job.thread_overhead) for job in order]
        job_with = dict(zip(keys, order, strict=True))
        rank_of = {key: rank for rank, key in enumerate(job_with)}
        shapes = [_shape_of(job, budget) for job in job_with.values()]
        shape_of = [rank_of[key] for key in keys]
        walls_s = [job.wall_s for job in order]
        shortest_s = [shapes[rank].rates[-1][1] * wall_s for rank, wall_s in zip(shape_of, walls_s, strict=True)]
        return cls(budget, shapes, shape_of, walls_s, shortest_s, before, after)

    def walls_of_shapes_s(self) -> list[float]:
        """What the jobs of each shape take in all, with the fewest CPUs."""
        walls_s = [0.0] * len(self.shapes)
        for shape, wall_s in zip(self.shape_of, self.walls_s, strict=True):
            walls_s[shape] += wall_s
        return walls_s

    def longest_path_s(self, walls_s: Sequence[float]) -> float:
        """The longest chain, if the jobs take so long."""
        levels_s = _levels(range(len(walls_s)), self.before, walls_s, [])
        return max((level_s + wall_s for level_s, wall_s in zip(levels_s, walls_s, strict=True)), default=0.0)

    def levels(self, areas_of_shapes: Iterable[Sequence[float]]) -> Levels:
        """Heads and tails, with what a second of each shape counts under one or more ways to weigh resources."""
        areas_s = [
            [areas[shape] * wall_s for shape, wall_s in zip(self.shape_of, self.walls_s, strict=True)]
            for areas in areas_of_shapes
        ]
        numbers = range(len(self.walls_s))
        return Levels(
            heads_s=_levels(numbers, self.before, self.shortest_s, areas_s),
            tails_s=_levels(reversed(numbers), self.after, self.shortest_s, areas_s),
        )


def _refuse_what_cannot_run(jobs: Sequence[Job], budget: Resources) -> None:
    if len({job.name for job in jobs}) < len(jobs):
        raise ValueError("two jobs have the same name; each needs a name of its own")
    for job in jobs:
        if not job.request.fits_in(budget):
            raise ValueError(f"{job.name} asks for {job.request}, more than the whole budget of {budget}")


def _shape_of(job: Job, budget: Resources) -> Shape:
    choices = [cpus for cpus in job.cpu_choices if cpus <= budget.cpus]
    one = seconds_of_one(job.request.cpus, job.thread_overhead)
    return Shape(
        job.request.mem_bytes, tuple((cpus, seconds_of_one(cpus, job.thread_overhead) / one) for cpus in choices)
    )


def _levels(
    numbers: Iterable[int],
    neighbours: Sequence[Sequence[int]],
    shortest_s: Sequence[float],
    areas_s: Sequence[Sequence[float]],
) -> list[float]:
    """The longest path before each job, or, where that is more, all the work that comes directly before it.

    Of the jobs directly before it, those that start no earlier than some instant have all their area between it and
    the job's start.
    """
    levels_s = [0.0] * len(shortest_s)
    for number in numbers:
        others = neighbours[number]
        if not others:
            continue
        level_s = max([levels_s[other] + shortest_s[other] for other in others])
        if len(others) > 1:
            latest_first = sorted(others, key=levels_s.__getitem__, reverse=True)
            for area_s in areas_s:
                work_s = 0.0
                for other in latest_first:
                    work_s += area_s[other]
                    level_s = max(level_s, levels_s[other] + work_s)
        levels_s[number] = level_s
    return levels_s
