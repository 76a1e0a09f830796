"""Runs told as lists of (when, who), and random cases for properties; all on the simulated clock."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from hypothesis import strategies as st

from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.scheduler.core import DEFAULT_RULE, Scheduler
from tntpipe.scheduler.drive import Thinker, drive
from tntpipe.scheduler.job import Job, State
from tntpipe.scheduler.messages import Action, Drop, Ended, Event, Launch, Rule, RuleChosen
from tntpipe.scheduler.molding import Guidance
from tntpipe.scheduler.policy import Reservation
from tntpipe.scheduler.why import BehindScans, Why
from tntpipe.simulation.simulator import SimulatedWorld, Span

NOTHING = Resources(0, 0)


def job(name: str, *follows: str, cpus: int = 1, gib: int = 0, wall_s: float = 1) -> Job:
    return Job(name=name, request=Resources(cpus, gib * GIB), wall_s=wall_s, follows=follows)


def budget(cpus: int, gib: int = 100) -> Resources:
    return Resources(cpus, gib * GIB)


def one_large_of_each(n_copies: int) -> list[Job]:
    """Copies of a job that takes half of 8 GiB, and small ones behind it and beside it."""
    return [
        each
        for copy in map(str, range(n_copies))
        for each in (
            job(f"large{copy}", gib=4, wall_s=20),
            *(job(f"behind{copy}.{n}", f"large{copy}", gib=1, wall_s=10) for n in range(8)),
            *(job(f"beside{copy}.{n}", gib=1, wall_s=15) for n in range(4)),
        )
    ]


def total(requests: Iterable[Resources]) -> Resources:
    return sum(requests, NOTHING)


@dataclass(frozen=True)
class Mark:
    """After so many happenings a decision was complete, and this is what the scheduler said then.

    ``whys`` holds its answer for each job that is ready.
    """

    n_happenings: int
    now: float
    reservation: Reservation | None
    free: Resources
    guidance: Guidance
    whys: Mapping[str, Why]

    @property
    def parked(self) -> frozenset[str]:
        """The ready jobs whose scan waits for its turn."""
        return frozenset(name for name, why in self.whys.items() if isinstance(why, BehindScans))


@dataclass(frozen=True)
class Decision:
    """What can be told from the trace just after a decision; ``launched`` are those of this decision.

    ``running`` tells since when, ``held`` what; ``waiting`` are the ready jobs, parked or not.
    """

    now: float
    succeeded: frozenset[str]
    running: Mapping[str, float]
    held: Mapping[str, Resources]
    launched: tuple[Launch, ...]
    waiting: frozenset[str]
    reservation: Reservation | None
    free: Resources
    mark: Mark


@dataclass(frozen=True)
class Story:
    """All that was observed of one run; ``marks`` are those of each decision but the last."""

    happenings: tuple[tuple[float, Event | Action], ...]
    marks: tuple[Mark, ...]
    spans: tuple[Span, ...]
    scheduler: Scheduler

    @property
    def starts(self) -> list[tuple[float, str]]:
        return [(when, what.name) for when, what in self.happenings if isinstance(what, Launch)]

    @property
    def starts_with_cpus(self) -> list[tuple[float, str, int]]:
        return [(when, what.name, what.request.cpus) for when, what in self.happenings if isinstance(what, Launch)]

    @property
    def makespan_s(self) -> float:
        return max(when for when, _ in self.happenings)

    @property
    def drops(self) -> list[tuple[str, str]]:
        return [(what.name, what.because) for _, what in self.happenings if isinstance(what, Drop)]

    def decisions(self, jobs: Iterable[Job]) -> list[Decision]:
        """Play the trace back up to each mark."""
        decisions, begin = [], 0
        succeeded: set[str] = set()
        began: dict[str, tuple[float, Resources]] = {}
        over: set[str] = set()
        for mark in self.marks:
            new = self.happenings[begin : mark.n_happenings]
            for when, what in new:
                if isinstance(what, Launch):
                    began[what.name] = (when, what.request)
                elif isinstance(what, Ended | Drop):
                    over.add(what.name)
                    if isinstance(what, Ended) and what.succeeded:
                        succeeded.add(what.name)
            gone = over | began.keys()
            running = {name: since for name, (since, _) in began.items() if name not in over}
            decisions.append(
                Decision(
                    now=mark.now,
                    succeeded=frozenset(succeeded),
                    running=running,
                    held={name: began[name][1] for name in running},
                    launched=tuple(what for _, what in new if isinstance(what, Launch)),
                    waiting=frozenset(
                        job.name for job in jobs if job.name not in gone and succeeded.issuperset(job.follows)
                    ),
                    reservation=mark.reservation,
                    free=mark.free,
                    mark=mark,
                )
            )
            begin = mark.n_happenings
        return decisions


class Moody:
    """Has a rule to say, or nothing, each time that it is asked."""

    def __init__(self, moods: Iterable[Rule | None]) -> None:
        self._moods = iter(moods)

    def consider(self, scheduler: Scheduler, now: float) -> Iterator[RuleChosen | None]:
        rule = next(self._moods, None)
        yield None if rule is None else RuleChosen(rule=rule)


def play(
    jobs: Sequence[Job],
    within: Resources,
    durations: Mapping[str, float] | None = None,
    failures: Collection[str] = (),
    interrupted_at: float = math.inf,
    rule: Rule = DEFAULT_RULE,
    moods: Sequence[Rule | None] = (),
    adviser: Thinker | None = None,
) -> Story:
    """Run jobs to the end; each takes what is estimated, unless ``durations`` says otherwise for its fewest CPUs."""
    scheduler = Scheduler(jobs, within, rule)
    happenings: list[tuple[float, Event | Action]] = []
    marks: list[Mark] = []

    def mark() -> Mark:
        whys = {job.name: scheduler.why(job.name) for job in jobs if scheduler.state(job.name) is State.READY}
        state = scheduler.reservation, scheduler.free, scheduler.guidance
        return Mark(len(happenings), world.now(), *state, whys)

    class MarkingWorld(SimulatedWorld):
        def wait(self, *, block: bool = True) -> Sequence[Event]:
            if not marks or marks[-1].n_happenings < len(happenings):
                marks.append(mark())
            return super().wait(block=block)

    true_s = {job.name: job.wall_s for job in jobs} | dict(durations or {})
    world = MarkingWorld(true_s, failures, jobs=jobs, interrupted_at=interrupted_at)
    drive(scheduler, world, lambda now, what: happenings.append((now, what)), adviser or Moody(moods))
    return Story(tuple(happenings), tuple(marks), world.trace, scheduler)


@dataclass(frozen=True)
class Case:
    """A set of jobs that each fit alone, the world they will meet, and the rules that will be in force."""

    jobs: tuple[Job, ...]
    within: Resources
    durations: Mapping[str, float]
    failures: frozenset[str] = frozenset()
    interrupted_at: float = math.inf
    rule: Rule = DEFAULT_RULE
    moods: tuple[Rule | None, ...] = ()

    def __iter__(self):
        return iter(getattr(self, field.name) for field in fields(self))

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
