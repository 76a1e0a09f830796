"""Scans that wait for their turn: how many are under way, which waits, and that nothing idles because of it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from moldable_cases import Told, cohorts, moldable, rule
from virtual_time import budget, job, play

from tntpipe.scheduler.core import ALL_AT_ONCE_PATHS, Scheduler
from tntpipe.scheduler.messages import Drop, Ended, Launch
from tntpipe.scheduler.why import BehindScans


def begun_scans(told: Told) -> list[frozenset[str]]:
    """At each decision, the scans of which a job was launched, or was ready and not parked; they stay begun."""
    begun: frozenset[str] = frozenset()
    found = []
    for decision in told.decisions:
        names = {launch.name for launch in decision.launched} | told.queue(decision)
        begun |= {told.jobs[name].group for name in names} - {""}
        found.append(begun)
    return found


def over_scans(told: Told) -> list[frozenset[str]]:
    """At each decision, the scans of which every job has ended or was dropped."""
    groups: dict[str, set[str]] = {}
    for each in told.case.jobs:
        groups.setdefault(each.group, set()).add(each.name)
    over: set[str] = set()
    found, number = [], 0
    for decision in told.decisions:
        for _, what in told.story.happenings[number : decision.mark.n_happenings]:
            if isinstance(what, Ended | Drop):
                over.add(what.name)
        number = decision.mark.n_happenings
        found.append(frozenset(group for group, names in groups.items() if names <= over))
    return found


@rule
@given(cohorts(failing=True, moody=True))
def test_a_job_is_parked_only_if_its_scan_has_not_begun_and_as_many_as_cpus_are_under_way(case):
    told = Told(case)
    for decision, begun, over in zip(told.decisions, begun_scans(told), over_scans(told), strict=True):
        for name in decision.mark.parked:
            assert told.jobs[name].group
            assert told.jobs[name].group not in begun
            n_under_way = len(begun - over)
            assert decision.mark.whys[name] == BehindScans(n_under_way=n_under_way)
            assert n_under_way >= case.within.cpus
            assert decision.mark.guidance.n_paths_left > ALL_AT_ONCE_PATHS


@rule
@given(cohorts(failing=True, moody=True))
def test_more_scans_than_cpus_are_under_way_only_if_a_cpu_would_have_been_idle_or_the_end_is_near(case):
    """What begins beyond that number starts a job at once, unless another job of its scan goes before."""
    told = Told(case)
    before: frozenset[str] = frozenset()
    for decision, begun, over in zip(told.decisions, begun_scans(told), over_scans(told), strict=True):
        new, before = begun - before, begun
        n_more = len(begun - over) - case.within.cpus
        if n_more > 0 and decision.mark.guidance.n_paths_left > ALL_AT_ONCE_PATHS:
            started = {told.jobs[launch.name].group for launch in decision.launched}
            waiting = new - started
            assert (
                not waiting or decision.free.cpus or len(waiting) <= case.within.cpus - (len(begun - over) - len(new))
            )


@rule
@given(cohorts(failing=True, moody=True))
def test_no_parked_job_waits_that_could_start_without_delaying_the_reserved_one(case):
    """A ready job of a scan that has not begun does not fit, or would end after the shadow time and take what the
    reserved job needs, each with its fewest CPUs."""
    told = Told(case)
    for decision in told.decisions:
        for name in decision.mark.parked:
            each, reserved = told.jobs[name], decision.reservation
            if each.request.fits_in(decision.free):
                assert reserved is not None
                if told.is_alike(name, reserved.name):
                    continue
                assert decision.now + each.wall_s > reserved.shadow_time
                assert not each.request.fits_in(told.spare(decision, reserved))


@rule
@given(cohorts(failing=True, moody=True))
def test_scans_begin_in_the_order_of_their_first_parked_jobs(case):
    """A scan that stays parked, none of whose jobs fits less well, has no job before those of one that begins."""
    told = Told(case)
    for before, decision in zip(told.decisions, told.decisions[1:], strict=False):
        parked, still = before.mark.parked, before.mark.parked & decision.mark.parked
        for name in parked - still:
            for other in still:
                if told.is_alike(name, other) and told.jobs[name].group != told.jobs[other].group:
                    group = [each for each in parked - still if told.jobs[each].group == told.jobs[name].group]
                    assert min(told.ranks[each] for each in group) < told.ranks[other]


@rule
@given(cohorts(failing=True))
def test_the_queue_lists_all_that_waits_in_order_and_parked_jobs_last(case):
    told = Told(case)
    scheduler = Scheduler(case.jobs, case.within)
    scheduler.start(0.0)
    decision = told.decisions[0]
    places = {name: (name in decision.mark.parked, told.place(name, decision)) for name in decision.waiting}
    waiting = sorted(told.queue(decision), key=places.__getitem__)
    waiting += sorted(decision.mark.parked, key=told.ranks.__getitem__)
    assert list(scheduler.queue(100)) == waiting
    assert list(scheduler.queue(2)) == waiting[:2]


def cohort(n_scans: int, **options) -> list:
    return [
        each
        for scan in "abcdefghijklmnopqrstuvwxyz"[:n_scans]
        for each in (
            moldable(f"{scan}1", of=scan, most=1, wall_s=4, **options),
            moldable(f"{scan}2", f"{scan}1", of=scan, most=1, wall_s=4, **options),
        )
    ]


def test_scans_end_one_after_another_and_not_all_at_the_end():
    starts = play(cohort(8), budget(2)).starts
    assert starts[:6] == [(0, "a1"), (0, "b1"), (4, "a2"), (4, "b2"), (8, "c1"), (8, "d1")]


def test_the_next_scan_waits_while_as_many_as_cpus_are_under_way():
    scheduler = Scheduler(cohort(8), budget(2))
    scheduler.start(0.0)
    assert scheduler.why("c1") == BehindScans(n_under_way=2)


def test_a_scan_begins_out_of_turn_where_a_cpu_would_be_idle():
    """Of two CPUs one runs ``other``, for which the scans a and b wait once begun; then c goes on, and d only then."""
    jobs = [job("other", wall_s=18), *cohort(26)]
    jobs = [replace(each, follows=("other", *each.follows)) if each.name in ("a2", "b2") else each for each in jobs]
    starts = play(jobs, budget(2)).starts
    assert [name for when, name in starts if when < 18] == ["other", "a1", "b1", "c1", "c2", "d1"]


def test_when_few_paths_are_left_all_scans_may_begin():
    scheduler = Scheduler(cohort(5), budget(2))
    assert [action.name for action in scheduler.start(0.0) if isinstance(action, Launch)] == ["a1", "b1"]
    assert not isinstance(scheduler.why("c1"), BehindScans)


def test_a_scan_whose_job_fails_makes_room_for_the_next():
    story = play(cohort(8), budget(1), failures={"a1"})
    assert story.drops == [("a2", "a1")]
    assert story.starts[:3] == [(0, "a1"), (4, "b1"), (8, "b2")]
