"""A program that knows nothing of us dies with its parent all the same."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import tntpipe
from tntpipe.processes import parent_death


def test_a_native_program_dies_when_its_parent_is_killed() -> None:
    words = [*parent_death.command("/bin/sleep"), "60"]
    text = f"import subprocess, time; p = subprocess.Popen({words!r}); print(p.pid, flush=True); time.sleep(60)"
    root = str(Path(tntpipe.__file__).parents[1])
    parent = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, cwd=root)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    comm = Path(f"/proc/{pid}/comm")
    deadline = time.monotonic() + 20
    while comm.read_text() != "sleep\n" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert comm.read_text() == "sleep\n"
    parent.kill()
    parent.wait()
    parent.stdout.close()
    while time.monotonic() < deadline and is_alive(pid):
        time.sleep(0.02)
    assert not is_alive(pid)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
