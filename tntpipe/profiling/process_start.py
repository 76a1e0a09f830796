"""Whether a process that was told of by its number is there, and since when."""

from __future__ import annotations

import psutil


def process_began(pid: int) -> float | None:
    """When the process began, in seconds since the epoch; None where there is none, or one that has ended.

    >>> import os
    >>> process_began(os.getpid()) < process_began(os.getpid()) + 1
    True
    """
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None
