"""The memory of several processes that share pages, each page counted once.

The proportional set size (PSS) tells it, but the kernel walks all pages to find it, so it is asked for as often as its
cost allows; between two walks what was shared is taken to be shared still.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from tntpipe.profiling.processes import proportional_bytes

WALK_PACE = 50
"""A walk that took 10 ms of CPU is followed by 0.5 s without one: walks cost at most 1 / 50 of a core."""


class Sharing:
    """What the processes of one family share; asked at every look."""

    def __init__(self) -> None:
        self._shared_bytes = 0
        self._walked: frozenset[int] = frozenset()
        self._next_walk = 0.0

    def memory_bytes(self, rss_bytes: Mapping[int, int], now: float, n_families: int) -> int:
        """The resident memory of processes whose resident sizes are given, never less than that of the largest.

        Pages that are shared with processes outside the family are divided among all who map them, so it may be too
        small by those. Processes that have come since the last walk are left out until the next. ``n_families`` of more
        than one process share what walks may cost.
        """
        if len(rss_bytes) < 2:
            return sum(rss_bytes.values())
        if now >= self._next_walk:
            self._walk(rss_bytes, now, n_families)
        known = sum(size for pid, size in rss_bytes.items() if pid in self._walked)
        return max(known - self._shared_bytes, *rss_bytes.values())

    def _walk(self, rss_bytes: Mapping[int, int], now: float, n_families: int) -> None:
        began = time.thread_time()
        once = {pid: proportional_bytes(pid) for pid in rss_bytes}
        cost_s = time.thread_time() - began
        self._shared_bytes = sum(max(0, size - (once[pid] or size)) for pid, size in rss_bytes.items())
        self._walked = frozenset(rss_bytes)
        self._next_walk = now + WALK_PACE * cost_s * max(n_families, 1)
