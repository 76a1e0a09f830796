"""A long run in small: every scan accounted for once, and a journal that grows in proportion."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.soak import soak
from tntpipe.journal.events import ScanEnded, ScanOutcome, StepRetried
from tntpipe.journal.reader import read_journal

N_SCANS = 60


def test_failures_and_retries_lose_no_scan_and_count_none_twice(tmp_path: Path) -> None:
    told, world = soak(N_SCANS, tmp_path)
    outcomes = Counter(told.tracker.outcomes.values())
    assert outcomes[ScanOutcome.DONE] + outcomes[ScanOutcome.FAILED] == N_SCANS and outcomes[ScanOutcome.FAILED] > 5
    assert set(told.scan_ends.values()) == {1} and len(told.scan_ends) == N_SCANS
    events = [event for _, event in read_journal(told.path)]
    assert Counter(event.scan for event in events if isinstance(event, ScanEnded)) == told.scan_ends
    assert sum(isinstance(event, StepRetried) for event in events) == sum(not death.given_up for death in world.deaths)
    assert len(world.deaths) > 10 and not told.state.running and not told.began


def test_the_journal_grows_in_proportion_to_the_steps(tmp_path: Path) -> None:
    told, _ = soak(N_SCANS, tmp_path)
    first, last = told.marks[1], told.marks[-1]
    assert last.journal_bytes / last.n_steps < 1.1 * first.journal_bytes / first.n_steps
