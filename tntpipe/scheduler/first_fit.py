"""First fit in topological order, one CPU each: what nipype's MultiProc does, for comparison.

Ready jobs are tried in the order of the graph, and each that fits starts, with the fewest CPUs that it can use. There
is no reservation: a large job waits as long as small ones keep fitting. Nothing is begun in turn. Modelled from nipype
1.11 (``pipeline/plugins/multiproc.py``: ``_send_procs_to_workers``), without its poll and what it spends on a node.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace

from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Launch, LaunchReason
from tntpipe.scheduler.molding import Guidance
from tntpipe.scheduler.policy import Levels, Occupation, Packing, ReadyClass, Reservation

LEAST_FREE_BYTES = 0.01 * GIB
"""With less memory free nothing is tried: nipype's 0.01 GB, which are GiB where its total comes from the machine."""


@dataclass(frozen=True, slots=True)
class FirstFit:
    """The policy as a value."""

    scans_in_turn: bool = False

    def rank(self, job: Job, levels: Levels, place: int) -> tuple[float, float]:
        """The place in the topological order."""
        return place, 0.0

    def pack(
        self,
        ready: Collection[ReadyClass],
        running: Sequence[Occupation],
        free: Resources,
        now: float,
        guidance: Guidance,
        promised: Reservation | None,
    ) -> Packing:
        """Start, in order, whatever fits."""
        launches: list[Launch] = []
        later = [ready_class.after_head() for ready_class in ready]
        requests = [ready_class.shape.request for ready_class in ready]
        heads = [(ready_class.heap[0], number) for number, ready_class in enumerate(ready)]
        heapify(heads)
        if free.mem_bytes < LEAST_FREE_BYTES:
            heads = []
        while heads and free.cpus:
            rank, number = heads[0]
            request, following = requests[number], None
            if request.fits_in(free):
                launches.append(Launch(name=rank.name, request=request, reason=LaunchReason.IN_ORDER))
                free -= request
                following = next(later[number], None)
            if following is None:
                heappop(heads)
            else:
                heapreplace(heads, (following, number))
        return Packing(launches=tuple(launches), reservation=None, free=free)
