"""Whether a child ran out of memory: by what the kernel counts, by what the child said, by what it held.

It knows no process and retries nothing. A kill by a person is told apart from one by the kernel, which counts its own.
"""

from __future__ import annotations

import math
import re
import signal
from pathlib import Path

from tntpipe.errors import MEMORY_ERRORS
from tntpipe.formatting import format_gib

SAID = re.compile("|".join(MEMORY_ERRORS), re.IGNORECASE)

SHELL_KILLED = 128 + signal.SIGKILL
"""How a shell script that started the program reports that it was killed."""

COUNTERS = (
    ("proc/vmstat", "oom_kill"),
    ("sys/fs/cgroup/memory.events", "oom_kill"),
    ("sys/fs/cgroup/memory/memory.oom_control", "oom_kill"),
)
"""Where Linux counts the processes that it killed because memory ran out: of the whole machine, or of a container."""


LOOK_EVERY_S = 1.0
JUST_S = 5.0
"""The counters are read so often, and a kill that they counted longer ago is not that of a child that has just died."""


class OomKills:
    """The kernel's counters; below ``root`` stand ``proc`` and ``sys``; ``now`` is the caller's clock, in seconds."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._last = self._read()
        self._looked_at = -math.inf
        self._rose_at = -math.inf

    def look(self, now: float) -> None:
        """Read them, unless that was done a moment ago."""
        if now - self._looked_at >= LOOK_EVERY_S:
            self._take_in(now)

    def have_just_risen(self, now: float) -> bool | None:
        """Whether the kernel has killed within the last seconds; None where it does not tell."""
        self._take_in(now)
        return now - self._rose_at <= JUST_S if self._last else None

    def _take_in(self, now: float) -> None:
        counts, last = self._read(), self._last
        if any(count > last.get(name, count) for name, count in counts.items()):
            self._rose_at = now
        self._last, self._looked_at = counts, now

    def _read(self) -> dict[str, int]:
        counts = {}
        for name, key in COUNTERS:
            try:
                lines = (self._root / name).read_text(encoding="ascii").splitlines()
            except (OSError, ValueError):
                continue
            for line in lines:
                word, _, number = line.partition(" ")
                if word == key and number.strip().isdigit():
                    counts[name] = int(number)
        return counts


def why_it_died(
    exit_code: int, said: str, *, peak_bytes: int, request_bytes: int, kernel_killed: bool | None
) -> str | None:
    """In words, that memory ran out; None where the child died of something else.

    >>> why_it_died(-9, "", peak_bytes=2**30, request_bytes=2**31, kernel_killed=False) is None
    True
    """
    held = f"it held {format_gib(peak_bytes)}, its request was {format_gib(request_bytes)}"
    if exit_code in (-signal.SIGKILL, SHELL_KILLED):
        if kernel_killed:
            return f"the kernel killed it because memory ran out ({held})"
        if peak_bytes > request_bytes:
            return f"it was killed when it held more than it had asked for ({held})"
        return f"it was killed, perhaps because memory ran out ({held})" if kernel_killed is None else None
    found = SAID.search(said) if exit_code else None
    return f"it could get no more memory, and said {found[0]!r} ({held})" if found else None
