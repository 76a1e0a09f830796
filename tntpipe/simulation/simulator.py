"""A world without children: every job takes the time it is told to take, on a clock that jumps to the next end.

It decides nothing: it does not check budgets or precedence, so that its trace can be used to check who does. Invariant:
all that happens at one instant is reported together.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Ended, Event, Interrupted, Launch, Stop, Used


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One run of one job, from ``began`` to ``ended`` on the simulated clock."""

    name: str
    request: Resources
    began: float
    ended: float
    succeeded: bool


class SimulatedWorld:
    """Runs each job for its ``durations`` seconds; those in ``failures`` fail then, and a stopped one at once.

    The seconds are those with the job's fewest CPUs: with more, a job among ``jobs`` is as much faster as it says. Of
    the trace the last ``n_traced`` spans are kept, or all.
    """

    def __init__(
        self,
        durations: Mapping[str, float],
        failures: Collection[str] = (),
        *,
        jobs: Iterable[Job] = (),
        interrupted_at: float = math.inf,
        n_traced: int | None = None,
    ) -> None:
        self._durations = durations
        self._moldable = {job.name: job for job in jobs if job.moldable}
        self._failures = frozenset(failures)
        self._interrupted_at = interrupted_at
        self._now = 0.0
        self._running: dict[str, tuple[float, Launch]] = {}
        self._ends: list[tuple[float, str]] = []
        self._trace: deque[Span] = deque(maxlen=n_traced)
        self._stopped: set[str] = set()

    @property
    def trace(self) -> tuple[Span, ...]:
        """The jobs that have ended, in the order of their ends."""
        return tuple(self._trace)

    def now(self) -> float:
        """Return the simulated instant; the run begins at 0."""
        return self._now

    def launch(self, action: Launch) -> None:
        """Start a job now."""
        self._running[action.name] = (self._now, action)
        duration_s = self._durations[action.name]
        if action.name in self._moldable:
            duration_s = self._moldable[action.name].scaled(duration_s, action.request.cpus)
        heappush(self._ends, (self._now + duration_s, action.name))

    def stop(self, action: Stop) -> None:
        """Have a running job fail now."""
        self._stopped.add(action.name)
        heappush(self._ends, (self._now, action.name))

    def wait(self, *, block: bool = True) -> Sequence[Event]:
        """Jump to the next instant at which anything happens; that nothing would ever happen is an error.

        Without blocking nothing happens: thinking takes no time here.
        """
        if not block:
            return ()
        instant = min(self._ends[0][0] if self._ends else math.inf, self._interrupted_at)
        if math.isinf(instant):
            raise RuntimeError("nothing runs, so that nothing would ever happen")
        self._now = instant
        events: list[Event] = []
        while self._ends and self._ends[0][0] <= instant:
            _, name = heappop(self._ends)
            if name in self._running:
                events.append(self._end(name))
        if self._interrupted_at <= instant:
            self._interrupted_at = math.inf
            events.append(Interrupted())
        return events

    def _end(self, name: str) -> Ended:
        succeeded = name not in self._failures and name not in self._stopped
        span = self._leave(name, succeeded=succeeded)
        used = Used(wall_s=span.ended - span.began, cpus=span.request.cpus, peak_bytes=self._peak_bytes(name))
        return Ended(name=name, succeeded=succeeded, used=used)

    def _leave(self, name: str, *, succeeded: bool) -> Span:
        began, launch = self._running.pop(name)
        span = Span(name=name, request=launch.request, began=began, ended=self._now, succeeded=succeeded)
        self._trace.append(span)
        return span

    def _peak_bytes(self, name: str) -> int:
        """What the job has used at most: what it asked for, where nobody says otherwise."""
        return self._trace[-1].request.mem_bytes
