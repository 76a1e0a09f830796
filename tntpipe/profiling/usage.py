"""What a child used, and one look at it while it runs.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A child's whole use.

    ``cpu_s`` is the kernel's account of the child and of every descendant that was waited for, and what was seen of
    those that were not. ``peak_bytes`` is the largest of: the sampled memory of the process tree, each member's own
    high-water mark, and the kernel's peak of the largest process where that is known to be the child's own (see
    :func:`tntpipe.profiling.carried_peak.own_peak`). ``exit_code`` is negative for a signal.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    max_cpus: float
    max_threads: int
    n_samples: int
    exit_code: int
    read_bytes: int
    written_bytes: int

    @property
    def mean_cpus(self) -> float:
        """Mean busy CPUs over the child's life."""
        return self.cpu_s / self.wall_s if self.wall_s > 0 else 0.0
