"""What machine this is, for records that are compared with those of others; its whole size, not what may be used."""

from __future__ import annotations

import os
import platform
from typing import Any


def host() -> dict[str, Any]:
    """The machine's name, CPUs and memory, its processor and its system."""
    return {
        "name": platform.node(),
        "cpus": os.cpu_count() or 1,
        "mem_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
