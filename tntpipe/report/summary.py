"""The figures at the top of a report: how the run went, how long it took, and what it made of its budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tntpipe.formatting import counted
from tntpipe.journal.events import ScanOutcome
from tntpipe.journal.history import Ending, History
from tntpipe.planning.bounds.lower_bounds import LowerBound
from tntpipe.report.bound import Chain, bound_of, last_chain
from tntpipe.report.curves import Curves

STOPPED_FROM = 128
"""Exit statuses above this are those of a signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Shares are of the budget's CPU seconds; ``bound`` is None where nothing ran to its end."""

    verdict: str
    is_good: bool
    makespan_s: float
    bound: LowerBound | None
    chain: Chain
    cpu_s: float
    reserved_cpu_s: float
    budget_cpu_s: float
    largest_held_bytes: int
    largest_reserved_bytes: int
    n_steps: int
    n_before: int
    attempts: Mapping[Ending, int]
    n_dropped: int
    scans: Mapping[ScanOutcome, int]

    @property
    def bound_ratio(self) -> float | None:
        """How many times its lower bound the run took."""
        return self.makespan_s / self.bound.seconds if self.bound is not None and self.bound.seconds > 0 else None

    @property
    def busy_share(self) -> float:
        """CPU time used, of what the budget had."""
        return self.cpu_s / self.budget_cpu_s if self.budget_cpu_s > 0 else 0.0

    @property
    def reserved_share(self) -> float:
        """CPU time reserved, of what the budget had."""
        return self.reserved_cpu_s / self.budget_cpu_s if self.budget_cpu_s > 0 else 0.0


def summary_of(history: History, curves: Curves) -> Summary:
    """The figures of a run."""
    outcomes = Counter(end.outcome for end in history.scans.values())
    scans = {outcome: outcomes[outcome] for outcome in ScanOutcome if outcome in outcomes}
    endings = Counter(attempt.ending for attempt in history.attempts)
    verdict, is_good = _verdict(history.exit_status, scans)
    return Summary(
        verdict=verdict,
        is_good=is_good,
        makespan_s=history.end_s,
        bound=bound_of(history),
        chain=last_chain(history),
        cpu_s=sum(attempt.cpu_s for attempt in history.attempts),
        reserved_cpu_s=sum(attempt.cpus * attempt.wall_s for attempt in history.attempts),
        budget_cpu_s=history.facts.cpus * history.end_s,
        largest_held_bytes=max(curves.held_bytes),
        largest_reserved_bytes=max(curves.reserved_bytes),
        n_steps=sum(history.facts.scans.values()),
        n_before=sum(history.facts.reused.values()),
        attempts={ending: endings[ending] for ending in Ending if ending in endings},
        n_dropped=len(history.dropped),
        scans=scans,
    )


def _verdict(exit_status: int | None, scans: Mapping[ScanOutcome, int]) -> tuple[str, bool]:
    """How it went, in words."""
    n_bad = scans.get(ScanOutcome.FAILED, 0) + scans.get(ScanOutcome.REFUSED, 0)
    if exit_status is None:
        return "not ended: it was killed, or goes on", False
    if exit_status > STOPPED_FROM:
        return "stopped before its end; the same command goes on", False
    if n_bad:
        return f"done; {counted(n_bad, 'scan')} failed", False
    return ("done", True) if exit_status == 0 else (f"ended with status {exit_status}", False)
