"""What became of each scan, by the journals of all runs over an output folder; the last run that had it counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tntpipe.errors import TableError
from tntpipe.journal.events import Notice, RunEvent, RunStarted, ScanEnded, ScanOutcome
from tntpipe.journal.reader import read_journal

DONE, FAILED, REFUSED, UNFINISHED = "done", "failed", "refused", "unfinished"
MISSING, DAMAGED = "missing", "damaged"

STATUSES = {
    DONE: "All results are there.",
    FAILED: "A step failed.",
    REFUSED: "The image cannot be used; nothing was computed.",
    UNFINISHED: "A run is computing it, or was stopped.",
    MISSING: "It was done, and its results are not in the output folder any more.",
    DAMAGED: "A table of its results cannot be read.",
}
"""Levels of the column ``status``."""

_STATUS = {
    ScanOutcome.DONE: DONE,
    ScanOutcome.SKIPPED: DONE,
    ScanOutcome.FAILED: FAILED,
    ScanOutcome.REFUSED: REFUSED,
    ScanOutcome.STOPPED: UNFINISHED,
}
_TOLD = frozenset(kind.__name__ for kind in (RunStarted, ScanEnded, Notice))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a scan stands, why, and what is doubtful of it."""

    status: str
    reason: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """The outcome of each scan that a journal knows, and the journals that could not be read, with the reason."""

    outcomes: dict[str, Outcome]
    unread: tuple[str, ...]


def outcomes_in(logs: Path) -> Told:
    """What the journals in an output folder's ``logs`` say; of a run that goes on, what it has said until now."""
    outcomes: dict[str, Outcome] = {}
    unread: list[str] = []
    runs: list[tuple[float, str, list[RunEvent]]] = []
    for path in logs.glob("run-*/journal.jsonl"):
        try:
            events = list(read_journal(path, only=_TOLD))
        except TableError as error:
            unread.append(error.fact)
        except OSError as error:
            unread.append(f"{path} cannot be read: {error.strerror}.")
        else:
            runs.append((events[0][0] if events else 0.0, path.parent.name, [event for _, event in events]))
    for _, _, happened in sorted(runs, key=lambda run: run[:2]):
        outcomes |= dict(_outcomes(happened))
    return Told(outcomes, tuple(unread))


def _outcomes(events: Iterable[RunEvent]) -> Iterator[tuple[str, Outcome]]:
    """Of each scan of one run."""
    ended: dict[str, ScanEnded | None] = {}
    warnings: dict[str, tuple[str, ...]] = {}
    for event in events:
        match event:
            case RunStarted():
                ended |= dict.fromkeys(filter(None, event.scans))
            case ScanEnded():
                ended[event.scan] = event
            case Notice() if event.scan and event.level == "WARNING":
                warnings[event.scan] = (*warnings.get(event.scan, ()), event.text)
    for scan, end in ended.items():
        status = UNFINISHED if end is None else _STATUS[end.outcome]
        yield scan, Outcome(status, "" if end is None else end.message, warnings.get(scan, ()))
