"""What profiles say of each kind of step: how much memory to give it, how long it takes, what threads gain.

Memory follows :mod:`tntpipe.profiling.memory_rule`. Times are CPU seconds, which are the wall time of one thread on a
quiet machine; those of registrations with one iteration per level count as unknown. It refuses to know where profiles
lie and whether they should be put together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from statistics import fmean, median

from tntpipe.formatting import GIB
from tntpipe.profiling.memory_rule import MemoryRule, Peak, padding
from tntpipe.profiling.profile import DEBUG, DONE, Profile, StepUse
from tntpipe.profiling.resource_file import StepResources

LEAST_FOR_SPEED_UP = 3
LEAST_S = 1.0
"""A speed-up is the median over at least so many steps that took so long at one thread."""

BUSY_BEYOND = 0.1
"""So much of one more CPU, on average, does not count: other programs' noise is not a CPU that a step needs."""

TimeRatio = Callable[[str, str, int, int], float]
"""By what the time of a kind and variant grows from the first number of voxels to the second."""


def conclusions(profiles: Iterable[Profile], time_ratio: TimeRatio) -> dict[str, StepResources]:
    """What to give to each kind of step that ended well at least once."""
    by_kind: dict[str, list[StepUse]] = defaultdict(list)
    for profile in profiles:
        for use in profile.steps:
            by_kind[use.kind].append(use)
    ended = {kind: uses for kind, uses in by_kind.items() if any(use.outcome == DONE for use in uses)}
    return {kind: _concluded(uses, time_ratio) for kind, uses in sorted(ended.items())}


def never_ended(profiles: Iterable[Profile]) -> list[str]:
    """The kinds of which no step ended well."""
    uses = [use for profile in profiles for use in profile.steps]
    return sorted({use.kind for use in uses} - {use.kind for use in uses if use.outcome == DONE})


def _concluded(uses: Sequence[StepUse], time_ratio: TimeRatio) -> StepResources:
    done = [use for use in uses if use.outcome == DONE]
    timed = _of_costliest_variant([use for use in done if use.variant != DEBUG and _one_thread_s(use) > 0])
    variant = timed[0].variant if timed else done[0].variant
    voxels = max(use.voxels for use in uses)

    def at_voxels(use: StepUse) -> float:
        return _one_thread_s(use) * time_ratio(use.kind, use.variant or "", use.voxels, voxels)

    fewest = min(use.threads for use in done)
    means = [use.mean_cpus for use in done if use.threads == fewest and use.mean_cpus is not None]
    highs = [use.max_cpus for use in done if use.max_cpus is not None]
    overheads = _overheads(timed, at_voxels)
    return replace(
        _memory(uses, voxels),
        ncpu=max(1, math.ceil(max(means) - BUSY_BEYOND)) if means else None,
        cpumax=round(100 * max(highs), 1) if highs else None,
        time=round(fmean(map(at_voxels, timed)), 2) if timed else None,
        n_time=len(timed),
        variant=variant,
        thread_overhead=round(median(overheads), 2) if len(overheads) >= LEAST_FOR_SPEED_UP else None,
        n_speed_up=len(overheads),
    )


def _memory(uses: Sequence[StepUse], voxels: int) -> StepResources:
    """The request, by the rule; steps that did not end well say only what they needed at least."""
    rule = MemoryRule(Peak(use.voxels, use.peak_bytes) for use in uses if use.outcome == DONE)
    for use in uses:
        if use.outcome != DONE:
            rule.see_at_least(Peak(use.voxels, use.peak_bytes))
    line, factor = rule.line, padding(rule.n)
    slope = round(line.mem_bytes_per_voxel * factor, 2) if line else 0.0
    request = rule.request_bytes(voxels)
    above = max(use.peak_bytes - (request + slope * (use.voxels - voxels)) for use in uses)
    return StepResources(
        mem=_rounded_up((request + max(0.0, above)) / GIB),
        n=rule.n,
        peak=_rounded_up(rule.largest_bytes / GIB),
        padding=factor,
        voxels=voxels or None,
        mem_bytes_per_voxel=slope if line else None,
        mem_least=_rounded_up(min(use.peak_bytes for use in uses if use.outcome == DONE) / GIB) if line else None,
        correlation=round(line.correlation, 3) if line else None,
    )


def _rounded_up(gib: float) -> float:
    """To three digits behind the point: some MiB."""
    return math.ceil(gib * 1000) / 1000


def _one_thread_s(use: StepUse) -> float:
    return use.wall_s if use.cpu_s is None else use.cpu_s


def _of_costliest_variant(uses: Sequence[StepUse]) -> list[StepUse]:
    """Those of one variant: of several, the one with the longest steps."""
    by_variant: dict[str | None, list[StepUse]] = defaultdict(list)
    for use in uses:
        by_variant[use.variant].append(use)
    return max(by_variant.values(), key=lambda alike: fmean(map(_one_thread_s, alike)), default=[])


def _overheads(uses: Sequence[StepUse], at_voxels: Callable[[StepUse], float]) -> list[float]:
    """The thread overhead a in S(k) = k / (1 + a (k - 1)) of each step with several threads, against those with one."""
    ones = [at_voxels(use) for use in uses if use.threads == 1]
    several = [use for use in uses if use.threads > 1 and use.wall_s > 0]
    if not ones or fmean(ones) < LEAST_S:
        return []
    speed_ups = ((use.threads, fmean(ones) * _one_thread_s(use) / at_voxels(use) / use.wall_s) for use in several)
    return [min(1.0, max(0.0, (threads / speed_up - 1) / (threads - 1))) for threads, speed_up in speed_ups]
