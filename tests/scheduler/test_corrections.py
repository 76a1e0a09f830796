"""What the scheduler does when it learns better while it runs.

Jobs that are run again, need something else than was thought, or hold more than they asked for: examples, and the rules
on random cases.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import budget, cases, job

from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.job import Job, State
from tntpipe.scheduler.messages import (
    Action,
    Ended,
    Event,
    Grown,
    Interrupted,
    Launch,
    MemoryPressed,
    Reestimated,
    Requeued,
)
from tntpipe.scheduler.why import BehindScans, WaitsForPressure, WaitsForResources


def ended(name: str) -> Ended:
    return Ended(name=name, succeeded=True)


def launched(actions: Sequence[Action]) -> list[str]:
    return [action.name for action in actions if isinstance(action, Launch)]


def test_a_job_that_is_requeued_starts_again_with_more_memory_and_nothing_behind_it_is_dropped() -> None:
    scheduler = Scheduler([job("a", gib=1), job("b", "a")], budget(1, 4))
    scheduler.start(0)
    (again,) = scheduler.handle([Requeued(name="a", mem_bytes=3 * GIB)], 1)
    assert isinstance(again, Launch) and again.request == Resources(1, 3 * GIB)
    assert launched(scheduler.handle([Ended(name="a", succeeded=True)], 2)) == ["b"]


def test_a_requeued_job_waits_for_its_new_request_and_never_asks_for_more_than_there_is() -> None:
    scheduler = Scheduler([job("a", gib=1), job("b", gib=2, wall_s=9)], budget(2, 4))
    scheduler.start(0)
    assert scheduler.handle([Requeued(name="a", mem_bytes=9 * GIB)], 1) == ()
    assert scheduler.why("a") == WaitsForResources(short_of=Resources(0, 2 * GIB), shadow_time=9)
    (again,) = scheduler.handle([Ended(name="b", succeeded=True)], 5)
    assert isinstance(again, Launch) and again.request == Resources(1, 4 * GIB)


def test_a_job_that_is_requeued_after_an_interruption_is_stopped() -> None:
    scheduler = Scheduler([job("a", gib=1)], budget(1, 4))
    scheduler.start(0)
    scheduler.handle([Interrupted()], 1)
    assert scheduler.handle([Requeued(name="a", mem_bytes=3 * GIB)], 2) == ()
    assert scheduler.state("a") is State.STOPPED and scheduler.finished


def test_what_a_running_job_takes_beyond_its_request_is_not_given_to_others() -> None:
    scheduler = Scheduler([job("a", gib=1, wall_s=3), job("b", gib=2, wall_s=2), job("c", gib=2)], budget(2, 4))
    assert launched(scheduler.start(0)) == ["a", "b"]
    scheduler.handle([Grown(name="a", mem_bytes=9 * GIB)], 1)
    assert scheduler.free.mem_bytes == 0, "as far as the budget has it"
    assert launched(scheduler.handle([Ended(name="b", succeeded=True)], 2)) == ["c"]
    scheduler.handle([Ended(name="a", succeeded=True), Ended(name="c", succeeded=True)], 3)
    assert scheduler.free == budget(2, 4)


def test_a_job_that_holds_less_than_it_asked_for_keeps_its_request() -> None:
    scheduler = Scheduler([job("a", gib=3)], budget(1, 4))
    scheduler.start(0)
    scheduler.handle([Grown(name="a", mem_bytes=GIB)], 1)
    assert scheduler.free.mem_bytes == GIB


def test_nothing_starts_while_memory_is_pressed_unless_nothing_runs() -> None:
    scheduler = Scheduler([job("a", wall_s=5), job("b", wall_s=4), job("c")], budget(2))
    scheduler.start(0)
    assert scheduler.handle([MemoryPressed(pressed=True), Ended(name="b", succeeded=True)], 1) == ()
    assert scheduler.why("c") == WaitsForPressure()
    assert launched(scheduler.handle([MemoryPressed(pressed=False)], 2)) == ["c"]
    scheduler.handle([MemoryPressed(pressed=True)], 3)
    assert scheduler.handle([Ended(name="a", succeeded=True)], 4) == ()


def test_the_last_running_job_ends_the_pressure_by_ending() -> None:
    scheduler = Scheduler([job("a", wall_s=5), job("b", "a")], budget(2))
    scheduler.start(0)
    assert launched(scheduler.handle([MemoryPressed(pressed=True), Ended(name="a", succeeded=True)], 1)) == ["b"]


def test_jobs_to_come_ask_for_what_was_learnt_and_those_that_run_keep_what_they_hold() -> None:
    jobs = [job(name, gib=1, wall_s=5) for name in "abc"]
    scheduler = Scheduler(jobs, budget(2, 4))
    scheduler.start(0)
    assert scheduler.handle([Reestimated(jobs=tuple(job(name, gib=3, wall_s=5) for name in "abc"))], 1) == ()
    assert scheduler.free.mem_bytes == 2 * GIB
    assert scheduler.handle([Ended(name="a", succeeded=True)], 2)[0].request.mem_bytes == 3 * GIB  # type: ignore[union-attr]


def test_the_order_follows_the_times_that_were_learnt() -> None:
    scheduler = Scheduler([job("a", wall_s=9), job("b", wall_s=2), job("c", wall_s=3)], budget(1))
    scheduler.start(0)
    scheduler.handle([Reestimated(jobs=(job("b", wall_s=8),))], 1)
    assert launched(scheduler.handle([Ended(name="a", succeeded=True)], 2)) == ["b"]


def test_a_scan_that_waits_for_its_turn_takes_the_place_that_was_learnt() -> None:
    scans = [replace(job(f"{name}/x", gib=1), group=name) for name in "abcdefgh"]
    scheduler = Scheduler(scans, budget(1, 4))
    assert launched(scheduler.start(0)) == ["a/x"] and scheduler.why("f/x") == BehindScans(n_under_way=1)
    scheduler.handle([Reestimated(jobs=(replace(scans[5], request=Resources(1, 2 * GIB)),))], 1)
    assert launched(scheduler.handle([ended("a/x")], 2)) == ["f/x"], "of equals the larger goes first"


def test_the_end_of_a_running_job_is_expected_when_it_was_learnt_to_be() -> None:
    scheduler = Scheduler([job("a", wall_s=9)], budget(1))
    scheduler.start(1)
    scheduler.handle([Reestimated(jobs=(job("a", wall_s=4),))], 2)
    assert [held.ends for held in scheduler.running] == [5] and scheduler.expected_s("a") == 4


@pytest.mark.parametrize(
    "other",
    [job("b"), job("a", cpus=2), job("a", "b"), replace(job("a"), group="s")],
    ids=["unknown", "CPUs", "follows", "scan"],
)
def test_what_is_no_other_estimate_of_the_same_job_is_refused(other: Job) -> None:
    scheduler = Scheduler([job("a")], budget(2))
    scheduler.start(0)
    with pytest.raises(ValueError, match="re-estimated"):
        scheduler.handle([Reestimated(jobs=(other,))], 1)


def scanned(jobs: Sequence[Job], rng: random.Random) -> list[Job]:
    """The same jobs, most of them moldable and in scans."""
    return [
        replace(
            told,
            group=rng.choice(("", "s", "t", "u")),
            max_cpus=max(told.request.cpus, rng.randint(1, 4)),
            thread_overhead=rng.choice((0.1, 1.0)),
        )
        for told in jobs
    ]


def misfortunes(scheduler: Scheduler, jobs: Sequence[Job], within: Resources, rng: random.Random) -> list[object]:
    """Events that may follow, one of them at least the end of a job."""
    events: list[object] = []
    running = [held.name for held in scheduler.running]
    over = rng.choice(running)
    for name in running:
        if rng.random() < 0.4:
            events.append(Grown(name=name, mem_bytes=rng.randint(0, 2 * within.mem_bytes)))
    if rng.random() < 0.3:
        events.append(MemoryPressed(pressed=rng.random() < 0.5))
    if rng.random() < 0.4:
        by_name = sorted(jobs, key=lambda told: told.name)
        told = [told for told in by_name if scheduler.state(told.name) in (State.WAITING, State.READY, State.RUNNING)]
        events.append(
            Reestimated(
                jobs=tuple(
                    replace(
                        again,
                        request=Resources(again.request.cpus, rng.randint(0, within.mem_bytes)),
                        wall_s=rng.uniform(0, 20),
                    )
                    for again in rng.sample(told, rng.randint(1, len(told)))
                )
            )
        )
    if rng.random() < 0.4:
        events.append(Requeued(name=over, mem_bytes=rng.randint(0, 2 * within.mem_bytes)))
    else:
        events.append(Ended(name=over, succeeded=True))
    return events


def play(jobs: Sequence[Job], within: Resources, seed: int) -> list[tuple[float, object]]:
    """A run with misfortunes, on which the rules are checked after each decision; all that happened."""
    rng = random.Random(seed)
    by_name = {told.name: told for told in jobs}
    scheduler = Scheduler(jobs, within)
    happened: list[tuple[float, object]] = []
    held: dict[str, Resources] = {}
    succeeded: set[str] = set()
    now, actions = 0.0, scheduler.start(0.0)
    for _ in range(2000):
        for action in actions:
            assert isinstance(action, Launch), "nothing failed"
            assert action.name not in held and succeeded.issuperset(by_name[action.name].follows)
            assert by_name[action.name].request.cpus <= action.request.cpus <= by_name[action.name].max_cpus
            held[action.name] = action.request
        happened += [(now, action) for action in actions]
        really = {running.name: running.request for running in scheduler.running}
        assert really.keys() == held.keys()
        for name, request in really.items():
            assert request.cpus == held[name].cpus and request.mem_bytes >= held[name].mem_bytes
        assert scheduler.free == within - sum(really.values(), Resources(0, 0))
        assert Resources(0, 0).fits_in(scheduler.free)
        if scheduler.finished:
            assert succeeded == by_name.keys()
            return happened
        assert scheduler.running, "something that fits alone always runs"
        events = misfortunes(scheduler, jobs, within, rng)
        for event in events:
            if isinstance(event, Ended | Requeued):
                del held[event.name]
            if isinstance(event, Ended):
                succeeded.add(event.name)
        now += rng.choice((0.0, rng.uniform(0, 5)))
        happened += [(now, event) for event in events]
        if rng.random() < 0.2:
            fork = scheduler.fork()
            if not scheduler._pressed:
                actions = scheduler.handle(events, now)
                assert fork.handle(events, now) == actions, "a fork goes on likewise"
                continue
            fork.handle(events, now)  # does not come back
        actions = scheduler.handle(events, now)
    raise AssertionError("the run does not end")


@settings(max_examples=200, deadline=None)
@given(cases(), st.integers(0, 2**32))
def test_budgets_and_precedence_hold_and_all_is_done_whatever_is_learnt(case, seed: int) -> None:
    jobs = scanned(case.jobs, random.Random(seed))
    assert play(jobs, case.within, seed) == play(list(reversed(jobs)), case.within, seed)


def memory_is_learnt(jobs: Sequence[Job], within: Resources, seed: int) -> list[tuple[float, Action]]:
    """What is done in a run of which nothing is learnt but how much memory jobs need."""
    rng = random.Random(seed)
    scheduler = Scheduler(jobs, within)
    done = [(0.0, action) for action in scheduler.start(0.0)]
    now = 0.0
    while not scheduler.finished:
        now += rng.uniform(0, 5)
        left = [told for told in scheduler.unfinished() if rng.random() < 0.5]
        sizes = [rng.randint(0, 4) * within.mem_bytes // 4 for _ in left]
        events: list[Event] = [
            Reestimated(
                jobs=tuple(
                    replace(told, request=Resources(told.request.cpus, size))
                    for told, size in zip(left, sizes, strict=True)
                )
            )
        ]
        over = rng.choice([held.name for held in scheduler.running])
        again = rng.random() < 0.3
        events.append(Requeued(name=over, mem_bytes=within.mem_bytes // 2) if again else ended(over))
        done += [(now, action) for action in scheduler.handle(events, now)]
    return done


@settings(max_examples=200, deadline=None)
@given(cases(), st.integers(0, 2**32))
def test_corrections_of_memory_alone_give_what_thinking_anew_about_everything_gives(case, seed: int) -> None:
    """But what depends on which jobs are over: the paths that count as nearly done, and the most CPUs of any job.

    All is halves and quarters, so that sums are exact.
    """
    jobs = [
        replace(told, request=Resources(1, 0), wall_s=float(round(told.wall_s)), max_cpus=3, thread_overhead=0.5)
        for told in scanned(case.jobs, random.Random(seed))
    ]
    within = Resources(case.within.cpus, 4 * GIB)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tntpipe.scheduler.nodes.NEARLY_DONE", 0.0)
        quickly = memory_is_learnt(jobs, within, seed)
        patch.setattr("tntpipe.scheduler.core.differ_in_memory_alone", lambda *_: False)
        assert memory_is_learnt(jobs, within, seed) == quickly
