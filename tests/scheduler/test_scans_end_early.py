"""Scans of a cohort end one after another, also where memory is short: real requests and estimates, virtual time."""

from __future__ import annotations

import pytest

from benchmarks.cohorts import cohort_jobs
from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.simulation.simulator import SimulatedWorld


def scan_ends(n_scans: int, within: Resources) -> list[float]:
    """When each scan is done, as parts of the makespan."""
    jobs = cohort_jobs(n_scans, second_registration=False)
    world = SimulatedWorld({job.name: job.wall_s for job in jobs}, jobs=jobs)
    drive(Scheduler(jobs, within), world)
    groups = {job.name: job.group for job in jobs}
    ends: dict[str, float] = {}
    for span in world.trace:
        ends[groups[span.name]] = span.ended / world.trace[-1].ended
    return sorted(end for scan, end in ends.items() if scan)


@pytest.mark.parametrize(("cpus", "gib"), [(8, 16), (16, 48)])
def test_half_of_the_scans_are_done_well_before_the_end_where_memory_is_short(cpus: int, gib: int) -> None:
    ends = scan_ends(40, Resources(cpus, gib * GIB))
    assert len(ends) == 40
    assert ends[19] < 0.75
