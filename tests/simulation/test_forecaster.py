"""The forecaster foresees the end of a run as the scheduler will bring it about, and costs next to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from moldable_cases import cohorts
from test_adviser import wide_jobs
from virtual_time import budget, job, play

from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import Thinker
from tntpipe.scheduler.messages import Ended, Event, Interrupted, Reestimated, Rule, RuleChosen, Used
from tntpipe.scheduler.policy import OVERRUN_FACTOR
from tntpipe.simulation.adviser import Adviser
from tntpipe.simulation.forecaster import LEAST_S, SHARE, Forecaster, Thinkers
from tntpipe.simulation.rest_of_run import SLICE_ENDS
from tntpipe.simulation.speed import PRIOR_S, WIDEST, Speed

rule = settings(max_examples=40, deadline=None, derandomize=True)


class Remembering:
    """A forecaster that remembers, at each instant at which it told something, what end it foresaw."""

    def __init__(self, thinker: Thinker | None = None) -> None:
        self.foreseen: list[tuple[float, float]] = []
        self.now = 0.0
        self.forecaster = Forecaster(self._told, cpu_s=lambda: 0.0)
        self._thinker = self.forecaster if thinker is None else Thinkers(self.forecaster, thinker)

    def _told(self, left_s: float) -> None:
        self.foreseen.append((self.now, self.now + left_s))

    def consider(self, scheduler: Scheduler, now: float) -> Iterator[Event | None]:
        self.now = now
        for thought in self._thinker.consider(scheduler, now):
            if thought is not None:
                self.forecaster.note(thought, scheduler)
            yield thought


@rule
@given(cohorts(estimates="exact"))
def test_what_is_foreseen_at_the_start_is_what_the_run_takes_when_times_are_as_estimated(case):
    remembering = Remembering()
    story = play(*case, adviser=remembering)
    assert remembering.foreseen[0][1] == pytest.approx(story.makespan_s)


@rule
@given(cohorts(estimates="exact"))
def test_it_stays_true_as_long_as_times_are_as_estimated(case):
    remembering = Remembering()
    story = play(*case, adviser=remembering)
    assert [end for _, end in remembering.foreseen] == [pytest.approx(story.makespan_s)] * len(remembering.foreseen)


@rule
@given(cohorts(failing=True, interrupted=True, moody=True))
def test_foreseeing_changes_nothing_of_the_run(case):
    alone, watched = play(*case, adviser=Thinkers()), play(*case, adviser=Remembering())
    assert alone.happenings == watched.happenings


def test_with_an_adviser_beside_it_both_are_heard():
    remembering = Remembering(Adviser())
    story = play(wide_jobs(3), budget(8), rule=Rule(fixed_cpus=1), adviser=remembering)
    assert RuleChosen in {type(what) for _, what in story.happenings}
    first, last = remembering.foreseen[0], remembering.foreseen[-1]
    assert first[1] == pytest.approx(9 + 54), "under the rule that was in force"
    assert last[1] == pytest.approx(story.makespan_s), "a new rule is a surprise"


def started(*walls_s: float) -> Scheduler:
    """A chain of jobs, the first of which runs."""
    names = [f"j{number}" for number in range(len(walls_s))]
    scheduler = Scheduler(
        [job(name, *names[max(0, n - 1) : n], wall_s=walls_s[n]) for n, name in enumerate(names)], budget(1)
    )
    scheduler.start(0.0)
    return scheduler


def considered(forecaster: Forecaster, scheduler: Scheduler, now: float) -> int:
    """How many slices it thought for."""
    return sum(1 for _ in forecaster.consider(scheduler, now))


def test_a_job_that_runs_for_longer_than_expected_is_expected_to_go_on_as_the_policy_expects():
    told: list[float] = []
    considered(Forecaster(told.append), started(10, 5), 30.0)
    assert told == [pytest.approx((OVERRUN_FACTOR - 1) * 30.0 + 5)]


def test_it_thinks_again_after_a_part_of_the_time_left_or_a_surprise_and_not_before():
    told: list[float] = []
    forecaster, scheduler = Forecaster(told.append, cpu_s=lambda: 0.0), started(100, 900)
    for now in (0.0, 10.0, 49.0, 50.0, 51.0, 97.0, 98.0):
        considered(forecaster, scheduler, now)
    assert told == [1000.0, 950.0, 902.0]
    forecaster.note(Ended(name="other", succeeded=True), scheduler)
    considered(forecaster, scheduler, 98.5)
    assert len(told) == 3, "that a job ends was to be foreseen"
    forecaster.note(Ended(name="other", succeeded=False), scheduler)
    considered(forecaster, scheduler, 98.0 + LEAST_S / 2)
    assert len(told) == 3, "however many surprises there are"
    considered(forecaster, scheduler, 98.0 + LEAST_S)
    assert len(told) == 4


def test_once_the_run_is_being_stopped_nothing_is_foreseen():
    told: list[float] = []
    forecaster = Forecaster(told.append)
    forecaster.note(Interrupted(), started(10))
    assert considered(forecaster, started(10), 0.0) == 0 and not told


class SlowScheduler(Scheduler):
    """Its forks' decisions take 10 ms of CPU each."""

    used_s = 0.0

    def fork(self) -> Scheduler:
        other = super().fork()
        other.__class__ = SlowScheduler
        return other

    def handle(self, events, now):
        SlowScheduler.used_s += 0.01
        return super().handle(events, now)


def test_it_takes_no_more_than_its_share_of_a_cpu_however_long_it_thinks_and_however_often_it_is_surprised():
    """Each decision takes 10 ms here."""
    told: list[float] = []
    scheduler = started(*[1000.0] * 200)
    scheduler.__class__ = SlowScheduler
    SlowScheduler.used_s = 0.0
    forecaster = Forecaster(told.append, cpu_s=lambda: SlowScheduler.used_s)
    considered(forecaster, scheduler, 0.0)
    first_s = SlowScheduler.used_s
    for second in range(1, 5001):
        forecaster.note(Ended(name="other", succeeded=False), scheduler)
        considered(forecaster, scheduler, float(second))
    assert len(told) > 3
    assert SlowScheduler.used_s - first_s <= SHARE * 5000


def test_it_thinks_in_slices_and_goes_on_where_it_was_broken_off():
    told: list[float] = []
    forecaster, scheduler = Forecaster(told.append), started(*[1.0] * (3 * SLICE_ENDS))
    for _ in range(2):
        next(forecaster.consider(scheduler, 0.0))
    assert not told
    assert considered(forecaster, scheduler, 0.0) <= 2
    assert told == [3.0 * SLICE_ENDS]


def test_it_does_not_begin_again_while_it_thinks():
    """A tick of the display may ask it while it waits for the end of a slice of its own."""
    told: list[float] = []
    forecaster, scheduler = Forecaster(told.append), started(*[1.0] * (3 * SLICE_ENDS))
    thinking = forecaster.consider(scheduler, 0.0)
    next(thinking)
    assert considered(forecaster, scheduler, 0.0) == 0 and not told
    for _ in thinking:
        pass
    assert told == [3.0 * SLICE_ENDS]


def noting(forecaster: Forecaster, scheduler: Scheduler, now: float, *events: Event) -> None:
    """The events as a run takes them in."""
    for event in events:
        forecaster.note(event, scheduler)
    scheduler.handle(events, now)


def test_kinds_of_which_nothing_is_learnt_are_expected_to_take_as_many_times_longer_as_the_others():
    jobs = [
        job("a", wall_s=1000),
        job("b", "a", wall_s=500),
        job("c", "b", wall_s=500),
    ]
    jobs = [replace(each, kind=each.name) for each in jobs]
    told: list[float] = []
    forecaster, scheduler = Forecaster(told.append, cpu_s=lambda: 0.0), Scheduler(jobs, budget(1))
    scheduler.start(0.0)
    considered(forecaster, scheduler, 0.0)
    assert told == [2000.0]
    used = Used(wall_s=4000.0, cpus=1, peak_bytes=0)
    noting(forecaster, scheduler, 4000.0, Ended(name="a", succeeded=True, used=used))
    considered(forecaster, scheduler, 4000.0)
    slower = float(f"{(4000 + PRIOR_S) / (1000 + PRIOR_S):.2g}")
    assert slower > 3.5 and told[1:] == [1000 * slower]
    learnt = replace(scheduler.job("c"), wall_s=600.0)
    noting(forecaster, scheduler, 4010.0, Reestimated(jobs=(learnt,)))
    considered(forecaster, scheduler, 4010.0)
    assert told[2:] == [pytest.approx(500 * slower - 10 + 600)], "c has taught what it takes, b has not"


def test_a_few_short_steps_change_little_and_none_counts_beyond_measure():
    speed = Speed()
    scheduler = started(1.0, 1.0)
    speed.note(Ended(name="j0", succeeded=True, used=Used(wall_s=1e6, cpus=1, peak_bytes=0)), scheduler)
    assert speed.factor == pytest.approx((PRIOR_S + WIDEST) / (PRIOR_S + 1), rel=0.05)
    speed.note(Ended(name="j0", succeeded=True), scheduler)
    assert speed.factor_of("") == speed.factor, "one that was reused says nothing"
