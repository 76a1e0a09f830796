"""Programs whose use is known: ``python programs.py REPORT NAME NUMBER ...`` does what NAME says, then writes what it
used, as far as it is known by construction, to REPORT as JSON.

They know nothing of tntpipe and need the standard library alone.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

BLOCK = bytes(2**20)


def burnt_s() -> float:
    """CPU seconds of this process and of the children that it waited for."""
    waited = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + waited.ru_utime + waited.ru_stime


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def burn(cpu_s: float) -> None:
    """Use CPU in this thread until the thread has had so much."""
    end = time.thread_time() + cpu_s
    while time.thread_time() < end:
        sha256(BLOCK)  # lets other threads run meanwhile


def burn_in_threads(n_threads: int, cpu_s: float) -> None:
    threads = [threading.Thread(target=burn, args=(cpu_s / n_threads,)) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fork(work: Callable[[], None]) -> int:
    """A child that does the work and nothing else."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid


def burner(n_threads: float, cpu_s: float) -> dict[str, float]:
    """Burns CPU in this process."""
    burn_in_threads(int(n_threads), cpu_s)
    return {"cpu_s": burnt_s()}


def grandchild_burner(n_threads: float, cpu_s: float) -> dict[str, float]:
    """Burns CPU in a child of its own and waits for it."""
    os.waitpid(fork(lambda: burn_in_threads(int(n_threads), cpu_s)), 0)
    return {"cpu_s": burnt_s()}


def short_lived(n: float, cpu_s: float, megabytes: float) -> dict[str, float]:
    """Children one after the other, each too short to be looked at, each burning CPU and holding memory."""

    def brief() -> None:
        held = b"x" * int(megabytes * 1e6)
        burn(cpu_s)
        del held

    before = resident_bytes()
    for _ in range(int(n)):
        os.waitpid(fork(brief), 0)
    return {"cpu_s": burnt_s(), "peak_bytes": before + megabytes * 1e6}


def hold(megabytes: float, wall_s: float, after_s: float = 0) -> dict[str, float]:
    """Takes memory, keeps it for a time, gives it back and sleeps."""
    before = resident_bytes()
    held = b"x" * int(megabytes * 1e6)
    time.sleep(wall_s)
    del held
    time.sleep(after_s)
    return {"peak_bytes": before + megabytes * 1e6}


def grandchild_hold(megabytes: float, wall_s: float, after_s: float = 0) -> dict[str, float]:
    """The same in a child of its own, which it waits for."""
    before = resident_bytes()
    os.waitpid(fork(lambda: hold(megabytes, wall_s, after_s) and None), 0)
    return {"peak_bytes": before + megabytes * 1e6}


def tree(n: float, megabytes: float, wall_s: float) -> dict[str, float]:
    """Several children that hold memory of their own at the same time."""
    before = resident_bytes()
    pids = [fork(lambda: hold(megabytes, wall_s) and None) for _ in range(int(n))]
    for pid in pids:
        os.waitpid(pid, 0)
    return {"peak_bytes": before + n * megabytes * 1e6}


def shared(n: float, megabytes: float, wall_s: float) -> dict[str, float]:
    """Takes memory once and forks children that share it."""
    before = resident_bytes()
    held = b"x" * int(megabytes * 1e6)
    pids = [fork(lambda: time.sleep(wall_s)) for _ in range(int(n))]
    for pid in pids:
        os.waitpid(pid, 0)
    return {"peak_bytes": before + len(held)}


def daemon(cpu_s: float, megabytes: float, wall_s: float, parent_s: float) -> dict[str, float]:
    """Leaves a process behind that forked twice and has a session of its own, as daemons do, and lives on."""
    said, say = os.pipe()
    before = resident_bytes()

    def work() -> None:
        held = b"x" * int(megabytes * 1e6)
        burn(cpu_s)
        os.write(say, json.dumps(time.process_time()).encode())
        time.sleep(wall_s)
        del held

    def detach() -> None:
        os.setsid()
        fork(work)

    os.waitpid(fork(detach), 0)
    daemon_s = json.loads(os.read(said, 100))
    time.sleep(parent_s)
    return {"cpu_s": burnt_s() + daemon_s, "peak_bytes": before + megabytes * 1e6}


def unwaited(cpu_s: float, parent_s: float) -> dict[str, float]:
    """A child whose account is thrown away, since its parent ignores how children end."""
    said, say = os.pipe()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    def work() -> None:
        burn(cpu_s)
        os.write(say, json.dumps(time.process_time()).encode())

    fork(work)
    child_s = json.loads(os.read(said, 100))
    time.sleep(parent_s)
    return {"cpu_s": burnt_s() + child_s}


def copy(megabytes: float, n: float, wall_s: float) -> dict[str, float]:
    """Writes a file and reads it several times, in a child of its own; the file is beside the report."""
    path = Path(sys.argv[1] + ".copy")

    def work() -> None:
        path.write_bytes(b"x" * int(megabytes * 1e6))
        for _ in range(int(n)):
            path.read_bytes()
        path.unlink()

    os.waitpid(fork(work), 0)
    time.sleep(wall_s)
    return {"read_bytes": n * megabytes * 1e6, "written_bytes": megabytes * 1e6}


PROGRAMS = (burner, grandchild_burner, short_lived, hold, grandchild_hold, tree, shared, daemon, unwaited, copy)


def main() -> None:
    report, name, *numbers = sys.argv[1:]
    known = {program.__name__: program for program in PROGRAMS}[name](*map(float, numbers))
    Path(report).write_text(json.dumps(known))


if __name__ == "__main__":
    main()
