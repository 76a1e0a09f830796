"""A child that cannot outlive the process which started it, and from which nothing that it starts gets away.

Linux sends a signal to a child when the *thread* that forked it ends, so an executor must start its children from a
thread that lives as long as they may run. Elsewhere there is no such signal and nothing is done.
"""

from __future__ import annotations

import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
PR_SET_CHILD_SUBREAPER = 36
PARENT_VARIABLE = "TNTPIPE_PARENT_PID"


def command(program: str) -> tuple[str, ...]:
    """How to start a program that knows nothing of this module, so that it too dies with its parent."""
    from tntpipe.processes.child_python import python_command  # not in every child

    return python_command("tntpipe.processes.parent_death", program)


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies; exit at once where it has died already.

    A parent that died before the request was made cannot be seen from here unless it said who it was: an executor sets
    ``TNTPIPE_PARENT_PID`` to its own process id in the child's environment. The variable is taken out again, since
    it is not true of this process's own children.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    parent = int(os.environ.pop(PARENT_VARIABLE, 0)) or os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, in place of the system's first process.

    So what a program leaves running in the background can be found, and measured, as long as the program runs.
    """
    if sys.platform.startswith("linux"):
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main(words: list[str]) -> None:
    """Become the program that is named, with the kernel's promises kept across ``exec``."""
    die_with_parent()
    adopt_orphans()
    os.execv(words[0], words)


if __name__ == "__main__":
    main(sys.argv[1:])
