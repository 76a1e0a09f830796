"""Small forecasts that can be worked by hand."""

from __future__ import annotations

from tntpipe.formatting import GIB
from tntpipe.planning.bounds.lower_bounds import LowerBound
from tntpipe.planning.forecast import Forecast, StepSpan
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job

BUDGET = Resources(2, 8 * GIB)


def job(scan: str, kind: str, *follows: str, wall_s: float, gib: int = 1, cpus: int = 1) -> Job:
    return Job(
        name=f"{scan}/{kind}",
        request=Resources(cpus, gib * GIB),
        wall_s=wall_s,
        follows=tuple(f"{scan}/{name}" for name in follows),
        group=scan,
        kind=kind,
    )


JOBS = (
    job("a", "register", wall_s=60, gib=3),
    job("a", "measure", "register", wall_s=20),
    job("b", "register", wall_s=30, gib=3),
    job("b", "measure", "register", wall_s=10),
)
"""Two CPUs: scan a ends after 80 s, scan b after 40 s; from 40 s on one CPU is idle."""


def span(scan: str, kind: str, began_s: float, ended_s: float, cpus: int = 1, gib: int = 1) -> StepSpan:
    return StepSpan(
        name=f"{scan}/{kind}",
        scan=scan,
        kind=kind,
        request=Resources(cpus, gib * GIB),
        began_s=began_s,
        ended_s=ended_s,
    )


def many_scans(n_scans: int, name: str = "sub-{:03}") -> Forecast:
    """Scans that begin a minute after each other."""
    spans = [span("", "prepare", 0, 5)]
    for number in range(n_scans):
        scan = name.format(number)
        spans += [span(scan, "align", 60 * number, 60 * number + 50, cpus=2)]
        spans += [span(scan, "register", 60 * number + 50, 60 * number + 170, gib=4)]
    bound = LowerBound(seconds=60.0, critical_path_s=60.0, budget=BUDGET)
    return Forecast.of(spans, Resources(8, 16 * GIB), bound)
