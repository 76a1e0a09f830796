"""When a scan has ended, and how, from the ends of its steps."""

from __future__ import annotations

from small_runs import COMMANDS, script

from tntpipe.journal.events import Outcome, ScanEnded, ScanOutcome, StepDropped, StepEnded
from tntpipe.run.scan_tracker import ScanTracker
from tntpipe.steps.graph import Graph, build_graph
from tntpipe.steps.step import Place, Step


def graph() -> Graph:
    """A model's step that all follow; scans ``s`` and ``t`` with two steps each."""
    model = Step(place=Place(folder="model"), kind="m", program="sh", arguments=(), inputs=(), outputs=("out",))
    scans = [script(f"{s}/a", "x", "model/m/out") for s in "st"] + [script(f"{s}/b", "x", f"{s}/a/out") for s in "st"]
    return build_graph([model, *scans], COMMANDS)


def tracker(*done: str) -> ScanTracker:
    return ScanTracker(graph(), ["s", "t"], done)


def ended(name: str, outcome: Outcome = Outcome.DONE, message: str = "") -> StepEnded:
    scan, kind = name.split("/")
    scan = "" if scan == "model" else scan
    return StepEnded(name=name, scan=scan, kind=kind, outcome=outcome, message=message)


def dropped(name: str, because: str) -> StepDropped:
    return StepDropped(name=name, scan=name.split("/")[0], because=because)


def told(tracker: ScanTracker, *events: StepEnded | StepDropped) -> list[tuple[str, ScanOutcome, str]]:
    return [(e.scan, e.outcome, e.message) for event in events for e in tracker.follow(event)]


def test_a_scan_is_done_with_its_last_step_and_no_earlier() -> None:
    scans = tracker()
    assert told(scans, ended("model/m"), ended("s/a"), ended("t/a"), ended("t/b", Outcome.REUSED)) == [
        ("t", ScanOutcome.DONE, "")
    ]
    assert told(scans, ended("s/b")) == [("s", ScanOutcome.DONE, "")]
    assert list(scans.finish()) == []
    assert scans.outcomes == {"s": ScanOutcome.DONE, "t": ScanOutcome.DONE}


def test_a_scan_whose_steps_were_all_done_before_is_skipped() -> None:
    scans = tracker("model/m", "s/a", "s/b", "t/a")
    assert list(scans.begin()) == [
        ScanEnded(scan="s", outcome=ScanOutcome.SKIPPED, message="everything was there already")
    ]
    assert told(scans, ended("t/b")) == [("t", ScanOutcome.DONE, "")]


def test_a_failed_step_fails_its_scan_with_its_reason_once_the_rest_is_dropped() -> None:
    scans = tracker()
    assert told(scans, ended("s/a", Outcome.FAILED, "exit status 3")) == []
    assert told(scans, dropped("s/b", "s/a")) == [("s", ScanOutcome.FAILED, "a failed: exit status 3")]


def test_a_failed_step_of_the_model_fails_every_scan() -> None:
    scans = tracker()
    events = [ended("model/m", Outcome.FAILED), *(dropped(f"{s}/{k}", "model/m") for s in "st" for k in "ab")]
    assert told(scans, *events) == [
        ("s", ScanOutcome.FAILED, "model/m failed"),
        ("t", ScanOutcome.FAILED, "model/m failed"),
    ]


def test_an_interrupted_scan_is_unfinished_and_not_failed() -> None:
    scans = tracker()
    assert told(scans, ended("s/a"), ended("s/b", Outcome.STOPPED), ended("t/a", Outcome.FAILED, "x")) == []
    assert [(e.scan, e.outcome) for e in scans.finish()] == [("s", ScanOutcome.STOPPED), ("t", ScanOutcome.FAILED)]


def test_a_scan_ends_once() -> None:
    scans = tracker("s/a", "s/b", "t/a", "t/b", "model/m")
    assert len(list(scans.begin())) == 2
    assert list(scans.finish()) == []
