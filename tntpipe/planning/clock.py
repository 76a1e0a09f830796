"""Times of a forecast for human eyes, and where the ticks of their axis lie."""

from __future__ import annotations

TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, hours always.

    >>> clock(59.6), clock(90_061)
    ('0:01:00', '25:01:01')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def ticks_s(end_s: float, most: int) -> list[int]:
    """Round instants from 0 to the end, about as many as may be.

    >>> ticks_s(7500, 5)
    [0, 1800, 3600, 5400, 7200]
    """
    steps = (*TICKS_S, *(days * 86400 for days in (2, 5, 10, 30, 100, 365, 1000, 10_000, 10**6)))
    step = next((step for step in steps if end_s // step < most), steps[-1])
    return list(range(0, int(end_s) + 1, step))
