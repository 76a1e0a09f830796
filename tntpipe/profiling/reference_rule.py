"""The reference pipeline's own rule, from the flat arrays of a profile to a resource file.

Of each step: the largest memory that was seen, with no margin; the time from its first look to its last; as many CPUs
as its largest CPU per cent comes to, rounded up, but one where that time is under a second. Looks that follow the one
before in less than a tenth of a second say nothing of CPUs. Of each kind: the largest of its steps. As in the other
rule, the time of registrations with one iteration per level is left out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from tntpipe.profiling.nipype_profile import executions
from tntpipe.profiling.profile import DEBUG, Entry, Profile
from tntpipe.profiling.resource_file import StepResources

LEAST_APART_S = 0.1
LEAST_S = 1.0


def reference_conclusions(profiles: Iterable[Profile]) -> dict[str, StepResources]:
    """What the reference would give to each kind of step."""
    by_kind: dict[str, list[StepResources]] = defaultdict(list)
    for profile in profiles:
        looks: dict[str, list[Entry]] = defaultdict(list)
        for entry in sorted(profile.entries, key=lambda entry: entry.time):
            looks[entry.name].append(entry)
        for use in {use.name: use for use in profile.steps}.values():
            for entries in executions(looks[use.name]):
                by_kind[use.kind].append(_of_step(entries, is_timed=use.variant != DEBUG))
    return {kind: _largest(steps) for kind, steps in sorted(by_kind.items())}


def _of_step(entries: Sequence[Entry], *, is_timed: bool) -> StepResources:
    time_s = entries[-1].time - entries[0].time
    apart = [after for before, after in pairwise(entries) if after.time - before.time >= LEAST_APART_S]
    cpumax = max(entry.cpu_percent for entry in (entries[0], *apart))
    return StepResources(
        ncpu=max(1, math.ceil(cpumax / 100)) if time_s >= LEAST_S else 1,
        cpumax=cpumax,
        mem=max(entry.rss_gib for entry in entries),
        time=time_s if is_timed else None,
    )


def _largest(steps: Sequence[StepResources]) -> StepResources:
    return StepResources(
        ncpu=max(step.ncpu or 1 for step in steps),
        cpumax=max(step.cpumax or 0.0 for step in steps),
        mem=max(step.mem or 0.0 for step in steps),
        time=max((step.time for step in steps if step.time is not None), default=None),
    )
