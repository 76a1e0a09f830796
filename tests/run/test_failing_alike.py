"""What is wrong with all scans is said while there is time to stop the run."""

from __future__ import annotations

from itertools import chain

from tntpipe.journal.events import Outcome, RunEvent, ScanEnded, ScanOutcome, StepEnded
from tntpipe.run.failing_alike import FailingAlike


def failed(scan: str, kind: str) -> list[RunEvent]:
    return [
        StepEnded(name=f"{scan}/{kind}", scan=scan, kind=kind, outcome=Outcome.FAILED),
        ScanEnded(scan=scan, outcome=ScanOutcome.FAILED),
    ]


DONE = ScanEnded(scan="good", outcome=ScanOutcome.DONE)


def said(*events: RunEvent) -> list[tuple[str, str]]:
    failing = FailingAlike()
    return [(notice.level, notice.text) for event in events for notice in failing.follow(event)]


def alike(n: int, kind: str = "tissue") -> list[RunEvent]:
    return list(chain.from_iterable(failed(f"sub-{number}", kind) for number in range(n)))


def test_it_is_said_once_after_the_fifth_scan() -> None:
    assert said(*alike(4)) == []
    ((level, text),) = said(*alike(20))
    assert level == "WARNING" and "all 5 scans that have ended failed at tissue" in text


def test_scans_that_fail_at_different_steps_or_beside_good_ones_are_no_pattern() -> None:
    assert said(*alike(4), *failed("sub-x", "registration"), *failed("sub-y", "tissue")) == []
    assert said(*alike(3), DONE, *alike(20)) == []
