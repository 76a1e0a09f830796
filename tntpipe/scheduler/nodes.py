"""What a run knows of its jobs until it learns better: what follows each, how long the chains are, what is alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.molding import Shape, shape_of
from tntpipe.scheduler.policy import Rank
from tntpipe.scheduler.precedence import precedence_of

NEARLY_DONE = 0.05
"""A path of a scan is nearly done when what is left of it is less than this part of the longest path of the run."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A job and its place in the graph.

    ``tails_s`` are the seconds from its end to the end of the longest chain behind it, with 1, 2, … CPUs for all that
    is moldable; they are as long as the most CPUs that any job of the run can use. Jobs of one shape have one
    ``shape_index``.
    """

    index: int
    job: Job
    rank: Rank
    shape: Shape
    shape_index: int
    tails_s: tuple[float, ...]
    followers: tuple[int, ...]
    n_predecessors: int


class Shapes:
    """The shapes of the jobs of a run, each with a number: jobs that are alike are known by it to be."""

    def __init__(self) -> None:
        self._numbered: dict[Shape, tuple[Shape, int]] = {}

    def numbered(self, shape: Shape) -> tuple[Shape, int]:
        """The shape, once for all that are equal to it, and its number."""
        return self._numbered.setdefault(shape, (shape, len(self._numbered)))


def nodes_of(
    jobs: Sequence[Job], budget: Resources, shapes: Shapes, indices: Mapping[str, int] | None = None
) -> tuple[Node, ...]:
    """The nodes of these jobs, with these indices; ``GraphError`` or ``BudgetError`` if they cannot all be run."""
    precedence = precedence_of(jobs, budget)
    most_cpus = min(budget.cpus, max((job.max_cpus for job in jobs if job.moldable), default=1))
    tails_s = [precedence.tails_s(cpus) for cpus in range(1, most_cpus + 1)]
    longest_s = max((job.wall_s + tails_s[0][name] for name, job in precedence.jobs.items()), default=0.0)
    indices = indices or {name: index for index, name in enumerate(precedence.jobs)}
    nodes = []
    for name, job in precedence.jobs.items():
        tails = tuple(by_name[name] for by_name in tails_s)
        level_s = job.wall_s + tails[0]
        nearly_done = bool(job.group) and level_s < NEARLY_DONE * longest_s
        shape = shape_of(job, tails, budget, nearly_done=nearly_done)
        shape, shape_index = shapes.numbered(shape)
        nodes.append(
            Node(
                index=indices[name],
                job=job,
                rank=Rank(-level_s, -job.request.mem_bytes, name),
                shape=shape,
                shape_index=shape_index,
                tails_s=tails,
                followers=tuple(indices[follower] for follower in precedence.followers[name]),
                n_predecessors=len(set(job.follows)),
            )
        )
    return tuple(nodes)


def differ_in_memory_alone(nodes: Iterable[Node], told: Mapping[str, Job], budget: Resources) -> bool:
    """Whether the jobs that are told differ from these nodes' in nothing but memory, which the budget has."""
    for node in nodes:
        job = told[node.job.name]
        same = replace(job, request=Resources(job.request.cpus, node.job.request.mem_bytes))
        if same != node.job or not job.request.fits_in(budget):
            return False
    return True


def resized(nodes: Iterable[Node], told: Mapping[str, Job], shapes: Shapes) -> Iterator[Node]:
    """These nodes with the jobs that are told, which differ in their memory alone."""
    for node in nodes:
        job = told[node.job.name]
        shape, shape_index = shapes.numbered(replace(node.shape, request=job.request))
        rank = node.rank._replace(minus_mem_bytes=-job.request.mem_bytes)
        yield replace(node, job=job, rank=rank, shape=shape, shape_index=shape_index)


def renewed(nodes: Sequence[Node], told: Mapping[str, Job], budget: Resources, shapes: Shapes) -> Iterator[Node]:
    """These nodes with the jobs that are told, and paths and shapes that follow; they keep their indices.

    Raises
    ------
    ValueError
        A job differs in more than its memory and its times.
    """
    indices = {node.job.name: node.index for node in nodes}
    jobs = {node.job.name: told.get(node.job.name, node.job) for node in nodes}
    for node in nodes:
        job = jobs[node.job.name]
        if (job.follows, job.group, job.request.cpus) != (node.job.follows, node.job.group, node.job.request.cpus):
            raise ValueError(f"{job.name} is re-estimated as a job with other predecessors, scan or CPUs")
    left = [replace(job, follows=tuple(filter(jobs.__contains__, job.follows))) for job in jobs.values()]
    for node in nodes_of(left, budget, shapes, indices):
        yield replace(node, job=jobs[node.job.name])
