"""One look at a child while it runs.

What each figure means, and when not to trust it, is told in ``docs/numbers.md``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look at a child and all that it started.

    CPU seconds, and bytes read and written, are those so far; ``cpus`` are the mean busy CPUs since the look before;
    ``peak_bytes`` is the largest figure that this look found, memory that was given back since included; the others are
    those of now.
    """

    age_s: float
    cpu_s: float
    cpus: float
    rss_bytes: int
    vms_bytes: int
    peak_bytes: int
    n_processes: int
    n_threads: int
    read_bytes: int
    written_bytes: int
