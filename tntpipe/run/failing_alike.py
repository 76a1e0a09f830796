"""Says early that something is wrong with more than a scan: all that have ended failed at the same kind of step."""

from __future__ import annotations

from collections.abc import Iterator

from tntpipe.journal.events import Notice, Outcome, RunEvent, ScanEnded, ScanOutcome, StepEnded

ENOUGH = 5
"""Scans that failed, and none that was done."""


class FailingAlike:
    """Follows a run, and says it once."""

    def __init__(self) -> None:
        self._failed_at: dict[str, str] = {}
        self._n_failed = 0
        self._is_over = False

    def follow(self, event: RunEvent) -> Iterator[Notice]:
        """The warning, when the fifth scan has failed."""
        if self._is_over:
            return
        if isinstance(event, StepEnded) and event.outcome is Outcome.FAILED and event.scan:
            self._failed_at.setdefault(event.scan, event.kind)
        elif isinstance(event, ScanEnded) and event.outcome is ScanOutcome.DONE:
            self._is_over = True
        elif isinstance(event, ScanEnded) and event.outcome is ScanOutcome.FAILED:
            self._n_failed += 1
            kinds = set(self._failed_at.values())
            if self._n_failed == ENOUGH and len(kinds) == 1 and len(self._failed_at) >= ENOUGH:
                self._is_over = True
                yield Notice(
                    text=f"all {ENOUGH} scans that have ended failed at {kinds.pop()}, and none is done: the cause may "
                    "be common to all. See a crash file in logs/; Ctrl-C stops the run, and what is finished is kept",
                    level="WARNING",
                )
