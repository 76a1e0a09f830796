"""When each step of a run will begin and end, and the figures that follow: the real scheduler on a simulated clock.

It knows jobs and a budget, neither files nor people. Every step takes what is estimated and none fails. The same jobs
and budget give the same forecast.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tntpipe.planning.bounds.lower_bounds import LowerBound, lower_bound
from tntpipe.planning.load import load_over_time
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import Observer, Thinker, drive
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Action, Event, Rule, RuleChosen
from tntpipe.scheduler.portfolio import PORTFOLIO
from tntpipe.simulation.adviser import Adviser
from tntpipe.simulation.simulator import SimulatedWorld, Span

MOST_JOBS_ADVISED = 1000
"""The adviser looks ahead for so many jobs at most, some 45 scans: for more, what it can do in the time that it has
changes nothing."""

N_SLICES = 2000
"""Slices in which the adviser may think, two or three seconds: all of its advice for a dozen scans (8 take 600 slices,
40 up to 4500), most of it for more. Measured on 45 scans, 24 CPUs and 96 GiB: without it the run ends at 1.26 times the
lower bound, with these slices at 1.08, with all of them at 1.09."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpan:
    """One step from its beginning to its end, in seconds from the beginning of the run."""

    name: str
    scan: str
    kind: str
    request: Resources
    began_s: float
    ended_s: float

    @property
    def cpu_s(self) -> float:
        """CPU seconds that are reserved for it."""
        return self.request.cpus * (self.ended_s - self.began_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A run within a budget; ``spans`` are in the order in which they begin, ``scan_ends_s`` in that of the ends.

    CPUs and memory are those that are reserved. What several scans share belongs to the scan with the empty name.
    ``leaders`` are the policies that lead, with the seconds from which on; ``alone_s`` is when the run would end under
    each of the portfolio alone, where that was looked at.
    """

    budget: Resources
    bound: LowerBound
    spans: tuple[StepSpan, ...]
    makespan_s: float
    peak_cpus: int
    peak_mem_bytes: int
    cpu_s: float
    scan_ends_s: Mapping[str, float]
    leaders: tuple[tuple[float, str], ...] = ()
    alone_s: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        spans: Iterable[StepSpan],
        budget: Resources,
        bound: LowerBound,
        leaders: Iterable[tuple[float, str]] = (),
        alone_s: Mapping[str, float] | None = None,
    ) -> Forecast:
        """The figures of a run whose steps began and ended so."""
        ordered = tuple(sorted(spans, key=lambda span: (span.began_s, span.ended_s, span.name)))
        loads = load_over_time((span.began_s, span.ended_s, span.request) for span in ordered)
        ends_s: dict[str, float] = {}
        for span in ordered:
            if span.scan:
                ends_s[span.scan] = max(span.ended_s, ends_s.get(span.scan, 0.0))
        return cls(
            budget=budget,
            bound=bound,
            spans=ordered,
            makespan_s=max((span.ended_s for span in ordered), default=0.0),
            peak_cpus=max((load.held.cpus for load in loads), default=0),
            peak_mem_bytes=max((load.held.mem_bytes for load in loads), default=0),
            cpu_s=sum(span.cpu_s for span in ordered),
            scan_ends_s=dict(sorted(ends_s.items(), key=lambda item: (item[1], item[0]))),
            leaders=tuple(leaders),
            alone_s=alone_s or {},
        )

    @property
    def mean_busy_cpus(self) -> float:
        """CPUs that are reserved, on average over the run."""
        return self.cpu_s / self.makespan_s if self.makespan_s else 0.0

    @property
    def bound_ratio(self) -> float:
        """How many times the lower bound the run takes."""
        return self.makespan_s / self.bound.seconds if self.bound.seconds else 1.0

    def seconds_until_done(self, n_scans: int) -> float:
        """When so many scans, at least one, are done."""
        return tuple(self.scan_ends_s.values())[n_scans - 1]


def forecast(jobs: Sequence[Job], budget: Resources) -> Forecast:
    """Foresee a run of these jobs.

    Raises
    ------
    BudgetError
        A job asks for more than the whole budget.
    """
    by_name = {job.name: job for job in jobs}
    few = len(jobs) <= MOST_JOBS_ADVISED
    scheduler = Scheduler(jobs, budget)
    leaders = [(0.0, scheduler.leader)]

    def observe(now: float, happened: Event | Action) -> None:
        if isinstance(happened, RuleChosen) and (happened.rule.policy or leaders[0][1]) != leaders[-1][1]:
            leaders.append((now, happened.rule.policy or leaders[0][1]))

    spans = _played(scheduler, jobs, observe, _BriefAdviser() if few else None)
    alone_s = {}
    for name in PORTFOLIO if few else ():
        alone = _played(Scheduler(jobs, budget, Rule(policy=name)), jobs)
        alone_s[name] = max((span.ended for span in alone), default=0.0)
    return Forecast.of(
        (_span_of(by_name[span.name], span) for span in spans),
        budget,
        lower_bound(jobs, budget),
        leaders if len(leaders) < 2 or leaders[1][0] else leaders[1:],
        alone_s,
    )


def _played(
    scheduler: Scheduler,
    jobs: Sequence[Job],
    observe: Observer = lambda now, happened: None,
    adviser: Thinker | None = None,
) -> tuple[Span, ...]:
    """A run in which every job takes what is expected of it."""
    world = SimulatedWorld({job.name: job.wall_s for job in jobs}, jobs=jobs)
    drive(scheduler, world, observe, adviser)
    return world.trace


def _span_of(job: Job, span: Span) -> StepSpan:
    return StepSpan(
        name=job.name, scan=job.group, kind=job.kind, request=span.request, began_s=span.began, ended_s=span.ended
    )


class _BriefAdviser:
    """An adviser that falls silent after so many slices: counted, not timed, so that a forecast can be repeated."""

    def __init__(self) -> None:
        self._adviser = Adviser()
        self._n_left = N_SLICES

    def consider(self, scheduler: Scheduler, now: float) -> Iterator[Event | None]:
        """Think as long as there are slices left."""
        if self._n_left <= 0:
            return
        for advice in self._adviser.consider(scheduler, now):
            self._n_left -= 1
            yield advice
            if self._n_left <= 0:
                return
