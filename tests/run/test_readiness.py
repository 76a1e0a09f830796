"""When a step becomes ready, from the ends of those that it follows."""

from __future__ import annotations

import pytest
from small_runs import COMMANDS, script

from tntpipe.journal.events import Outcome, StepEnded
from tntpipe.run.readiness import Readiness
from tntpipe.steps.graph import build_graph

STEPS = (
    script("s/a", "x"),
    script("s/b", "x"),
    script("s/c", "x", "s/a/out", "s/b/out"),
    script("s/d", "x", "s/c/out"),
)


def ended(name: str, outcome: Outcome) -> StepEnded:
    return StepEnded(name=name, scan="s", kind=name[-1], outcome=outcome)


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.REUSED])
def test_a_step_is_ready_when_the_last_that_it_follows_is_done(outcome: Outcome) -> None:
    readiness = Readiness(build_graph(STEPS, COMMANDS), done=())
    assert [ready.name for ready in readiness.begin()] == ["s/a", "s/b"]
    assert list(readiness.follow(ended("s/a", outcome))) == []
    assert [ready.name for ready in readiness.follow(ended("s/b", outcome))] == ["s/c"]


def test_what_is_done_before_the_run_is_neither_told_nor_waited_for() -> None:
    readiness = Readiness(build_graph(STEPS, COMMANDS), done={"s/a", "s/b"})
    assert [(ready.name, ready.kind, ready.scan) for ready in readiness.begin()] == [("s/c", "c", "s")]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.STOPPED])
def test_nothing_becomes_ready_by_a_step_that_did_not_succeed(outcome: Outcome) -> None:
    readiness = Readiness(build_graph(STEPS, COMMANDS), done={"s/a"})
    assert list(readiness.follow(ended("s/b", outcome))) == []
