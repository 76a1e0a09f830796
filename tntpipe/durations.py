"""The one place that formats seconds for people."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> duration(59), duration(3724.6)
    ('0:59', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
