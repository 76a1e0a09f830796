"""What machine this is, for records that are compared with those of others; its whole size, not what may be used."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from tntpipe.resources import Host


def host() -> Host:
    """The machine's name, CPUs and memory, its processor and its system."""
    return {
        "name": platform.node(),
        "cpus": os.cpu_count() or 1,
        "mem_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "machine": platform.machine(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    """The processor's name as Linux tells it; empty where it does not."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(r"^model name\s*:\s*(.+?)\s*$", text, re.MULTILINE)
    return found[1] if found else ""
