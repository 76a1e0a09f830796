"""The scheduler's rules, told as who starts when in virtual time."""

from __future__ import annotations

import pytest
from virtual_time import budget, job, play

from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.job import State
from tntpipe.scheduler.messages import Drop, Ended, Interrupted, Launch, LaunchReason, Stop
from tntpipe.scheduler.why import (
    BehindReservation,
    Dropped,
    Finished,
    NotStarted,
    Running,
    Stopped,
    WaitsForJobs,
    WaitsForResources,
)


def names(actions):
    return [action.name for action in actions]


def test_jobs_that_fit_together_start_together():
    assert play([job("a"), job("b")], budget(2)).starts == [(0, "a"), (0, "b")]


def test_two_jobs_that_do_not_fit_together_run_in_turn():
    assert play([job("a", cpus=2), job("b", cpus=2)], budget(3)).starts == [(0, "a"), (1, "b")]


def test_memory_alone_keeps_jobs_apart():
    assert play([job("a", gib=5), job("b", gib=4)], budget(8, gib=8)).starts == [(0, "a"), (1, "b")]


def test_a_job_starts_when_the_last_that_it_follows_has_ended():
    jobs = [job("a", wall_s=2), job("b", wall_s=3), job("c", "a", "b")]
    assert play(jobs, budget(4)).starts == [(0, "b"), (0, "a"), (3, "c")]


def test_a_job_may_name_the_same_predecessor_twice():
    assert play([job("a"), job("b", "a", "a")], budget(1)).starts == [(0, "a"), (1, "b")]


def test_the_longest_remaining_path_goes_first():
    jobs = [
        job("long", wall_s=4),
        job("root", wall_s=1),
        job("middle", "root", wall_s=2),
        job("leaf", "middle", wall_s=2),
    ]
    assert play(jobs, budget(1)).starts == [(0, "root"), (1, "long"), (5, "middle"), (7, "leaf")]


def test_of_equal_paths_the_larger_memory_goes_first_then_the_name():
    jobs = [job("b", gib=1), job("a", gib=1), job("z", gib=2)]
    assert play(jobs, budget(1)).starts == [(0, "z"), (1, "a"), (2, "b")]


def test_many_jobs_of_one_class_start_in_order():
    jobs = [job(f"{number:02d}") for number in (7, 3, 9, 0, 5, 1, 8, 2, 6, 4)]
    expected = [f"{number:02d}" for number in range(10)]
    assert names(Scheduler(jobs, budget(10)).start(0.0)) == expected
    assert [who for _, who in play(jobs, budget(3)).starts] == expected


def test_a_large_job_is_not_starved_by_small_ones_behind_it():
    jobs = [job("now", wall_s=10), job("large", cpus=2, wall_s=9), *(job(f"small{n}", wall_s=3) for n in range(4))]
    assert play(jobs, budget(2)).starts == [
        (0, "now"),
        (0, "small0"),
        (3, "small1"),
        (6, "small2"),
        (10, "large"),
        (19, "small3"),
    ]


def test_a_reserved_job_starts_early_if_jobs_end_before_their_estimates():
    jobs = [job("now", wall_s=10), job("large", cpus=2, wall_s=9), job("small", wall_s=3)]
    assert play(jobs, budget(2), {"now": 2}).starts == [(0, "now"), (0, "small"), (3, "large")]


def test_a_job_that_should_end_by_the_shadow_time_starts_and_a_longer_one_does_not():
    jobs = [job("now", wall_s=10), job("large", cpus=2, wall_s=9), job("longer", wall_s=8), job("short", wall_s=5)]
    scheduler = Scheduler([*jobs, job("early", wall_s=20)], budget(2))
    assert names(scheduler.start(0.0)) == ["early", "now"]
    actions = scheduler.handle([Ended(name="early", succeeded=True)], 5.0)
    assert actions == (Launch(name="short", request=Resources(1, 0), reason=LaunchReason.ENDS_BY_SHADOW_TIME),)
    assert scheduler.why("longer") == WaitsForResources(short_of=Resources(1, 0))


def test_a_long_job_starts_beside_the_reservation_if_it_fits_in_what_that_leaves():
    jobs = [
        *(job("now", cpus=3, wall_s=10), job("after_now", "now", wall_s=95)),
        *(job("large", cpus=2, wall_s=9), job("after_large", "large", wall_s=90)),
        job("beside", wall_s=30),
    ]
    assert play(jobs, budget(4)).starts[:3] == [(0, "now"), (0, "beside"), (10, "large")]
    actions = Scheduler(jobs, budget(4)).start(0.0)
    assert actions[1] == Launch(name="beside", request=Resources(1, 0), reason=LaunchReason.FITS_BESIDE_RESERVATION)


def test_what_the_reservation_leaves_is_given_away_once():
    jobs = [job("now", cpus=3, wall_s=10), job("large", cpus=4, wall_s=9), job("p", wall_s=8.5), job("q", wall_s=8)]
    scheduler = Scheduler([job("first", cpus=2, wall_s=12), *jobs], budget(5))
    assert names(scheduler.start(0.0)) == ["first", "now"]
    actions = scheduler.handle([Ended(name="first", succeeded=True)], 4.0)
    assert [(action.name, action.reason) for action in actions] == [("p", LaunchReason.FITS_BESIDE_RESERVATION)]
    assert scheduler.free == Resources(1, 100 * GIB)
    assert scheduler.why("q") == BehindReservation(name="large", shadow_time=10)


def test_only_the_first_job_that_does_not_fit_is_reserved_for():
    """The job ``beside`` starts, which delays ``next`` until 30, but not ``large``."""
    jobs = [
        job("now", cpus=3, wall_s=10),
        *(job("large", cpus=3, wall_s=9), job("after_large", "large", wall_s=90)),
        *(job("next", cpus=5, wall_s=8), job("after_next", "next", wall_s=80)),
        *(job("beside", wall_s=30), job("after_now", "now", wall_s=95)),
    ]
    scheduler = Scheduler(jobs, budget(5))
    assert names(scheduler.start(0.0)) == ["now", "beside"]
    assert scheduler.why("large") == WaitsForResources(short_of=Resources(2, 0), shadow_time=10)
    assert scheduler.why("next") == WaitsForResources(short_of=Resources(4, 0))


def test_all_that_should_end_at_the_shadow_time_is_counted_in_what_the_reservation_leaves():
    jobs = [
        *(job(name, wall_s=10) for name in "pq"),
        *(job(f"after_{name}", name, wall_s=95) for name in "pq"),
        *(job("large", cpus=2, wall_s=9), job("after_large", "large", wall_s=90)),
        job("beside", wall_s=30),
    ]
    assert names(Scheduler(jobs, budget(3)).start(0.0)) == ["p", "q", "beside"]


def test_several_ends_at_one_instant_are_one_decision():
    jobs = [job("p"), job("q"), job("large", "p", cpus=2), job("small", "q")]
    scheduler = Scheduler(jobs, budget(2))
    scheduler.start(0.0)
    ends = [Ended(name="q", succeeded=True), Ended(name="p", succeeded=True)]
    assert names(scheduler.handle(ends, 1.0)) == ["large"]


def test_an_exceeded_estimate_becomes_the_age_and_a_tenth():
    scheduler = Scheduler([job("a", wall_s=10), job("b", cpus=2, wall_s=5)], budget(2))
    scheduler.start(0.0)
    for now, shadow_time in [(0.0, 10.0), (10.0, 10.0), (20.0, 22.0)]:
        scheduler.handle([], now)
        assert scheduler.reservation is not None
        assert scheduler.reservation.shadow_time == pytest.approx(shadow_time)


def test_an_overrun_job_is_expected_after_one_that_will_end_sooner():
    jobs = [job("late", cpus=2, wall_s=50), job("due", cpus=2, wall_s=102), job("large", cpus=3, wall_s=10)]
    scheduler = Scheduler(jobs, budget(4))
    scheduler.start(0.0)
    scheduler.handle([], 100.0)
    assert scheduler.why("large") == WaitsForResources(short_of=Resources(3, 0), shadow_time=pytest.approx(110))


def test_a_failed_job_drops_what_follows_it_and_nothing_else():
    jobs = [job("a"), job("b", "a"), job("c", "b"), job("d"), job("e", "d")]
    story = play(jobs, budget(1), failures={"a"})
    assert story.drops == [("b", "a"), ("c", "a")]
    assert [who for _, who in story.starts] == ["a", "d", "e"]
    assert story.scheduler.finished


def test_a_job_behind_two_failures_is_dropped_once():
    story = play([job("a"), job("b", wall_s=2), job("c", "a", "b")], budget(2), failures={"a", "b"})
    assert story.drops == [("c", "a")]


def test_an_interruption_stops_what_runs_and_launches_nothing_more():
    scheduler = Scheduler([job("a"), job("b"), job("c"), job("d", "a")], budget(2))
    scheduler.start(0.0)
    assert scheduler.handle([Interrupted()], 0.5) == (Stop(name="a"), Stop(name="b"))
    assert not scheduler.finished
    assert scheduler.handle([Interrupted(), Ended(name="a", succeeded=True)], 0.6) == ()
    assert scheduler.handle([Ended(name="b", succeeded=False)], 0.7) == ()
    assert scheduler.finished
    states = [scheduler.state(name) for name in "abcd"]
    assert states == [State.SUCCEEDED, State.STOPPED, State.STOPPED, State.STOPPED]


def test_a_job_that_ended_beside_the_interruption_is_not_stopped():
    scheduler = Scheduler([job("a"), job("b"), job("c", "a")], budget(2))
    scheduler.start(0.0)
    actions = scheduler.handle([Interrupted(), Ended(name="a", succeeded=False)], 1.0)
    assert actions == (Drop(name="c", because="a"), Stop(name="b"))


def test_why_names_what_each_job_waits_for():
    jobs = [
        job("now", cpus=3, gib=2, wall_s=50),
        job("large", cpus=2, gib=2, wall_s=9),
        job("other", cpus=2, wall_s=8),
        job("small", cpus=1, gib=1, wall_s=60),
        job("after", "now", "other"),
    ]
    scheduler = Scheduler(jobs, budget(4, gib=4))
    assert scheduler.why("now") == NotStarted()
    assert scheduler.why("after") == WaitsForJobs(names=("now", "other"))
    scheduler.start(3.0)
    assert scheduler.why("small") == scheduler.why("now") == Running(since=3)
    assert scheduler.why("large") == WaitsForResources(short_of=Resources(2, GIB), shadow_time=53)
    assert scheduler.why("other") == WaitsForResources(short_of=Resources(2, 0))
    scheduler.handle([Ended(name="now", succeeded=False)], 5.0)
    assert scheduler.why("now") == Finished(succeeded=False)
    assert scheduler.why("after") == Dropped(because="now")
    scheduler.handle([Interrupted(), Ended(name="small", succeeded=True)], 6.0)
    assert scheduler.why("small") == Finished(succeeded=True)
    assert scheduler.why("large") == Running(since=5)
    scheduler.handle([Ended(name="large", succeeded=False)], 7.0)
    assert scheduler.why("large") == Stopped()


def test_why_tells_only_what_is_short():
    scheduler = Scheduler([job("a", gib=3), job("b", gib=2)], budget(4, gib=4))
    scheduler.start(0.0)
    assert scheduler.why("b") == WaitsForResources(short_of=Resources(0, GIB), shadow_time=1)


def test_why_forgets_the_jobs_that_have_succeeded():
    scheduler = Scheduler([job("a"), job("b", wall_s=2), job("c", "a", "b")], budget(2))
    scheduler.start(0.0)
    scheduler.handle([Ended(name="a", succeeded=True)], 1.0)
    assert scheduler.why("c") == WaitsForJobs(names=("b",))


def test_the_end_of_a_job_that_does_not_run_is_refused():
    scheduler = Scheduler([job("a"), job("b", "a")], budget(1))
    scheduler.start(0.0)
    for name in ("b", "stranger"):
        with pytest.raises(ValueError, match=f"{name} ended, but was not running"):
            scheduler.handle([Ended(name=name, succeeded=True)], 1.0)


def test_an_instant_before_the_last_is_refused():
    scheduler = Scheduler([job("a")], budget(1))
    scheduler.start(5.0)
    with pytest.raises(ValueError, match=r"went back from 5\.0 to 4\.0"):
        scheduler.handle([], 4.0)
