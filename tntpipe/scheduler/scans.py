"""Which scans are under way, which wait for their turn, and what is left of each.

A scan is a group of jobs. So that results come one after another and not all at the end, the ready jobs of scans that
have not begun are parked, in the order in which they would start. Jobs without a group are always under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush, nsmallest

from tntpipe.scheduler.horizon import Memory, Work
from tntpipe.scheduler.nodes import Node
from tntpipe.scheduler.policy import Rank


@dataclass(slots=True, eq=False)
class Scan:
    """What is left of a scan: jobs not finished, the work of those not begun, and the ready and running ones."""

    n_unfinished: int = 0
    work: Work = field(default_factory=Work)
    live: dict[int, None] = field(default_factory=dict)
    under_way: bool = False


class Scans:
    """The scans of a run, by name."""

    def __init__(self, nodes: Sequence[Node], memory: Memory) -> None:
        self._nodes = nodes
        self._memory = memory
        self._scans: dict[str, Scan] = {}
        self._parked: dict[int, list[tuple[Rank, int]]] = {}
        self._n_parked = 0
        self.n_under_way = 0
        self._counts_work = any(node.job.group or node.job.moldable for node in nodes)  # else nobody asks for it
        for node in nodes:
            scan = self._scans.setdefault(node.job.group, Scan(under_way=not node.job.group))
            scan.n_unfinished += 1
            if self._counts_work:
                scan.work.add(node.job, memory)

    def __iter__(self) -> Iterator[Scan]:
        """Yield the scans that are not finished."""
        return iter(self._scans.values())

    @property
    def n_parked(self) -> int:
        """How many scans with a ready job wait for their turn."""
        return self._n_parked

    def is_under_way(self, node: Node) -> bool:
        """Whether the jobs of the node's scan may start."""
        return self._scans[node.job.group].under_way

    def become_live(self, node: Node) -> bool:
        """Take note that a job is ready; whether it may start, or is parked."""
        scan = self._scans[node.job.group]
        if not scan.live and not scan.under_way:
            self._n_parked += 1
        scan.live[node.index] = None
        if not scan.under_way:
            heappush(self._parked.setdefault(node.shape_index, []), (node.rank, node.index))
        return scan.under_way

    def begin(self, node: Node) -> None:
        """Take note that a job runs."""
        if self._counts_work:
            self._scans[node.job.group].work.add(node.job, self._memory, -1)

    def begin_again(self, node: Node) -> None:
        """Take note that a job that ran is ready again."""
        if self._counts_work:
            self._scans[node.job.group].work.add(node.job, self._memory)

    def take_nodes(self, nodes: Sequence[Node]) -> None:
        """Look at these nodes from now on; those of parked jobs are as they were."""
        self._nodes = nodes

    def renew(self, nodes: Sequence[Node], memory: Memory, not_begun: Iterable[Node]) -> None:
        """Count anew with other nodes for the jobs that are not over; which scans are under way stays."""
        self._nodes, self._memory = nodes, memory
        self._park()
        for scan in self._scans.values():
            scan.work = Work()
        if self._counts_work:
            for node in not_begun:
                self._scans[node.job.group].work.add(node.job, memory)

    def resize(self, nodes: Sequence[Node], not_begun: Iterable[Node]) -> None:
        """Take these nodes, of which those of some jobs that have not begun are others by their memory alone."""
        is_parked = False
        for node in not_begun:
            scan = self._scans[node.job.group]
            is_parked |= node.index in scan.live and not scan.under_way
            if self._counts_work:
                scan.work.add(self._nodes[node.index].job, self._memory, -1)
                scan.work.add(node.job, self._memory)
        self._nodes = nodes
        if is_parked:
            self._park()

    def _park(self) -> None:
        """Put the ready jobs of scans that have not begun in order."""
        self._parked = {}
        for scan in self._scans.values():
            if not scan.under_way:
                for node in map(self._nodes.__getitem__, scan.live):
                    heappush(self._parked.setdefault(node.shape_index, []), (node.rank, node.index))

    def finish(self, node: Node, *, had_begun: bool) -> None:
        """Take note that a job will not run, or not again."""
        scan = self._scans[node.job.group]
        if self._counts_work and not had_begun:
            scan.work.add(node.job, self._memory, -1)
        scan.live.pop(node.index, None)
        scan.n_unfinished -= 1
        if not scan.n_unfinished:
            if node.job.group and scan.under_way:
                self.n_under_way -= 1
            del self._scans[node.job.group]

    def next_turn(self, fits: Callable[[Node], bool]) -> list[Node]:
        """Begin the scan whose parked job comes first in the order among those that fit; its jobs, or none."""
        best: Node | None = None
        for heap in self._parked.values():
            while heap and self._is_stale(self._nodes[heap[0][1]]):
                heappop(heap)
            if heap:
                node = self._nodes[heap[0][1]]
                if (best is None or node.rank < best.rank) and fits(node):
                    best = node
        if best is None:
            return []
        scan = self._scans[best.job.group]
        scan.under_way = True
        self._n_parked -= 1
        self.n_under_way += 1
        return [self._nodes[index] for index in scan.live]

    def parked(self, n_most: int) -> tuple[str, ...]:
        """The first parked jobs, in the order in which they would start."""
        ranks = (
            rank for heap in self._parked.values() for rank, index in heap if not self._is_stale(self._nodes[index])
        )
        return tuple(rank.name for rank in nsmallest(n_most, ranks)) if n_most else ()

    def _is_stale(self, node: Node) -> bool:
        scan = self._scans.get(node.job.group)
        return scan is None or scan.under_way

    def fork(self) -> Scans:
        """An independent copy."""
        other = Scans((), self._memory)
        other._nodes, other._counts_work = self._nodes, self._counts_work
        other._scans = {
            name: Scan(scan.n_unfinished, scan.work.copy(), dict(scan.live), scan.under_way)
            for name, scan in self._scans.items()
        }
        other._parked = {index: list(heap) for index, heap in self._parked.items()}
        other._n_parked = self._n_parked
        other.n_under_way = self.n_under_way
        return other
