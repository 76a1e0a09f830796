"""The command line as a user types it, on real heads at 4 mm with one iteration per level."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import tntpipe

PACKAGE = Path(tntpipe.__file__).parent
EXAMPLE = PACKAGE / "data/example/bids"
OPTIONS = ("--subcortical", "--intracranial_volume", "--debug", "--n_proc", "2", "--memory_gb", "8")


@dataclass(frozen=True)
class Run:
    """What a run said and left."""

    out: Path
    status: int
    said: str

    @property
    def to_run(self) -> int:
        """How many steps the run said that it had to run."""
        line = next(line for line in self.said.splitlines() if "of them to run" in line)
        return int(line.split(" steps, ")[1].split()[0])


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "tntpipe", *map(str, words)]


def run(bids: Path, out: Path, *options: str | Path) -> Run:
    """Run the level ``participant`` to its end."""
    ended = subprocess.run(
        command(bids, out, "participant", *options), capture_output=True, text=True, env=environment(), check=False
    )
    return Run(out, ended.returncode, ended.stdout + ended.stderr)


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(PACKAGE.parent), "COLUMNS": "200"}


def first_journal(out: Path) -> Path:
    """Of the first of the runs over an output folder."""
    return min(out.glob("logs/run-*/journal.jsonl"), key=lambda path: path.stat().st_mtime)
