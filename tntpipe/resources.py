"""Counted resources: CPUs and bytes, both integers, and the one place that formats bytes for people."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Resources:
    """An amount of CPUs and of memory: a request, what is free, or a whole budget.

    >>> Resources(2, 3 * GIB).fits_in(Resources(4, 8 * GIB))
    True
    >>> print(Resources(4, 8 * GIB) - Resources(2, 3 * GIB))
    2 CPUs, 5.0 GiB
    """

    cpus: int
    mem_bytes: int

    def __add__(self, other: Resources) -> Resources:
        return Resources(self.cpus + other.cpus, self.mem_bytes + other.mem_bytes)

    def __sub__(self, other: Resources) -> Resources:
        return Resources(self.cpus - other.cpus, self.mem_bytes - other.mem_bytes)

    def __str__(self) -> str:
        return f"{self.cpus} CPU{'' if self.cpus == 1 else 's'}, {format_gib(self.mem_bytes)}"

    def fits_in(self, other: Resources) -> bool:
        """Whether this amount is within ``other`` on both axes."""
        return self.cpus <= other.cpus and self.mem_bytes <= other.mem_bytes


def format_gib(n_bytes: float) -> str:
    """Bytes as GiB for human eyes.

    >>> format_gib(1.5 * GIB), format_gib(30 * MIB)
    ('1.5 GiB', '0.03 GiB')
    """
    gib = n_bytes / GIB
    return f"{gib:.1f} GiB" if gib >= 1 or gib == 0 else f"{gib:.2f} GiB"
