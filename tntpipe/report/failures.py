"""What failed in a run, and why: steps with the last lines of their logs, and scans that were refused."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tntpipe.journal.events import ScanOutcome
from tntpipe.journal.history import Attempt, Ending, History
from tntpipe.store.step_logs import StepLogs, log_tail
from tntpipe.store.work_folder import LOG_NAME

MOST_TAILS = 50
"""So many failures are shown with their logs; a page of hundreds would tell the same again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedStep:
    """A step that failed; ``n_dropped`` others were left out because of it.

    ``log`` is None where it is not there any more; ``link`` leads to one in the run's folder, seen from there.
    """

    attempt: Attempt
    command: str
    log: Path | None
    link: str
    last_lines: tuple[str, ...]
    n_dropped: int
    cause: str = ""
    advice: tuple[str, ...] = ()


Explain = Callable[[Attempt, Sequence[str]], tuple[str, Sequence[str]]]
"""From an attempt and the last lines of its log: the cause, and what to do about it, a thing a line."""


def unexplained(_attempt: Attempt, _last_lines: Sequence[str]) -> tuple[str, Sequence[str]]:
    """No cause is known."""
    return "", ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """All that failed, in the order in which it happened."""

    steps: tuple[FailedStep, ...]
    refused: tuple[tuple[str, str], ...]


def failures_of(history: History, run_dir: Path, explain: Explain = unexplained) -> Failures:
    """What failed; logs are read where they still are."""
    dropped = Counter(history.dropped.values())
    failed = [attempt for attempt in history.attempts if attempt.ending is Ending.FAILED]
    return Failures(
        steps=tuple(
            _failed(attempt, run_dir, dropped[attempt.name], number <= MOST_TAILS, explain)
            for number, attempt in enumerate(failed, 1)
        ),
        refused=tuple((scan, end.message) for scan, end in history.scans.items() if end.outcome is ScanOutcome.REFUSED),
    )


def _failed(attempt: Attempt, run_dir: Path, n_dropped: int, shows_log: bool, explain: Explain) -> FailedStep:
    places = [StepLogs(run_dir).path(attempt.name)]
    if attempt.folder:
        places.append(Path(attempt.folder) / LOG_NAME)
    log = next((place for place in places if place.is_file()), None)
    last_lines = tuple(log_tail(log)) if log is not None and shows_log else ()
    cause, advice = explain(attempt, last_lines)
    return FailedStep(
        attempt=attempt,
        command=shlex.join(attempt.argv),
        log=log,
        link=quote(str(log.relative_to(run_dir))) if log is not None and log.is_relative_to(run_dir) else "",
        last_lines=last_lines,
        n_dropped=n_dropped,
        cause=cause,
        advice=tuple(advice),
    )
