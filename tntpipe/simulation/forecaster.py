"""Foresees when the run will end: plays what is left on a fork of the scheduler, under the rule in force.

It thinks in slices while nothing happens, changes nothing and says nothing to the scheduler. It thinks anew when some
of the time that was left has passed, or when something happened that it could not foresee, and never so often that it
takes more than a small share of one CPU over the run, whatever the number of jobs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import Thinker
from tntpipe.scheduler.messages import Action, Ended, Event, Interrupted, Launch, Stop
from tntpipe.simulation.rest_of_run import end_of
from tntpipe.simulation.speed import Speed

ROUND = 0.05
"""Part of the time left after which to think again."""

SHARE = 0.01
"""Part of one CPU that all of it may take: after a forecast there is none for a hundred times what it took."""

LEAST_S = 1.0
LEAST_ROUND = 0.001
"""Seconds, and part of the time that has passed, between two forecasts at least: so a long run has a few hundred."""


class Forecaster:
    """Foresees the end of one run; ``tell`` hears how many seconds are left, ``cpu_s`` says what CPU time was used."""

    def __init__(self, tell: Callable[[float], None], cpu_s: Callable[[], float] = time.thread_time) -> None:
        self._tell, self._cpu_s = tell, cpu_s
        self._began: float | None = None
        self._not_before = self._due_at = float("-inf")
        self._was_surprised = False
        self._speed = Speed()
        self._is_over = False
        self._is_thinking = False
        self._thought: Generator[None, None, float] | None = None
        self._spent_s = 0.0

    def note(self, happened: Event | Action, scheduler: Scheduler) -> None:
        """Take note of what happened, before the scheduler takes it in: whether it was to be foreseen."""
        self._speed.note(happened, scheduler)
        match happened:
            case Interrupted():
                self._is_over = True
            case Launch() | Stop() | Ended(succeeded=True):
                pass
            case _:
                self.be_surprised()

    def be_surprised(self) -> None:
        """Think again as soon as may be."""
        self._was_surprised = True

    def consider(self, scheduler: Scheduler, now: float) -> Iterator[None]:
        """Think about a scheduler; yields after each slice. What is broken off is taken up at the next call."""
        if (
            not scheduler.has_begun
            or self._is_over
            or self._is_thinking
            or (self._thought is None and not self._is_due(now))
        ):
            return
        self._is_thinking = True
        try:
            while not self._think(scheduler, now):
                yield
        finally:
            self._is_thinking = False

    def _is_due(self, now: float) -> bool:
        return now >= self._not_before and (self._was_surprised or now >= self._due_at)

    def _think(self, scheduler: Scheduler, now: float) -> bool:
        """Think for a slice; whether that was the last one of a forecast."""
        before_s = self._cpu_s()
        if self._thought is None:
            self._was_surprised, self._spent_s = False, 0.0
            fork, factor_of = scheduler.fork(), self._speed.factor_of
            self._thought = end_of(fork, now, lambda name: factor_of(fork.job(name).kind))
        try:
            next(self._thought)
        except StopIteration as ended:
            self._thought = None
            self._spent_s += self._cpu_s() - before_s
            self._told(now, max(0.0, ended.value - now))
            return True
        self._spent_s += self._cpu_s() - before_s
        return False

    def _told(self, now: float, left_s: float) -> None:
        self._began = now if self._began is None else self._began
        rest_s = max(LEAST_S, LEAST_ROUND * (now - self._began), self._spent_s / SHARE)
        self._not_before, self._due_at = now + rest_s, now + ROUND * left_s
        self._tell(left_s)


class Thinkers:
    """Several that think in turn."""

    def __init__(self, *thinkers: Thinker) -> None:
        self._thinkers = thinkers

    def consider(self, scheduler: Scheduler, now: float) -> Iterator[Event | None]:
        """Let each think, until one has something to say or something happens."""
        for thinker in self._thinkers:
            yield from thinker.consider(scheduler, now)
