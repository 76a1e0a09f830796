"""The scheduler's rules with moldable jobs, scans in turn and rules that change in mid-run, on traces."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moldable_cases import Told, cohorts, moldable, rule, rules
from virtual_time import Case, budget, descendants, play, total

from tntpipe.planning.bounds.lower_bounds import lower_bound
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.job import State
from tntpipe.scheduler.messages import Drop, Ended, Interrupted, Launch, LaunchReason, Stop


@rule
@given(cohorts(failing=True, interrupted=True, moody=True))
def test_what_runs_never_exceeds_the_budget_and_free_is_the_rest(case):
    told = Told(case)
    for decision in told.decisions:
        used = total(decision.held.values())
        assert used.fits_in(case.within)
        assert decision.free == case.within - used


@rule
@given(cohorts(failing=True, interrupted=True, moody=True))
def test_each_job_starts_once_after_all_that_it_follows_or_is_dropped_or_stopped(case):
    story = play(*case)
    succeeded: set[str] = set()
    failed: set[str] = set()
    begun: list[str] = []
    interrupted = False
    for _, what in story.happenings:
        match what:
            case Launch(name=name):
                assert not interrupted
                assert succeeded.issuperset(case.by_name[name].follows)
                begun.append(name)
            case Ended(name=name, succeeded=True):
                succeeded.add(name)
            case Ended(name=name) if not interrupted:
                failed.add(name)
            case Interrupted():
                interrupted = True
    dropped = [name for name, _ in story.drops]
    assert len(begun + dropped) == len({*begun, *dropped})
    assert set(dropped) == descendants(case.jobs, failed)
    left = case.by_name.keys() - {*begun, *dropped}
    assert all(story.scheduler.state(name) is State.STOPPED for name in left)
    assert interrupted or not left


@rule
@given(cohorts(failing=True, interrupted=True, moody=True))
def test_no_run_stands_still_and_at_its_end_all_is_free(case):
    scheduler = play(*case).scheduler
    assert scheduler.finished
    assert scheduler.running == ()
    assert scheduler.free == case.within
    assert scheduler.reservation is None


@rule
@given(cohorts(moody=True))
def test_every_job_of_every_scan_runs_if_none_fails(case):
    story = play(*case)
    assert {span.name for span in story.spans if span.succeeded} == case.by_name.keys()


@rule
@given(cohorts(interrupted=True, moody=True))
def test_an_interruption_stops_what_runs_and_nothing_starts_after_it(case):
    happenings = [what for _, what in play(*case).happenings]
    if Interrupted() in happenings:
        number = happenings.index(Interrupted())
        before, after = happenings[:number], happenings[number:]
        running = {what.name for what in before if isinstance(what, Launch)}
        running -= {what.name for what in before if isinstance(what, Ended)}
        assert not [what for what in after if isinstance(what, Launch | Drop)]
        assert sorted(what.name for what in after if isinstance(what, Stop)) == sorted(running)


@rule
@given(cohorts(failing=True, interrupted=True, moody=True), st.randoms(use_true_random=False))
def test_the_same_events_and_rules_give_the_same_run_however_the_jobs_are_listed(case, chance: random.Random):
    shuffled = replace(case, jobs=tuple(chance.sample(case.jobs, len(case.jobs))))
    first, again, other = (play(*each) for each in (case, case, shuffled))
    assert first.happenings == again.happenings == other.happenings
    assert first.marks == other.marks


@rule
@given(cohorts(estimates="exact", moody=True))
def test_no_choice_of_cpus_beats_the_lower_bound(case):
    assert lower_bound(case.jobs, case.within).seconds <= play(*case).makespan_s


@rule
@given(cohorts(failing=True, moody=True))
def test_a_job_gets_no_fewer_cpus_than_it_asks_for_and_no_more_than_help_it(case):
    for _, what in play(*case).happenings:
        if isinstance(what, Launch):
            job = case.by_name[what.name]
            most = max(job.request.cpus, job.max_cpus if job.thread_overhead < 1 else 0)
            assert job.request.cpus <= what.request.cpus <= min(most, case.within.cpus)
            assert what.request.mem_bytes == job.request.mem_bytes


@rule
@given(rules, st.integers(1, 4), st.integers(0, 8))
def test_a_job_that_more_cpus_would_not_help_gets_the_fewest(rule, cpus, n_more):
    same = moldable("a", cpus=cpus, most=cpus - 1, a=0.1), moldable("a", cpus=cpus, most=cpus + n_more, a=1.0)
    for job in same:
        assert play([job], budget(8), rule=rule).starts_with_cpus == [(0, "a", cpus)]


def test_a_moldable_job_is_faster_by_the_ratio_of_the_speed_ups():
    def speed_up(cpus):
        return cpus / (1 + 0.08 * (cpus - 1))

    job = moldable("a", cpus=2, most=6, wall_s=100, a=0.08)
    assert [job.wall_s_at(cpus) for cpus in job.cpu_choices] == [
        pytest.approx(100 * speed_up(2) / speed_up(cpus)) for cpus in (2, 3, 4, 5, 6)
    ]


@rule
@given(cohorts(failing=True, moody=True))
def test_the_reservation_is_for_the_first_job_that_waits(case):
    told = Told(case)
    for decision in told.decisions:
        queue = told.queue(decision)
        first = min(queue, key=lambda name: told.place(name, decision), default=None)
        assert first == (decision.reservation.name if decision.reservation else None)


@rule
@given(cohorts(failing=True, moody=True))
def test_jobs_start_in_order_until_one_waits(case):
    """Scans that begin because a CPU would have been idle begin after that, so that their jobs come later."""
    told = Told(case)
    for decision, before in zip(told.decisions[1:], told.decisions, strict=False):
        if before.mark.parked or decision.mark.parked:
            continue
        in_order = [launch.name for launch in decision.launched if launch.reason is LaunchReason.IN_ORDER]
        behind = [launch.name for launch in decision.launched if launch.reason is not LaunchReason.IN_ORDER]
        reserved = [decision.reservation.name] if decision.reservation else []
        names = [launch.name for launch in decision.launched]
        assert names == in_order + behind
        expected = in_order + reserved + behind
        if not (decision.now == before.now and before.mark.guidance != decision.mark.guidance):
            assert expected == sorted(expected, key=lambda name: told.place(name, decision))


@rule
@given(cohorts(failing=True, moody=True))
def test_the_shadow_time_is_when_the_reserved_job_should_fit_beside_all_that_runs(case):
    told = Told(case)
    for decision in told.decisions:
        reserved = decision.reservation
        if reserved is not None:
            assert reserved.request.cpus in told.choices(reserved.name)
            assert not reserved.request.fits_in(decision.free)
            ends = sorted(told.expected_ends(decision).values())
            fitting = (end for end in ends if reserved.request.fits_in(told.room_at(end, decision)))
            assert reserved.shadow_time == next(fitting)
            assert reserved.spare == told.spare(decision, reserved)


@rule
@given(cohorts(failing=True, moody=True))
def test_what_waits_does_not_fit_or_would_delay_the_reserved_job_or_ends_earlier_by_waiting(case):
    """A job waits although it fits with its fewest CPUs only if one of these is so.

    It is the reserved job, and with all that is free would end later than with what is reserved for it; or it is like
    that job; or it would end after the shadow time with the CPUs that it wants, or as many of them as are free, and
    either does not fit in what the reserved job will leave, or would end later with these CPUs than with all that it
    wants from the shadow time on.
    """
    told = Told(case)
    for number, decision in enumerate(told.decisions):
        before = told.decisions[number - 1].mark.parked if number else ()
        for name in told.queue(decision):
            job, reserved = told.jobs[name], decision.reservation
            assert reserved is not None
            if not job.request.fits_in(decision.free):
                continue
            if name == reserved.name:
                with_free_s = job.wall_s_at(min(decision.free.cpus, told.choices(name)[-1]))
                later_s = job.wall_s_at(reserved.request.cpus)
                assert decision.now + with_free_s > reserved.shadow_time + later_s
                continue
            if told.is_alike(name, reserved.name):
                continue
            is_large = job.request.mem_bytes > decision.mark.guidance.large_bytes
            if decision.mark.guidance.large_cpus > 1 and is_large and (before or decision.mark.parked):
                continue  # whether it was looked at before or after scans began cannot be told from the trace
            wanted = told.wanted_cpus(name, decision, told.large(decision))
            cpus = min(decision.free.cpus, wanted)
            assert decision.now + job.wall_s_at(cpus) > reserved.shadow_time
            spare = told.spare(decision, reserved)
            if job.request.fits_in(spare):
                cpus = min(cpus, spare.cpus)
                assert cpus < wanted
                assert decision.now + job.wall_s_at(cpus) > reserved.shadow_time + job.wall_s_at(wanted)


@rule
@given(cohorts(failing=True, moody=True))
def test_a_job_that_starts_in_order_gets_the_cpus_that_it_wants_or_all_that_are_free(case):
    told = Told(case)
    for number, decision in enumerate(told.decisions):
        guidance = decision.mark.guidance
        if guidance.rule.widen or guidance.large_cpus > 1:
            continue
        free = decision.free + total(launch.request for launch in decision.launched)
        promised = told.decisions[number - 1].reservation if number else None
        for launch in decision.launched:
            wanted = told.wanted_cpus(launch.name, decision, [])
            assert launch.request.cpus <= wanted
            if launch.reason is LaunchReason.IN_ORDER and launch.request.cpus < wanted:
                was_promised = promised is not None and promised.name == launch.name
                assert launch.request.cpus == free.cpus or was_promised
            free -= launch.request


@rule
@given(cohorts(estimates="upper bounds", moody=True))
def test_a_reserved_job_starts_by_its_shadow_time_whatever_cpus_others_get(case):
    """As long as no estimate is exceeded, and no job that goes before it is looked at meanwhile."""
    told = Told(case)
    promised: dict[str, float] = {}
    for decision in told.decisions:
        reserved = decision.reservation
        for launch in decision.launched:
            if launch.name in promised:
                assert decision.now <= promised.pop(launch.name)
            elif launch.reason is LaunchReason.IN_ORDER:
                promised.clear()
        if reserved is None or reserved.name not in promised:
            promised.clear()
        if reserved is not None:
            promised.setdefault(reserved.name, reserved.shadow_time)
            assert reserved.shadow_time <= promised[reserved.name]
            promised[reserved.name] = reserved.shadow_time


@rule
@given(cohorts(moody=True))
def test_the_request_that_a_job_was_promised_grows_by_no_cpu_that_is_not_free(case):
    told = Told(case)
    for before, decision in zip(told.decisions, told.decisions[1:], strict=False):
        old, new = before.reservation, decision.reservation
        if old is not None and new is not None and old.name == new.name:
            behind = [launch for launch in decision.launched if launch.reason is not LaunchReason.IN_ORDER]
            n_free = decision.free.cpus + sum(launch.request.cpus for launch in behind)
            assert new.request.cpus <= max(old.request.cpus, n_free)


def test_a_case_tells_of_each_kind_of_wait_and_launch():
    """The random cohorts reach what the properties are about."""
    seen: set[object] = set()

    @rule
    @given(cohorts(failing=True, moody=True))
    def look(case: Case):
        for decision in Told(case).decisions:
            seen.update(launch.reason for launch in decision.launched)
            seen.update(type(why).__name__ for why in decision.mark.whys.values())
            seen.add(decision.mark.guidance.large_cpus > 1)
            seen.add(("few paths", decision.mark.guidance.n_paths_left <= 1))
            seen.add(("horizon", math.isinf(decision.mark.guidance.n_paths_left)))

    look()
    assert seen.issuperset(LaunchReason)
    assert seen.issuperset({True, ("few paths", True), ("horizon", False), "BehindScans", "BehindReservation"})


def test_a_job_may_be_launched_on_every_cpu_of_the_budget():
    scheduler = Scheduler([moldable("a", most=100, wall_s=10, a=0.1)], budget(6))
    assert [action.request.cpus for action in scheduler.start(0.0)] == [6]
