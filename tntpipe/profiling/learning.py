"""What a run teaches of one kind of step: how much memory the next ones should be given, and how long they take.

Pure: it takes what was seen and what was expected, and knows neither steps nor clocks. Memory follows
:mod:`tntpipe.profiling.memory_rule`. Times are learnt as a ratio to what was expected, which counts as a few
measurements; only once as many steps have ended as still run, since short ones end first.
"""

from __future__ import annotations

import math

from tntpipe.profiling.memory_rule import MemoryRule, Peak

PRIOR_WEIGHT = 2.5
"""So many steps that took what was expected are counted in with those that ended."""

LEAST_TO_LOWER = 3
"""With fewer peaks than this, what was expected is kept where it is more."""

LEAST_PADDING = 1.0
"""Of the largest of many peaks in this run nothing is added but a constant: steps do not all have their peaks at once,
and the watchdog looks after the sum. A resource file is for machines that may have no such guard, and pads more."""

WIDEST_RATIO = 20.0
"""A single step counts as at most so many times longer, or shorter, than expected."""


class KindLearning:
    """One kind and variant."""

    def __init__(self) -> None:
        self._memory = MemoryRule()
        self._sum_of_ratios = 0.0
        self.time_ratio = 1.0

    @property
    def n(self) -> int:
        """How many steps have ended."""
        return self._memory.n

    def see(self, peak: Peak, time_ratio: float) -> None:
        """Count a step that succeeded; the ratio is its wall time to the expected one."""
        self._memory.see(peak)
        self._sum_of_ratios += min(max(time_ratio, 1 / WIDEST_RATIO), WIDEST_RATIO)

    def see_at_least(self, peak: Peak) -> None:
        """Take note of what a step that still runs, or was killed, had."""
        self._memory.see_at_least(peak)

    def review_time(self, n_running: int) -> None:
        """Take over the ratio that was seen, unless more of these steps run than have ended."""
        if self.n and self.n >= n_running:
            self.time_ratio = (PRIOR_WEIGHT + self._sum_of_ratios) / (PRIOR_WEIGHT + self.n)

    def request_bytes(self, expected_bytes: int, voxels: int, *, fixed: bool) -> int:
        """What a step should be given, where so much was expected; ``fixed`` is raised only to what was seen."""
        floor = self._memory.floor_bytes(voxels)
        if fixed or not self.n:
            return max(expected_bytes, math.ceil(floor))
        learnt = self._memory.request_bytes(voxels, LEAST_PADDING)
        return learnt if self.n >= LEAST_TO_LOWER else max(learnt, expected_bytes)
