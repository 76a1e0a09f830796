"""Corrects what jobs are expected to need by those of their kind that have ended: events in, ``Reestimated`` out.

It knows neither clocks nor files, so the same learner serves a machine and a simulation. A resource file's figures are
kept, but raised to what was seen. So that thousands of jobs are not thought of anew at each end of a step, corrections
are gathered until a small part of the run's time has passed; only a request that is too small is corrected at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tntpipe.formatting import MIB
from tntpipe.profiling.learning import KindLearning
from tntpipe.profiling.memory_rule import Peak
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Ended, Event, Grown, Reestimated, Requeued

STEP_BYTES = 32 * MIB
"""Requests are multiples of this, and times have two digits: jobs that are nearly alike stay alike to the scheduler."""

GATHERED = 0.01
"""Part of the time that the run has taken, for which corrections are gathered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What is now known of a kind; ``mem_bytes`` is the largest request of the jobs to come."""

    kind: str
    variant: str
    n: int
    mem_bytes: int
    time_ratio: float


@dataclass(slots=True)
class _Kind:
    learning: KindLearning
    left: dict[str, None]
    n_told: int = 0
    changed: bool = False
    urgent: bool = False


class Learner:
    """Learns in one run of ``jobs``.

    ``sizes`` tells the variant and the voxels of each; ``fixed`` names those whose request a resource file gave,
    ``fixed_times`` those whose time it gave, by default the same; ``tell`` hears what was learnt.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        sizes: Mapping[str, tuple[str, int]],
        budget: Resources,
        *,
        fixed: Collection[str] = (),
        fixed_times: Collection[str] | None = None,
        tell: Callable[[Learnt], None] = lambda learnt: None,
    ) -> None:
        self._expected = {job.name: job for job in jobs}
        self._now = dict(self._expected)
        self._sizes, self._budget, self._fixed, self._tell = sizes, budget, frozenset(fixed), tell
        self._fixed_times = self._fixed if fixed_times is None else frozenset(fixed_times)
        self._raised: dict[str, int] = {}
        self._kinds: dict[tuple[str, str], _Kind] = {}
        for name in self._expected:
            self._kinds.setdefault(self._key(name), _Kind(KindLearning(), {})).left[name] = None
        self._began: float | None = None
        self._last = -math.inf

    def learn(self, events: Iterable[Event], scheduler: Scheduler, now: float) -> Iterator[Reestimated]:
        """What the scheduler should hear after these events, which it has not taken in yet."""
        if self._began is None:
            self._began = now
        for event in events:
            if isinstance(event, Ended):
                self._ended(event)
            elif isinstance(event, Grown):
                kind = self._kinds[self._key(event.name)]
                kind.learning.see_at_least(Peak(self._sizes[event.name][1], event.mem_bytes))
                kind.changed = kind.urgent = True
            elif isinstance(event, Requeued):
                self._raised[event.name] = max(event.mem_bytes, self._raised.get(event.name, 0))
                self._now[event.name] = self._corrected(event.name)
        changed = [key for key, kind in self._kinds.items() if kind.changed]
        due = now - self._last >= GATHERED * (now - self._began)
        if not changed or not (due or any(self._kinds[key].urgent for key in changed)):
            return
        self._last = now
        running: dict[tuple[str, str], int] = {}
        for held in scheduler.running:
            key = self._key(held.name)
            running[key] = running.get(key, 0) + (held.name in self._kinds[key].left)
        jobs = [job for key in changed for job in self._review(key, running.get(key, 0))]
        if jobs:
            yield Reestimated(jobs=tuple(jobs))

    def _key(self, name: str) -> tuple[str, str]:
        return self._expected[name].kind, self._sizes[name][0]

    def _ended(self, event: Ended) -> None:
        job, kind = self._expected[event.name], self._kinds[self._key(event.name)]
        kind.left.pop(event.name, None)
        used = event.used
        if not event.succeeded or used is None:
            return
        expected_s = job.wall_s_at(used.cpus) if used.cpus in job.cpu_choices else 0.0
        ratio = used.wall_s / expected_s if expected_s else 1.0
        kind.learning.see(Peak(self._sizes[event.name][1], used.peak_bytes), ratio)
        kind.changed = True
        kind.urgent |= used.peak_bytes > self._now[event.name].request.mem_bytes

    def _review(self, key: tuple[str, str], n_running: int) -> Iterator[Job]:
        kind = self._kinds[key]
        kind.changed = kind.urgent = False
        kind.learning.review_time(n_running)
        largest = 0
        n_corrected = 0
        for name in kind.left:
            job = self._corrected(name)
            largest = max(largest, job.request.mem_bytes)
            if job != self._now[name]:
                self._now[name] = job
                n_corrected += 1
                yield job
        if n_corrected:
            learning = kind.learning
            learnt = Learnt(
                kind=key[0], variant=key[1], n=learning.n, mem_bytes=largest, time_ratio=learning.time_ratio
            )
            self._tell(learnt)

    def _corrected(self, name: str) -> Job:
        job, learning = self._expected[name], self._kinds[self._key(name)].learning
        is_fixed = name in self._fixed
        mem_bytes = learning.request_bytes(job.request.mem_bytes, self._sizes[name][1], fixed=is_fixed)
        if not is_fixed or mem_bytes > job.request.mem_bytes:
            mem_bytes = math.ceil(mem_bytes / STEP_BYTES) * STEP_BYTES
        mem_bytes = max(mem_bytes, self._raised.get(name, 0))
        if mem_bytes < job.request.mem_bytes < mem_bytes + STEP_BYTES:
            mem_bytes = job.request.mem_bytes  # the same, not rounded
        ratio = 1.0 if name in self._fixed_times else learning.time_ratio
        return replace(
            job,
            request=Resources(job.request.cpus, min(mem_bytes, self._budget.mem_bytes)),
            wall_s=job.wall_s if ratio == 1 else float(f"{job.wall_s * ratio:.2g}"),
        )
