"""The one loop: ask the scheduler, let a world act, wait until something happens, and again.

It decides nothing and does not know whether the world is this machine, a cluster or a simulated clock. Invariants: each
batch of events that a world reports leads to one decision, and the observer sees every event and every action, in
order, an action before it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.messages import Action, Event, Launch, Stop

Observer = Callable[[float, Event | Action], None]


class World(Protocol):
    """Where jobs run: it carries actions out and reports what happens, and never decides."""

    def now(self) -> float:
        """Return the instant, in seconds, on a clock that never goes back."""
        ...

    def launch(self, action: Launch) -> None:
        """Start a job; one that cannot be started is reported as ended without success."""
        ...

    def stop(self, action: Stop) -> None:
        """Have a running job end soon; its end is reported by ``wait``, even if it ended by itself just before."""
        ...

    def wait(self, *, block: bool = True) -> Sequence[Event]:
        """Return all that happened; if nothing did, block until something does, unless told not to."""
        ...


class Thinker(Protocol):
    """Thinks about what is best while nothing happens."""

    def consider(self, scheduler: Scheduler, now: float) -> Iterator[Event | None]:
        """Yield after each short slice of thinking; an event is for the scheduler.

        Before the scheduler has begun, nothing runs until the iterator is exhausted.
        """
        ...


class Teacher(Protocol):
    """Learns from what happened what is still to come."""

    def learn(self, events: Sequence[Event], scheduler: Scheduler, now: float) -> Iterable[Event]:
        """Return what the scheduler should hear beside these events, before it takes them in."""
        ...


def drive(
    scheduler: Scheduler,
    world: World,
    observe: Observer = lambda now, happened: None,
    adviser: Thinker | None = None,
    teacher: Teacher | None = None,
) -> None:
    """Run all the scheduler's jobs in ``world`` until each is in its final state.

    ``adviser`` thinks meanwhile, and briefly before the first decision; ``teacher`` corrects what jobs are expected to
    need.
    """
    now = world.now()
    advice = [event for event in adviser.consider(scheduler, now) if event is not None] if adviser is not None else []
    for event in advice:
        observe(now, event)
    actions = scheduler.handle(advice, now)
    while True:
        for action in actions:
            observe(now, action)
            if isinstance(action, Launch):
                world.launch(action)
            elif isinstance(action, Stop):
                world.stop(action)
        if scheduler.finished:
            return
        events = _advised(scheduler, world, adviser, now) or world.wait()
        now = world.now()
        if teacher is not None:
            events = [*events, *teacher.learn(events, scheduler, now)]
        for event in events:
            observe(now, event)
        actions = scheduler.handle(events, now)


def _advised(scheduler: Scheduler, world: World, adviser: Thinker | None, now: float) -> Sequence[Event]:
    """Let the adviser think until it has something to say, or something happens."""
    if adviser is not None:
        for advice in adviser.consider(scheduler, now):
            events = [*world.wait(block=False), *([advice] if advice is not None else [])]
            if events:
                return events
    return ()
