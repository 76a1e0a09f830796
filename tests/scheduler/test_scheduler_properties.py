"""The scheduler's rules, checked on the traces of random graphs in random worlds."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import Decision, cases, descendants, play, ranks, total

from tntpipe.resources import Resources
from tntpipe.scheduler.job import State
from tntpipe.scheduler.messages import Drop, Ended, Interrupted, Launch, LaunchReason, Stop
from tntpipe.scheduler.policy import OVERRUN_FACTOR

rule = settings(max_examples=100, deadline=None)


def expected_ends(decision: Decision, jobs) -> dict[str, float]:
    """When each running job should end, as seen at the decision."""
    ends = {}
    for name, since in decision.running.items():
        age_s = decision.now - since
        is_late = since + jobs[name].wall_s < decision.now
        ends[name] = since + (OVERRUN_FACTOR * age_s if is_late else jobs[name].wall_s)
    return ends


def spare_at(instant: float, decision: Decision, jobs, within: Resources, ignoring=frozenset()) -> Resources:
    """What of the budget the running jobs should have left by an instant."""
    ends = expected_ends(decision, jobs)
    return within - total(jobs[name].request for name, end in ends.items() if end > instant and name not in ignoring)


@rule
@given(cases(failing=True, interrupted=True))
def test_running_jobs_never_exceed_the_budget_and_free_is_the_rest(case):
    story = play(*case)
    for decision in story.decisions(case.jobs):
        used = total(case.by_name[name].request for name in decision.running)
        assert used.fits_in(case.within)
        assert decision.free == case.within - used
    assert story.scheduler.free == case.within


@rule
@given(cases(failing=True))
def test_a_job_starts_after_all_that_it_follows_have_succeeded(case):
    succeeded = set()
    for _, what in play(*case).happenings:
        if isinstance(what, Launch):
            assert succeeded.issuperset(case.by_name[what.name].follows)
        elif isinstance(what, Ended) and what.succeeded:
            succeeded.add(what.name)


@rule
@given(cases(failing=True))
def test_each_job_is_launched_or_dropped_once(case):
    happenings = play(*case).happenings
    assert sorted(what.name for _, what in happenings if isinstance(what, Launch | Drop)) == sorted(case.by_name)


@rule
@given(cases())
def test_every_job_runs_if_each_fits_alone_and_none_fails(case):
    story = play(*case)
    assert {span.name for span in story.spans if span.succeeded} == case.by_name.keys()
    assert all(story.scheduler.state(name) is State.SUCCEEDED for name in case.by_name)


@rule
@given(cases(failing=True, interrupted=True), st.randoms(use_true_random=False))
def test_same_events_give_same_actions_however_the_jobs_are_listed(case, rng: random.Random):
    jobs, *world = case
    shuffled = rng.sample(jobs, len(jobs))
    assert play(jobs, *world).happenings == play(jobs, *world).happenings == play(shuffled, *world).happenings


@rule
@given(cases(failing=True))
def test_only_the_first_job_that_waits_is_reserved_for(case):
    rank = ranks(case.jobs)
    for decision in play(*case).decisions(case.jobs):
        first = min(decision.waiting, key=rank.__getitem__, default=None)
        assert first == (decision.reservation.name if decision.reservation else None)


@rule
@given(cases(failing=True))
def test_jobs_start_in_order_until_one_does_not_fit(case):
    rank = ranks(case.jobs)
    for decision in play(*case).decisions(case.jobs):
        in_order = [launch.name for launch in decision.launched if launch.reason is LaunchReason.IN_ORDER]
        behind = [launch.name for launch in decision.launched if launch.reason is not LaunchReason.IN_ORDER]
        reserved = [decision.reservation.name] if decision.reservation else []
        expected = in_order + reserved + behind
        assert expected == sorted(expected, key=rank.__getitem__)


@rule
@given(cases(failing=True))
def test_the_shadow_time_is_the_first_instant_at_which_the_reserved_job_should_fit(case):
    jobs = case.by_name
    for decision in play(*case).decisions(case.jobs):
        if decision.reservation is None:
            continue
        request = jobs[decision.reservation.name].request
        behind = {launch.name for launch in decision.launched if launch.reason is not LaunchReason.IN_ORDER}
        ends = sorted(end for name, end in expected_ends(decision, jobs).items() if name not in behind)
        fitting = (end for end in ends if request.fits_in(spare_at(end, decision, jobs, case.within, behind)))
        assert decision.reservation.shadow_time == next(fitting)


@rule
@given(cases(failing=True))
def test_what_is_launched_leaves_room_for_the_reserved_job_at_its_shadow_time(case):
    jobs = case.by_name
    for decision in play(*case).decisions(case.jobs):
        if decision.reservation is not None:
            spare = spare_at(decision.reservation.shadow_time, decision, jobs, case.within)
            assert jobs[decision.reservation.name].request.fits_in(spare)


@rule
@given(cases(failing=True))
def test_what_waits_does_not_fit_or_would_delay_the_reserved_job(case):
    jobs = case.by_name
    for decision in play(*case).decisions(case.jobs):
        for name in decision.waiting:
            reserved = decision.reservation
            assert reserved is not None
            if not jobs[name].request.fits_in(decision.free) or name == reserved.name:
                continue
            spare = spare_at(reserved.shadow_time, decision, jobs, case.within) - jobs[reserved.name].request
            assert decision.now + jobs[name].wall_s > reserved.shadow_time
            assert not jobs[name].request.fits_in(spare)


@rule
@given(cases(estimates="upper bounds"))
def test_a_reserved_job_starts_by_its_shadow_time_if_no_estimate_is_exceeded(case):
    """Unless a job that goes before it in the order became ready meanwhile."""
    story, rank = play(*case), ranks(case.jobs)
    starts = {name: when for when, name in story.starts}
    decisions = story.decisions(case.jobs)
    for number, decision in enumerate(decisions):
        if decision.reservation is None:
            continue
        reserved = decision.reservation.name
        known = decision.waiting | decision.running.keys() | decision.succeeded
        later = decisions[number + 1 :]
        seen = set().union(*(d.waiting | d.running.keys() for d in later if d.now <= starts[reserved]))
        if all(rank[name] > rank[reserved] for name in seen - known):
            assert starts[reserved] <= decision.reservation.shadow_time


@rule
@given(cases(failing=True))
def test_a_failure_drops_exactly_what_follows_it(case):
    story = play(*case)
    failed = {what.name for _, what in story.happenings if isinstance(what, Ended) and not what.succeeded}
    assert {name for name, _ in story.drops} == descendants(case.jobs, failed)
    for name, because in story.drops:
        assert because in failed
        assert name in descendants(case.jobs, {because})


@rule
@given(cases(failing=True, interrupted=True))
def test_an_interruption_stops_what_runs_and_launches_nothing_more(case):
    story = play(*case)
    happenings = [what for _, what in story.happenings]
    assert story.scheduler.finished
    assert story.scheduler.running == ()
    if Interrupted() not in happenings:
        return
    before, after = happenings[: happenings.index(Interrupted())], happenings[happenings.index(Interrupted()) :]
    launched = {what.name for what in before if isinstance(what, Launch)}
    ended = {what.name for what in before if isinstance(what, Ended)}
    assert not [what for what in after if isinstance(what, Launch)]
    assert sorted(what.name for what in after if isinstance(what, Stop)) == sorted(launched - ended)
    assert {what.name for what in after if isinstance(what, Ended)} == launched - ended
