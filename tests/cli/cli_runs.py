"""The command line as a user types it, on real heads at 4 mm with one iteration a level."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

import tntpipe

PACKAGE = Path(tntpipe.__file__).parent
EXAMPLE = PACKAGE / "data/example/bids"
ONE_THREAD = ("--ants_n_proc", "1")
"""For runs whose results are compared to the last digit: another number of threads rounds differently."""

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


def coarse(source: Path, destination: Path) -> None:
    """Halve the resolution of a scan: means of 2×2×2 voxels, and the affine that goes with them."""
    image = nib.load(source)
    shape = [n // 2 for n in image.shape]
    voxels = np.asarray(image.dataobj, dtype=np.float32)[tuple(slice(0, 2 * n) for n in shape)]
    voxels = voxels.reshape(shape[0], 2, shape[1], 2, shape[2], 2).mean(axis=(1, 3, 5))
    affine = image.affine @ np.array([[2, 0, 0, 0.5], [0, 2, 0, 0.5], [0, 0, 2, 0.5], [0, 0, 0, 1]])
    halved = nib.Nifti1Image(voxels.round().astype(np.int16), None)
    halved.set_qform(affine, 1)
    halved.set_sform(None, 0)
    destination.parent.mkdir(parents=True, exist_ok=True)
    nib.save(halved, destination)
