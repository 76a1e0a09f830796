"""Where a person finds the logs of a run's steps: ``logs/run-<time>/steps/<scan>/<kind>.txt``.

A step writes its log in a scratch folder whose name means nothing, and which is renamed or swept away when it ends. The
name here is a second one for the same file (a hard link), there as soon as the step has started: it takes no room, and
it outlives the work folder. Where the disk of the work folder is another one, the log appears when the step has ended,
as a copy if the step failed and as a symbolic link if not. An earlier attempt at a step keeps its log as
``<kind>.try1.txt``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

N_LINES = 40
TAIL_BYTES = 64_000


class StepLogs:
    """The logs of the steps of the run whose folder is ``run_dir``. That one cannot be shown never stops a run."""

    def __init__(self, run_dir: Path) -> None:
        self._folder = run_dir / "steps"

    def path(self, step_name: str) -> Path:
        """Where the log of a step is, was or will be."""
        return self._folder / f"{step_name}.txt"

    def show(self, step_name: str, log: Path) -> None:
        """Give the log of a step that has just started its second name."""
        path = self.path(step_name)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                path.rename(self._earlier(path))
            os.link(log, path)

    def keep(self, step_name: str, log: Path, *, failed: bool) -> None:
        """The step has ended, and its log is to be found from now on."""
        path = self.path(step_name)
        if path.exists():
            return
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if failed:
                shutil.copyfile(log, path)
            else:
                path.symlink_to(log)

    @staticmethod
    def _earlier(path: Path) -> Path:
        number = 1
        while (earlier := path.with_suffix(f".try{number}.txt")).exists():
            number += 1
        return earlier


def log_tail(log: Path, n_lines: int = N_LINES) -> list[str]:
    """The last lines of a log that are not empty; none where it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-n_lines:]
