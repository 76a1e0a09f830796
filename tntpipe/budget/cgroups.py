"""The limits of this process's control groups and of all groups above them, in both versions of cgroup.

The files are those of the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst, and of
Documentation/scheduler/sched-bwc.rst for the CPU quota. ``cpuset.cpus`` is not read: the affinity mask has it already.

A memory limit is one on the whole group, and its processes use part of it already: what is left is the limit without
what the group uses, file cache that the kernel gives back first (inactive) not counted as used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tntpipe.budget.limit import Limit
from tntpipe.formatting import format_gib

UNLIMITED_BYTES = 1 << 60
"""cgroup v1 writes a page-rounded 2⁶³ for no limit."""

MEMORY_USED = (("memory.current", "inactive_file"), ("memory.usage_in_bytes", "total_inactive_file"))
"""By version, 2 then 1: the file of what a group uses, and the line of ``memory.stat`` with its inactive file cache."""

MEMORY_LIMITS = {
    "memory.max": ("the memory limit", "the kernel may kill them"),
    "memory.limit_in_bytes": ("the memory limit", "the kernel may kill them"),
    "memory.high": ("memory.high", "the kernel will slow them down"),
}
"""By file: what it is called, and what the kernel does to steps that need more."""


@dataclass(frozen=True, slots=True)
class Group:
    """A control group: its folder, and its name as /proc/self/cgroup has it."""

    folder: Path
    name: str


def find_groups(root: Path) -> list[Group]:
    """The groups of this process and all above them; ``root`` holds ``proc`` and ``sys``.

    Controllers of version 1 that are mounted together have a folder of that name (``cpu,cpuacct``), and mostly links
    for each. Version 2 is at the top, or in ``unified`` beside the controllers of version 1. In a container the name
    may be the host's: then only the top is there, and it has the container's limits.
    """
    groups: dict[Path, Group] = {}
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, name = line.split(":", 2)
        mounts = (controllers, *controllers.split(",")) if controllers else ("", "unified")
        path = PurePosixPath("/", name)
        if ".." in path.parts:  # above the top of this process's cgroup namespace
            path = PurePosixPath("/")
        for mount in mounts:
            for level in (path, *path.parents):
                folder = root / "sys/fs/cgroup" / mount / level.relative_to("/")
                if folder.is_dir():
                    groups.setdefault(folder.resolve(), Group(folder, str(level)))
    return list(groups.values())


def cpu_limits(groups: list[Group]) -> Iterator[Limit]:
    """CPU quotas in whole CPUs, at least one: part of a CPU does not run a step of its own."""
    for group in groups:
        quota = _words(group.folder / "cpu.max") or [
            *_words(group.folder / "cpu.cfs_quota_us"),
            *_words(group.folder / "cpu.cfs_period_us"),
        ]
        if len(quota) != 2 or not all(map(_is_count, quota)) or int(quota[1]) == 0:
            continue
        quota_us, period_us = map(int, quota)
        part = f", {1000 * quota_us // period_us / 1000:g} CPUs" if quota_us % period_us else ""
        source = f"the CPU quota of cgroup {group.name}"
        yield Limit(amount=max(1, quota_us // period_us), source=f"{source}{part}", claim=f"{source} allows")


def memory_limits(groups: list[Group]) -> Iterator[Limit]:
    """What the memory limits leave to this run, never below 0."""
    for group in groups:
        for file, (what, excess) in MEMORY_LIMITS.items():
            words = _words(group.folder / file)
            if not words or not _is_count(words[0]) or int(words[0]) >= UNLIMITED_BYTES:
                continue
            limit_bytes, used_bytes = int(words[0]), _used_bytes(group.folder)
            source, claim = f"{what} of cgroup {group.name}", f"cgroup {group.name} allows"
            if used_bytes:
                source += f": {format_gib(limit_bytes)} less {format_gib(used_bytes)} in use"
                claim += f" beside the {format_gib(used_bytes)} in use"
            yield Limit(amount=max(0, limit_bytes - used_bytes), source=source, claim=claim, excess=excess)


def _used_bytes(folder: Path) -> int:
    """What the group's processes use and cannot give back at once; 0 where it cannot be read."""
    for file, cache in MEMORY_USED:
        words = _words(folder / file)
        if words and _is_count(words[0]):
            stat = _words(folder / "memory.stat")
            inactive = stat[stat.index(cache) + 1] if cache in stat[:-1] else "0"
            return max(0, int(words[0]) - int(inactive)) if _is_count(inactive) else int(words[0])
    return 0


def _is_count(word: str) -> bool:
    return re.fullmatch(r"[0-9]{1,20}", word) is not None


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text().splitlines() if line.count(":") >= 2]
    except (OSError, ValueError):
        return []


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except (OSError, ValueError):
        return []
