"""The profile of a run, folded from its journal: of one that goes on, was stopped or was killed as of one that ended.

It refuses to know why steps ran. A step's last entry is made from its whole use, at its end, and holds its peak: short
steps that were never looked at have that one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from tntpipe.formatting import GIB
from tntpipe.journal.events import RunEvent
from tntpipe.journal.history import Attempt, Ending, History, history_of
from tntpipe.profiling.profile import UNFINISHED, Entry, Profile, ProfiledRun, StepUse

CLOCK_GRAIN_S = 0.02
"""A span's CPU seconds may be too many by so much: a thread that never rests then reads a little above one CPU."""


def profile_of(events: Iterable[tuple[float, RunEvent]]) -> Profile:
    """What the steps of a run used, from its events and when they happened."""
    history = history_of(events)
    tries: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in history.attempts:
        if attempt.cpus:  # what was reused, or could not be started, used nothing
            tries[attempt.name].append(attempt)
    facts = history.facts
    return Profile(
        steps=tuple(_use(of_step, history.began_t) for of_step in tries.values()),
        entries=tuple(
            entry for of_step in tries.values() for tried in of_step for entry in _entries(tried, history.began_t)
        ),
        host={**facts.host, "ants": facts.ants, "tntpipe": facts.version},
        run=_run(history),
    )


def _run(history: History) -> ProfiledRun:
    facts, has_ended = history.facts, history.exit_status is not None
    return {
        "command": list(facts.command),
        "started": history.began_t,
        "ended": history.began_t + history.end_s if has_ended else None,
        "exit_status": history.exit_status,
        "settings": dict(facts.settings),
        "budget": {"cpus": facts.cpus, "mem_bytes": facts.mem_bytes, "said": facts.budget},
    }


def _use(tries: Sequence[Attempt], began_t: float) -> StepUse:
    """Its figures are those of the last try, but for the peak."""
    last = tries[-1]
    used = last.usage
    return StepUse(
        name=last.name,
        kind=last.kind,
        scan=last.scan,
        variant=last.variant,
        voxels=last.voxels,
        outcome=UNFINISHED if last.ending is Ending.RETRIED else last.ending.value,
        n_tries=len(tries),
        threads=last.cpus,
        request_bytes=last.mem_bytes,
        started=began_t + last.began_s,
        wall_s=used.wall_s if used else last.wall_s,
        cpu_s=last.cpu_s if used or last.looks else None,
        max_cpus=used.max_cpus if used else max((look.cpus for look in last.looks), default=None),
        peak_bytes=max(tried.peak_bytes for tried in tries),
        read_bytes=used.read_bytes if used else None,
        written_bytes=used.written_bytes if used else None,
    )


def _entries(tried: Attempt, began_t: float) -> Iterator[Entry]:
    """The entries of one try: of its samples, and of its end."""
    looks = [(look.age_s, look.cpu_s, look.rss_bytes, look.vms_bytes) for look in tried.looks]
    wall_s = tried.usage.wall_s if tried.usage else tried.wall_s
    last = wall_s, tried.cpu_s, tried.peak_bytes, max([tried.peak_bytes, *(look[3] for look in looks[-1:])])
    age_before = cpu_before = 0.0
    for age_s, cpu_so_far_s, rss_bytes, vms_bytes in (*looks, last):
        yield Entry(
            name=tried.name,
            time=began_t + tried.began_s + age_s,
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
    return min(cpu_s / span_s, float(max(1, math.ceil((cpu_s - CLOCK_GRAIN_S) / span_s))))
