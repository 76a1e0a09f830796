"""Where the ticks of an axis of time lie."""

from __future__ import annotations

TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def ticks_s(end_s: float, most: int) -> list[int]:
    """Round instants from 0 to the end, about as many as may be.

    >>> ticks_s(7500, 5)
    [0, 1800, 3600, 5400, 7200]
    """
    steps = (*TICKS_S, *(days * 86400 for days in (2, 5, 10, 30, 100, 365, 1000, 10_000, 10**6)))
    step = next((step for step in steps if end_s // step < most), steps[-1])
    return list(range(0, int(end_s) + 1, step))
