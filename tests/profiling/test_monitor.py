"""When the monitor looks at which child, and what it says of one that is gone."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from watching import MB, watched

from tntpipe.profiling.monitor import FIRST_INTERVAL_S, GLANCE_INTERVAL_S, LAST_INTERVAL_S, Monitor
from tntpipe.profiling.processes import Sizes


@contextmanager
def sleeper() -> Iterator[int]:
    """The process id of a child that is there as long as it is needed."""
    child = subprocess.Popen(["/bin/sleep", "600"])
    try:
        yield child.pid
    finally:
        child.kill()
        child.wait()


def due(monitor: Monitor) -> float:
    when = monitor.next_look()
    assert when is not None
    return when


def test_looks_come_often_at_first_and_seldom_later() -> None:
    monitor = Monitor()
    monitor.watch(os.getpid(), 0.0)
    assert due(monitor) == FIRST_INTERVAL_S
    assert monitor.look(FIRST_INTERVAL_S / 2) == {}, "not due"
    intervals = []
    for now in (0.05, 0.5, 4.0, 10.0, 1000.0):
        assert set(monitor.look(now)) == {os.getpid()}
        intervals.append(due(monitor) - now)
    assert intervals == pytest.approx([FIRST_INTERVAL_S, FIRST_INTERVAL_S, 0.2, 0.5, LAST_INTERVAL_S])


def test_children_that_are_due_soon_are_looked_at_together() -> None:
    with sleeper() as one, sleeper() as other, sleeper() as late:
        monitor = Monitor()
        monitor.watch(one, 0.0)
        monitor.watch(other, 0.01)
        monitor.watch(late, 0.03)
        assert set(monitor.look(0.05)) == {one, other}
        assert due(monitor) == pytest.approx(0.08), "the third keeps its turn"


def test_children_of_one_age_come_to_be_looked_at_in_one_go() -> None:
    with sleeper() as one, sleeper() as other:
        monitor = Monitor()
        for pid, now in ((one, 0.0), (other, 0.7)):
            monitor.watch(pid, now)
        for _ in range(400):
            looked = set(monitor.look(due(monitor)))
        assert looked == {one, other}


def test_while_in_a_hurry_the_memory_of_every_child_is_seen_ten_times_a_second() -> None:
    """Samples do not come oftener for it, so that a journal of them does not grow."""
    script = f"print(flush=True); input(); held = b'x' * {50 * MB}; print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stdout is not None
        child.stdout.readline()
        monitor = Monitor()
        monitor.watch(child.pid, 0.0)
        monitor.look(1000.0)
        assert due(monitor) == 1000.0 + LAST_INTERVAL_S
        monitor.hurry(True)
        assert due(monitor) == pytest.approx(1000.0 + GLANCE_INTERVAL_S)
        before = monitor.memory_now()[child.pid]
        child.stdin.write(b"\n")
        child.stdin.flush()
        child.stdout.readline()
        assert monitor.look(1000.11) == {}
        assert due(monitor) == pytest.approx(1000.11 + GLANCE_INTERVAL_S)
        assert monitor.memory_now()[child.pid] == pytest.approx(before + 50 * MB, abs=5 * MB)
        assert set(monitor.look(1001.01)) == {child.pid}
        monitor.hurry(False)
        assert due(monitor) == pytest.approx(1001.01 + LAST_INTERVAL_S)
        child.stdin.close()
        child.wait()


def test_a_spike_that_only_a_glance_saw_is_in_the_peak() -> None:
    with sleeper() as pid:
        monitor = Monitor()
        monitor.watch(pid, 0.0)
        monitor.look(1000.0)
        monitor.hurry(True)
        spike = Sizes(rss_bytes=90 * MB, file_bytes=0, high_water_bytes=90 * MB)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tntpipe.profiling.process_tree.read_sizes", lambda pid: spike)
            monitor.look(1000.2)
        monitor.look(1002.0)
        account = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert monitor.memory_now()[pid] < 7 * MB
        assert monitor.ended(pid, 1002.0, 0, account).peak_bytes >= 90 * MB


def test_the_memory_of_all_children_is_known_without_a_look() -> None:
    script = f"held = b'x' * {50 * MB}; print(flush=True); input()"
    monitor = Monitor()
    with (
        sleeper() as small,
        subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child,
    ):
        assert child.stdin is not None and child.stdout is not None
        monitor.watch(small, 0.0)
        monitor.watch(child.pid, 0.0)
        assert monitor.memory_now().keys() == {small, child.pid}
        child.stdout.readline()
        monitor.look(1.0)
        memory = monitor.memory_now()
        child.stdin.close()
        child.wait()
    assert memory[child.pid] == pytest.approx(65 * MB, abs=15 * MB) and memory[small] < 5 * MB


def test_a_child_that_is_gone_at_once_has_its_account_from_the_kernel() -> None:
    used = watched("/bin/true").usage
    assert used.exit_code == 0
    assert 0 <= used.cpu_s < 0.2 and 0 < used.wall_s < 5 and used.peak_bytes > 0


def test_a_childs_end_by_a_signal_is_a_negative_number() -> None:
    assert watched("/bin/sh", "-c", "kill -9 $$").usage.exit_code == -9
    assert watched("/bin/sh", "-c", "exit 3").usage.exit_code == 3


def test_a_process_that_was_waited_for_before_it_is_watched_is_no_error() -> None:
    ended = subprocess.Popen(["/bin/true"])
    _, status, account = os.wait4(ended.pid, 0)
    ended.returncode = 0
    monitor = Monitor()
    monitor.watch(ended.pid, 0.0)
    assert monitor.next_look() is None and monitor.look(1.0) == {} and monitor.memory_now() == {}
    monitor.last_look(ended.pid, 1.0)
    assert monitor.ended(ended.pid, 1.0, status, account).peak_bytes == account.ru_maxrss * 1024
