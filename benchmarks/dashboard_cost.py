"""What the display costs: CPU time of drawing, relative to one core, by the clock of the thread.

A recorded cohort is played on a pseudo-terminal in real time: each running step is looked at once a second, as in a
run, and ends now and then. Twice a second the screen is drawn, if it may be. Counted apart: folding the events
into the state, and drawing (laying out, comparing, sending). The same in rich's own Live, which sends every frame whole
and waits for the terminal, for comparison.

    python -m benchmarks.dashboard_cost [--seconds 60]
"""

from __future__ import annotations

import argparse
import fcntl
import os
import random
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.live import Live

from tntpipe.dashboard.frame import screen
from tntpipe.dashboard.live import FRAME_S, LiveScreen
from tntpipe.dashboard.screen import Screen
from tntpipe.formatting import GIB
from tntpipe.journal.events import (
    Outcome,
    RunEvent,
    RunForecast,
    RunStarted,
    StepAdmitted,
    StepEnded,
    StepSampled,
    StepStarted,
    StepsWaiting,
)
from tntpipe.journal.run_state import RunState
from tntpipe.journal.usage import Usage

SMOKE = ("--seconds", "0.05")

N_STEPS = 24
LOOK_S = 1.0
CASES = ((1, 1), (500, 40))
SIZES = ((80, 24), (200, 60))


class Cohort:
    """Events of a run of ``n_scans``, of whose steps ``n_running`` run at a time; a step lasts a minute or so."""

    def __init__(self, n_scans: int, n_running: int) -> None:
        self._rng = random.Random(n_scans)
        self._scans = [f"sub-{number:04}" for number in range(n_scans)]
        self._n_running, self._n_begun = n_running, 0
        self._running: dict[str, float] = {}

    def begin(self) -> Iterator[RunEvent]:
        yield RunStarted(
            command=(),
            version="",
            ants="ANTs",
            host={"name": "node"},
            pid=1,
            budget="",
            cpus=40,
            mem_bytes=188 * GIB,
            scans=dict.fromkeys(self._scans, N_STEPS),
            reused={},
            settings={},
            folders={},
        )
        yield RunForecast(seconds_left=40_000.0)
        for _ in range(self._n_running):
            yield from self._start(0.0)

    def after(self, age_s: float) -> Iterator[RunEvent]:
        """What happens in a second: every step is looked at, some end and others start."""
        for name, began in list(self._running.items()):
            if self._rng.random() < 1 / 60:
                del self._running[name]
                usage = Usage(wall_s=age_s - began, cpu_s=age_s - began, peak_bytes=2 * GIB)
                scan, _, kind = name.partition("/")
                yield StepEnded(name=name, scan=scan, kind=kind, outcome=Outcome.DONE, usage=usage)
                yield from self._start(age_s)
                continue
            busy = self._rng.uniform(0.9, 1.0)
            rss = int(self._rng.uniform(1, 3) * GIB)
            yield StepSampled(name=name, age_s=age_s, cpu_s=age_s, cpus=busy, rss_bytes=rss, vms_bytes=rss)

    def _start(self, age_s: float) -> Iterator[RunEvent]:
        scan = self._scans[self._n_begun % len(self._scans)]
        kind = f"step_number_{self._n_begun}"
        self._n_begun += 1
        self._running[f"{scan}/{kind}"] = age_s
        yield StepAdmitted(name=f"{scan}/{kind}", cpus=1, mem_bytes=3 * GIB, expected_s=60.0, why="")
        yield StepStarted(name=f"{scan}/{kind}", scan=scan, kind=kind, cpus=1, mem_bytes=3 * GIB, pid=1)

    def queue(self, age_s: float) -> StepsWaiting:
        """What waits, with times that change every second."""
        why = f"waits for 1.2 GiB more of memory; reserved, expected in 12:{59 - int(age_s) % 60:02}"
        return StepsWaiting(steps={f"{scan}/nonlinear_registration": why for scan in self._scans[-5:]})


@contextmanager
def terminal(columns: int, lines: int) -> Iterator[tuple[TextIO, list[int]]]:
    """A pseudo-terminal that somebody reads, and how many bytes it was sent."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    n_bytes = [0]

    def read() -> None:
        try:
            while part := os.read(master, 65536):
                n_bytes[0] += len(part)
        except OSError:
            return

    threading.Thread(target=read, daemon=True).start()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        yield stream, n_bytes
    os.close(master)


def play(cohort: Cohort, seconds: float, draw: Callable[[RunState, float], None]) -> tuple[float, float, int]:
    """CPU seconds of folding, of drawing, and how often it was drawn that anything took time."""
    state, folding_s, drawing_s, n_drawn = RunState(), 0.0, 0.0, 0
    began, looked, waiting = time.time(), 0.0, cohort.queue(0.0)
    pending = [*cohort.begin(), waiting]
    while (age_s := time.time() - began) < seconds:
        if age_s - looked >= LOOK_S:
            looked += LOOK_S
            pending += [*cohort.after(age_s), cohort.queue(age_s)]
        before = time.thread_time()
        for event in pending:
            state.apply(began + age_s, event)
        pending = []
        between = time.thread_time()
        draw(state, began + age_s)
        after = time.thread_time()
        folding_s, drawing_s = folding_s + between - before, drawing_s + after - between
        n_drawn += after - between > 5e-5
        time.sleep(FRAME_S / 2)
    return folding_s, drawing_s, n_drawn


def with_ours(cohort: Cohort, seconds: float, stream: TextIO) -> tuple[float, float, int]:
    live = LiveScreen(Screen(stream), "footer")
    try:
        return play(cohort, seconds, live.tick)
    finally:
        live.close()


def with_rich(cohort: Cohort, seconds: float, stream: TextIO) -> tuple[float, float, int]:
    """The same layout in rich's Live, twice a second, whatever it costs."""
    columns, lines = os.get_terminal_size(stream.fileno())
    console = Console(file=stream, force_terminal=True, width=columns, height=lines)
    with Live(console=console, auto_refresh=False, screen=True) as live:
        due = [0.0]

        def draw(state: RunState, now: float) -> None:
            if time.monotonic() >= due[0]:
                due[0] = time.monotonic() + FRAME_S
                live.update(screen(state, now, columns, lines), refresh=True)

        return play(cohort, seconds, draw)


def main() -> None:
    """Print a line for each case, size and way of drawing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    os.environ["TERM"] = "xterm-256color"
    print("| participants | running | terminal | drawn by | frames | drawing, of a core | folding, of a core | kB/s |")
    print("|---|---|---|---|---|---|---|---|")
    for n_scans, n_running in CASES:
        for columns, lines in SIZES:
            for name, draw in (("ours", with_ours), ("rich's Live", with_rich)):
                with terminal(columns, lines) as (stream, n_bytes):
                    folding_s, drawing_s, n_drawn = draw(Cohort(n_scans, n_running), seconds, stream)
                print(
                    f"| {n_scans} | {n_running} | {columns} × {lines} | {name} | {n_drawn} "
                    f"| {drawing_s / seconds:.2%} | {folding_s / seconds:.2%} | {n_bytes[0] / seconds / 1000:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
