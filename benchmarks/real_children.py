"""Makespan of the same 24 real children under tntpipe and under nipype's MultiProc, against a lower bound, in one run.

Four scans of six steps, once following each other and once independent; every child holds 0.8 of the memory that it
asks for and sleeps until its time is over, so two cores are enough for a budget of four. tntpipe runs as it is: the
scheduler, drive loop, monitor, work folder and journal. It is told what a step of each kind takes in the mean, from
which the scans differ by up to 20 %. nipype runs as it is installed, and with its poll at 0.01 s; what it spends on a
node counts.

The makespan is from the fork of the first child to the end of the last, by the children's own clocks; the call is from
before either is set up until it has returned. The bound knows the true times.

    python -m benchmarks.real_children [--repeats 3]      (for nipype: pip install .[benchmark])
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from benchmarks.nipype_policy import POLL_S
from benchmarks.sleeping_child import TIMES_NAME
from tntpipe.executors.machine import Machine
from tntpipe.formatting import GIB, MIB, format_gib
from tntpipe.journal.events import RunEvent
from tntpipe.journal.writer import Journal
from tntpipe.planning.bounds.lower_bounds import lower_bound
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.steps.graph import build_graph
from tntpipe.steps.step import Input, Place, Step
from tntpipe.store.derivatives import Derivatives
from tntpipe.store.work_folder import WorkFolder

SMOKE = ("--repeats", "1")

BUDGET = Resources(4, 1200 * MIB)
HELD_SHARE = 0.8
COMMANDS = {"child": (sys.executable, str(Path(__file__).with_name("sleeping_child.py")))}

# kind, CPUs, MiB, mean seconds, follows
KINDS = (
    ("bias", 1, 200, 1.0, ()),
    ("mask", 1, 60, 0.6, ("bias",)),
    ("linear", 2, 250, 2.0, ("bias",)),
    ("nonlinear", 1, 300, 3.3, ("linear", "mask")),
    ("tissue", 1, 300, 2.5, ("mask",)),
    ("volumes", 1, 20, 0.6, ("nonlinear", "tissue")),
)
SCAN_FACTORS = (0.9, 1.2, 0.85, 1.05)
"""How much longer than the mean each scan's steps take; their mean is one."""

Runner = Callable[[Sequence[Job], Mapping[str, tuple[str, ...]], Path], Mapping[str, Path]]
"""Runs jobs by their arguments in a folder, and tells where each job's child ran."""


def make_jobs() -> tuple[tuple[Job, ...], dict[str, float]]:
    """The steps of all scans with their mean times, and their true times by name."""
    jobs, durations = [], {}
    for scan, factor in enumerate(SCAN_FACTORS):
        for kind, cpus, mib, wall_s, follows in KINDS:
            job = Job(
                name=f"scan{scan}/{kind}",
                request=Resources(cpus, mib * MIB),
                wall_s=wall_s,
                follows=tuple(f"scan{scan}/{name}" for name in follows),
                group=f"scan{scan}",
                kind=kind,
            )
            jobs.append(job)
            durations[job.name] = wall_s * factor
    return tuple(jobs), durations


def lower_bound_s(jobs: Sequence[Job], durations: Mapping[str, float]) -> float:
    """No schedule of the jobs with their true times can be shorter."""
    return lower_bound([replace(job, wall_s=durations[job.name]) for job in jobs], BUDGET).seconds


def tntpipe(jobs: Sequence[Job], arguments: Mapping[str, tuple[str, ...]], folder: Path) -> Mapping[str, Path]:
    """The real scheduler, machine, monitor, work folder and journal."""
    graph = build_graph([_step(job, arguments[job.name]) for job in jobs], COMMANDS)
    work = WorkFolder(folder / "work", {"child": "1"})
    journal = Journal(folder / "journal.jsonl")

    def emit(event: RunEvent) -> None:
        journal.record(time.time(), event)

    machine = Machine(graph, work, Derivatives(folder / "out", work), COMMANDS, emit, 64 * GIB)
    drive(Scheduler(jobs, BUDGET), machine)
    machine.close()
    work.close()
    journal.close()
    return {job.name: work.folder(job.name) for job in jobs}


def nipype(poll_s: float) -> Runner:
    """nipype's MultiProc on a node for each job."""

    def run(jobs: Sequence[Job], arguments: Mapping[str, tuple[str, ...]], folder: Path) -> Mapping[str, Path]:
        from benchmarks.nipype_nodes import node_name, run_nodes

        argv = {name: (*COMMANDS["child"], *words) for name, words in arguments.items()}
        run_nodes(jobs, argv, folder, BUDGET, poll_s)
        return {job.name: folder / "jobs" / node_name(job.name) for job in jobs}

    return run


def measure(runner: Runner, jobs: Sequence[Job], durations: Mapping[str, float]) -> tuple[float, float]:
    """Seconds of one run: the makespan, and the whole call."""
    arguments = {job.name: (str(int(HELD_SHARE * job.request.mem_bytes)), f"{durations[job.name]:.3f}") for job in jobs}
    with tempfile.TemporaryDirectory() as folder:
        called = time.perf_counter()
        folders = runner(jobs, arguments, Path(folder))
        call_s = time.perf_counter() - called
        times = [(folders[job.name] / TIMES_NAME).read_text().split() for job in jobs]
    return max(float(ended) for _, ended in times) - min(float(began) for began, _ in times), call_s


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    runners: dict[str, Runner] = {"tntpipe": tntpipe}
    if find_spec("nipype"):
        runners["nipype MultiProc, poll 0.01 s"] = nipype(0.01)
        runners["nipype MultiProc, default"] = nipype(POLL_S)
    else:
        print("nipype is not installed here, so only tntpipe runs: pip install .[benchmark]", file=sys.stderr)
    jobs, durations = make_jobs()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {len(jobs)} children, budget "
        f"{BUDGET.cpus} CPUs and {format_gib(BUDGET.mem_bytes)}; median of {options.repeats}\n"
    )
    print(
        "| jobs | runner | bound, s | makespan, s | least and most | over bound | whole call, s |\n"
        "|---|---|---|---|---|---|---|"
    )
    for case, some in {"graph": jobs, "independent": tuple(replace(job, follows=()) for job in jobs)}.items():
        bound_s = lower_bound_s(some, durations)
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in runners}
        for _ in range(options.repeats):
            for name, runner in runners.items():  # in turn, so that what else the machine does falls on all alike
                runs[name].append(measure(runner, some, durations))
        for name in runners:
            makespans_s, calls_s = zip(*runs[name], strict=True)
            makespan_s = statistics.median(makespans_s)
            print(
                f"| {case} | {name} | {bound_s:.2f} | {makespan_s:.2f} | {min(makespans_s):.2f}–{max(makespans_s):.2f} "
                f"| {makespan_s / bound_s:.3f} | {statistics.median(calls_s):.2f} |",
                flush=True,
            )


def _step(job: Job, arguments: tuple[str, ...]) -> Step:
    """The job as a step: it follows another by reading what it wrote."""
    inputs = tuple(Input(f"after_{n}", f"{name}/{TIMES_NAME}") for n, name in enumerate(job.follows))
    return Step(
        place=Place(folder=job.group),
        kind=job.kind,
        program="child",
        arguments=arguments,
        inputs=inputs,
        outputs=(TIMES_NAME,),
    )


if __name__ == "__main__":
    main()
