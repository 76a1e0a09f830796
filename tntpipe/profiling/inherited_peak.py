"""The peak memory that a child has from whoever started it, and what is its own.

Linux hands the high-water mark of the process image that calls ``exec`` on to ``ru_maxrss``, and a child that was just
forked is still the image of its parent. So no child's ``ru_maxrss`` is below its parent's high-water mark at that time.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from tntpipe.profiling.processes import KIB, number_in, read_proc


def forget_own_high_water() -> None:
    """Make the present size of this process its largest, just before a child is started.

    The child then has less from its parent. Nothing happens where the kernel does not let us.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_bytes(b"5")


def own_high_water_bytes() -> int:
    """The largest resident size of this process since it was last forgotten."""
    return number_in(read_proc("self/status"), b"\nVmHWM:") * KIB


def own_peak(seen_bytes: int, maxrss_bytes: int, parent_peak_bytes: int, *, is_well_seen: bool) -> int:
    """A child's peak memory from the samples and from ``ru_maxrss``.

    A ``ru_maxrss`` above the parent's own peak is the child's; one below it says only that the child used no more, and
    stands in where the samples say little.

    >>> own_peak(10, 500, 200, is_well_seen=True), own_peak(10, 200, 200, is_well_seen=True)
    (500, 10)
    >>> own_peak(10, 200, 200, is_well_seen=False)
    200
    """
    if maxrss_bytes > parent_peak_bytes or not is_well_seen:
        return max(seen_bytes, maxrss_bytes)
    return seen_bytes
