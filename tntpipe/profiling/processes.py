"""What the kernel tells of one process, and who its children are. The one module that imports psutil.

It reads ``/proc`` itself where psutil has nothing (high-water marks, memory of files, forks without ``exec``, children
without a pass over the process table). Since that takes ``stat`` and ``status`` anyway, the rest of a reading comes
from them too: 69 µs, where psutil's ``oneshot`` for all that it has takes 288 µs. It refuses to know whose
process it is; a process that is gone is None, never an error.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
"""What the CPU times of waited-for children are rounded down to, user and system time each."""

KIB = 1024
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
READ_BYTES = 65536

PF_FORKNOEXEC = 0x40  # <linux/sched.h>; field "flags" of proc_pid_stat(5)
CPUCLOCK_SCHED = 2  # <linux/posix-timers_types.h>; what clock_getcpuclockid(3) gives for a process

ChildrenOf = Callable[[int], Iterable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Resident memory of one process now, the part of it that is of files, and its largest ever.

    Ever is since its ``exec``, or since its fork where there was no ``exec``.
    """

    rss_bytes: int
    file_bytes: int
    high_water_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One process at one moment; ``started_ticks`` tells it from a later one of the same id.

    ``has_ended`` is true as soon as it has given up its memory, somewhat before it is a zombie.
    ``own_cpu_s`` is what its threads used, ended ones included, and ``waited_cpu_s`` what its ended children did that
    it waited for; the bytes read and written are those of both.
    """

    parent: int
    started_ticks: int
    has_ended: bool
    is_fork: bool
    own_cpu_s: float
    waited_cpu_s: float
    sizes: Sizes
    vms_bytes: int
    n_threads: int
    read_bytes: int
    written_bytes: int

    @property
    def cpu_s(self) -> float:
        return self.own_cpu_s + self.waited_cpu_s


def read_process(pid: int) -> Reading | None:
    """All that is asked of a process, zombies included; None when it is gone."""
    stat, status = read_proc(f"{pid}/stat"), read_proc(f"{pid}/status")
    if not stat or not status:
        return None
    fields = stat.rpartition(b")")[2].split()
    has_ended = fields[0] in (b"Z", b"X") or b"\nVmHWM:" not in status
    io = read_proc(f"{pid}/io")
    return Reading(
        parent=int(fields[1]),
        started_ticks=int(fields[19]),
        has_ended=has_ended,
        is_fork=bool(int(fields[6]) & PF_FORKNOEXEC),
        own_cpu_s=_cpu_s(pid, int(fields[11]) + int(fields[12])),
        waited_cpu_s=(int(fields[13]) + int(fields[14])) * TICK_S,
        sizes=Sizes(
            rss_bytes=number_in(status, b"\nVmRSS:") * KIB,
            file_bytes=number_in(status, b"\nRssFile:") * KIB,
            high_water_bytes=number_in(status, b"\nVmHWM:") * KIB,
        ),
        vms_bytes=int(fields[20]),
        n_threads=0 if has_ended else int(fields[17]),
        read_bytes=number_in(io, b"rchar:"),
        written_bytes=number_in(io, b"wchar:"),
    )


def read_sizes(pid: int) -> Sizes:
    """What is resident now, in half the time of a reading's; all zero when the process is gone."""
    pages = read_proc(f"{pid}/statm").split()
    rss_bytes, file_bytes = (int(pages[1]) * PAGE_BYTES, int(pages[2]) * PAGE_BYTES) if pages else (0, 0)
    return Sizes(rss_bytes=rss_bytes, file_bytes=file_bytes, high_water_bytes=rss_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Resident memory at one moment, and the same with each page divided by the number of page tables that map it.

    ``file_bytes`` is the part of the divided memory that is of files, programs and libraries foremost.
    """

    rss_bytes: int
    divided_bytes: int
    file_bytes: int


def read_shares(pid: int) -> Shares | None:
    """None where the kernel does not tell. It walks all pages: some 3 to 8 ms for each GB of small pages."""
    rollup = read_proc(f"{pid}/smaps_rollup")
    if not rollup:
        return None
    return Shares(
        rss_bytes=number_in(rollup, b"\nRss:") * KIB,
        divided_bytes=number_in(rollup, b"\nPss:") * KIB,
        file_bytes=number_in(rollup, b"\nPss_File:") * KIB,
    )


def children_now() -> ChildrenOf:
    """How to ask for the children of a process, good for one look at any number of processes."""
    if kernel_lists_children():
        return _listed_children
    table: dict[int, list[int]] = {}
    for process in psutil.process_iter():
        try:
            table.setdefault(process.ppid(), []).append(process.pid)
        except psutil.Error:
            continue
    return lambda pid: table.get(pid, ())


def kernel_lists_children() -> bool:
    """True if each thread has a list of its children (``CONFIG_PROC_CHILDREN``); most kernels are built with it."""
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists()


def _listed_children(pid: int) -> Iterable[int]:
    """A child is listed with the thread that forked it."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - a third of the time of Path.iterdir
    except OSError:
        return
    for thread in threads:
        for child in read_proc(f"{pid}/task/{thread}/children").split():
            yield int(child)


def _cpu_s(pid: int, ticks: int) -> float:
    """From the process's own clock, which counts nanoseconds; from its ticks where there is none."""
    try:
        return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
    except OSError:
        return ticks * TICK_S


def read_proc(path: str) -> bytes:
    """A whole file below ``/proc``, empty where it cannot be read."""
    try:
        fd = os.open(f"/proc/{path}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    text = b""
    try:
        while part := os.read(fd, READ_BYTES):
            text += part
    except OSError:  # it ended meanwhile
        return b""
    else:
        return text
    finally:
        os.close(fd)


def number_in(text: bytes, name: bytes) -> int:
    """The number after a name, 0 where it is missing."""
    begin = text.find(name)
    if begin < 0:
        return 0
    begin += len(name)
    return int(text[begin : text.find(b"\n", begin)].removesuffix(b"kB"))
