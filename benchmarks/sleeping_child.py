"""A child that holds memory and sleeps: ``python sleeping_child.py <bytes> <seconds>``.

It touches every page, sleeps until it is so many seconds old, counted from its fork, and writes when it began and
ended, in seconds since the machine started, to ``times.txt`` in its folder. No runner's clock comes into it.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

SMOKE = ("0", "0.01")

TIMES_NAME = "times.txt"


def forked_at() -> float:
    """When this process was forked (``starttime`` of proc_pid_stat(5), in steps of 0.01 s)."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    mem_bytes, wall_s = int(sys.argv[1]), float(sys.argv[2])
    began = forked_at()
    held = bytearray(mem_bytes)
    held[:: os.sysconf("SC_PAGE_SIZE")] = bytes(len(range(0, mem_bytes, os.sysconf("SC_PAGE_SIZE"))))
    time.sleep(max(0.0, began + wall_s - time.clock_gettime(time.CLOCK_BOOTTIME)))
    Path(TIMES_NAME).write_text(f"{began} {time.clock_gettime(time.CLOCK_BOOTTIME)}\n")


if __name__ == "__main__":
    main()
