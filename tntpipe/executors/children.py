"""Starts, watches and ends child processes, and says in words how one ended.

A child gets a session of its own, no terminal, no shell, its output in its own log file, a small environment, and the
number of threads that it is told.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tntpipe.processes.child_python import kept_variables
from tntpipe.processes.leftovers import OWNER_VARIABLE
from tntpipe.processes.parent_death import PARENT_VARIABLE
from tntpipe.profiling.inherited_peak import forget_own_high_water

THREAD_VARIABLES = (
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)


OOM_SCORE_ADJ = "500"
"""In thousandths of the machine's memory, as which the kernel counts a child the more when it looks whom to kill."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running child; ``fd`` becomes readable when it ends."""

    pid: int
    fd: int
    process: subprocess.Popen[bytes]


def environment(threads: int, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a child that may use ``threads`` threads."""
    ours = {PARENT_VARIABLE: str(os.getpid()), "FSLOUTPUTTYPE": "NIFTI_GZ"}
    return kept_variables(environ) | ours | dict.fromkeys(THREAD_VARIABLES, str(threads))


def start(argv: Sequence[str], folder: Path, log: Path, threads: int, owner: str) -> Child:
    """Start a child of ``owner`` in ``folder`` with its output in ``log``; OSError when it cannot be."""
    with log.open("wb") as output:
        forget_own_high_water()
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=environment(threads) | {OWNER_VARIABLE: owner},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with contextlib.suppress(OSError):  # should memory run out, the kernel takes a step and not the run
        Path(f"/proc/{process.pid}/oom_score_adj").write_text(OOM_SCORE_ADJ, encoding="ascii")
    try:
        return Child(process.pid, os.pidfd_open(process.pid), process)
    except OSError:  # no descriptor left: nobody would see it end
        process.kill()
        process.wait()
        raise


def send(child: Child, number: int) -> None:
    """Send a signal to the child and to all in its process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def reap(child: Child) -> tuple[int, resource.struct_rusage]:
    """The wait status and resource account of a child that has ended; what it left running in its group is killed
    first."""
    send(child, signal.SIGKILL)
    _, status, account = os.wait4(child.pid, 0)
    child.process.returncode = os.waitstatus_to_exitcode(status)
    os.close(child.fd)
    return status, account


def exit_in_words(exit_code: int) -> str:
    """How a child ended, for people.

    >>> exit_in_words(1)
    'exit status 1'
    >>> exit_in_words(-7)
    'killed by SIGBUS (signal 7): the program crashed, often because a disk is full'
    """
    if exit_code >= 0:
        return f"exit status {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = "an unnamed signal"
    meaning = {
        "SIGKILL": ": by a person, a batch system, or the kernel because memory ran out",
        "SIGSEGV": ": the program crashed; ANTs does so on an image that it cannot use, or where it may not start its "
        "threads (ulimit -u)",
        "SIGABRT": ": the program gave up, often because memory ran out",
        "SIGBUS": ": the program crashed, often because a disk is full",
        "SIGXCPU": ": it may not use more CPU time (ulimit -t)",
        "SIGXFSZ": ": it may not write larger files (ulimit -f)",
    }.get(name, "")
    return f"killed by {name} (signal {-exit_code}){meaning}"
