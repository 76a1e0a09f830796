"""What a process may use, by files like those of /proc and /sys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tntpipe.budget import Budget, find_budget
from tntpipe.errors import BudgetError
from tntpipe.resources import GIB, Resources

NO_LIMIT = str(2**63 - 4096)
"""What version 1 of cgroup says where there is none."""


class Machine:
    """A machine with 16 CPUs and 32 GiB of available memory; files are written below its root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("proc/meminfo", f"MemTotal: 99999999 kB\nMemAvailable:   {32 * GIB // 1024} kB\nSwapFree: 0 kB\n")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def groups(self, *lines: str) -> None:
        self.write("proc/self/cgroup", "".join(f"{line}\n" for line in lines))

    def limit(self, group: str, **files: str) -> None:
        for name, text in files.items():
            self.write(f"sys/fs/cgroup/{group}/{name.replace('__', '.')}", f"{text}\n")

    def budget(self, n_proc: int | None = None, memory_gb: float | None = None) -> Budget:
        return find_budget(n_proc, memory_gb, self.root)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(16)))
    return Machine(tmp_path)


def test_without_limits_it_is_the_affinity_and_the_available_memory(machine: Machine) -> None:
    budget = machine.budget()
    assert budget.resources == Resources(16, 32 * GIB)
    assert "may run on" in budget.cpus.source and "available" in budget.mem.source


def test_what_the_user_says_stands(machine: Machine) -> None:
    budget = machine.budget(3, 1.5)
    assert budget.resources == Resources(3, 3 * GIB // 2)
    assert str(budget) == "3 CPUs (--n_proc), 1.5 GiB of memory (--memory_gb)"


def test_version_2_limits_are_found(machine: Machine) -> None:
    machine.groups("0::/job")
    machine.limit("job", cpu__max="400000 100000", memory__max=str(8 * GIB))
    budget = machine.budget()
    assert budget.resources == Resources(4, 8 * GIB)
    assert "sys/fs/cgroup/job" in budget.cpus.source and "sys/fs/cgroup/job" in budget.mem.source


def test_version_1_limits_are_found(machine: Machine) -> None:
    machine.groups("4:memory:/docker/abc", "1:cpu,cpuacct:/docker/abc", "2:name=systemd:/")
    machine.limit("memory/docker/abc", memory__limit_in_bytes=str(4 * GIB))
    machine.limit("cpu/docker/abc", cpu__cfs_quota_us="250000", cpu__cfs_period_us="100000")
    assert machine.budget().resources == Resources(2, 4 * GIB)


def test_controllers_that_are_mounted_together_are_found(machine: Machine) -> None:
    machine.groups("1:cpu,cpuacct:/")
    machine.limit("cpu,cpuacct", cpu__cfs_quota_us="500000", cpu__cfs_period_us="100000")
    assert machine.budget().cpus.amount == 5


def test_in_a_container_the_limits_stand_at_the_top(machine: Machine) -> None:
    """The group's name is that of the host, and its folder is not there."""
    machine.groups("4:memory:/docker/abc", "0::/../../x")
    machine.limit("memory", memory__limit_in_bytes=str(2 * GIB))
    assert machine.budget().mem.amount == 2 * GIB


@pytest.mark.parametrize("smallest", ["a", "a/b", "a/b/c"])
def test_the_smallest_limit_of_all_levels_wins(machine: Machine, smallest: str) -> None:
    machine.groups("0::/a/b/c")
    for group in ("a", "a/b", "a/b/c"):
        n = 2 if group == smallest else 6
        machine.limit(group, cpu__max=f"{n}00000 100000", memory__max=str(n * GIB))
    budget = machine.budget()
    assert budget.resources == Resources(2, 2 * GIB)
    assert budget.mem.source.endswith(f"cgroup/{smallest}")


@pytest.mark.parametrize(("quota", "cpus"), [("50000", 1), ("1000", 1), ("150000", 1), ("199999", 1), ("200000", 2)])
def test_part_of_a_cpu_does_not_count_but_one_is_the_least(machine: Machine, quota: str, cpus: int) -> None:
    machine.groups("0::/")
    machine.limit("", cpu__max=f"{quota} 100000")
    assert machine.budget().cpus.amount == cpus


@pytest.mark.parametrize(
    "files",
    [
        {"cpu__max": "max 100000", "memory__max": "max"},
        {"cpu__cfs_quota_us": "-1", "cpu__cfs_period_us": "100000", "memory__limit_in_bytes": NO_LIMIT},
        {"cpu__max": "", "memory__max": ""},
        {"cpu__max": "100000 0"},
        {"cpu__max": "1600000 100000", "memory__max": str(64 * GIB)},
    ],
    ids=["v2", "v1", "empty", "no period", "larger than the machine"],
)
def test_no_limit_is_no_limit(machine: Machine, files: dict[str, str]) -> None:
    machine.groups("0::/", "3:memory,cpu:/")
    machine.limit("", **files)
    machine.limit("memory", **files)
    machine.limit("cpu", **files)
    assert machine.budget().resources == Resources(16, 32 * GIB)


def test_a_system_that_does_not_say_its_memory_needs_to_be_told(machine: Machine) -> None:
    (machine.root / "proc/meminfo").unlink()
    with pytest.raises(BudgetError, match="--memory_gb"):
        machine.budget()
    assert machine.budget(None, 2).mem.amount == 2 * GIB


def test_the_real_machine_has_a_budget() -> None:
    assert Resources(1, 1).fits_in(find_budget(None, None).resources)
