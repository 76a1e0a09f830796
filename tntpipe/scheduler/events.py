"""The scheduler's vocabulary: jobs, what happens to them, what is to be done, and why a job waits.

It decides nothing. It does not know what a job runs, nor where: a job is a name, a request and an estimate. Every value
is frozen, so that a list of events and actions is a record of the run. Instants (``now``, ``since``, ``shadow_time``)
are seconds on the caller's clock, whatever its zero.
"""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a job that ended has taken: seconds with so many CPUs, and its largest memory."""

    wall_s: float
    cpus: int
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A running job ended; a job that was stopped, or could not be started, ended without success.

    ``used`` is for those who learn from it; None where nothing ran.
    """

    name: str
    succeeded: bool
    used: Used | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeued:
    """A running job ended without a result, and is to be run again with ``mem_bytes``, or with the whole budget."""

    name: str
    mem_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """A running job holds more memory than it asked for: so much, as far as the budget has it."""

    name: str
    mem_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPressed:
    """Whether the memory that is really used is so near the budget that nothing more should start."""

    pressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reestimated:
    """Jobs under names of jobs that are not over, with another request or time; CPUs and what they follow are as they
    were."""

    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """The user, or the machine, wants the whole run to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How CPUs are lent to moldable jobs.

    A job gets the fewest with which what is left of its scan ends by ``slack`` times the time to the horizon. With
    ``fixed_cpus`` it gets that many instead. With ``widen``, CPUs for which no job is ready go to those that start.
    Where memory is what the run is short of, the jobs that hold much of it get ``large_factor`` times the CPUs that
    would use both up.
    """

    slack: float = 1.0
    fixed_cpus: int | None = None
    widen: bool = False
    large_factor: float = 1.0

    def __str__(self) -> str:
        lent = ", idle CPUs lent" if self.widen else ""
        if self.fixed_cpus is not None:
            return f"{self.fixed_cpus} CPU{'' if self.fixed_cpus == 1 else 's'} for each job that can use them{lent}"
        return f"the fewest CPUs that end each scan within {self.slack:.2g} of the time left{lent}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChosen:
    """Somebody who looked ahead found this rule to be the best for what is left."""

    rule: Rule


class LaunchReason(Enum):
    """By which rule a job was launched."""

    IN_ORDER = "every job before it in the order is running or done"
    ENDS_BY_SHADOW_TIME = "it should end before the reserved job can start"
    FITS_BESIDE_RESERVATION = "it fits in what the reserved job will leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Start this job; ``request`` is what it may use."""

    name: str
    request: Resources
    reason: LaunchReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """This job will never run, because the job named ``because``, which it follows at any distance, failed."""

    name: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Stop this running job; that it ended is still to be reported."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStarted:
    """The job could run, but the run has not begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitsForJobs:
    """The jobs named have not succeeded yet."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitsForResources:
    """So much more would have to be free; ``shadow_time`` is when it should be, for the job that is reserved for."""

    short_of: Resources
    shadow_time: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitsForMoreCpus:
    """The job could start now, but should end earlier if it waits for the CPUs that are free at ``shadow_time``."""

    shadow_time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BehindReservation:
    """The job would fit now, but would delay the job ``name``, which should be able to start at ``shadow_time``."""

    name: str
    shadow_time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitsForPressure:
    """The job might fit by its request, but the memory that is really used is too near the budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BehindScans:
    """The job's scan has not begun: so many scans are under way, and one of them ends before another begins."""

    n_under_way: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The job does not wait: it runs since that instant."""

    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The job does not wait: it has ended by itself."""

    succeeded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The job will never run, because the job named failed."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The job ran or would have run, but the run was interrupted."""


Event = Ended | Requeued | Reestimated | Grown | MemoryPressed | Interrupted | RuleChosen
Action = Launch | Drop | Stop
Why = (
    NotStarted
    | WaitsForJobs
    | WaitsForResources
    | WaitsForMoreCpus
    | BehindReservation
    | BehindScans
    | WaitsForPressure
    | Running
    | Finished
    | Dropped
    | Stopped
)
