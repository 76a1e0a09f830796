"""What the scheduler is told of a step: a name, a request and an estimate; not what it runs, nor where."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from tntpipe.resources import Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the scheduler is told of a step: ``follows`` names the jobs it comes after, ``group`` the scan it serves.

    ``request`` is the least that it can run with, and ``wall_s`` what it then takes. A moldable job may be given up to
    ``max_cpus`` CPUs; it is then faster by the ratio of S(k) = k / (1 + a (k - 1)), where a is ``thread_overhead``
    (Turek, Wolf and Yu 1992 named such jobs; with a = 1 nothing is gained). Its memory stays the same.
    """

    name: str
    request: Resources
    wall_s: float
    follows: tuple[str, ...] = ()
    group: str = ""
    kind: str = ""
    max_cpus: int = 1
    thread_overhead: float = 0.0

    def __post_init__(self) -> None:
        if self.request.cpus < 1 or self.request.mem_bytes < 0:
            raise ValueError(
                f"{self.name} asks for {self.request}; a job needs at least one CPU and no negative memory"
            )
        if not 0 <= self.wall_s < math.inf:
            raise ValueError(f"{self.name} is estimated at {self.wall_s} s; an estimate is finite and not negative")
        if not 0 <= self.thread_overhead <= 1:
            raise ValueError(f"{self.name} has a thread overhead of {self.thread_overhead}; it lies between 0 and 1")

    @property
    def moldable(self) -> bool:
        """Whether more CPUs than it asks for could make it faster."""
        return self.max_cpus > self.request.cpus and self.thread_overhead < 1

    @property
    def cpu_choices(self) -> range:
        """The numbers of CPUs that it may be given."""
        return range(self.request.cpus, self.max_cpus + 1 if self.moldable else self.request.cpus + 1)

    def wall_s_at(self, cpus: int) -> float:
        """Expected wall time with a number of CPUs that is among the choices."""
        return self.scaled(self.wall_s, cpus)

    def scaled(self, seconds: float, cpus: int) -> float:
        """What seconds with its fewest CPUs become with so many."""
        return seconds * (
            seconds_of_one(cpus, self.thread_overhead) / seconds_of_one(self.request.cpus, self.thread_overhead)
        )


def seconds_of_one(cpus: int, thread_overhead: float) -> float:
    """What one second on one CPU becomes on several: 1 / S(k).

    >>> seconds_of_one(2, 0.5)
    0.75
    """
    return (1 + thread_overhead * (cpus - 1)) / cpus


class State(Enum):
    """Where a job stands; the last four are final."""

    WAITING = "waiting for the jobs it follows"
    READY = "ready, waiting for resources"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DROPPED = "dropped: a job it follows failed"
    STOPPED = "stopped by an interruption, before or while it ran"
