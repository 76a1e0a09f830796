"""Runs told as lists of (when, who), and random cases for properties; all on the simulated clock."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tntpipe.executors.drive import drive
from tntpipe.executors.simulator import SimulatedWorld, Span
from tntpipe.resources import GIB, Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.events import Action, Drop, Ended, Event, Job, Launch
from tntpipe.scheduler.policy import Reservation

NOTHING = Resources(0, 0)


def job(name: str, *follows: str, cpus: int = 1, gib: int = 0, wall_s: float = 1) -> Job:
    return Job(name=name, request=Resources(cpus, gib * GIB), wall_s=wall_s, follows=follows)


def budget(cpus: int, gib: int = 100) -> Resources:
    return Resources(cpus, gib * GIB)


def total(requests: Iterable[Resources]) -> Resources:
    return sum(requests, NOTHING)


@dataclass(frozen=True)
class Decision:
    """What can be told from the trace just after a decision; ``launched`` are those of this decision."""

    now: float
    succeeded: frozenset[str]
    running: Mapping[str, float]
    launched: tuple[Launch, ...]
    waiting: frozenset[str]
    reservation: Reservation | None
    free: Resources


@dataclass(frozen=True)
class Story:
    """All that was observed of one run; ``marks`` says where in it each decision but the last was complete."""

    happenings: tuple[tuple[float, Event | Action], ...]
    marks: tuple[tuple[int, float, Reservation | None, Resources], ...]
    spans: tuple[Span, ...]
    scheduler: Scheduler

    @property
    def starts(self) -> list[tuple[float, str]]:
        return [(when, what.name) for when, what in self.happenings if isinstance(what, Launch)]

    @property
    def drops(self) -> list[tuple[str, str]]:
        return [(what.name, what.because) for _, what in self.happenings if isinstance(what, Drop)]

    def decisions(self, jobs: Iterable[Job]) -> list[Decision]:
        """Play the trace back up to each mark."""
        decisions, begin = [], 0
        succeeded: set[str] = set()
        began: dict[str, float] = {}
        over: set[str] = set()
        for end, now, reservation, free in self.marks:
            for when, what in self.happenings[begin:end]:
                if isinstance(what, Launch):
                    began[what.name] = when
                elif isinstance(what, Ended | Drop):
                    over.add(what.name)
                    if isinstance(what, Ended) and what.succeeded:
                        succeeded.add(what.name)
            running = {name: since for name, since in began.items() if name not in over}
            gone = over | began.keys()
            waiting = {job.name for job in jobs if job.name not in gone and succeeded.issuperset(job.follows)}
            launched = tuple(what for _, what in self.happenings[begin:end] if isinstance(what, Launch))
            decisions.append(
                Decision(now, frozenset(succeeded), running, launched, frozenset(waiting), reservation, free)
            )
            begin = end
        return decisions


def play(
    jobs: Sequence[Job],
    within: Resources,
    durations: Mapping[str, float] | None = None,
    failures: Collection[str] = (),
    interrupted_at: float = math.inf,
) -> Story:
    """Run jobs to the end; each takes what is estimated, unless ``durations`` says otherwise."""
    scheduler = Scheduler(jobs, within)
    happenings: list[tuple[float, Event | Action]] = []
    marks: list[tuple[int, float, Reservation | None, Resources]] = []

    class MarkingWorld(SimulatedWorld):
        def wait(self, *, block: bool = True) -> Sequence[Event]:
            marks.append((len(happenings), self.now(), scheduler.reservation, scheduler.free))
            return super().wait(block=block)

    true_s = {job.name: job.wall_s for job in jobs} | dict(durations or {})
    world = MarkingWorld(true_s, failures, interrupted_at=interrupted_at)
    drive(scheduler, world, lambda now, what: happenings.append((now, what)))
    return Story(tuple(happenings), tuple(marks), world.trace, scheduler)


@dataclass(frozen=True)
class Case:
    """A set of jobs that each fit alone, and the world they will meet."""

    jobs: tuple[Job, ...]
    within: Resources
    durations: Mapping[str, float]
    failures: frozenset[str] = frozenset()
    interrupted_at: float = math.inf

    def __iter__(self):
        return iter((self.jobs, self.within, self.durations, self.failures, self.interrupted_at))

    @property
    def by_name(self) -> dict[str, Job]:
        return {job.name: job for job in self.jobs}


@st.composite
def cases(draw, estimates: str = "wrong", failing: bool = False, interrupted: bool = False) -> Case:
    """Random graphs; estimates are ``wrong``, or ``upper bounds`` of the true times."""
    within = budget(draw(st.integers(1, 8)), draw(st.integers(1, 8)))
    names = draw(st.permutations([f"j{number:02d}" for number in range(draw(st.integers(1, 16)))]))
    chained = draw(st.booleans())
    jobs, durations = [], {}
    for number, name in enumerate(names):
        follows = draw(st.lists(st.sampled_from(names[:number]), max_size=3)) if number and chained else []
        jobs.append(
            job(
                name,
                *follows,
                cpus=draw(st.just(1) | st.integers(1, within.cpus)),
                gib=draw(st.just(0) | st.integers(0, within.mem_bytes // GIB)),
                wall_s=float(draw(st.integers(0, 6) | st.integers(15, 25))),
            )
        )
        longest_s = int(jobs[-1].wall_s) if estimates == "upper bounds" else 25
        durations[name] = float(draw(st.integers(0, longest_s)))
    failures = draw(st.sets(st.sampled_from(names))) if failing else set()
    interrupted_at = float(draw(st.integers(0, 20))) if interrupted else math.inf
    return Case(tuple(jobs), within, durations, frozenset(failures), interrupted_at)


def ranks(jobs: Sequence[Job]) -> dict[str, tuple[float, int, str]]:
    """Places in the order, from the definition: longest remaining path, larger memory, name."""
    levels: dict[str, float] = {}

    def level(job: Job) -> float:
        if job.name not in levels:
            levels[job.name] = job.wall_s + max(
                (level(other) for other in jobs if job.name in other.follows), default=0
            )
        return levels[job.name]

    return {job.name: (-level(job), -job.request.mem_bytes, job.name) for job in jobs}


def descendants(jobs: Sequence[Job], names: Collection[str]) -> set[str]:
    """The jobs that come after any of ``names``, at any distance."""
    found: set[str] = set()
    while True:
        more = {job.name for job in jobs if not found.union(names).isdisjoint(job.follows)} - found
        if not more:
            return found
        found |= more
