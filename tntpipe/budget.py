"""What this process may use: the smallest of the limits that the machine, the container and the user set.

Each limit is a figure with the name of who set it, so that a run can say which one won.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tntpipe.errors import BudgetError
from tntpipe.resources import GIB, Resources, format_gib

UNLIMITED_BYTES = 1 << 60
"""cgroup v1 writes a page-rounded 2⁶³ for no limit."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure (CPUs or bytes) and who set it."""

    amount: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a run may use, and why."""

    cpus: Limit
    mem: Limit

    @property
    def resources(self) -> Resources:
        return Resources(self.cpus.amount, self.mem.amount)

    def __str__(self) -> str:
        memory = format_gib(self.mem.amount)
        return f"{self.cpus.amount} CPUs ({self.cpus.source}), {memory} of memory ({self.mem.source})"


def find_budget(n_proc: int | None, memory_gb: float | None, root: Path = Path("/")) -> Budget:
    """The budget of a run; ``root`` holds ``proc`` and ``sys``."""
    groups = list(_cgroups(root))
    cpus = Limit(n_proc, "--n_proc") if n_proc else min(_cpu_limits(groups), key=lambda limit: limit.amount)
    if memory_gb:
        return Budget(cpus=cpus, mem=Limit(int(memory_gb * GIB), "--memory_gb"))
    memory = list(_memory_limits(groups, root))
    if not memory:
        raise BudgetError("This system does not say how much memory is available.", remedy="Give --memory_gb.")
    return Budget(cpus=cpus, mem=min(memory, key=lambda limit: limit.amount))


def _cpu_limits(groups: list[Path]) -> Iterator[Limit]:
    yield Limit(_n_usable_cpus(), "the CPUs that this process may run on")
    for group in groups:
        quota = _words(group / "cpu.max") or [*_words(group / "cpu.cfs_quota_us"), *_words(group / "cpu.cfs_period_us")]
        if len(quota) == 2 and quota[0].isdigit() and int(quota[1]) > 0:
            yield Limit(max(1, int(quota[0]) // int(quota[1])), f"the CPU quota of cgroup {group}")


def _memory_limits(groups: list[Path], root: Path) -> Iterator[Limit]:
    words = _words(root / "proc/meminfo")
    if "MemAvailable:" in words:
        yield Limit(int(words[words.index("MemAvailable:") + 1]) * 1024, "the memory that is available now")
    for group in groups:
        for name in ("memory.max", "memory.limit_in_bytes"):
            words = _words(group / name)
            if words and words[0].isdigit() and int(words[0]) < UNLIMITED_BYTES:
                yield Limit(int(words[0]), f"the memory limit of cgroup {group}")


def _cgroups(root: Path) -> Iterator[Path]:
    """The folders of this process's control groups and of all above them, in both versions of cgroup.

    Controllers that are mounted together have a folder of that name (``cpu,cpuacct``), and mostly links for each.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in dict.fromkeys((controllers, *controllers.split(","))):
            mount = root / "sys/fs/cgroup" / controller
            group = mount / path.lstrip("/")
            while group.is_relative_to(mount):
                yield group
                if group == mount:
                    break
                group = group.parent


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _n_usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
