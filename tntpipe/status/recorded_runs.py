"""Which runs left a journal in an output folder's ``logs``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tntpipe.errors import InputMissingError
from tntpipe.status.liveness import SILENT_S
from tntpipe.store.locks import is_held

LAST_BYTES = 8192
STAMP_BYTES = 64
FIRST_STAMP = re.compile(rb'\{"t":([0-9.]+),')
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
    """Those with a journal, by when they began."""
    return sorted((path.parent for path in logs.glob("run-*/journal.jsonl")), key=_order)


def _order(run: Path) -> tuple[float, str, int]:
    """When the journal says that it began (UTC: names of folders are local times, of whichever zone); then its name."""
    match = re.fullmatch(r"run-(\d+-\d+)(?:-(\d+))?", run.name)
    name = (match[1], int(match[2] or 1)) if match else ("", 0)
    return (_began(run / "journal.jsonl"), *name)


def _began(journal: Path) -> float:
    try:
        with journal.open("rb") as file:
            match = FIRST_STAMP.match(file.read(STAMP_BYTES))
            return float(match[1]) if match else 0.0
    except OSError:
        return 0.0


def _is_under_way(journal: Path, now: float) -> bool:
    held = is_held(journal)
    try:
        age_s = now - journal.stat().st_mtime
        return held or (held is None and age_s < SILENT_S and not _last_line(journal).count(b'"event":"RunEnded"'))
    except OSError:
        return False


def _last_line(path: Path) -> bytes:
    """The last line that is whole, however long it is: the one that ends a run has every scan in it."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        n_bytes = LAST_BYTES
        while True:
            file.seek(max(0, size - n_bytes))
            lines = file.read().split(b"\n")
            if len(lines) > 2 or n_bytes >= size:
                return lines[-2] if len(lines) > 1 else b""
            n_bytes *= 4
