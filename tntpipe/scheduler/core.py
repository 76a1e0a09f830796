"""The scheduler: keeps the state of every job and turns what happened into what to do.

It knows no clock, thread, file or process, and not what a job is: ``now`` is an argument, events go in, actions come
out, and somebody else carries them out. What starts is the policy's choice; here is only what may start.

Rules that hold after every call:

* the requests of the running jobs never exceed the budget;
* a job is launched once, after every job that it follows has succeeded;
* a job that fails drops what follows it at any distance, each once, and nothing else;
* after an interruption nothing is launched, and every job that runs has been told to stop;
* the same events at the same instants give the same actions, in whatever order the jobs were listed.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from tntpipe.resources import Resources
from tntpipe.scheduler.events import (
    Action,
    BehindReservation,
    Drop,
    Dropped,
    Ended,
    Event,
    Finished,
    Job,
    Launch,
    NotStarted,
    Running,
    State,
    Stop,
    Stopped,
    WaitsForJobs,
    WaitsForResources,
    Why,
)
from tntpipe.scheduler.policy import Occupation, Rank, ReadyClass, Reservation, pack
from tntpipe.scheduler.precedence import Precedence, precedence_of


@dataclass(slots=True, eq=False)
class _Entry:
    """A job and where it stands."""

    job: Job
    rank: Rank
    ready_class: ReadyClass
    n_pending: int
    state: State = State.WAITING
    because: str = ""
    occupation: Occupation | None = None
    followers: list[_Entry] = field(default_factory=list)


class Scheduler:
    """Runs ``jobs`` within ``budget``; raises ``GraphError`` or ``BudgetError`` if they cannot all be run."""

    def __init__(self, jobs: Iterable[Job], budget: Resources) -> None:
        self._entries = _entries(precedence_of(tuple(jobs), budget))
        self._ready: dict[ReadyClass, None] = {}
        self._running: list[Occupation] = []
        self._free = budget
        self._reservation: Reservation | None = None
        self._n_unfinished = len(self._entries)
        self._now: float | None = None
        self._interrupted = False
        for entry in self._entries.values():
            if not entry.n_pending:
                self._make_ready(entry)

    @property
    def finished(self) -> bool:
        """Whether every job has come to its final state."""
        return not self._n_unfinished

    @property
    def free(self) -> Resources:
        """What of the budget no running job holds."""
        return self._free

    @property
    def running(self) -> tuple[str, ...]:
        """The running jobs, those first that should end first."""
        return tuple(occupation.name for occupation in self._running)

    @property
    def reservation(self) -> Reservation | None:
        """For whom the last decision holds resources back."""
        return self._reservation

    def state(self, name: str) -> State:
        """Where the job stands."""
        return self._entries[name].state

    def start(self, now: float) -> tuple[Action, ...]:
        """Begin the run: launch what can start at once."""
        return self.handle((), now)

    def handle(self, events: Iterable[Event], now: float) -> tuple[Action, ...]:
        """Take in all that happened up to ``now`` and decide once; an interruption counts after the ends beside it."""
        if self._now is not None and now < self._now:
            raise ValueError(f"the clock went back from {self._now} to {now}")
        self._now = now
        actions: list[Action] = []
        interrupted = False
        for event in events:
            if isinstance(event, Ended):
                actions += self._end(event)
            else:
                interrupted = True
        if interrupted and not self._interrupted:
            actions += self._interrupt()
        elif not self._interrupted:
            actions += self._launch(now)
        return tuple(actions)

    def why(self, name: str) -> Why:
        """Tell why the job does not run, or that it runs or is finished."""
        entry = self._entries[name]
        match entry.state:
            case State.WAITING:
                followed = dict.fromkeys(entry.job.follows)
                return WaitsForJobs(names=tuple(other for other in followed if not self._succeeded(other)))
            case State.READY:
                return self._why_ready(entry.job)
            case State.RUNNING:
                assert entry.occupation is not None
                return Running(since=entry.occupation.since)
            case State.SUCCEEDED | State.FAILED:
                return Finished(succeeded=entry.state is State.SUCCEEDED)
            case State.DROPPED:
                return Dropped(because=entry.because)
            case State.STOPPED:
                return Stopped()

    def _why_ready(self, job: Job) -> Why:
        if self._now is None:
            return NotStarted()
        reserved = self._reservation
        if reserved is not None and job.request.fits_in(self._free):
            return BehindReservation(name=reserved.name, shadow_time=reserved.shadow_time)
        missing = job.request - self._free
        shadow_time = reserved.shadow_time if reserved is not None and reserved.name == job.name else None
        short_of = Resources(max(0, missing.cpus), max(0, missing.mem_bytes))
        return WaitsForResources(short_of=short_of, shadow_time=shadow_time)

    def _launch(self, now: float) -> tuple[Launch, ...]:
        """Carry out the policy's decision on the state."""
        packing = pack(self._ready, self._running, self._free, now)
        for launch in packing.launches:
            entry = self._entries[launch.name]
            heappop(entry.ready_class.heap)
            if not entry.ready_class.heap:
                del self._ready[entry.ready_class]
            entry.state = State.RUNNING
            entry.occupation = Occupation(now + entry.job.wall_s, launch.name, now, launch.request)
            insort(self._running, entry.occupation)
            self._free -= launch.request
        self._reservation = packing.reservation
        return packing.launches

    def _end(self, event: Ended) -> Iterator[Drop]:
        """Free what the job held, then make ready or drop what follows it."""
        entry = self._entries.get(event.name)
        if entry is None or entry.occupation is None:
            raise ValueError(f"{event.name} ended, but was not running")
        del self._running[bisect_left(self._running, entry.occupation)]
        self._free += entry.occupation.request
        entry.occupation = None
        if event.succeeded:
            self._finish(entry, State.SUCCEEDED)
            for follower in entry.followers:
                follower.n_pending -= 1
                if not follower.n_pending and follower.state is State.WAITING:
                    self._make_ready(follower)
        elif self._interrupted:
            self._finish(entry, State.STOPPED)
        else:
            self._finish(entry, State.FAILED)
            yield from self._drop_behind(entry)

    def _drop_behind(self, root: _Entry) -> Iterator[Drop]:
        """Drop what follows a failed job; none of it can be ready, since a job it follows has not succeeded."""
        behind = [root]
        for entry in behind:
            for follower in entry.followers:
                if follower.state is State.WAITING:
                    follower.because = root.job.name
                    self._finish(follower, State.DROPPED)
                    behind.append(follower)
                    yield Drop(name=follower.job.name, because=root.job.name)

    def _interrupt(self) -> Iterator[Stop]:
        """Stop what runs; what has not begun is finished with."""
        self._interrupted = True
        self._reservation = None
        for entry in self._entries.values():
            if entry.state in (State.WAITING, State.READY):
                self._finish(entry, State.STOPPED)
        for occupation in self._running:
            yield Stop(name=occupation.name)

    def _succeeded(self, name: str) -> bool:
        return self._entries[name].state is State.SUCCEEDED

    def _make_ready(self, entry: _Entry) -> None:
        entry.state = State.READY
        heappush(entry.ready_class.heap, entry.rank)
        self._ready[entry.ready_class] = None

    def _finish(self, entry: _Entry, state: State) -> None:
        entry.state = state
        self._n_unfinished -= 1


def _entries(precedence: Precedence) -> dict[str, _Entry]:
    """Link jobs to those that follow them and to the class of their like."""
    levels_s = precedence.bottom_levels_s()
    classes: dict[tuple[Resources, float], ReadyClass] = {}
    entries: dict[str, _Entry] = {}
    for name, job in precedence.jobs.items():
        ready_class = classes.setdefault((job.request, job.wall_s), ReadyClass(job.request, job.wall_s))
        rank = Rank(-levels_s[name], -job.request.mem_bytes, name)
        entries[name] = _Entry(job, rank, ready_class, n_pending=len(set(job.follows)))
    for name, followers in precedence.followers.items():
        entries[name].followers = [entries[follower] for follower in followers]
    return entries
