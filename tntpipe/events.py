"""What happens in a run, as data: the one stream behind the journal, the display and the crash files.

Every view of a run is a fold over these. Times are seconds since the epoch, stamped when the event is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


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
    """``scans`` maps a scan to its number of steps; ``reused`` to how many of them were done before."""

    command: tuple[str, ...]
    version: str
    ants: str
    cpus: int
    mem_bytes: int
    scans: Mapping[str, int]
    reused: Mapping[str, int]
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    name: str
    scan: str
    kind: str
    cpus: int
    mem_bytes: int
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSampled:
    name: str
    cpu_s: float
    rss_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """``usage`` is empty for a step that was reused or never started; ``folder`` is where its log is."""

    name: str
    scan: str
    kind: str
    outcome: Outcome
    usage: Mapping[str, Any]
    message: str = ""
    argv: tuple[str, ...] = ()
    folder: str = ""


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
class ScanEnded:
    scan: str
    outcome: ScanOutcome
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that a person should know; ``level`` is a level of :mod:`logging`."""

    text: str
    level: str = "INFO"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    exit_status: int
    scans: Mapping[str, str]


RunEvent = (
    RunStarted | StepStarted | StepSampled | StepEnded | StepDropped | StepsWaiting | ScanEnded | Notice | RunEnded
)
