"""Counted resources: CPUs and bytes, both integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from tntpipe.decoding import Count
from tntpipe.formatting import counted, format_gib


@dataclass(frozen=True, slots=True)
class Resources:
    """An amount of CPUs and of memory: a request, what is free, or a whole budget.

    >>> Resources(2, 3 * 2**30).fits_in(Resources(4, 8 * 2**30))
    True
    >>> print(Resources(4, 8 * 2**30) - Resources(2, 3 * 2**30))
    2 CPUs, 5.0 GiB
    """

    cpus: int
    mem_bytes: int

    def __add__(self, other: Resources) -> Resources:
        return Resources(self.cpus + other.cpus, self.mem_bytes + other.mem_bytes)

    def __sub__(self, other: Resources) -> Resources:
        return Resources(self.cpus - other.cpus, self.mem_bytes - other.mem_bytes)

    def __str__(self) -> str:
        return f"{counted(self.cpus, 'CPU')}, {format_gib(self.mem_bytes)}"

    def fits_in(self, other: Resources) -> bool:
        """Whether this amount is within ``other`` on both axes."""
        return self.cpus <= other.cpus and self.mem_bytes <= other.mem_bytes


class Host(TypedDict, total=False):
    """What is told of a machine, whole: its size is not what may be used. ``ants`` and ``tntpipe`` are versions."""

    name: str
    cpus: Count
    mem_bytes: Count
    machine: str
    processor: str
    system: str
    python: str
    ants: str
    tntpipe: str
