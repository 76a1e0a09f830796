"""What one attempt at a step used, from the kernel to the resource file; ``docs/numbers.md`` tells what it is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tntpipe.decoding import Count, Figure, Seconds, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A child's whole use.

    ``cpu_s`` is the kernel's account of the child and of every descendant that was waited for, and what was seen of
    those that were not. ``peak_bytes`` is the largest of: the sampled memory of the process tree, each member's own
    high-water mark, and the kernel's peak of the largest process where that is known to be the child's own (see
    :func:`tntpipe.profiling.inherited_peak.own_peak`). ``exit_code`` is negative for a signal.
    """

    wall_s: Seconds
    cpu_s: Figure
    peak_bytes: Count
    max_cpus: Figure = 0.0
    max_threads: Count = 1
    n_samples: Count = 0
    exit_code: Status = 0
    read_bytes: Count = 0
    written_bytes: Count = 0

    def rounded(self) -> Usage:
        """For people and files: times to the millisecond."""
        return replace(self, wall_s=round(self.wall_s, 3), cpu_s=round(self.cpu_s, 3), max_cpus=round(self.max_cpus, 3))
