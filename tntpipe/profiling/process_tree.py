"""A child and all that it started, from look to look: who belongs to it, what they use, and what was lost of them.

A process belongs to the family when its parent does, and goes on to belong when its parent ends. CPU seconds never go
down: what a member used stays counted when it ends, by the parent that waited for it or else here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tntpipe.profiling.processes import TICK_S, ChildrenOf, Reading, read_process, read_sizes
from tntpipe.profiling.shared_pages import Sharing

HANDED_ON_S = 2 * TICK_S
"""By so much a parent's account of the children that it waited for may read too low: user and system time are rounded
down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over the family; CPU seconds and bytes read and written include those of members that have ended."""

    cpu_s: float
    rss_bytes: int
    vms_bytes: int
    peak_bytes: int
    n_processes: int
    n_threads: int
    read_bytes: int
    written_bytes: int


class Family:
    """The processes that descend from ``root``.

    Raises
    ------
    ProcessLookupError
        There is no such process.
    """

    def __init__(self, root: int) -> None:
        reading = read_process(root)
        if reading is None:
            raise ProcessLookupError(root)
        self._root = root
        self._members: dict[int, Reading] = {root: reading}
        self._settled = {root: reading.sizes}
        self._sharing = Sharing()
        self._gone_cpu_s = 0.0
        self._gone_read_bytes = self._gone_written_bytes = 0
        self.totals = self._add_up()

    def look(self, children_of: ChildrenOf, now: float, n_families: int = 1) -> Totals | None:
        """The sums of this moment; None once the root has ended.

        ``n_families`` of more than one process share what it may cost to see which pages are shared.
        """
        found = self._find(children_of)
        if self._root not in found:
            return None
        self._account_for_the_gone(found)
        self._settled = {
            pid: member.sizes
            for pid, member in found.items()
            if not member.has_ended and (pid in self._members or not member.is_fork)
        }  # a newcomer that did not exec may be about to, and map its parent's memory until then (vfork)
        self._members = found
        self._sharing.find_out(self._settled, now, n_families)
        self.totals = self._add_up()
        return None if found[self._root].has_ended else self.totals

    def glance(self) -> None:
        """See how large the known members are now, and no more: a fraction of what a look costs."""
        self._settled = {pid: read_sizes(pid) for pid in self._settled}
        memory_bytes = self._sharing.memory_bytes(self._settled)
        self.totals = replace(self.totals, rss_bytes=memory_bytes, peak_bytes=memory_bytes)

    @property
    def unwaited_cpu_s(self) -> float:
        """CPU seconds that ``wait4`` on the root leaves out; whole if the last look was between its end and that."""
        others = (member.cpu_s for pid, member in self._members.items() if pid != self._root)
        return self._gone_cpu_s + (sum(others) if self._members[self._root].has_ended else 0.0)

    def _find(self, children_of: ChildrenOf) -> dict[int, Reading]:
        found: dict[int, Reading] = {}
        candidates = list(self._members)
        while candidates:
            pid = candidates.pop()
            reading = None if pid in found else read_process(pid)
            if reading is not None and (self._is_member(pid, reading) or reading.parent in found):
                found[pid] = reading
                candidates += children_of(pid)
        return found

    def _is_member(self, pid: int, reading: Reading) -> bool:
        known = self._members.get(pid)
        return known is not None and known.started_ticks == reading.started_ticks

    def _account_for_the_gone(self, found: Mapping[int, Reading]) -> None:
        """Keep what ended members used, where no living member took it over by waiting for them."""
        by_heir: dict[int | None, list[Reading]] = {}
        for pid, member in self._members.items():
            if pid not in found or not self._is_member(pid, found[pid]):
                by_heir.setdefault(self._heir(member, found), []).append(member)
        for heir, gone in by_heir.items():
            used_s = sum(member.cpu_s for member in gone)
            handed_on_s = 0.0
            if heir is not None:
                before = self._members.get(heir)
                handed_on_s = max(0.0, found[heir].waited_cpu_s - (before.waited_cpu_s if before else 0.0))
                if used_s <= handed_on_s + HANDED_ON_S:
                    continue
            lost_part = 1 - handed_on_s / used_s if used_s > 0 else 1.0
            self._gone_cpu_s += used_s * lost_part
            self._gone_read_bytes += round(sum(member.read_bytes for member in gone) * lost_part)
            self._gone_written_bytes += round(sum(member.written_bytes for member in gone) * lost_part)

    def _heir(self, member: Reading, found: Mapping[int, Reading]) -> int | None:
        """The nearest ancestor that lives, None for an orphan."""
        pid = member.parent
        while pid not in found:
            if pid not in self._members:
                return None
            pid = self._members[pid].parent
        return pid

    def _add_up(self) -> Totals:
        members = self._members.values()
        memory_bytes = self._sharing.memory_bytes(self._settled)
        return Totals(
            cpu_s=self._gone_cpu_s + sum(member.cpu_s for member in members),
            rss_bytes=memory_bytes,
            vms_bytes=sum(member.vms_bytes for member in members),
            peak_bytes=max(memory_bytes, *(member.sizes.high_water_bytes for member in members)),
            n_processes=sum(not member.has_ended for member in members),
            n_threads=sum(member.n_threads for member in members),
            read_bytes=self._gone_read_bytes + sum(member.read_bytes for member in members),
            written_bytes=self._gone_written_bytes + sum(member.written_bytes for member in members),
        )
