"""A fork of the scheduler goes its own way: from the same state, and without a trace in the original."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from moldable_cases import cohorts, rule
from virtual_time import Case

from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.events import Ended, Event, Interrupted, Launch, Rule, RuleChosen


def goes_on(scheduler: Scheduler, case: Case, now: float, *first: Event) -> Iterator[tuple]:
    """Yield all that a scheduler shows, event after event, each job that runs ending in the order of its names."""
    events: list[Event] = list(first)
    while True:
        actions = scheduler.handle(events, now)
        yield now, actions, scheduler.free, scheduler.running, scheduler.reservation, scheduler.guidance
        yield scheduler.queue(99), scheduler.has_choices, [scheduler.why(job.name) for job in case.jobs]
        if scheduler.finished:
            return
        name = min(held.name for held in scheduler.running)
        events, now = [Ended(name=name, succeeded=name not in case.failures)], now + 1.5


def begun(case: Case, n_events: int) -> tuple[Scheduler, float]:
    """A scheduler after so many ends, and the instant."""
    scheduler, now = Scheduler(case.jobs, case.within, case.rule), 0.0
    actions = scheduler.start(now)
    running = {action.name for action in actions if isinstance(action, Launch)}
    while n_events and running:
        n_events, now = n_events - 1, now + 0.7
        name = max(running)
        running.remove(name)
        actions = scheduler.handle([Ended(name=name, succeeded=name not in case.failures)], now)
        running |= {action.name for action in actions if isinstance(action, Launch)}
    return scheduler, now


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
