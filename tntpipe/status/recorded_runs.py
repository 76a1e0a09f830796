"""Which runs left a journal in an output folder's ``logs``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tntpipe.errors import InputMissingError
from tntpipe.status.liveness import SILENT_S

LAST_BYTES = 8192
N_NAMED = 5


def newest_run(logs: Path) -> Path:
    """The folder of the run that began last; InputMissingError where there is none."""
    runs = _runs(logs)
    if not runs:
        raise InputMissingError(
            f"There is no journal of a run in {logs}.",
            remedy="Check OUTPUT_DIR; a run writes its journal there as soon as its scans are checked.",
        )
    return runs[-1]


def run_called(logs: Path, name: str) -> Path:
    """The folder of the run of that name, with or without ``run-``; InputMissingError where there is none."""
    runs = _runs(logs)
    for run in runs:
        if name.rstrip("/").rpartition("/")[2] in (run.name, run.name.removeprefix("run-")):
            return run
    there = ", ".join(run.name for run in runs[-N_NAMED:]) or "none"
    raise InputMissingError(f"There is no run {name} in {logs}.", remedy=f"The newest there are: {there}.")


def others_under_way(logs: Path, but: Path, now: float) -> list[str]:
    """The other runs that have not ended and wrote something of late."""
    return [run.name for run in _runs(logs) if run != but and _is_under_way(run / "journal.jsonl", now)]


def _runs(logs: Path) -> list[Path]:
    """Those with a journal, by when they began; of one second, by their number."""
    return sorted((path.parent for path in logs.glob("run-*/journal.jsonl")), key=_order)


def _order(run: Path) -> tuple[str, int]:
    match = re.fullmatch(r"run-(\d+-\d+)(?:-(\d+))?", run.name)
    return (match[1], int(match[2] or 1)) if match else ("", 0)


def _is_under_way(journal: Path, now: float) -> bool:
    try:
        with journal.open("rb") as file:
            age_s = now - os.fstat(file.fileno()).st_mtime
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_BYTES))
            return age_s < SILENT_S and b'"event":"RunEnded"' not in file.read()
    except OSError:
        return False
