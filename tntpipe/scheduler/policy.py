"""Which ready jobs start now: a pure function of what is ready, what runs, what is free, and the instant.

Order: longest remaining path first (the bottom level), ties by the larger memory, then by name. Jobs start in that
order while they fit. The first that does not fit gets the one reservation: its shadow time is when enough of the
running jobs should have ended. A job behind it starts only if it should end by then, or fits in what the reserved job
will leave (EASY backfill; Lifka 1995, Mu'alem and Feitelson 2001).

It knows neither the graph nor what happened before. Ready jobs come in classes of equal request and estimate, of which
only the heads are looked at, and every job takes a CPU, so that a decision costs O(classes + CPUs), however many jobs
are ready. Invariants: what is launched fits in what is free; at most one reservation; as long as no estimate is
exceeded and no job earlier in the order becomes ready, the reserved job can start by its shadow time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, heapreplace
from operator import attrgetter
from typing import NamedTuple

from tntpipe.resources import Resources
from tntpipe.scheduler.events import Launch, LaunchReason

OVERRUN_FACTOR = 1.1
"""A job that runs longer than its estimate is expected to take this times its age (Tsafrir 2007 corrects likewise)."""


class Rank(NamedTuple):
    """A job's place in the order; the smaller starts first."""

    minus_bottom_level_s: float
    minus_mem_bytes: int
    name: str


class Occupation(NamedTuple):
    """A running job: what it holds, since when, and until when by its estimate. Compares by end, then name."""

    ends: float
    name: str
    since: float
    request: Resources


@dataclass(slots=True, eq=False)
class ReadyClass:
    """The ready jobs of one request and one estimate, as a heap."""

    request: Resources
    wall_s: float
    heap: list[Rank] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The job ``name`` should be able to start at ``shadow_time``, and will then leave ``spare``."""

    name: str
    shadow_time: float
    spare: Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """A decision: of each class the first so many are launched; what is still ready waits."""

    launches: tuple[Launch, ...]
    reservation: Reservation | None


Head = tuple[Rank, ReadyClass, Iterator[Rank] | None]
"""The first job of a class not launched yet, its class, and those after it once one of the class was launched."""


def pack(ready: Iterable[ReadyClass], running: Sequence[Occupation], free: Resources, now: float) -> Packing:
    """Choose what starts now; ``ready`` holds no empty class, ``running`` is sorted, and neither is changed."""
    heads: list[Head] = [(ready_class.heap[0], ready_class, None) for ready_class in ready]
    heapify(heads)
    launches: list[Launch] = []
    begun: list[Occupation] = []
    while heads and heads[0][1].request.fits_in(free):
        rank, ready_class, _ = heads[0]
        launches.append(Launch(name=rank.name, request=ready_class.request, reason=LaunchReason.IN_ORDER))
        begun.append(Occupation(now + ready_class.wall_s, rank.name, now, ready_class.request))
        free -= ready_class.request
        _advance(heads)
    if not heads:
        return Packing(launches=tuple(launches), reservation=None)
    rank, ready_class, _ = heads[0]
    reservation = reserve(rank.name, ready_class.request, _by_expected_end(running, begun, now), free)
    if free.cpus:
        launches += _backfill(heads, reservation, free, now)
    return Packing(launches=tuple(launches), reservation=reservation)


def reserve(name: str, request: Resources, ends: Sequence[Occupation], free: Resources) -> Reservation:
    """Find when the running jobs, sorted by expected end, will have left enough for a request that does not fit yet."""
    cpus, mem_bytes = free.cpus - request.cpus, free.mem_bytes - request.mem_bytes
    shadow_time = None
    for occupation in ends:
        if shadow_time is not None and occupation.ends > shadow_time:
            break
        cpus += occupation.request.cpus
        mem_bytes += occupation.request.mem_bytes
        if cpus >= 0 and mem_bytes >= 0:
            shadow_time = occupation.ends
    if shadow_time is None:
        raise ValueError(f"{name} asks for {request}, which will not fit even when nothing runs")
    return Reservation(name=name, shadow_time=shadow_time, spare=Resources(cpus, mem_bytes))


def _backfill(heads: list[Head], reservation: Reservation, free: Resources, now: float) -> Iterator[Launch]:
    """Launch, in order, what does not delay the reserved job."""
    spare = reservation.spare
    heads = [head for head in heads if head[1].request.fits_in(free)]
    heapify(heads)
    while heads:
        rank, ready_class, _ = heads[0]
        request = ready_class.request
        if not request.fits_in(free):
            heappop(heads)
            continue
        if now + ready_class.wall_s <= reservation.shadow_time:
            reason = LaunchReason.ENDS_BY_SHADOW_TIME
        elif request.fits_in(spare):
            reason = LaunchReason.FITS_BESIDE_RESERVATION
            spare -= request
        else:
            heappop(heads)
            continue
        yield Launch(name=rank.name, request=request, reason=reason)
        free -= request
        _advance(heads)


def _by_expected_end(running: Sequence[Occupation], begun: Sequence[Occupation], now: float) -> list[Occupation]:
    """Sort what runs and what starts now by expected end, correcting estimates that were exceeded."""
    n_overrun = bisect_left(running, now, key=attrgetter("ends"))
    ends = [*running[n_overrun:], *begun]
    for _, name, since, request in running[:n_overrun]:
        ends.append(Occupation(since + OVERRUN_FACTOR * (now - since), name, since, request))
    ends.sort()
    return ends


def _advance(heads: list[Head]) -> None:
    """Put the next job of the first class, if it has one, in place of the class's head."""
    _, ready_class, later = heads[0]
    later = later or _after_head(ready_class.heap)
    rank = next(later, None)
    if rank is None:
        heappop(heads)
    else:
        heapreplace(heads, (rank, ready_class, later))


def _after_head(heap: Sequence[Rank]) -> Iterator[Rank]:
    """Yield a heap's elements but the first, in order, each in the logarithm of how many were taken."""
    frontier = [(rank, position) for position, rank in enumerate(heap[1:3], start=1)]
    heapify(frontier)
    while frontier:
        rank, position = heappop(frontier)
        yield rank
        for child in range(2 * position + 1, min(2 * position + 3, len(heap))):
            heappush(frontier, (heap[child], child))
