"""The monitor, on children whose use is known."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tntpipe.profiling.monitor import FIRST_INTERVAL_S, LAST_INTERVAL_S, Monitor
from tntpipe.profiling.usage import Usage

MB = 10**6


def measured(*argv: str) -> Usage:
    """Run a child to its end, looking at it whenever a look is due."""
    monitor = Monitor()
    child = subprocess.Popen(argv)
    monitor.watch(child.pid, time.monotonic())
    fd = os.pidfd_open(child.pid)
    while True:
        due = monitor.next_look()
        wait_s = None if due is None else max(0.0, due - time.monotonic())
        if select.select([fd], [], [], wait_s)[0]:
            break
        monitor.look(time.monotonic())
    os.close(fd)
    _, status, account = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return monitor.ended(child.pid, time.monotonic(), status, account)


def python(script: str, *words: str | Path) -> Usage:
    return measured(sys.executable, "-S", "-c", script, *map(str, words))


BURN = """
import sys, time
began = time.monotonic()
while time.monotonic() - began < 1.2:
    pass
open(sys.argv[1], "w").write(str(time.process_time()))
"""
TWO_BURNERS = f"""
import subprocess, sys
burners = [subprocess.Popen([sys.executable, "-S", "-c", {BURN!r}, sys.argv[1] + name]) for name in "ab"]
for burner in burners:
    burner.wait()
"""


def test_two_burning_grandchildren_read_as_the_cpu_that_they_had(tmp_path: Path) -> None:
    """On an idle machine that is 2.0 busy CPUs; on a busy one it is what they say that they were given."""
    used = python(TWO_BURNERS, tmp_path / "burner-")
    burnt_s = sum(float(path.read_text()) for path in tmp_path.glob("burner-*"))
    assert burnt_s <= used.cpu_s <= burnt_s + 0.5
    given = burnt_s / used.wall_s
    assert used.mean_cpus == pytest.approx(used.cpu_s / used.wall_s)
    assert 0.8 * given <= used.max_cpus <= 2.2
    assert used.max_threads >= 3 and used.n_samples >= 5


def test_a_look_sees_the_cpu_seconds_of_the_whole_tree_so_far(tmp_path: Path) -> None:
    monitor = Monitor()
    with subprocess.Popen([sys.executable, "-S", "-c", TWO_BURNERS, str(tmp_path / "burner-")]) as child:
        monitor.watch(child.pid, time.monotonic())
        time.sleep(1.0)
        [sample] = monitor.look(time.monotonic()).values()
        known = [child.pid, *map(int, Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split())]
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in known]
    ticks = sum(int(stat[11]) + int(stat[12]) for stat in stats)
    assert sample.n_processes == len(known) == 3
    assert sample.cpu_s == pytest.approx(ticks / os.sysconf("SC_CLK_TCK"), abs=0.25)
    assert sample.cpu_s > 0.2 and sample.rss_bytes > 3 * MB


def test_a_child_that_takes_300_mb_reads_as_300_mb() -> None:
    used = python(f"import time; held = b'x' * {300 * MB}; time.sleep(0.4)")
    assert 300 * MB <= used.peak_bytes <= 330 * MB


def test_memory_that_was_given_back_before_the_next_look_is_seen() -> None:
    used = python(f"import time; held = b'x' * {250 * MB}; del held; time.sleep(0.4)")
    assert 250 * MB <= used.peak_bytes <= 275 * MB


def test_the_memory_of_a_tree_adds_up() -> None:
    hold = f"import time; held = b'x' * {100 * MB}; time.sleep(1)"
    used = python(
        "import subprocess, sys\n"
        f"for child in [subprocess.Popen([sys.executable, '-S', '-c', {hold!r}]) for _ in range(3)]: child.wait()"
    )
    assert 300 * MB <= used.peak_bytes <= 380 * MB


BIG_PARENT = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_monitor import measured
held = b"x" * {400 * 10**6}
print(measured("/bin/sleep", "0.3").peak_bytes, measured("/bin/true").peak_bytes)
"""


def test_a_small_child_of_a_large_parent_does_not_read_as_large() -> None:
    root = str(Path(__file__).resolve().parents[2])
    said = subprocess.run(
        [sys.executable, "-c", BIG_PARENT],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": root},
    )
    looked_at, too_short = map(int, said.stdout.split())
    assert looked_at < 20 * MB
    assert too_short < 520 * MB, "an upper bound is all that there is"


def test_a_child_that_is_gone_at_once_has_its_account_from_the_kernel() -> None:
    used = measured("/bin/true")
    assert used.exit_code == 0
    assert 0 <= used.cpu_s < 0.2 and 0 < used.wall_s < 5 and used.peak_bytes > 0


def test_a_childs_end_by_a_signal_is_a_negative_number() -> None:
    assert measured("/bin/sh", "-c", "kill -9 $$").exit_code == -9
    assert measured("/bin/sh", "-c", "exit 3").exit_code == 3


def test_a_process_that_has_ended_before_it_is_watched_is_no_error() -> None:
    ended = subprocess.Popen(["/bin/true"])
    ended.wait()
    monitor = Monitor()
    monitor.watch(ended.pid, 0.0)
    assert monitor.next_look() is None and monitor.look(1.0) == {}


def test_looks_come_often_at_first_and_seldom_later() -> None:
    monitor = Monitor()
    monitor.watch(os.getpid(), 0.0)
    assert monitor.next_look() == FIRST_INTERVAL_S
    assert monitor.look(FIRST_INTERVAL_S / 2) == {}, "not due"
    intervals = []
    for now in (0.05, 0.5, 4.0, 10.0, 1000.0):
        assert set(monitor.look(now)) == {os.getpid()}
        due = monitor.next_look()
        assert due is not None
        intervals.append(due - now)
    assert intervals == pytest.approx([FIRST_INTERVAL_S, FIRST_INTERVAL_S, 0.2, 0.5, LAST_INTERVAL_S])
