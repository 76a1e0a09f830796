"""Schedules that have begun, and how they go on."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_time import Case

from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.messages import Ended, Event, Launch


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
