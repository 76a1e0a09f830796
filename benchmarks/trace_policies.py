"""Workflows that others have run, under our policy and nipype's, on a simulated clock with 8 CPUs.

Each trace runs once and in eight copies at once. Memory is free (eight of the largest task fit) or tight (two of the
largest task fit, for one copy and for eight). Our scheduler knows the true times, or estimates that are wrong by a
lognormal factor; nipype's policy asks for no times. The bound is that of the true times. A figure is the geometric mean
of makespan / bound over the traces and, where anything is random, the seeds.

Eight equal copies on eight CPUs are a trap: if all start together and memory is free, each has a CPU of its own and all
stay in step, so that the bound is reached exactly by hardly choosing at all. So there are also copies that are not
alike, where each task of each copy has a true time of its own, within 20 % of the trace's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import geometric_mean

from benchmarks.nipype_policy import POLL_S, fixed_cpus, nipype_spans
from benchmarks.wfcommons import TRACES, copies, read_trace
from tntpipe.planning.bounds.lower_bounds import lower_bound
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Rule
from tntpipe.scheduler.portfolio import PORTFOLIO
from tntpipe.simulation.adviser import Adviser
from tntpipe.simulation.simulator import SimulatedWorld

CPUS = 8
N_COPIES = (1, 8)
SIGMA = 0.3
"""Of the logarithm of estimate / true time."""

SPREAD = 0.2
"""True times of copies that are not alike lie within this part of the trace's."""

SHORT_POLL_S = 0.01
BARS = {(False, 1): 1.08, (False, 8): 1.01, (True, 1): 1.10, (True, 8): 1.08}
"""By whether memory is tight, and how many copies run."""

VERSUS_BEST_BAR = 1.01
"""Ours / the best single policy, the worst trace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceCase:
    """Geometric means of makespan / bound over the traces; ``in_turn`` where each copy is a scan, begun in its turn.

    ``longest_path`` is that policy alone, ``best_alone`` the best for each trace of the portfolio's and nipype's with
    its short poll; ``worst_versus_best`` is ours / the best of these, times known, for the trace where it is largest.
    """

    tight: bool
    n_copies: int
    alike: bool
    known: float
    wrong: float
    longest_path: float
    best_alone: float
    worst_versus_best: float
    known_in_turn: float | None
    wrong_in_turn: float | None
    nipype: float
    nipype_short_poll: float

    @property
    def bar(self) -> float:
        """What ours should not exceed."""
        return BARS[self.tight, self.n_copies]


def trace_cases(seeds: Sequence[int]) -> Iterator[TraceCase]:
    """Run the traces in every way."""
    traces = [read_trace(path) for path in sorted(TRACES.glob("*.json"))]
    for tight in (False, True):
        for n_copies in N_COPIES:
            for alike in (True, False) if n_copies > 1 else (True,):
                yield _case(traces, tight, n_copies, alike, seeds)


def _case(traces: Sequence[Sequence[Job]], tight: bool, n_copies: int, alike: bool, seeds: Sequence[int]) -> TraceCase:
    known, wrong, known_in_turn, wrong_in_turn, nipype, nipype_short_poll = ([] for _ in range(6))
    longest_path, best_alone = [], []
    for trace in traces:
        largest_bytes = max(job.request.mem_bytes for job in trace)
        budget = Resources(CPUS, largest_bytes * (2 if tight else CPUS))
        copied = copies(trace, n_copies)
        truths = [(copied, seeds)] if alike else [(_unlike(copied, seed), (seed,)) for seed in seeds]
        for in_turn, estimate_seeds in truths:
            jobs = [replace(job, group="") for job in in_turn]
            times = {job.name: job.wall_s for job in jobs}
            bound_s = lower_bound(jobs, budget).seconds
            known.append(_makespan_s(jobs, times, budget) / bound_s)
            wrong += [_makespan_s(_misjudged(jobs, seed), times, budget) / bound_s for seed in estimate_seeds]
            if n_copies > 1:
                known_in_turn.append(_makespan_s(in_turn, times, budget) / bound_s)
                wrong_in_turn += [
                    _makespan_s(_misjudged(in_turn, seed), times, budget) / bound_s for seed in estimate_seeds
                ]
            for poll_s, ratios in ((POLL_S, nipype), (SHORT_POLL_S, nipype_short_poll)):
                spans = nipype_spans(jobs, times, budget, fixed_cpus(1), poll_s)
                ratios.append(max(span.ended for span in spans) / bound_s)
            alone = [_makespan_s(jobs, times, budget, policy) / bound_s for policy in PORTFOLIO]
            longest_path.append(alone[0])
            best_alone.append(min(*alone, nipype_short_poll[-1]))
    return TraceCase(
        tight=tight,
        n_copies=n_copies,
        alike=alike,
        known=geometric_mean(known),
        wrong=geometric_mean(wrong),
        longest_path=geometric_mean(longest_path),
        best_alone=geometric_mean(best_alone),
        worst_versus_best=max(ours / best for ours, best in zip(known, best_alone, strict=True)),
        known_in_turn=geometric_mean(known_in_turn) if known_in_turn else None,
        wrong_in_turn=geometric_mean(wrong_in_turn) if wrong_in_turn else None,
        nipype=geometric_mean(nipype),
        nipype_short_poll=geometric_mean(nipype_short_poll),
    )


def _unlike(jobs: Sequence[Job], seed: int) -> list[Job]:
    """The jobs with true times of their own."""
    rng = random.Random(f"unlike {seed}")
    return [replace(job, wall_s=job.wall_s * rng.uniform(1 - SPREAD, 1 + SPREAD)) for job in jobs]


def _misjudged(jobs: Sequence[Job], seed: int) -> list[Job]:
    """The jobs with wrong estimates."""
    rng = random.Random(f"misjudged {seed}")
    return [replace(job, wall_s=job.wall_s * rng.lognormvariate(0.0, SIGMA)) for job in jobs]


def _makespan_s(jobs: Sequence[Job], times: dict[str, float], budget: Resources, policy: str = "") -> float:
    """Of one policy, or of the best that is found on the way."""
    world = SimulatedWorld(times)
    adviser = None if policy else Adviser()
    drive(Scheduler(jobs, budget, Rule(policy=policy)), world, adviser=adviser)
    return max(span.ended for span in world.trace)
