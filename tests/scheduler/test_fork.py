"""A fork of the scheduler goes its own way: from the same state, and without a trace in the original."""

from __future__ import annotations

from begun_schedules import begun, goes_on
from hypothesis import given
from hypothesis import strategies as st
from moldable_cases import cohorts, rule

from tntpipe.scheduler.messages import Interrupted, Rule, RuleChosen


@rule
@given(cohorts(failing=True, moody=True), st.integers(0, 20))
def test_a_fork_goes_on_as_the_original_would(case, n_events):
    scheduler, now = begun(case, n_events)
    fork = scheduler.fork()
    assert list(goes_on(fork, case, now)) == list(goes_on(scheduler, case, now))


@rule
@given(
    cohorts(failing=True, moody=True),
    st.integers(0, 20),
    st.sampled_from([(), (RuleChosen(rule=Rule(fixed_cpus=8, widen=True)),), (Interrupted(),)]),
    st.integers(1, 30),
)
def test_what_is_done_with_a_fork_does_not_come_back(case, n_events, first, n_seen):
    """Whether the fork is played before the original goes on, or in step with it."""
    untouched, now = begun(case, n_events)
    expected = list(goes_on(untouched, case, now))
    before, _ = begun(case, n_events)
    for _ in goes_on(before.fork(), case, now, *first):
        pass
    assert list(goes_on(before, case, now)) == expected
    beside, _ = begun(case, n_events)
    fork = goes_on(beside.fork().fork(), case, now, *first)
    told = []
    for number, shown in enumerate(goes_on(beside, case, now)):
        told.append(shown)
        if number < n_seen:
            next(fork, None)
    assert told == expected


@rule
@given(cohorts(moody=True), st.integers(0, 20))
def test_what_is_done_with_the_original_does_not_reach_a_fork(case, n_events):
    scheduler, now = begun(case, n_events)
    fork, later = scheduler.fork(), scheduler.fork()
    expected = list(goes_on(fork, case, now))
    for _ in goes_on(scheduler, case, now, RuleChosen(rule=Rule(fixed_cpus=2))):
        pass
    assert list(goes_on(later, case, now)) == expected
