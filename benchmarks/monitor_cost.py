"""What it costs to watch 40 children: CPU seconds of the process that looks, for each second that passes.

The loop sleeps until a look is due and looks, as the executor does. The last row is the executor itself, with all that
it does with a look (the journal foremost).

    python -m benchmarks.monitor_cost [--children 40] [--seconds 30]     (some 4 minutes)
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tntpipe.executors.machine import Machine
from tntpipe.formatting import MIB
from tntpipe.journal.events import RunEvent, StepSampled
from tntpipe.journal.writer import Journal
from tntpipe.profiling.monitor import Monitor
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.steps.graph import build_graph
from tntpipe.steps.step import Place, Step
from tntpipe.store.derivatives import Derivatives
from tntpipe.store.work_folder import WorkFolder

SMOKE = ("--children", "1", "--seconds", "0.1")

OLD_S = 3600.0
BAR = 0.02
STEP_BYTES = 64 * MIB

IDLE = ("/bin/sleep", "3600")
THREADS = (
    *(sys.executable, "-S", "-c"),
    "import threading, time\n"
    "held = b'x' * 50_000_000\n"
    "for _ in range(8): threading.Thread(target=time.sleep, args=(3600,)).start()",
)
SHELL = ("/bin/sh", "-c", f"{sys.executable} -S -c 'import time; held = b\"x\" * 50_000_000; time.sleep(3600)'; true")


@contextmanager
def children(argv: Sequence[str], n: int) -> Iterator[list[int]]:
    """So many children, once they are up."""
    running = [subprocess.Popen(argv, start_new_session=True) for _ in range(n)]
    time.sleep(5)
    try:
        yield [child.pid for child in running]
    finally:
        for child in running:
            os.killpg(child.pid, 9)
            child.wait()


def cost(pids: Sequence[int], age_s: float, seconds: float, *, hurry: bool = False) -> tuple[float, int, int]:
    """CPU seconds a second, looks at one child, and wake-ups, while children of an age are watched."""
    monitor = Monitor()
    began = time.monotonic()
    for place, pid in enumerate(pids):
        monitor.watch(pid, began - age_s + place / len(pids))  # they are not all due at the same moment
    monitor.hurry(hurry)
    cpu_s, looks, wakes = time.thread_time(), 0, 0
    while (now := time.monotonic()) < began + seconds:
        due = monitor.next_look()
        assert due is not None
        time.sleep(max(0.0, min(due, began + seconds) - now))
        looks += len(monitor.look(time.monotonic()))
        wakes += 1
    return (time.thread_time() - cpu_s) / (time.monotonic() - began), looks, wakes


def executor(n: int, seconds: float, folder: Path) -> tuple[float, int, int]:
    """The same for the whole executor, in the later two thirds of a run."""
    commands = {"sleep": ("/bin/sleep", str(seconds * 1.5 + 1))}
    steps = [
        Step(place=Place(folder=f"s{k}"), kind="sleep", program="sleep", arguments=(), inputs=(), outputs=())
        for k in range(n)
    ]
    graph, work = build_graph(steps, commands), WorkFolder(folder / "work", {"sleep": "1"})
    journal, looks, wakes = Journal(folder / "journal.jsonl"), [], set()

    def emit(event: RunEvent) -> None:
        journal.record(time.time(), event)
        if isinstance(event, StepSampled):
            looks.append(time.monotonic())

    machine = Machine(graph, work, Derivatives(folder / "out", work), commands, emit, mem_bytes=2 * n * STEP_BYTES)
    jobs = [Job(name=step.name, request=Resources(1, STEP_BYTES), wall_s=seconds) for step in steps]
    spent: list[tuple[float, float]] = []
    timers = [
        threading.Timer(after_s, lambda: spent.append((time.monotonic(), time.process_time())))
        for after_s in (seconds * 0.5, seconds * 1.5)
    ]
    for timer in timers:
        timer.start()
    drive(Scheduler(jobs, Resources(n, 2 * n * STEP_BYTES)), machine)
    machine.close()
    work.close()
    (began, before), (ended, after) = spent
    within = [look for look in looks if began <= look <= ended]
    wakes = {round(look, 2) for look in within}
    return (after - before) / (ended - began), len(within), len(wakes)


def row(words: str, seconds: float, measured: tuple[float, int, int]) -> None:
    share, looks, wakes = measured
    bar = "met" if share <= BAR else "**missed**"
    print(f"| {words} | {looks / seconds:.0f} | {wakes / seconds:.1f} | {share:.2%} | {bar} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--children", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    n, seconds = options.children, options.seconds
    n_processes = sum(name.name.isdigit() for name in Path("/proc").iterdir())
    print(f"{n} children, {seconds:g} s each, {n_processes} other processes, load {os.getloadavg()[0]:.1f}\n")
    print("| children | looks a second | wake-ups a second | of one core | bar 2 % |\n|---|---|---|---|---|")
    with children(IDLE, n) as pids:
        row("one process of one thread, an hour old", seconds, cost(pids, OLD_S, seconds))
        row("the same, in their first seconds", seconds, cost(pids, 0, seconds))
        row("the same, an hour old, in a hurry", seconds, cost(pids, OLD_S, seconds, hurry=True))
    with children(THREADS, n) as pids:
        row("one process of 9 threads, an hour old", seconds, cost(pids, OLD_S, seconds))
        row("the same, in a hurry", seconds, cost(pids, OLD_S, seconds, hurry=True))
    with children(SHELL, n) as pids:
        row("a shell and a program of 50 MB, an hour old", seconds, cost(pids, OLD_S, seconds))
        row("the same, in a hurry", seconds, cost(pids, OLD_S, seconds, hurry=True))
    with tempfile.TemporaryDirectory() as folder:
        row("the whole executor, sleeping steps", seconds, executor(n, seconds, Path(folder)))


if __name__ == "__main__":
    main()
