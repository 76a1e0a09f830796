"""The policy of tntpipe: longest path first, one reservation, backfill, CPUs by the guidance.

Order: longest remaining path first (the bottom level), ties by the larger memory, then by name; but see
:meth:`~tntpipe.scheduler.molding.Guidance.turn` for what comes before or after that. Jobs start in that
order while they fit. The first that does not fit gets the one reservation: its shadow time is when enough of the
running jobs should have ended. A job behind it starts only if it should end by then, or fits in what the reserved job
will leave (EASY backfill; Lifka 1995, Mu'alem and Feitelson 2001). How many CPUs a moldable job should have is told by
:mod:`tntpipe.scheduler.molding`; where fewer are free, it takes these or a reservation, whichever ends it earlier.

It knows neither the graph nor what happened before. Ready jobs come in classes of equal shape, of which only the heads
are looked at, and every job takes a CPU, so that a decision costs O(classes + CPUs), however many jobs are ready.
Invariants: what is launched fits in what is free; at most one reservation; as long as no estimate is exceeded and no
job earlier in the order becomes ready, the reserved job can start by its shadow time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heapreplace
from operator import attrgetter

from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Launch, LaunchReason, Rule
from tntpipe.scheduler.molding import Guidance, Shape
from tntpipe.scheduler.policy import OVERRUN_FACTOR, Levels, Occupation, Packing, Rank, ReadyClass, Reservation

UNGUIDED = Guidance(rule=Rule())
"""For sets of jobs of which none is moldable and none serves a scan."""


Head = tuple[int, Rank, ReadyClass, Iterator[Rank] | None]
"""Of a class: its turn, its first job not launched yet, itself, and what follows once one was launched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongestPathFirst:
    """The policy as a value, and its kin.

    Where it ``weighs_memory``, the longest path is that which takes most memory for longest. Where it does not
    reserve, whatever fits starts. The jobs that hold much memory (more than a CPU's share of it) hold at most
    ``large_share`` of it together, or one of them what it asks for, so that others run beside them.
    """

    scans_in_turn: bool = True
    weighs_memory: bool = False
    reserves: bool = True
    large_share: float = 1.0

    def rank(self, job: Job, levels: Levels, place: int) -> tuple[float, float]:
        """Longest remaining path first, then the larger memory; or the other way round."""
        if self.weighs_memory:
            return -levels.memory_byte_s, -levels.path_s
        return -levels.path_s, -job.request.mem_bytes

    def pack(
        self,
        ready: Collection[ReadyClass],
        running: Sequence[Occupation],
        free: Resources,
        now: float,
        guidance: Guidance,
        promised: Reservation | None,
    ) -> Packing:
        """See :func:`pack`."""
        return pack(ready, running, free, now, guidance, promised, reserves=self.reserves, large_share=self.large_share)


@dataclass(slots=True)
class _LargeJobs:
    """What the jobs of more than ``above_bytes`` hold, and what they may hold together if there are several."""

    above_bytes: float
    most_bytes: float
    held_bytes: int = 0

    def bar(self, request: Resources) -> bool:
        return (
            bool(self.held_bytes)
            and request.mem_bytes > self.above_bytes
            and self.held_bytes + request.mem_bytes > self.most_bytes
        )

    def take(self, request: Resources) -> None:
        if request.mem_bytes > self.above_bytes:
            self.held_bytes += request.mem_bytes


def pack(
    ready: Iterable[ReadyClass],
    running: Sequence[Occupation],
    free: Resources,
    now: float,
    guidance: Guidance = UNGUIDED,
    promised: Reservation | None = None,
    *,
    reserves: bool = True,
    large_share: float = 1.0,
) -> Packing:
    """Choose what starts now; ``ready`` holds no empty class, ``running`` is sorted, and neither is changed.

    ``promised`` is the reservation of the decision before: it is not put off because the job would now like more CPUs.
    """
    heads: list[Head] = [(ready_class.turn, ready_class.heap[0], ready_class, None) for ready_class in ready]
    heapify(heads)
    launches: list[Launch] = []
    begun: list[Occupation] = []
    large = _cpus_of_large(running, guidance)
    large_jobs = None if large_share >= 1 else _large_jobs(running, free, guidance, large_share)
    while heads:
        _, rank, ready_class, _ = heads[0]
        shape = ready_class.shape
        request = shape.request
        if large_jobs is not None and large_jobs.bar(request):
            heappop(heads)
            continue
        if shape.chains_s:
            cpus = shape.wanted_cpus(guidance, large, free, now)
            if promised is not None and promised.name == rank.name:
                cpus = min(cpus, max(promised.request.cpus, free.cpus))
            request = shape.with_cpus(cpus)
        if not request.fits_in(free) and not reserves:
            if not shape.request.fits_in(free):
                heappop(heads)
                continue
            request = shape.with_cpus(min(request.cpus, free.cpus))
        if not request.fits_in(free):
            reservation = reserve(rank.name, request, _by_expected_end(running, begun, now), free)
            if not _ends_earlier_with(free, shape, reservation, now):
                break
            request = shape.with_cpus(free.cpus)
        launches.append(Launch(name=rank.name, request=request, reason=LaunchReason.IN_ORDER))
        begun.append(Occupation(now + shape.wall_s(request.cpus), rank.name, now, request))
        free -= request
        if request.mem_bytes > guidance.large_bytes:
            large.append(request.cpus)
        if large_jobs is not None:
            large_jobs.take(request)
        _advance(heads)
    else:
        if guidance.rule.widen and free.cpus and launches:
            launches, free = _widened(launches, ready, free)
        return Packing(launches=tuple(launches), reservation=None, free=free)
    if free.cpus:
        for launch in _backfill(heads, reservation, free, now, guidance, large, large_jobs):
            launches.append(launch)
            free -= launch.request
            if launch.reason is LaunchReason.FITS_BESIDE_RESERVATION:
                reservation = replace(reservation, spare=reservation.spare - launch.request)
    return Packing(launches=tuple(launches), reservation=reservation, free=free)


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
    return Reservation(name=name, request=request, shadow_time=shadow_time, spare=Resources(cpus, mem_bytes))


def _cpus_of_large(running: Sequence[Occupation], guidance: Guidance) -> list[int]:
    """The CPUs of the jobs of much memory that run; nobody asks unless memory is what the run is short of."""
    if guidance.large_cpus <= 1:
        return []
    return [held.request.cpus for held in running if held.request.mem_bytes > guidance.large_bytes]


def _large_jobs(running: Sequence[Occupation], free: Resources, guidance: Guidance, share: float) -> _LargeJobs:
    total_bytes = free.mem_bytes + sum(held.request.mem_bytes for held in running)
    large_jobs = _LargeJobs(guidance.large_bytes, share * total_bytes)
    for held in running:
        large_jobs.take(held.request)
    return large_jobs


def _ends_earlier_with(free: Resources, shape: Shape, reservation: Reservation, now: float) -> bool:
    """Whether a job that starts now with what is free ends no later than one that waits for what is reserved."""
    if not shape.request.fits_in(free):
        return False
    return now + shape.wall_s(free.cpus) <= reservation.shadow_time + shape.wall_s(reservation.request.cpus)


def _widened(
    launches: Sequence[Launch], ready: Iterable[ReadyClass], free: Resources
) -> tuple[list[Launch], Resources]:
    """Lend the CPUs that are left, one at a time, to the moldable jobs that start now, the first in order first."""
    shapes = {rank.name: ready_class.shape for ready_class in ready for rank in ready_class.heap}
    requests = {launch.name: launch.request for launch in launches}
    n_idle = -1
    while free.cpus != n_idle:
        n_idle = free.cpus
        for name, request in requests.items():
            shape = shapes[name]
            if free.cpus and request.cpus < shape.request.cpus + len(shape.walls_s) - 1:
                requests[name] = shape.with_cpus(request.cpus + 1)
                free -= Resources(1, 0)
    return [replace(launch, request=requests[launch.name]) for launch in launches], free


def _backfill(
    heads: list[Head],
    reservation: Reservation,
    free: Resources,
    now: float,
    guidance: Guidance,
    large: Sequence[int],
    large_jobs: _LargeJobs | None,
) -> Iterator[Launch]:
    """Launch, in order, what does not delay the reserved job; its own like wait behind it.

    So does a moldable job that would end later with the CPUs that are left than with those that it wants after the
    reserved job has started.
    """
    spare = reservation.spare
    heads = [head for head in heads[1:] if head[2].shape.request.fits_in(free)]
    heapify(heads)
    while heads:
        _, rank, ready_class, _ = heads[0]
        shape = ready_class.shape
        if not shape.request.fits_in(free) or (large_jobs is not None and large_jobs.bar(shape.request)):
            heappop(heads)
            continue
        wanted = shape.wanted_cpus(guidance, large, free, now) if shape.chains_s else shape.request.cpus
        cpus = min(free.cpus, wanted)
        if now + shape.wall_s(cpus) <= reservation.shadow_time:
            reason = LaunchReason.ENDS_BY_SHADOW_TIME
        elif shape.request.fits_in(spare):
            reason = LaunchReason.FITS_BESIDE_RESERVATION
            cpus = min(cpus, spare.cpus)
        else:
            heappop(heads)
            continue
        if cpus < wanted and now + shape.wall_s(cpus) > reservation.shadow_time + shape.wall_s(wanted):
            heappop(heads)
            continue
        request = shape.with_cpus(cpus) if shape.chains_s else shape.request
        yield Launch(name=rank.name, request=request, reason=reason)
        free -= request
        if reason is LaunchReason.FITS_BESIDE_RESERVATION:
            spare -= request
        if large_jobs is not None:
            large_jobs.take(request)
        _advance(heads)


def _by_expected_end(running: Sequence[Occupation], begun: Sequence[Occupation], now: float) -> list[Occupation]:
    """Sort what runs and what starts now by expected end, correcting estimates that were exceeded."""
    if not running or running[0].ends >= now:
        return sorted([*running, *begun])
    n_overrun = bisect_left(running, now, key=attrgetter("ends"))
    ends = [*running[n_overrun:], *begun]
    for _, name, since, request in running[:n_overrun]:
        ends.append(Occupation(since + OVERRUN_FACTOR * (now - since), name, since, request))
    ends.sort()
    return ends


def _advance(heads: list[Head]) -> None:
    """Put the next job of the first class, if it has one, in place of the class's head."""
    turn, _, ready_class, later = heads[0]
    later = later or ready_class.after_head()
    rank = next(later, None)
    if rank is None:
        heappop(heads)
    else:
        heapreplace(heads, (turn, rank, ready_class, later))
