"""Real children, watched to their end as the executor does it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tntpipe.journal.usage import Usage
from tntpipe.profiling.inherited_peak import forget_own_high_water
from tntpipe.profiling.monitor import Monitor
from tntpipe.profiling.sample import Sample

PROGRAMS = Path(__file__).with_name("programs.py")
MB = 10**6


@dataclass(frozen=True)
class Watched:
    """What was measured of a child, and what it knows of itself."""

    usage: Usage
    samples: tuple[Sample, ...]
    known: Mapping[str, float] = field(default_factory=dict)


def watched(*argv: str) -> Watched:
    """Run a child to its end, looking at it whenever a look is due."""
    monitor, samples = Monitor(), []
    forget_own_high_water()
    child = subprocess.Popen(argv, start_new_session=True)
    monitor.watch(child.pid, time.monotonic())
    fd = os.pidfd_open(child.pid)
    while True:
        due = monitor.next_look()
        wait_s = None if due is None else max(0.0, due - time.monotonic())
        if select.select([fd], [], [], wait_s)[0]:
            break
        samples += monitor.look(time.monotonic()).values()
    os.close(fd)
    monitor.last_look(child.pid, time.monotonic())
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    _, status, account = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return Watched(monitor.ended(child.pid, time.monotonic(), status, account), tuple(samples))


def program(name: str, *numbers: float, through: Sequence[str] = ()) -> Watched:
    """One of ``programs.py``, started by ``through`` where given."""
    python = [*through, *([] if through else [sys.executable])]
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        seen = watched(*python, "-S", "-E", str(PROGRAMS), str(report), name, *map(str, numbers))
        assert seen.usage.exit_code == 0
        return Watched(seen.usage, seen.samples, json.loads(report.read_text()))
