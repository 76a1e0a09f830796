"""CPU seconds, busy CPUs and threads, beside what burners say that they were given.

Seconds of CPU are the burners' own count, so that other work on the machine changes nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from process_table import Table, process
from watching import PROGRAMS, program

from tntpipe.profiling.monitor import Monitor

END_S = 0.06
"""What an interpreter uses after its program has counted, with much to spare."""


def test_two_busy_threads_of_a_grandchild_read_as_the_cpu_that_they_had() -> None:
    """On an idle machine that is 2.0 busy CPUs; on a busy one it is what they say that they were given."""
    seen = program("grandchild_burner", 2, 2.0)
    used, burnt_s = seen.usage, seen.known["cpu_s"]
    assert burnt_s <= used.cpu_s <= burnt_s + END_S
    given = burnt_s / used.wall_s
    assert given <= used.max_cpus <= 2.01
    assert used.max_threads == 1 + 3, "the child, and the grandchild's two besides its main one"
    assert used.n_samples >= 5


def test_one_busy_thread_never_reads_as_more_than_one_cpu() -> None:
    """Not even over 50 ms, where clock ticks of 10 ms would read as up to 1.4; another thread ends the burner.

    A look that is interrupted between the CPU time and the clock is off by as long: 10 ms of 50 on a busy machine.
    """
    seen = program("burner", 1, 1.0)
    assert max(sample.cpus for sample in seen.samples) <= 1.2
    assert 0.2 < seen.usage.max_cpus <= 1.2


def test_a_look_that_is_held_up_makes_busy_cpus_too_few_and_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look is held up for 40 ms, after it has read the CPU times or before: nobody can tell."""
    table, clock = Table(), iter([0.0, 0.2, 0.2, 0.4, 0.44, 0.6, 0.6])
    table.stands_in(monkeypatch)
    monitor = Monitor(lambda: next(clock))
    table.readings = {10: process(1, own=0)}
    monitor.watch(10, 0.0)
    cpus = []
    for now, cpu_s in ((0.2, 0.2), (0.4, 0.44), (0.6, 0.6)):
        table.readings = {10: process(1, own=cpu_s)}
        cpus.append(monitor.look(now)[10].cpus)
    assert cpus == pytest.approx([1.0, 1.0, 0.8])


def test_a_sleeping_child_reads_as_no_cpu() -> None:
    seen = program("hold", 1, 0.6)
    assert sorted(sample.cpus for sample in seen.samples)[len(seen.samples) // 2] < 0.05


def test_grandchildren_that_are_too_short_to_be_seen_are_counted_by_those_who_wait_for_them() -> None:
    seen = program("short_lived", 40, 0.02, 0)
    burnt_s = seen.known["cpu_s"]
    assert burnt_s >= 0.8 and burnt_s <= seen.usage.cpu_s <= burnt_s + END_S


def test_cpu_seconds_so_far_never_go_down() -> None:
    seen = program("short_lived", 10, 0.08, 0)
    assert all(later.cpu_s >= sooner.cpu_s - 1e-9 for sooner, later in pairwise(seen.samples))
    assert all(sample.cpus >= 0 for sample in seen.samples)


def test_a_grandchild_whose_account_is_thrown_away_is_counted_as_far_as_it_was_seen() -> None:
    seen = program("unwaited", 0.5, 0.3)
    last_interval_s = 0.05
    assert seen.known["cpu_s"] - 2 * last_interval_s <= seen.usage.cpu_s <= seen.known["cpu_s"] + END_S


def test_a_look_sees_the_cpu_seconds_of_the_whole_tree_so_far(tmp_path: Path) -> None:
    monitor = Monitor()
    words = [sys.executable, "-S", str(PROGRAMS), str(tmp_path / "report"), "grandchild_burner", "2", "60"]
    with subprocess.Popen(words, start_new_session=True) as child:
        monitor.watch(child.pid, time.monotonic())
        deadline = time.monotonic() + 30
        sample = None
        while time.monotonic() < deadline and (sample is None or sample.cpu_s < 0.3):
            time.sleep(0.1)
            sample = monitor.look(time.monotonic())[child.pid]
        listed = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        clocks = [time.clock_gettime(~int(pid) << 3 | 2) for pid in (child.pid, *listed)]
        os.killpg(child.pid, signal.SIGKILL)
    assert sample is not None and sample.n_processes == len(clocks) == 2 and sample.n_threads == 4
    assert 0.3 <= sample.cpu_s <= sum(clocks) <= sample.cpu_s + 0.2
