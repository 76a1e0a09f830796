"""What a step costs over bare fork and exec of the same command, beside nipype's MultiProc, in one run.

The command is ``true``, the steps do not depend on each other, two run at a time. tntpipe does for each what it does
for every step: scratch folder, log, measuring, record, publication by rename, journal. nipype (``pip install nipype``)
runs as it is installed, and with its poll at 0.01 s.

    python -m benchmarks.step_overhead [--steps 200] [--nipype-steps 40]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from tntpipe.executors.machine import Machine
from tntpipe.formatting import GIB, MIB
from tntpipe.journal.events import RunEvent
from tntpipe.journal.writer import Journal
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.steps.graph import build_graph
from tntpipe.steps.step import Place, Step
from tntpipe.store.derivatives import Derivatives
from tntpipe.store.work_folder import WorkFolder

SMOKE = ("--steps", "4", "--nipype-steps", "2")

COMMANDS = {"true": ("/bin/true",)}


def bare(n_steps: int, folder: Path, n_proc: int) -> None:
    """Fork and exec, so many at a time, and nothing else."""
    running: list[subprocess.Popen[bytes]] = []
    for _ in range(n_steps):
        if len(running) == n_proc:
            running.pop(0).wait()
        running.append(subprocess.Popen(COMMANDS["true"]))
    for process in running:
        process.wait()


def tntpipe(n_steps: int, folder: Path, n_proc: int) -> None:
    """The real scheduler, machine, work folder and journal."""
    steps = [
        Step(place=Place(folder=f"s{n}"), kind="true", program="true", arguments=(), inputs=(), outputs=())
        for n in range(n_steps)
    ]
    graph = build_graph(steps, COMMANDS)
    work = WorkFolder(folder / "work", {"true": "1"})
    journal = Journal(folder / "journal.jsonl")

    def emit(event: RunEvent) -> None:
        journal.record(time.time(), event)

    machine = Machine(graph, work, Derivatives(folder / "out", work), COMMANDS, emit, 64 * GIB)
    jobs = [Job(name=step.name, request=Resources(1, MIB), wall_s=0.1) for step in steps]
    drive(Scheduler(jobs, Resources(n_proc, n_proc * MIB)), machine)
    machine.close()
    work.close()


def nipype(poll_s: float | None) -> Callable[[int, Path, int], None]:
    """nipype's MultiProc on as many command nodes."""

    def run(n_steps: int, folder: Path, n_proc: int) -> None:
        from nipype import Node, Workflow
        from nipype import config as settings
        from nipype.interfaces.base import CommandLine

        if poll_s is not None:
            settings.set("execution", "poll_sleep_duration", str(poll_s))
        workflow = Workflow("overhead", base_dir=str(folder))
        workflow.add_nodes([Node(CommandLine("true"), name=f"n{n}") for n in range(n_steps)])
        workflow.run(plugin="MultiProc", plugin_args={"n_procs": n_proc})

    return run


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--nipype-steps", type=int, default=40)
    parser.add_argument("--procs", type=int, default=2)
    options = parser.parse_args()
    runners: dict[str, tuple[Callable[[int, Path, int], None], int]] = {
        "bare fork and exec": (bare, options.steps),
        "tntpipe": (tntpipe, options.steps),
    }
    if find_spec("nipype"):
        runners["nipype MultiProc, poll 0.01 s"] = nipype(0.01), options.nipype_steps
        runners["nipype MultiProc, default"] = nipype(2.0), options.nipype_steps
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, {options.procs} steps at a time, load {os.getloadavg()[0]:.1f}"
    )
    print("| runner | steps | ms a step | ms over bare |\n|---|---|---|---|")
    baseline = 0.0
    for name, (runner, n_steps) in runners.items():
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            runner(n_steps, Path(folder), options.procs)
            ms = (time.perf_counter() - began) / n_steps * 1000
        baseline = baseline or ms
        print(f"| {name} | {n_steps} | {ms:.1f} | {ms - baseline:.1f} |", flush=True)


if __name__ == "__main__":
    main()
