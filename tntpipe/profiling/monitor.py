"""Looks at running children and sums up ended ones.

It decides when a child is looked at (often while it is young, seldom later; its memory often while the caller is in a
hurry) and refuses to know what the child is for. CPU comes from differences of CPU times, never from a percentage;
memory from the whole process tree. What the figures are worth is told in ``docs/numbers.md``.
"""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tntpipe.journal.usage import Usage
from tntpipe.profiling.inherited_peak import own_high_water_bytes, own_peak
from tntpipe.profiling.process_tree import Family, Totals
from tntpipe.profiling.processes import KIB, children_now
from tntpipe.profiling.sample import Sample

FIRST_INTERVAL_S = 0.05
LAST_INTERVAL_S = 1.0
INTERVAL_PER_AGE = 0.05
"""A child is looked at every 5 % of its age, within the limits above: short steps are seen, long ones cost nothing."""

GLANCE_INTERVAL_S = 0.1
"""While the caller is in a hurry, the memory of each child is seen so often."""

EARLY = 0.25
"""A look that must be made anyway takes in the children that are due within this part of their interval: so those of
one age come to be looked at together."""

WELL_SEEN = 0.5
"""Of a child whose last look fell into the first half of its life, the looks do not tell the peak."""

BUSY_SPAN_S = 0.1
"""The largest number of busy CPUs is over spans at least so long: shorter ones say more of the kernel's turns."""


@dataclass(slots=True)
class _Watched:
    family: Family
    started: float
    own_peak_at_start: int
    looked_at: float
    glanced_at: float
    last_seen: float
    interval_s: float
    last: tuple[float, float]
    busy_since: tuple[float, float]
    peak_bytes: int = 0
    max_cpus: float = 0.0
    max_threads: int = 0
    n_samples: int = 0

    @property
    def next_look(self) -> float:
        return self.looked_at + self.interval_s

    @property
    def next_glance(self) -> float:
        return self.glanced_at + GLANCE_INTERVAL_S


class Monitor:
    """Watches children by process id; ``now`` is the caller's monotonic clock, in seconds.

    ``clock`` is read beside each child's CPU times, because a look at many children takes a while.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._watched: dict[int, _Watched] = {}
        self._clock = clock
        self._is_hurried = False

    def watch(self, pid: int, now: float) -> None:
        """Begin to look at a child that was just started."""
        with contextlib.suppress(ProcessLookupError):  # it was waited for already: wait4 has its account
            clock_s, family = self._clock(), Family(pid)
            start = clock_s, family.totals.cpu_s
            self._watched[pid] = _Watched(
                family=family,
                started=now,
                own_peak_at_start=own_high_water_bytes(),
                looked_at=now,
                glanced_at=now,
                last_seen=now,
                interval_s=FIRST_INTERVAL_S,
                last=start,
                busy_since=start,
                peak_bytes=family.totals.peak_bytes,
            )

    def hurry(self, on: bool) -> None:
        """While on, see every 100 ms how much memory each child has, whatever its age.

        What is seen so is in :meth:`memory_now` and in the peak; samples come no oftener than otherwise.
        """
        self._is_hurried = on

    def next_look(self) -> float | None:
        """When the next child is due, None when none is watched."""
        watched = self._watched.values()
        glances = [child.next_glance for child in watched] if self._is_hurried else []
        return min([child.next_look for child in watched] + glances, default=None)

    def look(self, now: float) -> dict[int, Sample]:
        """Look at every child that is due; the samples of those that were looked at thoroughly."""
        due = self.next_look()
        if due is None or now < due:
            return {}
        children_of = children_now()
        n_families = sum(child.family.totals.n_processes > 1 for child in self._watched.values())
        samples = {}
        for pid, child in self._watched.items():
            if now >= child.next_look - EARLY * child.interval_s:
                child.looked_at = child.glanced_at = now
                child.interval_s = min(max(INTERVAL_PER_AGE * (now - child.started), FIRST_INTERVAL_S), LAST_INTERVAL_S)
                clock_s = self._clock()
                totals = child.family.look(children_of, now, n_families)
                if totals is not None:
                    samples[pid] = _sample(child, totals, now, (clock_s, self._clock()))
            elif self._is_hurried and now >= child.next_glance - EARLY * GLANCE_INTERVAL_S:
                child.glanced_at = now
                child.family.glance()
            child.peak_bytes = max(child.peak_bytes, child.family.totals.peak_bytes)
        return samples

    def last_look(self, pid: int, now: float) -> None:
        """Look once more at a child that has ended, before it is waited for and what it left behind is killed."""
        if pid in self._watched:
            self._watched[pid].family.look(children_now(), now)

    def memory_now(self) -> Mapping[int, int]:
        """The resident memory of each child's tree, in bytes, as it was last seen."""
        return {pid: child.family.totals.rss_bytes for pid, child in self._watched.items()}

    def ended(self, pid: int, now: float, status: int, account: resource.struct_rusage) -> Usage:
        """The use of a child, from what was seen of it and from what ``os.wait4`` returned."""
        exit_code = os.waitstatus_to_exitcode(status)
        cpu = account.ru_utime + account.ru_stime
        maxrss_bytes = account.ru_maxrss * KIB
        child = self._watched.pop(pid, None)
        if child is None:
            return Usage(wall_s=0.0, cpu_s=cpu, peak_bytes=maxrss_bytes, exit_code=exit_code)
        wall = now - child.started
        cpu += child.family.unwaited_cpu_s
        return Usage(
            wall_s=wall,
            cpu_s=cpu,
            peak_bytes=own_peak(
                child.peak_bytes,
                maxrss_bytes,
                child.own_peak_at_start,
                is_well_seen=child.last_seen - child.started >= WELL_SEEN * wall,
            ),
            max_cpus=max(child.max_cpus, cpu / wall if wall > 0 else 0.0),
            max_threads=max(child.max_threads, 1),
            n_samples=child.n_samples,
            exit_code=exit_code,
            read_bytes=child.family.totals.read_bytes,
            written_bytes=child.family.totals.written_bytes,
        )


def _sample(child: _Watched, totals: Totals, now: float, looked_s: tuple[float, float]) -> Sample:
    """The look, which took from one moment to another, as others see it; ``child`` remembers what its end will need."""
    looking, looked = looked_s
    cpus = _busy(child.last, (looked, totals.cpu_s))
    child.last = looking, totals.cpu_s
    if looked - child.busy_since[0] >= BUSY_SPAN_S:
        child.max_cpus = max(child.max_cpus, _busy(child.busy_since, (looked, totals.cpu_s)))
        child.busy_since = looking, totals.cpu_s
    child.max_threads = max(child.max_threads, totals.n_threads)
    child.n_samples += 1
    child.last_seen = now
    return Sample(
        age_s=now - child.started,
        cpu_s=totals.cpu_s,
        cpus=cpus,
        rss_bytes=totals.rss_bytes,
        vms_bytes=totals.vms_bytes,
        peak_bytes=totals.peak_bytes,
        n_processes=totals.n_processes,
        n_threads=totals.n_threads,
        read_bytes=totals.read_bytes,
        written_bytes=totals.written_bytes,
    )


def _busy(since: tuple[float, float], until: tuple[float, float]) -> float:
    """Mean busy CPUs between two (time, CPU seconds); 0 where no time has passed.

    The span runs from before the first look to after the second: a look that is held up makes them too few, not too
    many.
    """
    span_s = until[0] - since[0]
    return max(0.0, until[1] - since[1]) / span_s if span_s > 0 else 0.0
