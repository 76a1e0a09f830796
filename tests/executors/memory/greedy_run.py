"""A run of real children that take more memory than they asked for; says as JSON what happened.

``greedy_run.py FOLDER N_STEPS STEP_MIB REQUEST_MIB BUDGET_MIB [CGROUP]``: the run first enters the control group.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tntpipe.executors.learner import Learner
from tntpipe.executors.machine import Machine
from tntpipe.formatting import MIB
from tntpipe.journal.events import RunEvent, StepEnded, StepRetried
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.steps.graph import build_graph
from tntpipe.steps.step import Place, Step
from tntpipe.store.derivatives import Derivatives
from tntpipe.store.work_folder import WorkFolder

CHILD = """
import sys, time
held = []
for _ in range(int(sys.argv[1])):
    held.append(bytearray(b"x") * 2**20)
    time.sleep(0.004)
time.sleep(0.6)
open("out", "w").write("done")
"""


def main(folder: Path, n_steps: int, step_mib: int, request_mib: int, budget_mib: int) -> None:
    commands = {"python": (sys.executable, "-S", "-c", CHILD)}
    steps = [
        Step(
            place=Place(folder=f"sub-{number}", scan=f"sub-{number}", voxels=1000),
            kind="greedy",
            program="python",
            arguments=(str(step_mib),),
            inputs=(),
            outputs=("out",),
            moldable=True,
        )
        for number in range(n_steps)
    ]
    graph = build_graph(steps, commands)
    budget = Resources(n_steps, budget_mib * MIB)
    jobs = [
        Job(name=step.name, request=Resources(1, request_mib * MIB), wall_s=1.0, group=step.scan, kind=step.kind)
        for step in graph
    ]
    events: list[RunEvent] = []
    most_used = 0

    def emit(event: RunEvent) -> None:
        nonlocal most_used
        events.append(event)
        most_used = max(most_used, sum(machine._monitor.memory_now().values()))

    work = WorkFolder(folder / "work", {"python": "1"})
    machine = Machine(graph, work, Derivatives(folder / "out", work), commands, emit, budget.mem_bytes)
    try:
        teacher = Learner(jobs, {job.name: ("", 1000) for job in jobs}, budget)
        drive(Scheduler(jobs, budget), machine, teacher=teacher)
    finally:
        machine.close()
        work.close()
    retried = [event for event in events if isinstance(event, StepRetried)]
    said = {
        "outcomes": {event.name: event.outcome.value for event in events if isinstance(event, StepEnded)},
        "messages": [event.message for event in events if isinstance(event, StepEnded)],
        "retried": [[event.name, event.cause.value, event.message] for event in retried],
        "most_used_mib": most_used / MIB,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    if len(sys.argv) > 6:
        (Path(sys.argv[6]) / "cgroup.procs").write_text(str(os.getpid()))
    main(Path(sys.argv[1]), *map(int, sys.argv[2:6]))
