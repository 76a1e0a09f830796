"""A very long run in simulation: is memory flat, does the journal grow in proportion, is every scan accounted for once?

The scheduler, the drive loop, retries, watchdog, journal and the folds of a real run (state of the screen and of
``status``, scan tracker, readiness) on the simulated clock; 2 % of the steps fail, others are killed, out of memory
and run again. Learning is left out here: each correction of a quarter of a million jobs takes seconds.

    python -m benchmarks.soak [--scans 10000]
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cohorts import cohort_graph
from benchmarks.memory_world import MemoryWorld
from tntpipe.formatting import GIB, MIB
from tntpipe.journal.events import (
    Outcome,
    RetryCause,
    RunEvent,
    RunStarted,
    ScanEnded,
    ScanOutcome,
    StepAdmitted,
    StepDropped,
    StepEnded,
    StepRetried,
    StepStarted,
)
from tntpipe.journal.reader import read_journal
from tntpipe.journal.run_state import RunState
from tntpipe.journal.usage import Usage
from tntpipe.journal.writer import Journal
from tntpipe.profiling.estimates import MEMORY_MARGIN, Estimates
from tntpipe.resources import Resources
from tntpipe.run.jobs import jobs_of
from tntpipe.run.readiness import Readiness
from tntpipe.run.scan_tracker import ScanTracker
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.messages import Action, Drop, Ended, Event, Launch, Requeued
from tntpipe.steps.graph import Graph

SMOKE = ("--scans", "3")

BUDGET = Resources(40, 188 * GIB)
FAILING = 0.02
MEMORY_SIGMA = 0.12
TIME_SPREAD = 0.3
N_TRACED = 1000


@dataclass(frozen=True, slots=True)
class Mark:
    """How things stood when that part of the steps had begun."""

    part: float
    n_steps: int
    rss_bytes: int
    journal_bytes: int


@dataclass
class Soak:
    """Tells a simulated run as a real one is told, to the same journal and folds."""

    graph: Graph
    scheduler: Scheduler
    journal: Journal
    path: Path
    n_jobs: int
    began: dict[str, tuple[float, Launch]] = field(default_factory=dict)
    n_tries: Counter[str] = field(default_factory=Counter)
    scan_ends: Counter[str] = field(default_factory=Counter)
    marks: list[Mark] = field(default_factory=list)
    n_started: int = 0
    now: float = 0.0

    def __post_init__(self) -> None:
        scans = dict.fromkeys(step.scan for step in self.graph if step.scan)
        self.state = RunState()
        self.tracker, self.readiness = ScanTracker(self.graph, scans, ()), Readiness(self.graph, ())
        n_steps: Counter[str] = Counter(step.scan for step in self.graph)
        self.tell(_run_started(dict(n_steps)))
        for ready in self.readiness.begin():
            self.tell(ready)

    def tell(self, event: RunEvent) -> None:
        self.journal.record(self.now, event)
        self.state.apply(self.now, event)
        if isinstance(event, ScanEnded):
            self.scan_ends[event.scan] += 1

    def follow(self, event: RunEvent) -> None:
        self.tell(event)
        for ended in self.tracker.follow(event):
            self.tell(ended)
        for ready in self.readiness.follow(event):
            self.tell(ready)

    def observe(self, now: float, happened: Event | Action) -> None:
        self.now = now
        if isinstance(happened, Launch):
            self._launched(happened)
        elif isinstance(happened, Ended):
            self._ended(happened)
        elif isinstance(happened, Requeued):
            self._requeued(happened)
        elif isinstance(happened, Drop):
            scan = self.graph.steps[happened.name].scan
            self.follow(StepDropped(name=happened.name, scan=scan, because=happened.because))

    def _launched(self, launch: Launch) -> None:
        step, cpus, mem_bytes = self.graph.steps[launch.name], launch.request.cpus, launch.request.mem_bytes
        self.began[launch.name] = (self.now, launch)
        expected_s = round(self.scheduler.expected_s(step.name), 1)
        self.tell(
            StepAdmitted(name=step.name, cpus=cpus, mem_bytes=mem_bytes, expected_s=expected_s, why=launch.reason.value)
        )
        self.tell(
            StepStarted(
                name=step.name, scan=step.scan, kind=step.kind, cpus=cpus, mem_bytes=mem_bytes, pid=self.n_started
            )
        )
        self.n_started += 1
        if self.n_started * 10 // self.n_jobs > len(self.marks) and len(self.marks) < 10:
            self.mark()

    def mark(self) -> None:
        self.marks.append(Mark(self.n_started / self.n_jobs, self.n_started, _rss_bytes(), self.path.stat().st_size))

    def _ended(self, ended: Ended) -> None:
        step = self.graph.steps[ended.name]
        outcome = Outcome.DONE if ended.succeeded else Outcome.FAILED
        message = "" if ended.succeeded else "exit status 1"
        self.follow(
            StepEnded(
                name=step.name,
                scan=step.scan,
                kind=step.kind,
                outcome=outcome,
                usage=self._usage(ended.name),
                message=message,
            )
        )

    def _requeued(self, requeued: Requeued) -> None:
        step = self.graph.steps[requeued.name]
        self.n_tries[step.name] += 1
        self.follow(
            StepRetried(
                name=step.name,
                scan=step.scan,
                kind=step.kind,
                cause=RetryCause.OUT_OF_MEMORY,
                n_tries=self.n_tries[step.name],
                mem_bytes=requeued.mem_bytes,
                usage=self._usage(step.name),
                message="out of memory",
            )
        )

    def _usage(self, name: str) -> Usage:
        began, launch = self.began.pop(name)
        wall_s = round(self.now - began, 3)
        return Usage(wall_s=wall_s, cpu_s=wall_s * launch.request.cpus, peak_bytes=launch.request.mem_bytes)


def _run_started(scans: dict[str, int]) -> RunStarted:
    return RunStarted(
        command=("tntpipe", "bids", "out", "participant"),
        version="",
        ants="",
        host={},
        pid=1,
        cpus=BUDGET.cpus,
        mem_bytes=BUDGET.mem_bytes,
        budget=str(BUDGET),
        scans=scans,
        reused={},
        settings={},
        folders={"work": "/out/work"},
    )


def _rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soak(n_scans: int, folder: Path, seed: int = 1) -> tuple[Soak, MemoryWorld]:
    """Run it; what was told, and the world that it happened in."""
    graph = cohort_graph(n_scans, second_registration=False)
    jobs = jobs_of(graph, Estimates(), (), None)
    rng = random.Random(seed)
    times = {job.name: job.wall_s * rng.uniform(1 - TIME_SPREAD, 1 + TIME_SPREAD) for job in jobs}
    peaks = {job.name: int(job.request.mem_bytes / MEMORY_MARGIN * rng.lognormvariate(0, MEMORY_SIGMA)) for job in jobs}
    failing = [job.name for job in jobs if job.group and rng.random() < FAILING]
    scheduler = Scheduler(jobs, BUDGET)
    world = MemoryWorld(times, peaks, jobs, BUDGET, failures=failing, enforced=True, n_traced=N_TRACED)
    path = folder / "journal.jsonl"
    journal = Journal(path)
    told = Soak(graph, scheduler, journal, path, len(jobs))
    drive(scheduler, world, told.observe)
    for ended in told.tracker.finish():
        told.tell(ended)
    told.mark()
    journal.close()
    return told, world


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=10_000)
    n_scans = parser.parse_args().scans
    gc.disable()  # as a run does while it plans; what is made then lives to its end
    began = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        told, world = soak(n_scans, Path(name))
        cpu_s = time.process_time() - began
        folded = Counter(type(event).__name__ for _, event in read_journal(told.path))
    outcomes = Counter(told.tracker.outcomes.values())
    print(f"{n_scans} scans, {told.n_jobs} steps, {told.n_started} starts, {len(world.deaths)} killed for memory")
    print(f"scans: {outcomes[ScanOutcome.DONE]} done, {outcomes[ScanOutcome.FAILED]} failed; ", end="")
    once = sum(count == 1 for count in told.scan_ends.values())
    print(f"{once} of {n_scans} told once, {folded['ScanEnded']} ends in the journal")
    print(f"{world.now() / 86400:.1f} simulated days in {cpu_s:.0f} CPU seconds")
    print(f"{'steps begun':>12} {'memory, MiB':>12} {'journal, MB':>12} {'bytes a step':>13}")
    for mark in told.marks:
        a_step = mark.journal_bytes / mark.n_steps
        print(f"{mark.n_steps:>12} {mark.rss_bytes / MIB:>12.0f} {mark.journal_bytes / 1e6:>12.1f} {a_step:>13.0f}")


if __name__ == "__main__":
    main()
