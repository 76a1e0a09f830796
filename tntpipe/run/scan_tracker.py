"""Tells when a scan has ended, and how, from the ends of its steps.

A failed step fails its scan; a step that all scans share fails every scan that is dropped because of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tntpipe.journal.events import Outcome, RunEvent, ScanEnded, ScanOutcome, StepDropped, StepEnded
from tntpipe.steps.graph import Graph


class ScanTracker:
    """Follows the steps of ``graph`` that are not in ``done``."""

    def __init__(self, graph: Graph, scans: Iterable[str], done: Iterable[str]) -> None:
        done = set(done)
        self._left: dict[str, int] = dict.fromkeys(scans, 0)
        for step in graph:
            if step.scan and step.name not in done:
                self._left[step.scan] += 1
        self._outcomes: dict[str, ScanOutcome] = {}
        self._why: dict[str, str] = {}
        self._stopped: set[str] = set()

    @property
    def outcomes(self) -> dict[str, ScanOutcome]:
        """How each scan that has ended did."""
        return dict(self._outcomes)

    def begin(self) -> Iterator[ScanEnded]:
        """The scans that have nothing left to do."""
        for scan, n_left in self._left.items():
            if n_left == 0:
                yield self._end(scan, ScanOutcome.SKIPPED, "everything was there already")

    def follow(self, event: RunEvent) -> Iterator[ScanEnded]:
        """The scans that ended by this event."""
        if not isinstance(event, StepEnded | StepDropped) or event.scan not in self._left:
            return
        if isinstance(event, StepDropped):
            self._why.setdefault(event.scan, f"{event.because} failed")
        elif event.outcome is Outcome.FAILED:
            self._why[event.scan] = f"{event.kind} failed: {event.message}"
        elif event.outcome is Outcome.STOPPED:
            self._stopped.add(event.scan)
            return
        self._left[event.scan] -= 1
        if self._left[event.scan] == 0:
            failed = event.scan in self._why
            yield self._end(
                event.scan, ScanOutcome.FAILED if failed else ScanOutcome.DONE, self._why.get(event.scan, "")
            )

    def finish(self) -> Iterator[ScanEnded]:
        """The scans that the end of the run left unfinished."""
        for scan in self._left:
            if scan not in self._outcomes:
                why = self._why.get(scan)
                outcome = ScanOutcome.FAILED if why else ScanOutcome.STOPPED
                yield self._end(scan, outcome, why or "the run ended before it was finished")

    def _end(self, scan: str, outcome: ScanOutcome, message: str) -> ScanEnded:
        self._outcomes[scan] = outcome
        return ScanEnded(scan=scan, outcome=outcome, message=message)
