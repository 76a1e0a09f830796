"""A simulated world whose jobs use other memory than they asked for, with the machine's watchdog and retries in it.

A job uses a part of its peak from its start and all of it from the middle of its time on. ``enforced`` says that a job
above its request is killed, as by a batch system with a limit for each step; otherwise it may go on as long as all
together stay within the budget, as on this machine. It decides nothing that the watchdog and the retries do not.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from tntpipe.executors.memory.retries import Retries, Shortage
from tntpipe.executors.memory.watchdog import Held, Watchdog
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Ended, Event, Grown, Launch, MemoryPressed, Requeued
from tntpipe.simulation.simulator import SimulatedWorld, Span

EARLY_PART = 0.6
"""Part of its peak that a job uses at first."""

RISES_AT = 0.5
"""Part of its time after which a job uses all of its peak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """A run of a job that ended out of memory: ``stopped`` by the watchdog, or killed by a limit."""

    name: str
    at: float
    request_bytes: int
    stopped: bool
    given_up: bool


class MemoryWorld(SimulatedWorld):
    """Runs each job for its ``durations`` seconds at its fewest CPUs, with its ``peaks`` bytes."""

    def __init__(
        self,
        durations: Mapping[str, float],
        peaks: Mapping[str, int],
        jobs: Iterable[Job],
        budget: Resources,
        *,
        failures: Collection[str] = (),
        enforced: bool = False,
        n_traced: int | None = None,
    ) -> None:
        jobs = tuple(jobs)
        super().__init__(durations, failures, jobs=jobs, n_traced=n_traced)
        self._peaks, self._enforced = peaks, enforced
        self._jobs = {job.name: job for job in jobs}
        self._retries, self._watchdog = Retries(budget.mem_bytes), Watchdog(budget.mem_bytes)
        self._rises: list[tuple[float, str, float]] = []
        self._told_bytes: dict[str, int] = {}
        self._pressed = False
        self.deaths: list[Death] = []
        self.most_used_bytes = 0

    def launch(self, action: Launch) -> None:
        """Start a job now."""
        super().launch(action)
        duration_s = self._jobs[action.name].scaled(self._durations[action.name], action.request.cpus)
        heappush(self._rises, (self._now + RISES_AT * duration_s, action.name, self._now))
        self._told_bytes[action.name] = action.request.mem_bytes

    def wait(self, *, block: bool = True) -> Sequence[Event]:
        """Jump to the next instant at which a job ends or has risen."""
        if not block:
            return ()
        while True:
            events: list[Event] = []
            end = min(self._ends[0][0] if self._ends else math.inf, self._interrupted_at)
            if self._rises and self._rises[0][0] < end:
                self._now, name, began = heappop(self._rises)
                if self._is_running(name, began) and self._enforced and self._peaks[name] > self._request(name):
                    events.append(self._die(name, stopped=False))
            else:
                events += super().wait()
            events += self._looked()
            if events:
                return events

    def _looked(self) -> list[Event]:
        """What the watchdog makes of it."""
        children = [
            Held(
                name=name,
                request_bytes=self._told_bytes[name],
                real_bytes=self._real_bytes(name),
                since=began,
                moldable=self._jobs[name].moldable,
            )
            for name, (began, _) in self._running.items()
        ]
        verdict = self._watchdog.look(children)
        stopped = {held.name for held in verdict.stop}
        grown = [held for held in verdict.grown if held.name not in stopped]
        self._told_bytes |= {held.name: held.real_bytes for held in grown}
        events: list[Event] = [Grown(name=held.name, mem_bytes=held.real_bytes) for held in grown]
        events += [self._die(held.name, stopped=True) for held in verdict.stop]
        used = sum(child.real_bytes for child in children if child.name not in stopped)
        self.most_used_bytes = max(self.most_used_bytes, used)
        if verdict.pressed != self._pressed:
            self._pressed = verdict.pressed
            events.append(MemoryPressed(pressed=verdict.pressed))
        return events

    def _die(self, name: str, *, stopped: bool) -> Event:
        seen = self._real_bytes(name)
        span = self._leave(name, succeeded=False)
        self._ends = [end for end in self._ends if end[1] != name]
        heapify(self._ends)
        request = span.request.mem_bytes
        shortage = Shortage(name=name, request_bytes=request, seen_bytes=seen)
        next_bytes = self._retries.next_bytes(shortage, counts=not stopped)
        self.deaths.append(
            Death(name=name, at=self._now, request_bytes=request, stopped=stopped, given_up=next_bytes is None)
        )
        if next_bytes is None:
            return Ended(name=name, succeeded=False)
        return Requeued(name=name, mem_bytes=next_bytes)

    def _leave(self, name: str, *, succeeded: bool) -> Span:
        del self._told_bytes[name]
        return super()._leave(name, succeeded=succeeded)

    def _is_running(self, name: str, began: float) -> bool:
        return name in self._running and self._running[name][0] == began

    def _request(self, name: str) -> int:
        return self._running[name][1].request.mem_bytes

    def _real_bytes(self, name: str) -> int:
        began, launch = self._running[name]
        duration_s = self._jobs[name].scaled(self._durations[name], launch.request.cpus)
        has_risen = self._now >= began + RISES_AT * duration_s
        return self._peaks[name] if has_risen else int(EARLY_PART * self._peaks[name])

    def _peak_bytes(self, name: str) -> int:
        return self._peaks[name]
