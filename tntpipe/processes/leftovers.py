"""Finds and ends what a run has left running, whoever started it and however the run ended.

Every child has its owner's name in its environment, ``<run>/<scratch folder>``, and so has whatever that child starts,
in whatever process group or session. What the kernel promises for a child itself (``parent_death``) it does not promise
for a child's children; this module ends those. ``python -m tntpipe.processes.leftovers RUN`` is the sentinel of a run:
it waits until the pipe at its standard input is closed, which the kernel does when the run's process ends, even by
SIGKILL, and then ends the rest.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Collection, Iterator

OWNER_VARIABLE = "TNTPIPE_OWNER"
N_PASSES = 50
"""A process that is just being started is not seen yet, so it is looked again until nothing is found."""

PASS_S = 0.02


def end_processes(owners: Collection[str]) -> int:
    """Kill every process of the owners, each of them a run or a step of one; how many there were."""
    killed: set[int] = set()
    for _ in range(N_PASSES):
        found = list(processes_of(owners))
        killed.update(found)
        if not found:
            break
        for pid in found:
            _kill(pid, owners)
        time.sleep(PASS_S)
    return len(killed)


def processes_of(owners: Collection[str]) -> Iterator[int]:
    """The processes, this one excepted, whose environment names one of the owners; those that have ended have none."""
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/proc"):  # noqa: PTH208  (thousands of names, one of which is needed)
            if name.isdigit() and int(name) != os.getpid() and _belongs(int(name), owners):
                yield int(name)


def _belongs(pid: int, owners: Collection[str]) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123  (the same)
            variables = file.read().split(b"\0")
    except OSError:  # it has ended, or is somebody else's
        return False
    head = f"{OWNER_VARIABLE}=".encode()
    names = [os.fsdecode(variable[len(head) :]) for variable in variables if variable.startswith(head)]
    return any(name in owners or name.partition("/")[0] in owners for name in names)


def _kill(pid: int, owners: Collection[str]) -> None:
    """Kill it, unless the number has become another process's."""
    with contextlib.suppress(OSError):
        fd = os.pidfd_open(pid)
        try:
            if _belongs(pid, owners):
                signal.pidfd_send_signal(fd, signal.SIGKILL)
        finally:
            os.close(fd)


def main(words: list[str]) -> None:
    """Wait for the end of the run that is named, then end what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(sys.stdin.fileno(), 4096):
        pass
    end_processes(words)


if __name__ == "__main__":
    main(sys.argv[1:])
