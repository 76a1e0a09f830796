"""A run as it was, told by its events."""

from __future__ import annotations

import pytest
from recorded_runs import ToldRun, eventful_run, run_started, used

from tntpipe.errors import TableError
from tntpipe.formatting import GIB
from tntpipe.journal.events import Notice, Outcome, StepDropped, StepsWaiting
from tntpipe.journal.history import Ending, history_of


def test_each_attempt_has_its_own_times_request_and_ending() -> None:
    told = [
        (a.name, a.number, a.ready_s, a.began_s, a.ended_s, a.cpus, a.mem_bytes / GIB, a.ending)
        for a in eventful_run().history().attempts
    ]
    assert told == [
        ("s/a", 1, 0, 0, 10, 2, 2, Ending.DONE),
        ("s/b", 1, 10, 12, 14, 1, 1, Ending.RETRIED),
        ("s/b", 2, 14, 15, 20, 1, 2, Ending.DONE),
        ("s/c", 1, 20, 20, 22, 1, 4, Ending.FAILED),
        ("t/a", 1, 0, 10, 30, 1, 1, Ending.STOPPED),
    ]


def test_the_last_attempt_at_a_step_is_the_one_that_counts() -> None:
    last = eventful_run().history().last_attempts
    assert (last["s/b"].number, last["s/b"].ending, len(last)) == (2, Ending.DONE, 4)


def test_a_step_comes_after_the_one_whose_end_made_it_ready() -> None:
    last = eventful_run().history().last_attempts
    assert [last[name].after for name in ("s/a", "s/b", "s/c", "t/a")] == ["", "s/a", "s/b", ""]


def test_a_step_that_failed_makes_nothing_ready() -> None:
    run = ToldRun().ready(0, "s/a", "s/b").start(0, "s/a").start(0, "s/b").end(1, "s/a")
    run.end(2, "s/b", Outcome.FAILED).ready(3, "s/c").start(3, "s/c").end(4, "s/c")
    assert run.history().last_attempts["s/c"].after == "s/a"


def test_what_no_event_ended_is_unfinished_and_lasts_to_the_last_event() -> None:
    run = (
        ToldRun().ready(0, "s/a").start(1, "s/a", gib=2).look(3, "s/a", 2, 1.5, 0.7).tell(8, Notice(text="on it goes"))
    )
    (attempt,) = run.history().attempts
    assert (attempt.ending, attempt.began_s, attempt.ended_s) == (Ending.UNFINISHED, 1, 8)
    assert (attempt.cpu_s, attempt.peak_bytes) == (1.5, round(0.7 * GIB))
    assert run.history().exit_status is None


def test_looks_belong_to_the_attempt_that_they_were_at() -> None:
    run = ToldRun().ready(0, "s/b").start(0, "s/b").look(1, "s/b", 1, 1, 0.5).retry(2, "s/b", used(2, 2, 1))
    run.start(3, "s/b").look(4, "s/b", 1, 0.5, 0.25).end(5, "s/b", usage=used(2, 1, 0.5))
    assert [[look.cpu_s for look in attempt.looks] for attempt in run.history().attempts] == [[1], [0.5]]


def test_a_look_at_a_step_that_does_not_run_is_nobodys() -> None:
    assert ToldRun().look(1, "s/a", 1, 1, 1).history().attempts == ()


def test_a_step_that_was_reused_or_never_started_takes_no_time_and_no_cpus() -> None:
    run = ToldRun().ready(0, "s/a").ready(2, "s/b").end(3, "s/a", Outcome.REUSED)
    run.end(4, "s/b", Outcome.FAILED, message="it cannot be prepared: no room")
    assert [(a.ending, a.wall_s, a.cpus) for a in run.history().attempts] == [
        (Ending.REUSED, 0, 0),
        (Ending.FAILED, 0, 0),
    ]


def test_a_step_says_for_what_it_was_last_seen_waiting() -> None:
    run = ToldRun().ready(0, "s/a").tell(1, StepsWaiting(steps={"s/a": "waits for 1 CPU"}))
    run.tell(2, StepsWaiting(steps={"s/a": "waits for 2.0 GiB"})).start(3, "s/a").end(4, "s/a")
    assert run.history().attempts[0].waited_for == "waits for 2.0 GiB"


def test_a_clock_that_is_set_back_makes_no_time_negative() -> None:
    run = ToldRun().ready(0, "s/a").start(10, "s/a").end(4, "s/a", usage=used(2, 1, 1)).run_end(5)
    (attempt,) = run.history().attempts
    assert (attempt.began_s, attempt.ended_s, run.history().end_s) == (10, 10, 10)


def test_drops_and_notices_are_kept_with_their_reasons() -> None:
    run = (
        ToldRun().tell(1, StepDropped(name="s/b", scan="s", because="s/a")).tell(2, Notice(text="hm", level="WARNING"))
    )
    assert (run.history().dropped, run.history().notices) == ({"s/b": "s/a"}, ((2, "WARNING", "hm"),))


def test_a_journal_without_a_beginning_is_refused() -> None:
    with pytest.raises(TableError, match="no event"):
        history_of([])


def test_a_run_of_which_only_the_beginning_is_told_is_a_run() -> None:
    history = ToldRun(run_started()).history()
    assert (history.attempts, history.end_s, history.scans) == ((), 0, {})
