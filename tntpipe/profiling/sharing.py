"""The memory of several processes that share pages, each page counted once.

Proportional set sizes tell it, but the kernel walks all pages to find them, so they are asked for as often as their
cost allows; between two walks what was shared is taken to be shared still.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from tntpipe.profiling.processes import Reading, Shares, read_shares

WALK_PACE = 200
"""A walk that took 5 ms of CPU is followed by a second without one: walks cost at most half a per cent of a core."""


class Sharing:
    """What the processes of one family share; asked at every look."""

    def __init__(self) -> None:
        self._shared_bytes = 0
        self._walked: frozenset[int] = frozenset()
        self._next_walk = 0.0

    def memory_bytes(self, members: Mapping[int, Reading], now: float, n_families: int) -> int:
        """The resident memory of these processes, never less than that of the largest.

        Those that have come since the last walk are left out until the next. ``n_families`` of more than one process
        share what walks may cost.
        """
        if len(members) < 2:
            return sum(member.rss_bytes for member in members.values())
        if now >= self._next_walk:
            self._walk(members, now, n_families)
        known = sum(member.rss_bytes for pid, member in members.items() if pid in self._walked)
        return max(known - self._shared_bytes, *(member.rss_bytes for member in members.values()))

    def _walk(self, members: Mapping[int, Reading], now: float, n_families: int) -> None:
        began = time.thread_time()
        shares = [(member, read_shares(pid)) for pid, member in members.items()]
        cost_s = time.thread_time() - began
        known = [(member, share) for member, share in shares if share is not None]
        self._shared_bytes = max(0, sum(share.rss_bytes for _, share in known) - _once_bytes(known))
        self._walked = frozenset(members)
        self._next_walk = now + WALK_PACE * cost_s * max(n_families, 1)


def _once_bytes(members: list[tuple[Reading, Shares]]) -> int:
    """Memory with shared pages counted once.

    Pages of files are divided among processes outside the family too, so they come to no less than one member maps.
    """
    of_files = sum(share.file_bytes for _, share in members)
    largest_of_files = max((member.rss_file_bytes for member, _ in members), default=0)
    return sum(share.divided_bytes for _, share in members) - of_files + max(of_files, largest_of_files)
