"""What became of each scan, and how long it took: the time in which its steps ran, and that in which they waited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from tntpipe.journal.history import Attempt, Ending, History

SHARED = "shared by all scans"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRow:
    """One scan, or with an empty name what all scans share; ``n_over`` of its ``n_steps`` were over at the end."""

    scan: str
    outcome: str
    message: str
    n_steps: int
    n_over: int
    n_retried: int
    began_s: float
    ended_s: float
    running_s: float
    cpu_s: float
    peak_bytes: int
    attempts: tuple[Attempt, ...]
    waits: tuple[tuple[float, float], ...]

    @property
    def elapsed_s(self) -> float:
        """From the beginning of its first step to the end of its last one."""
        return self.ended_s - self.began_s

    @property
    def waited_s(self) -> float:
        """How much of that time none of its steps ran."""
        return sum(ended_s - began_s for began_s, ended_s in self.waits)

    @property
    def label(self) -> str:
        """What it is called."""
        return self.scan or SHARED


def scan_rows(history: History) -> list[ScanRow]:
    """A row for what all scans share, and for each scan that was to be run or was refused, by when they began.

    Scans of which no step began come last.
    """
    by_scan: dict[str, list[Attempt]] = {}
    for attempt in history.attempts:
        by_scan.setdefault(attempt.scan, []).append(attempt)
    known = dict.fromkeys([*history.facts.scans, *by_scan, *history.scans])
    rows = [_row(history, scan, by_scan.get(scan, [])) for scan in known]
    return sorted(rows, key=lambda row: (not row.attempts, row.scan != "", row.began_s, row.ended_s, row.scan))


def _row(history: History, scan: str, attempts: list[Attempt]) -> ScanRow:
    end = history.scans.get(scan)
    over = {a.name for a in attempts if a.ending in (Ending.DONE, Ending.REUSED, Ending.FAILED)}
    ran = sorted((a.began_s, a.ended_s) for a in attempts)
    busy = merged(ran)
    outcome = end.outcome.value if end else "" if not scan else "unfinished"
    return ScanRow(
        scan=scan,
        outcome=outcome,
        message=end.message if end else "",
        n_steps=history.facts.scans.get(scan, 0),
        n_over=len(over) + history.facts.reused.get(scan, 0),
        n_retried=sum(attempt.ending is Ending.RETRIED for attempt in attempts),
        began_s=ran[0][0] if ran else 0.0,
        ended_s=max((ended_s for _, ended_s in ran), default=0.0),
        running_s=sum(ended_s - began_s for began_s, ended_s in busy),
        cpu_s=sum(attempt.cpu_s for attempt in attempts),
        peak_bytes=max((attempt.peak_bytes for attempt in attempts), default=0),
        attempts=tuple(attempts),
        waits=tuple((before[1], after[0]) for before, after in pairwise(busy)),
    )


def merged(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans in order of their beginnings, those that touch or overlap made one.

    >>> merged([(0, 2), (1, 3), (3, 4), (6, 7)])
    [(0, 4), (6, 7)]
    """
    whole: list[tuple[float, float]] = []
    for began_s, ended_s in spans:
        if whole and began_s <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(whole[-1][1], ended_s)
        else:
            whole.append((began_s, ended_s))
    return whole
