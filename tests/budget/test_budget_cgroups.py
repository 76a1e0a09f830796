"""Limits of control groups, by files like those of /sys/fs/cgroup and by a real group."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_machine import BY_DEFAULT_BYTES, FakeMachine

from tntpipe.budget.cgroups import find_groups
from tntpipe.formatting import GIB, MIB
from tntpipe.resources import Resources

NO_LIMIT = str(2**63 - 4096)
"""What version 1 of cgroup says where there is none."""


def test_version_2_limits_are_found(machine: FakeMachine) -> None:
    machine.groups("0::/job")
    machine.limit("job", cpu__max="400000 100000", memory__max=8 * GIB)
    budget = machine.budget()
    assert budget.resources == Resources(4, 8 * GIB)
    assert (
        budget.cpus.source == "the CPU quota of cgroup /job" and budget.mem.source == "the memory limit of cgroup /job"
    )


def test_version_1_limits_are_found(machine: FakeMachine) -> None:
    machine.groups("4:memory:/docker/abc", "1:cpu,cpuacct:/docker/abc", "2:name=systemd:/")
    machine.limit("memory/docker/abc", memory__limit_in_bytes=4 * GIB)
    machine.limit("cpu/docker/abc", cpu__cfs_quota_us="200000", cpu__cfs_period_us="100000")
    budget = machine.budget()
    assert budget.resources == Resources(2, 4 * GIB)
    assert "/docker/abc" in budget.cpus.source and "/docker/abc" in budget.mem.source


def test_controllers_that_are_mounted_together_are_found_once(machine: FakeMachine) -> None:
    machine.groups("1:cpu,cpuacct:/")
    machine.limit("cpu,cpuacct", cpu__cfs_quota_us="500000", cpu__cfs_period_us="100000")
    (machine.root / "sys/fs/cgroup/cpu").symlink_to("cpu,cpuacct")
    budget = machine.budget()
    assert budget.cpus.amount == 5
    assert [limit.amount for limit in budget.cpu_limits] == [5, 16, 16]


def test_version_2_beside_version_1_is_found(machine: FakeMachine) -> None:
    """A hybrid: memory under version 1, the CPU quota under ``unified``."""
    machine.groups("4:memory:/a", "0::/b")
    machine.limit("memory/a", memory__limit_in_bytes=6 * GIB)
    machine.limit("unified/b", cpu__max="300000 100000")
    assert machine.budget().resources == Resources(3, 6 * GIB)


@pytest.mark.parametrize("line", ["4:memory:/docker/abc", "4:memory:/../../x"])
def test_in_a_container_the_limits_stand_at_the_top(machine: FakeMachine, line: str) -> None:
    """The group's name is that of the host, and its folder is not there."""
    machine.groups(line)
    machine.limit("memory", memory__limit_in_bytes=2 * GIB)
    machine.limit("x", memory__limit_in_bytes=GIB)
    budget = machine.budget()
    assert budget.mem.amount == 2 * GIB and budget.mem.source.endswith("cgroup /")


@pytest.mark.parametrize("smallest", ["a", "a/b", "a/b/c"])
def test_the_smallest_limit_of_all_levels_wins(machine: FakeMachine, smallest: str) -> None:
    machine.groups("0::/a/b/c")
    for group in ("a", "a/b", "a/b/c"):
        n = 2 if group == smallest else 6
        machine.limit(group, cpu__max=f"{n}00000 100000", memory__max=n * GIB)
    budget = machine.budget()
    assert budget.resources == Resources(2, 2 * GIB)
    assert budget.mem.source.endswith(f"cgroup /{smallest}")
    assert [limit.amount for limit in budget.mem_limits] == [2 * GIB, 6 * GIB, 6 * GIB, 32 * GIB]


def test_the_smallest_limit_of_all_levels_wins_in_version_1_too(machine: FakeMachine) -> None:
    machine.groups("2:cpu:/a/b", "4:memory:/a/b")
    machine.limit("cpu/a/b", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    machine.limit("cpu/a", cpu__cfs_quota_us="700000", cpu__cfs_period_us="100000")
    machine.limit("memory/a/b", memory__limit_in_bytes=NO_LIMIT)
    machine.limit("memory/a", memory__limit_in_bytes=7 * GIB)
    assert machine.budget().resources == Resources(7, 7 * GIB)


@pytest.mark.parametrize(
    ("quota", "cpus", "words"),
    [
        ("50000", 1, ", 0.5 CPUs"),
        ("1000", 1, ", 0.01 CPUs"),
        ("150000", 1, ", 1.5 CPUs"),
        ("1250000", 12, ", 12.5 CPUs"),
        ("199999", 1, ", 1.999 CPUs"),
        ("200000", 2, "/"),
    ],
)
def test_part_of_a_cpu_does_not_count_but_one_is_the_least(
    machine: FakeMachine, quota: str, cpus: int, words: str
) -> None:
    machine.groups("0::/")
    machine.limit("", cpu__max=f"{quota} 100000")
    budget = machine.budget()
    assert budget.cpus.amount == cpus and budget.cpus.source.endswith(words)


@pytest.mark.parametrize(
    "files",
    [
        {"cpu__max": "max 100000", "memory__max": "max", "memory__high": "max"},
        {"cpu__cfs_quota_us": "-1", "cpu__cfs_period_us": "100000", "memory__limit_in_bytes": NO_LIMIT},
        {"cpu__max": "", "memory__max": ""},
        {"cpu__max": "100000 0"},
        {"cpu__max": "1000 x", "memory__max": "x"},
        {"cpu__max": "1600000 100000", "memory__max": str(64 * GIB)},
    ],
    ids=["v2", "v1", "empty", "no period", "no numbers", "larger than the machine"],
)
def test_no_limit_is_no_limit(machine: FakeMachine, files: dict[str, str]) -> None:
    machine.groups("0::/", "3:memory,cpu:/")
    machine.limit("", **files)
    machine.limit("memory", **files)
    machine.limit("cpu", **files)
    assert machine.budget().resources == Resources(16, BY_DEFAULT_BYTES)


def test_what_the_group_uses_already_is_not_for_this_run(machine: FakeMachine) -> None:
    machine.groups("0::/job")
    machine.limit("job", memory__max=10 * GIB, memory__current=5 * GIB)
    machine.limit("job", memory__stat=f"anon {3 * GIB}\ninactive_file {2 * GIB}\nactive_file {GIB}")
    budget = machine.budget()
    assert budget.mem.amount == 7 * GIB
    assert budget.mem.source == "the memory limit of cgroup /job: 10.0 GiB less 3.0 GiB in use"


def test_what_a_group_of_version_1_uses_is_that_of_all_below_it(machine: FakeMachine) -> None:
    machine.groups("4:memory:/job")
    machine.limit("memory/job", memory__limit_in_bytes=10 * GIB, memory__usage_in_bytes=5 * GIB)
    machine.limit("memory/job", memory__stat=f"inactive_file {MIB}\ntotal_inactive_file {4 * GIB}")
    assert machine.budget().mem.amount == 9 * GIB


@pytest.mark.parametrize(
    ("files", "left_gib"),
    [
        ({}, 10),
        ({"memory__current": "x"}, 10),
        ({"memory__current": str(4 * GIB)}, 6),
        ({"memory__current": str(4 * GIB), "memory__stat": "inactive_file"}, 6),
        ({"memory__current": str(4 * GIB), "memory__stat": f"inactive_file {9 * GIB}"}, 10),
        ({"memory__current": str(11 * GIB)}, 0),
    ],
    ids=["unknown", "unreadable", "no stat", "cut stat", "cache of more than all", "over the limit"],
)
def test_use_that_cannot_be_read_leaves_the_limit(machine: FakeMachine, files: dict[str, str], left_gib: int) -> None:
    machine.groups("0::/job")
    machine.limit("job", memory__max=10 * GIB, **files)
    assert machine.budget().mem.amount == left_gib * GIB


def test_a_parent_that_others_fill_leaves_less_than_the_own_limit(machine: FakeMachine) -> None:
    machine.groups("0::/a/b")
    machine.limit("a/b", memory__max=4 * GIB, memory__current=GIB)
    machine.limit("a", memory__max=10 * GIB, memory__current=9 * GIB)
    budget = machine.budget()
    assert budget.mem.amount == GIB and "cgroup /a:" in budget.mem.source


def test_the_limit_from_which_the_kernel_slows_down_counts(machine: FakeMachine) -> None:
    machine.groups("0::/job")
    machine.limit("job", memory__max=10 * GIB, memory__high=8 * GIB)
    budget = machine.budget()
    assert budget.mem.amount == 8 * GIB and budget.mem.source == "memory.high of cgroup /job"


@pytest.mark.parametrize("text", ["", "nonsense\n", "0::/gone\n"])
def test_a_strange_list_of_groups_is_no_limit(machine: FakeMachine, text: str) -> None:
    machine.write("proc/self/cgroup", text)
    assert machine.budget().resources == Resources(16, BY_DEFAULT_BYTES)


CHILD = """
import pathlib, sys, os
pathlib.Path(sys.argv[1], "cgroup.procs").write_text(str(os.getpid()))
from tntpipe.budget.find import find_budget
budget = find_budget(None, None, environment={})
print(budget.mem.amount)
print(budget.mem.source)
"""


@pytest.fixture
def real_group() -> Path:
    """A folder for a control group of 256 MiB below that of this process; removed afterwards."""
    for own in find_groups(Path("/")):
        for file in ("memory.max", "memory.limit_in_bytes"):
            folder = own.folder / f"tntpipe-test-{os.getpid()}"
            if not (own.folder / file).exists() and not (own.folder / "cgroup.subtree_control").exists():
                continue
            try:
                folder.mkdir()
            except OSError:
                continue
            try:
                (folder / file).write_text(str(256 * MIB))
            except OSError:
                folder.rmdir()
                continue
            return folder
    pytest.skip("no control group with a memory limit can be made here (needs root, or a delegated group)")


def test_a_real_child_in_a_real_group_finds_its_limit(real_group: Path) -> None:
    try:
        command = [sys.executable, "-c", CHILD, str(real_group)]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    finally:
        real_group.rmdir()
    assert 0 < int(said[0]) < 256 * MIB, "the child itself uses part of it"
    assert real_group.name in said[1] and "0.25 GiB less" in said[1]
