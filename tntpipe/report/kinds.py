"""What each kind of step took and used, against what it was given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from statistics import median

from tntpipe.journal.history import Attempt, Ending, History

TIGHT_SHARE = 0.95
"""A peak above this part of the request is called tight."""

WASTED_SHARE = 0.5
WASTED_EFFICIENCY = 0.5
"""Where no peak reaches this part of the request, or CPUs are busy for less than this part of their time, they are
called wasted."""

LEAST_TOLD_BYTES = 256 * 2**20
LEAST_TOLD_WALL_S = 5.0
"""Of requests and steps smaller than these nothing is called wasted: nothing is to be had there."""


class Verdict(Enum):
    """What to say of a figure."""

    FINE = ""
    TIGHT = "tight"
    WASTED = "wasted"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """The attempts at steps of one kind that had their own end; ``n_retried`` others were run again.

    Shares are of what was reserved: ``cpu_share`` of the CPU time, ``largest_share`` the largest part of a request that
    a peak came to.
    """

    kind: str
    variant: str
    n: int
    n_failed: int
    n_retried: int
    median_wall_s: float
    longest_wall_s: float
    expected_ratio: float | None
    cpu_s: float
    cpu_share: float
    median_peak_bytes: int
    largest_peak_bytes: int
    largest_request_bytes: int
    largest_share: float
    idle_byte_s: float

    @property
    def cpu_verdict(self) -> Verdict:
        """Whether its CPUs were worth reserving."""
        wasted = self.cpu_share < WASTED_EFFICIENCY and self.longest_wall_s >= LEAST_TOLD_WALL_S
        return Verdict.WASTED if wasted else Verdict.FINE

    @property
    def memory_verdict(self) -> Verdict:
        """Whether its requests were too near what was needed, or too far above."""
        if self.n_retried or self.largest_share > TIGHT_SHARE:
            return Verdict.TIGHT
        wasted = self.largest_share < WASTED_SHARE and self.largest_request_bytes >= LEAST_TOLD_BYTES
        return Verdict.WASTED if wasted else Verdict.FINE


def kind_rows(history: History) -> list[KindRow]:
    """A row for each kind and variant, those that used most CPU time first."""
    groups: dict[tuple[str, str], list[Attempt]] = {}
    for attempt in history.attempts:
        if attempt.cpus > 0 and attempt.ending in (Ending.DONE, Ending.FAILED, Ending.RETRIED):
            groups.setdefault((attempt.kind, attempt.variant), []).append(attempt)
    rows = [_row(kind, variant, attempts) for (kind, variant), attempts in groups.items()]
    return sorted(rows, key=lambda row: (-row.cpu_s, row.kind, row.variant))


def _row(kind: str, variant: str, attempts: list[Attempt]) -> KindRow:
    own_end = [attempt for attempt in attempts if attempt.ending is not Ending.RETRIED] or attempts
    reserved_cpu_s = sum(attempt.cpus * attempt.wall_s for attempt in own_end)
    cpu_s = sum(attempt.cpu_s for attempt in own_end)
    walls_s = [attempt.wall_s for attempt in own_end]
    peaks = [attempt.peak_bytes for attempt in own_end]
    return KindRow(
        kind=kind,
        variant=variant,
        n=len(own_end),
        n_failed=sum(attempt.ending is Ending.FAILED for attempt in attempts),
        n_retried=sum(attempt.ending is Ending.RETRIED for attempt in attempts),
        median_wall_s=median(walls_s),
        longest_wall_s=max(walls_s),
        expected_ratio=_median(a.wall_s / a.expected_s for a in own_end if a.expected_s > 0),
        cpu_s=cpu_s,
        cpu_share=cpu_s / reserved_cpu_s if reserved_cpu_s > 0 else 1.0,
        median_peak_bytes=round(median(peaks)),
        largest_peak_bytes=max(peaks),
        largest_request_bytes=max(attempt.mem_bytes for attempt in own_end),
        largest_share=max((a.peak_bytes / a.mem_bytes for a in own_end if a.mem_bytes > 0), default=0.0),
        idle_byte_s=sum(max(0, a.mem_bytes - a.peak_bytes) * a.wall_s for a in own_end),
    )


def _median(values: Iterable[float]) -> float | None:
    known = list(values)
    return median(known) if known else None
