"""The process that outlives a run for a moment, to end what the run could not.

It holds the reading end of a pipe whose writing end is the run's alone. A run that loses its sentinel starts another.
"""

from __future__ import annotations

import contextlib
import os
import subprocess

from tntpipe.processes.child_python import kept_variables, python_command


class Sentinel:
    """Watches over the run of that name; ``fd`` becomes readable when the sentinel itself has ended."""

    def __init__(self, run: str) -> None:
        """Start it; OSError when it cannot be."""
        self._process = subprocess.Popen(
            python_command("tntpipe.processes.leftovers", run, without_site=True),
            cwd="/",
            env=kept_variables(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self.fd = os.pidfd_open(self._process.pid)
        except OSError:
            self._end()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """End it; what it watched over is not touched."""
        os.close(self.fd)
        self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
