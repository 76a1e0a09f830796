"""Peak memory, beside what programs hold by construction."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from watching import MB, program

from tntpipe.profiling.monitor import Monitor
from tntpipe.profiling.process_tree import Family
from tntpipe.profiling.processes import Sizes, children_now, read_sizes
from tntpipe.profiling.shared_pages import Sharing

WITHIN = 0.05


def test_memory_that_is_held_is_seen() -> None:
    seen = program("hold", 300, 0.3)
    assert seen.usage.peak_bytes == pytest.approx(seen.known["peak_bytes"], rel=WITHIN)
    assert max(sample.rss_bytes for sample in seen.samples) == pytest.approx(seen.known["peak_bytes"], rel=WITHIN)


def test_a_spike_of_a_gigabyte_and_a_tenth_of_a_second_in_a_grandchild_is_seen() -> None:
    seen = program("grandchild_hold", 1000, 0.1, 0.3)
    assert seen.usage.peak_bytes == pytest.approx(seen.known["peak_bytes"], rel=WITHIN)
    assert seen.samples[-1].rss_bytes < 100 * MB, "it was given back"


def test_a_spike_that_no_look_fell_into_is_seen_at_the_next_look() -> None:
    seen = program("hold", 250, 0, 0.5)
    assert any(sample.peak_bytes > 250 * MB for sample in seen.samples), "while it still runs"
    assert seen.usage.peak_bytes == pytest.approx(seen.known["peak_bytes"], rel=WITHIN)


def test_a_spike_of_a_grandchild_that_nobody_saw_is_known_to_the_kernel() -> None:
    """Of the largest process alone: the memory of the others at that time is missing."""
    seen = program("short_lived", 5, 0, 400)
    assert 400 * MB <= seen.usage.peak_bytes <= seen.known["peak_bytes"] * (1 + WITHIN)


def test_the_memory_of_a_tree_adds_up() -> None:
    seen = program("tree", 3, 100, 0.5)
    assert seen.usage.peak_bytes == pytest.approx(seen.known["peak_bytes"], rel=WITHIN)


def test_what_a_tree_shares_is_counted_once() -> None:
    seen = program("shared", 4, 150, 0.5)
    assert seen.usage.peak_bytes == pytest.approx(seen.known["peak_bytes"], rel=WITHIN)
    assert max(sample.n_processes for sample in seen.samples) == 5


BIG_PARENT = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1] / "support")!r})
from watching import watched
held = b"x" * {400 * MB}
del held
print(watched("/bin/sleep", "0.3").usage.peak_bytes, watched("/bin/true").usage.peak_bytes)
"""


def test_a_small_child_of_a_large_parent_does_not_read_as_large() -> None:
    """One that is looked at is known; of one that is too short for that, the parent's present size is the bound."""
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
    assert 0 < too_short < 150 * MB, "not the 400 MB that the parent gave back"


def test_of_a_child_that_was_looked_at_only_in_its_first_half_the_looks_do_not_tell_the_peak() -> None:
    """Such a look may have seen a program that was not loaded yet."""
    peaks = {}
    for ended_s in (0.09, 1.0):
        monitor = Monitor()
        child = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE)
        monitor.watch(child.pid, 0.0)
        assert child.stdin is not None and child.pid in monitor.look(0.05)
        child.stdin.close()
        _, status, account = os.wait4(child.pid, 0)
        child.returncode = 0
        peaks[ended_s] = monitor.ended(child.pid, ended_s, status, account).peak_bytes
    assert 0 < peaks[0.09] < 10 * MB
    assert peaks[1.0] == account.ru_maxrss * 1024 > 20 * MB, "the size of this process, which bounds the child's"


HOLDS_60_MB = f"""
import os, sys, time
held = b"x" * {60 * MB}
print(flush=True)
input()
"""
FORKS = f"""
if os.fork() == 0:
    more = b"y" * {40 * MB}
    print(flush=True)
    time.sleep(600)
os.wait()
"""
SPAWNS = """
wait_for_writer = os.POSIX_SPAWN_OPEN, 0, sys.argv[1], os.O_RDONLY, 0
print(flush=True)
os.posix_spawn("/bin/sleep", ["sleep", "600"], {}, file_actions=[wait_for_writer])
os.wait()
"""


@contextmanager
def holder(then: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A child of 60 MB that goes on when it is told to."""
    argv = [sys.executable, "-S", "-c", HOLDS_60_MB + then, *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, text=True, start_new_session=True, stdin=pipe, stdout=pipe) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            yield child
        finally:
            os.killpg(child.pid, 9)


def tell(child: subprocess.Popen[str]) -> int:
    """Have it go on; the child that it then has."""
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write("\n")
    child.stdin.flush()
    child.stdout.readline()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for pid in children_now()(child.pid):
            return pid
    raise AssertionError("it has no child")


def test_a_process_between_fork_and_exec_is_not_taken_for_a_second_one_of_its_parents_size(tmp_path: Path) -> None:
    """A program is started by a copy of its parent that still has the parent's memory (vfork)."""
    os.mkfifo(tmp_path / "fifo")
    with holder(SPAWNS, str(tmp_path / "fifo")) as child:
        family = Family(child.pid)
        copy = read_sizes(tell(child))
        seen = family.look(children_now(), 0.0)
    assert seen is not None and seen.n_processes == 2
    assert copy.rss_bytes > 60 * MB, "as if there were two"
    assert 60 * MB < seen.rss_bytes < 85 * MB


def test_a_process_that_forks_and_does_not_exec_counts_from_the_second_look_on() -> None:
    with holder(FORKS) as child:
        family = Family(child.pid)
        tell(child)
        first = family.look(children_now(), 0.0)
        second = family.look(children_now(), 1000.0)
    assert first is not None and second is not None
    assert 60 * MB < first.rss_bytes < 85 * MB
    assert 100 * MB < second.rss_bytes < 125 * MB, "60 MB that both have, and 40 MB of one"


def test_what_is_shared_is_asked_for_no_oftener_than_its_cost_allows() -> None:
    with holder(FORKS) as child:
        sharing = Sharing()
        sharing.find_out(sizes(child.pid, os.getpid()), 0.0, 1)
        two = sizes(child.pid, tell(child))
        sharing.find_out(two, 1e-6, 1)
        too_soon = sharing.memory_bytes(two)
        sharing.find_out(two, 1000.0, 1)
        later = sharing.memory_bytes(two)
    assert too_soon == max(size.rss_bytes for size in two.values()), "the newcomer is left out until then"
    assert 100 * MB < later < 125 * MB


def sizes(*pids: int) -> dict[int, Sizes]:
    return {pid: read_sizes(pid) for pid in pids}
