"""What happens in a run, as data: the one stream behind the journal, the display and the crash files.

Every view of a run is a fold over these. Times are seconds since the epoch, stamped when the event is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from tntpipe.decoding import Count, Figure, Seconds, Status
from tntpipe.journal.usage import Usage
from tntpipe.resources import Host

Setting = bool | int | float | str | None


class Outcome(str, Enum):
    """How a step ended."""

    DONE = "done"
    REUSED = "reused"
    FAILED = "failed"
    STOPPED = "stopped"


class ScanOutcome(str, Enum):
    """How a scan ended: ``skipped`` had nothing left to do, ``refused`` never began."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    REFUSED = "refused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """``scans`` maps a scan to its number of steps; ``reused`` to how many of them were done before.

    ``host`` holds ``name``, ``cpus`` and ``mem_bytes`` of the machine; ``cpus`` and ``mem_bytes`` are the budget, and
    ``budget`` says where it comes from. ``folders`` are the dataset, the output and the work folder.
    """

    command: tuple[str, ...]
    version: str
    ants: str
    host: Host
    pid: Count
    cpus: Count
    mem_bytes: Count
    budget: str
    scans: Mapping[str, Count]
    reused: Mapping[str, Count]
    settings: Mapping[str, Setting]
    folders: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReady:
    """All that the step follows is done; what it is, is told here once."""

    name: str
    scan: str
    kind: str
    variant: str
    voxels: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class StepAdmitted:
    """The scheduler lets the step start with so much, expects it to take so long, and says by which of its rules."""

    name: str
    cpus: Count
    mem_bytes: Count
    expected_s: Seconds
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    name: str
    scan: str
    kind: str
    cpus: Count
    mem_bytes: Count
    pid: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSampled:
    """One look at a running step and all that it started; ``cpus`` are busy ones since the look before."""

    name: str
    age_s: Seconds
    cpu_s: Figure
    cpus: Figure
    rss_bytes: Count
    vms_bytes: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """``usage`` is None for a step that was reused or never started; ``folder`` is where its log is.

    ``argv`` is told of those that failed; of others it stands in the record of the step.
    """

    name: str
    scan: str
    kind: str
    outcome: Outcome
    usage: Usage | None = None
    message: str = ""
    argv: tuple[str, ...] = ()
    folder: str = ""


class RetryCause(str, Enum):
    """Why a step that did not succeed will be run again."""

    OUT_OF_MEMORY = "out of memory"
    STOPPED_FOR_MEMORY = "stopped, so that the machine keeps memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRetried:
    """The step ended without a result, and waits to be run again with the request ``mem_bytes``."""

    name: str
    scan: str
    kind: str
    cause: RetryCause
    n_tries: Count
    mem_bytes: Count
    usage: Usage | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDropped:
    name: str
    scan: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsWaiting:
    """The first of the steps that could run but wait, in the order in which they would start, and why."""

    steps: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindLearnt:
    """What this run has taught of one kind of step: the request and the time expected of the steps still to come.

    ``n`` steps of it have ended; ``mem_bytes`` is the largest request of those to come, ``time_ratio`` how many times
    the first estimate their CPU time is.
    """

    kind: str
    variant: str
    n: Count
    mem_bytes: Count
    time_ratio: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class RunForecast:
    """The rest of the run on a simulated clock: in so many seconds it should end."""

    seconds_left: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanEnded:
    scan: str
    outcome: ScanOutcome
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that a person should know, of one ``scan`` or of the run; ``level`` is a level of :mod:`logging`."""

    text: str
    level: str = "INFO"
    scan: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    exit_status: Status
    scans: Mapping[str, str]


RunEvent = (
    RunStarted
    | StepReady
    | StepAdmitted
    | StepStarted
    | StepSampled
    | StepEnded
    | StepRetried
    | StepDropped
    | StepsWaiting
    | KindLearnt
    | RunForecast
    | ScanEnded
    | Notice
    | RunEnded
)
