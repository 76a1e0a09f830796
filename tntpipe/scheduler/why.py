"""Why a job waits, or that it does not. Instants (``since``, ``shadow_time``) are seconds on the caller's clock."""

from __future__ import annotations

from dataclasses import dataclass

from tntpipe.resources import Resources


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
