"""Looks at running children and sums up ended ones. The one module that imports psutil.

It decides when a child is looked at (often while it is young, seldom later) and refuses to know what the child is for.
CPU comes from differences of CPU times, never from a percentage; memory from the whole process tree.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from tntpipe.profiling.usage import Sample, Usage

FIRST_INTERVAL_S = 0.05
LAST_INTERVAL_S = 1.0
INTERVAL_PER_AGE = 0.05
"""A child is looked at every 5 % of its age, within the two limits above: short steps are seen, long ones cost
nothing."""

MAXRSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(slots=True)
class _Watched:
    process: psutil.Process
    started: float
    own_peak_at_start: int
    next_look: float
    peak_bytes: int = 0
    max_cpus: float = 0.0
    max_threads: int = 0
    n_samples: int = 0
    last: Sample | None = field(default=None)
    latest: Sample | None = field(default=None)


class Monitor:
    """Watches children by process id; ``now`` is the caller's monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}

    def watch(self, pid: int, now: float) -> None:
        """Begin to look at a child that was just started."""
        with contextlib.suppress(psutil.NoSuchProcess):  # it may have ended already; wait4 has its account
            child = _Watched(psutil.Process(pid), now, _largest_self_bytes(), now + FIRST_INTERVAL_S)
            child.peak_bytes = _high_water_bytes(pid)  # of a child too short to be looked at again, better than none
            self._watched[pid] = child

    def next_look(self) -> float | None:
        """When the next child is due, None when none is watched."""
        return min((child.next_look for child in self._watched.values()), default=None)

    def look(self, now: float) -> dict[int, Sample]:
        """Look at every child that is due."""
        due = [pid for pid, child in self._watched.items() if child.next_look <= now]
        if not due:
            return {}
        descendants = _descendants()
        samples = {}
        for pid in due:
            child = self._watched[pid]
            age = now - child.started
            child.next_look = now + min(max(INTERVAL_PER_AGE * age, FIRST_INTERVAL_S), LAST_INTERVAL_S)
            sample = _sample(child.process, descendants, age)
            if sample is not None:
                before = child.latest
                child.latest = sample
                span_s = age - (before.age_s if before else 0.0)
                busy = (sample.cpu_s - (before.cpu_s if before else 0.0)) / span_s if span_s > 0 else 0.0
                sample = replace(sample, cpus=max(busy, 0.0))
                samples[pid] = sample
                _remember(child, sample)
        return samples

    def ended(self, pid: int, now: float, status: int, account: resource.struct_rusage) -> Usage:
        """The use of a child, from what was seen of it and from what ``os.wait4`` returned."""
        child = self._watched.pop(pid, None)
        wall = now - child.started if child else 0.0
        cpu = account.ru_utime + account.ru_stime
        seen = child.peak_bytes if child else 0
        known_own = child.own_peak_at_start if child else _largest_self_bytes()
        return Usage(
            wall_s=wall,
            cpu_s=cpu,
            peak_bytes=own_peak(seen, account.ru_maxrss * MAXRSS_UNIT_BYTES, known_own),
            max_cpus=max(child.max_cpus if child else 0.0, cpu / wall if wall > 0 else 0.0),
            max_threads=max(child.max_threads if child else 0, 1),
            n_samples=child.n_samples if child else 0,
            exit_code=os.waitstatus_to_exitcode(status),
        )


def own_peak(seen_bytes: int, maxrss_bytes: int, parent_peak_bytes: int) -> int:
    """A child's peak memory from the samples and from ``ru_maxrss``.

    Linux carries the peak of the process image that called ``exec`` over into ``ru_maxrss``, so a small child of a
    large parent reads as large as its parent. A figure above the parent's own peak is the child's; one below it says
    only that the child used no more, and stands in where nothing was sampled.

    >>> own_peak(seen_bytes=10, maxrss_bytes=500, parent_peak_bytes=200), own_peak(10, 200, 200), own_peak(0, 200, 200)
    (500, 10, 200)
    """
    if maxrss_bytes > parent_peak_bytes or seen_bytes == 0:
        return max(seen_bytes, maxrss_bytes)
    return seen_bytes


def _largest_self_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT_BYTES


def _descendants() -> dict[int, list[psutil.Process]]:
    """Children of every process, from one pass over the process table."""
    children: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            children.setdefault(process.ppid(), []).append(process)
    return children


def _sample(root: psutil.Process, children: dict[int, list[psutil.Process]], age_s: float) -> Sample | None:
    """The sums over the tree of ``root``, None when it has ended."""
    cpu = rss = vms = peak = processes = threads = 0.0
    stack = [root]
    while stack:
        process = stack.pop()
        stack += children.get(process.pid, [])
        with contextlib.suppress(psutil.Error), process.oneshot():
            memory, times = process.memory_info(), process.cpu_times()
            cpu += times.user + times.system + times.children_user + times.children_system
            rss += memory.rss
            vms += memory.vms
            peak = max(peak, _high_water_bytes(process.pid))
            threads += process.num_threads()
            processes += 1
    if not processes or not rss:
        return None
    return Sample(
        age_s=age_s,
        cpu_s=cpu,
        cpus=0.0,
        rss_bytes=int(rss),
        vms_bytes=int(vms),
        peak_bytes=int(max(rss, peak)),
        n_processes=int(processes),
        n_threads=int(threads),
    )


def _high_water_bytes(pid: int) -> int:
    """The largest resident size that one process has had since its ``exec``; 0 where the kernel does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _remember(child: _Watched, sample: Sample) -> None:
    if child.last is not None and sample.age_s > child.last.age_s:
        busy = (sample.cpu_s - child.last.cpu_s) / (sample.age_s - child.last.age_s)
        if sample.age_s - child.last.age_s >= 2 * FIRST_INTERVAL_S:  # CPU times tick at 10 ms: shorter spans are noise
            child.max_cpus = max(child.max_cpus, busy)
            child.last = sample
    else:
        child.last = sample
    child.peak_bytes = max(child.peak_bytes, sample.peak_bytes)
    child.max_threads = max(child.max_threads, sample.n_threads)
    child.n_samples += 1
