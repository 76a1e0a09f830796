"""What a policy is: it says in which order ready jobs come, and which of them start now with how many CPUs.

A policy is a value that is handed to the scheduler, which keeps the states, precedence and the budget whatever the
policy says. It is a pure function of what is ready, what runs, what is free and when: it knows neither the graph nor
what happened before, and has no state, so that forks of a scheduler may share it. ``docs/policies.md`` shows how to
write one.

Ready jobs come in classes of equal shape, of which a policy needs to look at the heads only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import NamedTuple, Protocol

from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Launch
from tntpipe.scheduler.molding import Guidance, Shape

OVERRUN_FACTOR = 1.1
"""A job that runs longer than its estimate is expected to take this times its age (Tsafrir 2007 corrects likewise)."""


class Rank(NamedTuple):
    """A job's place in the order: two numbers of the policy's, then the name; the smaller starts first."""

    first: float
    second: float
    name: str


class Levels(NamedTuple):
    """The heaviest chain that begins with a job, itself included, each job with its fewest CPUs.

    ``path_s`` weighs by seconds: the bottom level. ``memory_byte_s`` weighs by seconds times bytes of memory.
    """

    path_s: float
    memory_byte_s: float


class Occupation(NamedTuple):
    """A running job: what it holds, since when, and until when by its estimate. Compares by end, then name."""

    ends: float
    name: str
    since: float
    request: Resources


@dataclass(slots=True, eq=False)
class ReadyClass:
    """The ready jobs of one shape, as a heap, and their turn by the guidance (see there)."""

    shape: Shape
    turn: int = 0
    heap: list[Rank] = field(default_factory=list)

    def after_head(self) -> Iterator[Rank]:
        """Yield all but the first, in order, each in the logarithm of how many were taken."""
        heap = self.heap
        frontier = [(rank, position) for position, rank in enumerate(heap[1:3], start=1)]
        heapify(frontier)
        while frontier:
            rank, position = heappop(frontier)
            yield rank
            for child in range(2 * position + 1, min(2 * position + 3, len(heap))):
                heappush(frontier, (heap[child], child))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The job ``name`` should be able to start with ``request`` at ``shadow_time``, and will then leave ``spare``."""

    name: str
    request: Resources
    shadow_time: float
    spare: Resources


class Packing(NamedTuple):
    """A decision: of each class the first so many are launched; what is still ready waits, and ``free`` is left."""

    launches: tuple[Launch, ...]
    reservation: Reservation | None
    free: Resources


class Policy(Protocol):
    """Decides what starts next."""

    @property
    def scans_in_turn(self) -> bool:
        """Whether scans are begun in turn, about as many at a time as there are CPUs; else all are ready at once."""
        ...

    def rank(self, job: Job, levels: Levels, place: int) -> tuple[float, float]:
        """Where a job stands among ready ones of its shape: the smaller starts first, and of equals the first by name.

        Parameters
        ----------
        job
            With its request and its expected wall time.
        levels
            The longest chain that begins with it, and the one that takes most memory for longest.
        place
            In the topological order of the jobs, generation by generation.
        """
        ...

    def pack(
        self,
        ready: Collection[ReadyClass],
        running: Sequence[Occupation],
        free: Resources,
        now: float,
        guidance: Guidance,
        promised: Reservation | None,
    ) -> Packing:
        """Choose what starts now.

        Parameters
        ----------
        ready
            The ready jobs by shape, none empty; not to be changed. What starts of a class is its first jobs, in order.
        running
            What runs, by expected end; not to be changed.
        free
            What of the budget nobody holds; what is launched must fit in it.
        now
            Seconds on the scheduler's clock.
        guidance
            How many CPUs moldable jobs should have; a policy may ignore it.
        promised
            The reservation of the decision before.
        """
        ...
