"""Whether a child ran out of memory, told apart from other deaths."""

from __future__ import annotations

from pathlib import Path

import pytest

from tntpipe.executors.memory.death import OomKills, why_it_died
from tntpipe.formatting import GIB


def judged(exit_code: int, said: str = "", *, peak: float = 1, kernel: bool | None = False) -> str | None:
    return why_it_died(exit_code, said, peak_bytes=int(peak * GIB), request_bytes=2 * GIB, kernel_killed=kernel)


@pytest.mark.parametrize("exit_code", [-9, 137])
def test_a_kill_that_the_kernel_counts_is_one_for_want_of_memory(exit_code: int) -> None:
    said = judged(exit_code, kernel=True)
    assert said is not None and "the kernel killed it" in said and "1.0 GiB" in said and "2.0 GiB" in said


def test_a_kill_that_the_kernel_does_not_count_is_a_persons() -> None:
    assert judged(-9) is None


def test_a_kill_above_the_request_is_taken_for_one_by_a_guard_of_memory() -> None:
    assert "more than it had asked for" in (judged(-9, peak=3) or "")


def test_where_the_kernel_does_not_tell_a_kill_may_have_been_for_memory() -> None:
    assert "perhaps" in (judged(-9, kernel=None) or "")


@pytest.mark.parametrize(
    ("exit_code", "said"),
    [
        (-6, "terminate called after throwing an instance of 'std::bad_alloc'"),
        (1, "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 3.2 GiB"),
        (1, "MemoryError"),
        (1, "fork: Cannot allocate memory"),
        (1, "itk::ERROR: Failed to allocate memory for image."),
    ],
)
def test_what_says_that_memory_is_not_to_be_had_is_believed(exit_code: int, said: str) -> None:
    assert judged(exit_code, said) is not None


@pytest.mark.parametrize(("exit_code", "said"), [(1, "no such file"), (-11, ""), (-15, ""), (0, "bad_alloc")])
def test_other_deaths_are_not_for_want_of_memory(exit_code: int, said: str) -> None:
    assert judged(exit_code, said) is None


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("proc/vmstat", "nr_free_pages 12\noom_kill {}\n"),
        ("sys/fs/cgroup/memory.events", "low 0\noom 9\noom_kill {}\noom_group_kill 0\n"),
        ("sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"),
    ],
)
def test_the_kernels_counter_is_read_where_it_stands_and_counts_for_seconds(
    tmp_path: Path, name: str, text: str
) -> None:
    write(tmp_path, name, text.format(3))
    kills = OomKills(tmp_path)
    assert kills.have_just_risen(10) is False
    write(tmp_path, name, text.format(4))
    assert [kills.have_just_risen(now) for now in (11, 15, 17)] == [True, True, False]


def test_where_there_is_no_counter_nothing_is_claimed(tmp_path: Path) -> None:
    assert OomKills(tmp_path).have_just_risen(1) is None


def test_a_kill_long_before_a_child_dies_is_not_its_own(tmp_path: Path) -> None:
    write(tmp_path, "proc/vmstat", "oom_kill 3\n")
    kills = OomKills(tmp_path)
    write(tmp_path, "proc/vmstat", "oom_kill 4\n")
    for now in range(100, 160):
        kills.look(now)
    assert kills.have_just_risen(160) is False
