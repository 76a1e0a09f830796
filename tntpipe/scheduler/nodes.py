"""What a run knows of its jobs until it learns better: what follows each, how long the chains are, what is alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.molding import Shape, shape_of
from tntpipe.scheduler.policy import Levels, Policy, Rank
from tntpipe.scheduler.precedence import precedence_of

NEARLY_DONE = 0.05
"""A path of a scan is nearly done when what is left of it is less than this part of the longest path of the run."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A job and its place in the graph.

    ``place`` is that in the topological order. ``tails_s`` are the seconds from its end to the end of the longest chain
    behind it, with 1, 2, … CPUs for all that is moldable; they are as long as the most CPUs that any job of the run can
    use. ``memory_tail`` is the heaviest chain behind it in bytes × seconds. Jobs of one shape have one ``shape_index``.
    """

    index: int
    job: Job
    rank: Rank
    shape: Shape
    shape_index: int
    tails_s: tuple[float, ...]
    memory_tail: float
    followers: tuple[int, ...]
    n_predecessors: int
    place: int

    @property
    def level_s(self) -> float:
        """How long the longest chain is that begins with the job, each job with its fewest CPUs."""
        return self.job.wall_s + self.tails_s[0]

    @property
    def levels(self) -> Levels:
        """The heaviest chains that begin with the job."""
        return Levels(self.level_s, memory_byte_s(self.job) + self.memory_tail)

    def ranked(self, policy: Policy) -> Rank:
        """The job's rank by a policy."""
        return Rank(*policy.rank(self.job, self.levels, self.place), self.job.name)


def memory_byte_s(job: Job) -> float:
    """The memory that a job holds, times how long it does with its fewest CPUs."""
    return job.request.mem_bytes * job.wall_s


class Shapes:
    """The shapes of the jobs of a run, each with a number: jobs that are alike are known by it to be."""

    def __init__(self) -> None:
        self._numbered: dict[Shape, tuple[Shape, int]] = {}

    def numbered(self, shape: Shape) -> tuple[Shape, int]:
        """The shape, once for all that are equal to it, and its number."""
        return self._numbered.setdefault(shape, (shape, len(self._numbered)))


def nodes_of(
    jobs: Sequence[Job],
    budget: Resources,
    shapes: Shapes,
    policy: Policy,
    known: Mapping[str, Node] | None = None,
) -> tuple[Node, ...]:
    """The nodes of these jobs, in the places of those that are known; ``GraphError`` or ``BudgetError`` if they cannot
    all be run."""
    precedence = precedence_of(jobs, budget)
    most_cpus = min(budget.cpus, max((job.max_cpus for job in jobs if job.moldable), default=1))
    tails_s = [precedence.tails_s(cpus) for cpus in range(1, most_cpus + 1)]
    memory_tails = precedence.tails(memory_byte_s)
    longest_s = max((job.wall_s + tails_s[0][name] for name, job in precedence.jobs.items()), default=0.0)
    if known is None:
        indices = {name: index for index, name in enumerate(precedence.jobs)}
        places = {job.name: place for place, job in enumerate(precedence.order)}
    else:
        indices = {name: node.index for name, node in known.items()}
        places = {name: node.place for name, node in known.items()}
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
                rank=Rank(
                    *policy.rank(job, Levels(level_s, memory_byte_s(job) + memory_tails[name]), places[name]), name
                ),
                shape=shape,
                shape_index=shape_index,
                tails_s=tails,
                memory_tail=memory_tails[name],
                followers=tuple(indices[follower] for follower in precedence.followers[name]),
                n_predecessors=len(set(job.follows)),
                place=places[name],
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


def resized(nodes: Iterable[Node], told: Mapping[str, Job], shapes: Shapes, policy: Policy) -> Iterator[Node]:
    """These nodes with the jobs that are told, which differ in their memory alone."""
    for node in nodes:
        job = told[node.job.name]
        shape, shape_index = shapes.numbered(replace(node.shape, request=job.request))
        other = replace(node, job=job, shape=shape, shape_index=shape_index)
        yield replace(other, rank=other.ranked(policy))


def renewed(
    nodes: Sequence[Node], told: Mapping[str, Job], budget: Resources, shapes: Shapes, policy: Policy
) -> Iterator[Node]:
    """These nodes with the jobs that are told, and paths and shapes that follow; they keep their indices.

    Raises
    ------
    ValueError
        A job differs in more than its memory and its times.
    """
    known = {node.job.name: node for node in nodes}
    jobs = {node.job.name: told.get(node.job.name, node.job) for node in nodes}
    for node in nodes:
        job = jobs[node.job.name]
        if (job.follows, job.group, job.request.cpus) != (node.job.follows, node.job.group, node.job.request.cpus):
            raise ValueError(f"{job.name} is re-estimated as a job with other predecessors, scan or CPUs")
    left = [replace(job, follows=tuple(filter(jobs.__contains__, job.follows))) for job in jobs.values()]
    for node in nodes_of(left, budget, shapes, policy, known):
        yield replace(node, job=jobs[node.job.name])
