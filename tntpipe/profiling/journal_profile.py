"""The profile of a run, folded from its journal: of one that goes on, was stopped or was killed as of one that ended.

It refuses to know why steps ran. A step's last entry is made from its whole use, at its end, and holds its peak: short
steps that were never looked at have that one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tntpipe.formatting import GIB
from tntpipe.journal.events import (
    RunEnded,
    RunEvent,
    RunStarted,
    StepEnded,
    StepReady,
    StepRetried,
    StepSampled,
    StepStarted,
)
from tntpipe.profiling.profile import UNFINISHED, Entry, Profile, StepUse

CLOCK_GRAIN_S = 0.02
"""A span's CPU seconds may be too many by so much: a thread that never rests then reads a little above one CPU."""


@dataclass(slots=True)
class _Try:
    started: float
    threads: int
    request_bytes: int
    samples: list[StepSampled] = field(default_factory=list)


@dataclass(slots=True)
class _Known:
    name: str
    kind: str = ""
    scan: str = ""
    variant: str = ""
    voxels: int = 0
    n_tries: int = 0
    peak_bytes: int = 0
    now: _Try | None = None
    entries: list[Entry] = field(default_factory=list)
    use: StepUse | None = None


def profile_of(events: Iterable[tuple[float, RunEvent]]) -> Profile:
    """What the steps of a run used, from its events and when they happened."""
    known: dict[str, _Known] = {}
    host: dict[str, Any] = {}
    run: dict[str, Any] = {}
    last_heard = 0.0
    for t, event in events:
        last_heard = t
        match event:
            case RunStarted():
                host, run = _host(event), _run(t, event)
            case RunEnded():
                run |= {"ended": t, "exit_status": event.exit_status}
            case StepReady():
                step = known.setdefault(event.name, _Known(event.name))
                step.kind, step.scan, step.variant, step.voxels = event.kind, event.scan, event.variant, event.voxels
            case StepStarted():
                step = known.setdefault(event.name, _Known(event.name, event.kind, event.scan))
                step.n_tries += 1
                step.now = _Try(t, event.cpus, event.mem_bytes)
            case StepSampled():
                now = known[event.name].now if event.name in known else None
                if now is not None:
                    now.samples.append(event)
            case StepRetried() | StepEnded():
                outcome = event.outcome.value if isinstance(event, StepEnded) else UNFINISHED
                if event.name in known:
                    _end(known[event.name], t, outcome, event.usage)
    for step in known.values():
        _end(step, last_heard, UNFINISHED, {})
    return Profile(
        steps=tuple(step.use for step in known.values() if step.use is not None),
        entries=tuple(entry for step in known.values() for entry in step.entries),
        host=host,
        run=run,
    )


def _host(event: RunStarted) -> dict[str, Any]:
    return {**event.host, "ants": event.ants, "tntpipe": event.version}


def _run(t: float, event: RunStarted) -> dict[str, Any]:
    return {
        "command": list(event.command),
        "started": t,
        "ended": None,
        "exit_status": None,
        "settings": dict(event.settings),
        "budget": {"cpus": event.cpus, "mem_bytes": event.mem_bytes, "said": event.budget},
    }


def _end(step: _Known, t: float, outcome: str, usage: Mapping[str, Any]) -> None:
    """A try has ended, or was not heard of again after ``t``."""
    now = step.now
    if now is None:
        return
    step.now = None
    last = now.samples[-1] if now.samples else None
    wall_s = usage.get("wall_s", t - now.started)
    cpu_s = usage.get("cpu_s", last.cpu_s if last else None)
    peak_bytes = max([usage.get("peak_bytes", 0), *(sample.rss_bytes for sample in now.samples)])
    step.peak_bytes = max(step.peak_bytes, peak_bytes)
    step.entries += _entries(step.name, now, wall_s, cpu_s or 0.0, peak_bytes)
    step.use = StepUse(
        name=step.name,
        kind=step.kind,
        scan=step.scan,
        variant=step.variant,
        voxels=step.voxels,
        outcome=outcome,
        n_tries=step.n_tries,
        threads=now.threads,
        request_bytes=now.request_bytes,
        started=now.started,
        wall_s=wall_s,
        cpu_s=cpu_s,
        max_cpus=usage.get("max_cpus", max((sample.cpus for sample in now.samples), default=None)),
        peak_bytes=step.peak_bytes,
        read_bytes=usage.get("read_bytes"),
        written_bytes=usage.get("written_bytes"),
    )


def _entries(name: str, now: _Try, wall_s: float, cpu_s: float, peak_bytes: int) -> Iterator[Entry]:
    """The entries of one try: of its samples, and of its end."""
    looks = [(sample.age_s, sample.cpu_s, sample.rss_bytes, sample.vms_bytes) for sample in now.samples]
    last = wall_s, cpu_s, peak_bytes, max([peak_bytes, *(look[3] for look in looks[-1:])])
    age_before = cpu_before = 0.0
    for age_s, cpu_so_far_s, rss_bytes, vms_bytes in (*looks, last):
        yield Entry(
            name=name,
            time=now.started + age_s,
            rss_gib=rss_bytes / GIB,
            vms_gib=vms_bytes / GIB,
            cpu_percent=100 * busy_cpus(cpu_so_far_s - cpu_before, age_s - age_before),
        )
        age_before, cpu_before = age_s, cpu_so_far_s


def busy_cpus(cpu_s: float, span_s: float) -> float:
    """Mean busy CPUs over a span; what the clocks' grain may have added to a whole number of them is left out.

    >>> busy_cpus(0.5, 1.0), busy_cpus(1.01, 1.0), busy_cpus(1.5, 1.0), busy_cpus(0.02, 0.005)
    (0.5, 1.0, 1.5, 1.0)
    """
    if span_s <= 0 or cpu_s <= 0:
        return 0.0
    return min(cpu_s / span_s, max(1, math.ceil((cpu_s - CLOCK_GRAIN_S) / span_s)))
