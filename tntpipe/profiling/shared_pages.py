"""The memory of several processes that share pages, each page counted once.

Proportional set sizes tell it, but the kernel walks all pages to find them, so they are asked for as often as their
cost allows; between two walks what was shared is taken to be shared still.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from tntpipe.profiling.processes import Shares, Sizes, read_shares

WALK_PACE = 200
"""A walk that took 5 ms of CPU is followed by a second without one: walks cost at most half a per cent of a core."""


class Sharing:
    """What the processes of one family share."""

    def __init__(self) -> None:
        self._shared_bytes = 0
        self._walked: frozenset[int] = frozenset()
        self._next_walk = 0.0

    def memory_bytes(self, sizes: Mapping[int, Sizes]) -> int:
        """The resident memory of these processes, never less than that of the largest.

        Those that have come since the last walk are left out until the next.
        """
        rss_bytes = [size.rss_bytes for size in sizes.values()]
        if len(rss_bytes) < 2:
            return sum(rss_bytes)
        known = sum(size.rss_bytes for pid, size in sizes.items() if pid in self._walked)
        return max(known - self._shared_bytes, *rss_bytes)

    def find_out(self, sizes: Mapping[int, Sizes], now: float, n_families: int) -> None:
        """Walk all pages, if there is more than one process and it is time to.

        ``n_families`` of more than one process share what walks may cost.
        """
        if len(sizes) > 1 and now >= self._next_walk:
            self._next_walk = now + WALK_PACE * self._walk(sizes) * max(n_families, 1)

    def _walk(self, sizes: Mapping[int, Sizes]) -> float:
        """Returns the CPU seconds that it took."""
        began = time.thread_time()
        shares = [(size, read_shares(pid)) for pid, size in sizes.items()]
        cost_s = time.thread_time() - began
        known = [(size, share) for size, share in shares if share is not None]
        self._shared_bytes = max(0, sum(share.rss_bytes for _, share in known) - _once_bytes(known))
        self._walked = frozenset(sizes)
        return cost_s


def _once_bytes(processes: list[tuple[Sizes, Shares]]) -> int:
    """Memory with shared pages counted once.

    Pages of files are divided among processes outside the family too, so they come to no less than one process maps.
    """
    of_files = sum(share.file_bytes for _, share in processes)
    largest_of_files = max((size.file_bytes for size, _ in processes), default=0)
    return sum(share.divided_bytes for _, share in processes) - of_files + max(of_files, largest_of_files)
