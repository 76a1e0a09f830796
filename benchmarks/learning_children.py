"""40 scans of real children that hold memory, under estimates that are wrong by half and under ones that knew.

Each scan has three steps in a row; each child touches its memory, within 30 % of its kind's mean, and sleeps. The
budget holds eight children, or about six of the largest kind. ``knew`` has the largest peak of each kind as its
request; the wrong ones have half, or half as much again, of each kind's mean and of its time. All is as in a real run
but the programs: scheduler, learner, machine, monitor, watchdog, work folder.

    python -m benchmarks.learning_children [--scans 40]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tntpipe.executors.learner import Learner
from tntpipe.executors.machine import Machine
from tntpipe.formatting import MIB
from tntpipe.journal.events import Outcome, RunEvent, StepEnded, StepRetried
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.steps.graph import build_graph
from tntpipe.steps.step import Input, Place, Step
from tntpipe.store.derivatives import Derivatives
from tntpipe.store.work_folder import WorkFolder

SMOKE = ("--scans", "1")

N_SCANS = 40
BUDGET = Resources(8, 2000 * MIB)
CHILD_MIB = 12
"""What a Python child has of its own."""

COMMANDS = {"child": (sys.executable, "-S", str(Path(__file__).with_name("sleeping_child.py")))}
KINDS = (("bias", 120, 1.0), ("linear", 150, 1.5), ("nonlinear", 240, 3.0))
"""Kind, MiB and seconds in the mean."""


def make(seed: int, n_scans: int) -> tuple[list[Job], dict[str, int], dict[str, float]]:
    """Jobs with their kinds' means; what each child really holds, and how long."""
    rng = random.Random(seed)
    jobs, peaks, times = [], {}, {}
    for number in range(n_scans):
        before: tuple[str, ...] = ()
        for kind, mib, wall_s in KINDS:
            name = f"sub-{number:02}/{kind}"
            request = Resources(1, mib * MIB)
            jobs.append(
                Job(name=name, request=request, wall_s=wall_s, follows=before, group=f"sub-{number:02}", kind=kind)
            )
            peaks[name], times[name] = int(mib * rng.uniform(0.7, 1.3)) * MIB, wall_s * rng.uniform(0.8, 1.2)
            before = (name,)
    return jobs, peaks, times


def run(jobs: Sequence[Job], peaks: Mapping[str, int], times: Mapping[str, float]) -> tuple[float, int, int]:
    """Seconds, steps run again, steps lost."""
    steps = [
        Step(
            place=Place(folder=job.group, scan=job.group, voxels=1000),
            kind=job.kind,
            program="child",
            arguments=(str(peaks[job.name] - CHILD_MIB * MIB), str(times[job.name])),
            inputs=tuple(Input("before", f"{name}/times.txt") for name in job.follows),
            outputs=("times.txt",),
        )
        for job in jobs
    ]
    graph = build_graph(steps, COMMANDS)
    events: list[RunEvent] = []
    with tempfile.TemporaryDirectory() as folder:
        work = WorkFolder(Path(folder) / "work", {"child": "1"})
        machine = Machine(
            graph, work, Derivatives(Path(folder) / "out", work), COMMANDS, events.append, BUDGET.mem_bytes
        )
        began = time.monotonic()
        drive(Scheduler(jobs, BUDGET), machine, teacher=Learner(jobs, {job.name: ("", 1000) for job in jobs}, BUDGET))
        seconds = time.monotonic() - began
        machine.close()
        work.close()
    n_done = sum(isinstance(event, StepEnded) and event.outcome is Outcome.DONE for event in events)
    return seconds, sum(isinstance(event, StepRetried) for event in events), len(jobs) - n_done


def main() -> None:
    """Print a line for each of the estimates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=N_SCANS)
    jobs, peaks, times = make(seed=11, n_scans=parser.parse_args().scans)
    largest = {kind: max(peaks[job.name] for job in jobs if job.kind == kind) for kind, _, _ in KINDS}
    told = {"knew": [replace(job, request=Resources(1, largest[job.kind])) for job in jobs]}
    for factor in (0.5, 1.5):
        told[f"×{factor}"] = [
            replace(job, request=Resources(1, int(factor * job.request.mem_bytes)), wall_s=factor * job.wall_s)
            for job in jobs
        ]
    knew_s = 0.0
    for name, estimated in told.items():
        seconds, n_again, n_lost = run(estimated, peaks, times)
        knew_s = knew_s or seconds
        print(
            f"{name:<6} {seconds:6.1f} s, {seconds / knew_s:.3f} of knew, {n_again} run again, {n_lost} lost",
            flush=True,
        )


if __name__ == "__main__":
    main()
