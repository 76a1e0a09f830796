"""Workflows that others have run, as jobs: reads traces in WfFormat 1.5, as WfCommons publishes them.

What a trace says is taken as the truth: a task's run time is its estimate, its peak memory its request. It asks for as
many CPUs as its ``coreCount`` says, else for one. The measured ``avgCPU`` is not used: it tells how busy a task was on
one machine, waiting for its disk included, and not how many CPUs it was given.

``traces/`` holds seven of them, with their source and licence; they are in the repository only, not in the package.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job

TRACES = Path(__file__).resolve().parent / "traces"

SHORTEST_S = 0.05
"""What a task takes whose time is missing or zero: traces/README.md reads it as very short."""


def read_trace(path: Path) -> tuple[Job, ...]:
    """The tasks of a trace, in its order; a missing or zero time is read as 0.05 s, a missing memory as none."""
    workflow = json.loads(path.read_text(encoding="utf-8"))["workflow"]
    measured = {task["id"]: task for task in workflow["execution"]["tasks"]}
    return tuple(_job(task, measured.get(task["id"], {})) for task in workflow["specification"]["tasks"])


def copies(jobs: Iterable[Job], n: int) -> tuple[Job, ...]:
    """The same workflow ``n`` times over, as if for so many participants: each copy is a group of its own.

    >>> [(job.name, job.group) for job in copies((Job(name="a", request=Resources(1, 0), wall_s=1.0),), 2)]
    [('000/a', '000'), ('001/a', '001')]
    """
    jobs = tuple(jobs)
    return tuple(
        replace(
            job,
            name=f"{copy:03d}/{job.name}",
            group=f"{copy:03d}",
            follows=tuple(f"{copy:03d}/{n}" for n in job.follows),
        )
        for copy in range(n)
        for job in jobs
    )


def _job(task: Mapping[str, Any], measured: Mapping[str, Any]) -> Job:
    cpus = math.ceil(measured.get("coreCount") or 1)
    return Job(
        name=task["id"],
        request=Resources(cpus, int(measured.get("memoryInBytes") or 0)),
        wall_s=float(measured.get("runtimeInSeconds") or SHORTEST_S),
        follows=tuple(task["parents"]),
        kind=re.sub(r"_ID\d+$", "", task["name"]),
    )
