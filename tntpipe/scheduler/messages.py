"""What is said to the scheduler (events) and what it says (actions), each frozen: a list of them records a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tntpipe.formatting import counted
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job


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
    """Which policy of the portfolio leads ('' is the scheduler's own), and how CPUs are lent to moldable jobs.

    A job gets the fewest with which what is left of its scan ends by ``slack`` times the time to the horizon. With
    ``fixed_cpus`` it gets that many instead. With ``widen``, CPUs for which no job is ready go to those that start.
    Where memory is what the run is short of, the jobs that hold much of it get ``large_factor`` times the CPUs that
    would use both up.
    """

    slack: float = 1.0
    fixed_cpus: int | None = None
    widen: bool = False
    large_factor: float = 1.0
    policy: str = ""

    def __str__(self) -> str:
        leads = f"{self.policy}; " if self.policy else ""
        lent = ", idle CPUs lent" if self.widen else ""
        if self.fixed_cpus is not None:
            return f"{leads}{counted(self.fixed_cpus, 'CPU')} for each job that can use them{lent}"
        return f"{leads}the fewest CPUs that end each scan within {self.slack:.2g} of the time left{lent}"


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


Event = Ended | Requeued | Reestimated | Grown | MemoryPressed | Interrupted | RuleChosen

Action = Launch | Drop | Stop
