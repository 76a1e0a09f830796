"""How much memory to give to a step, from the peaks of steps like it: the one rule of profiles and of running learning.

A pure function of what was seen. Peaks grow with the input where they do so clearly (a line, once at least eight were
seen and the correlation is 0.9); else the largest peak counts, whatever the input. Both are padded, the more the fewer
were seen (Tovar et al. 2018; Witt et al. 2019 compare such rules). Invariant: never less than the largest peak that was
seen of an input that is no larger.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from tntpipe.formatting import MIB

PADDING = ((2, 1.5), (3, 1.35), (8, 1.2))
"""With fewer peaks than the first, the largest is multiplied by the second."""

LEAST_PADDING = 1.1
PAD_BYTES = 64 * MIB
LEAST_FOR_LINE = 8
LEAST_CORRELATION = 0.9
MOST_ABOVE_MAXIMUM = 1.5
"""A line is trusted up to this times the largest peak that was seen."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The peak memory of one step, and the voxels that it worked on."""

    voxels: int
    mem_bytes: int


def padding(n: int, least: float = LEAST_PADDING) -> float:
    """By what the largest of ``n`` peaks is multiplied; ``least`` where there are many.

    >>> padding(1), padding(2), padding(7), padding(8)
    (1.5, 1.35, 1.2, 1.1)
    """
    return next((factor for limit, factor in PADDING if n < limit), least)


@dataclass(frozen=True, slots=True)
class Line:
    """Bytes against voxels: ``mem_bytes + mem_bytes_per_voxel * voxels``; ``correlation`` is Pearson's."""

    mem_bytes: float
    mem_bytes_per_voxel: float
    correlation: float

    def at(self, voxels: int) -> float:
        """The bytes expected of an input of so many voxels."""
        return self.mem_bytes + self.mem_bytes_per_voxel * voxels


class MemoryRule:
    """What was seen of one kind of step; grows by one peak at a time, in constant time and space."""

    def __init__(self, peaks: Iterable[Peak] = ()) -> None:
        self.n = 0
        self.largest_bytes = 0
        self._mean_voxels = self._mean_bytes = 0.0
        self._voxels_voxels = self._bytes_bytes = self._voxels_bytes = 0.0
        self._sizes: list[int] = []
        self._floors: list[int] = []  # both ascending: at least floors[i] was used from sizes[i] voxels on
        for peak in peaks:
            self.see(peak)

    def see(self, peak: Peak) -> None:
        """Count a step that has ended (Welford's sums)."""
        self.n += 1
        voxels_off, bytes_off = peak.voxels - self._mean_voxels, peak.mem_bytes - self._mean_bytes
        self._mean_voxels += voxels_off / self.n
        self._mean_bytes += bytes_off / self.n
        self._voxels_voxels += voxels_off * (peak.voxels - self._mean_voxels)
        self._bytes_bytes += bytes_off * (peak.mem_bytes - self._mean_bytes)
        self._voxels_bytes += voxels_off * (peak.mem_bytes - self._mean_bytes)
        self.see_at_least(peak)

    def see_at_least(self, peak: Peak) -> None:
        """Take note of what a step has used so far, or when it was killed: its peak would have been no lower."""
        self.largest_bytes = max(self.largest_bytes, peak.mem_bytes)
        if peak.mem_bytes <= self.floor_bytes(peak.voxels):
            return
        first = bisect_left(self._sizes, peak.voxels)
        last = bisect_right(self._floors, peak.mem_bytes, lo=first)
        self._sizes[first:last], self._floors[first:last] = [peak.voxels], [peak.mem_bytes]

    @property
    def line(self) -> Line | None:
        """The least-squares line, where there are enough peaks and they lie near it."""
        if self.n < LEAST_FOR_LINE or not self._voxels_voxels or not self._bytes_bytes:
            return None
        correlation = self._voxels_bytes / math.sqrt(self._voxels_voxels * self._bytes_bytes)
        if correlation < LEAST_CORRELATION:
            return None
        slope = self._voxels_bytes / self._voxels_voxels
        return Line(self._mean_bytes - slope * self._mean_voxels, slope, correlation)

    def request_bytes(self, voxels: int, least_padding: float = LEAST_PADDING) -> int:
        """What a step of so many voxels should be given; 0 while nothing was seen."""
        if not self.largest_bytes:
            return 0
        line = self.line
        expected = float(self.largest_bytes)
        if line is not None:
            expected = min(line.at(voxels), MOST_ABOVE_MAXIMUM * self.largest_bytes)
        return max(math.ceil(expected * padding(self.n, least_padding) + PAD_BYTES), self.floor_bytes(voxels))

    def floor_bytes(self, voxels: int) -> int:
        """The largest peak that was seen of an input that is no larger."""
        n_smaller = bisect_right(self._sizes, voxels)
        return self._floors[n_smaller - 1] if n_smaller else 0
