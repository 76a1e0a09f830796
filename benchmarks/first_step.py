"""Time from the command to the first running step, on a large dataset: selection, checks, graph and schedule together.

The dataset is participants × sessions of eight files each, the T1w images of 16³ voxels (valid, so that they are
checked and scheduled), the others empty. The run is interrupted once its first step has started.

    python -m benchmarks.first_step [--participants 1000] [--runs 2] [--deadline 300]
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np

from benchmarks.bids_selection import make_dataset
from tntpipe.journal.events import StepStarted
from tntpipe.journal.reader import read_journal
from tntpipe.journal.writer import JOURNAL_NAME

SMOKE = ("--participants", "2", "--runs", "1", "--deadline", "100")

POLL_S = 0.05
STOP_S = 30.0
TAIL_CHARACTERS = 2000


def fill_scans(root: Path) -> int:
    """Put one small valid image behind every T1w name; how many there are."""
    voxels = np.random.default_rng(0).integers(0, 1000, (16, 16, 16), dtype=np.int16)
    image = nib.Nifti1Image(voxels, np.diag([8.0, 8, 8, 1]))
    scan = root / "scan.nii.gz"
    nib.save(image, scan)
    names = sorted(root.glob("sub-*/ses-*/anat/*_T1w.nii.gz"))
    for name in names:
        name.unlink()
        os.link(scan, name)
    scan.unlink()
    return len(names)


def seconds_to_first_step(root: Path, out: Path, deadline_s: float) -> float:
    """Run the command until its journal has a step that started, then stop it; by the journal's own clock.

    Raises
    ------
    TimeoutError
        No step has started within ``deadline_s``.
    RuntimeError
        The command has ended before.
    """
    words = (str(root), str(out), "participant", "--no_dashboard", "--n_proc", "2", "--memory_gb", "16")
    printed = out.with_suffix(".stderr")
    with printed.open("wb") as stderr:
        began = time.time()
        process = subprocess.Popen([sys.executable, "-m", "tntpipe", *words], stdout=stderr, stderr=stderr)
        try:
            while (started := first_start(out)) is None:
                if process.poll() is not None:
                    tail = printed.read_text(errors="replace")[-TAIL_CHARACTERS:]
                    raise RuntimeError(f"no step was started; exit status {process.returncode}:\n{tail}")
                if time.time() - began > deadline_s:
                    raise TimeoutError(f"no step has started within {deadline_s:g} s; --deadline allows more")
                time.sleep(POLL_S)
        finally:
            stop(process)
    return started - began


def first_start(out: Path) -> float | None:
    """When the first step of a run into ``out`` started, in seconds of the epoch; None: not yet."""
    for journal in out.glob(f"logs/run-*/{JOURNAL_NAME}"):
        for t, _ in read_journal(journal, only={StepStarted.__name__}):
            return t
    return None


def stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupt the run, and kill it where it does not end."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    """Print the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--participants", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--deadline", type=float, default=300.0, help="seconds to wait for a step (default 300)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "bids"
        root.mkdir()
        make_dataset(root, options.participants, sessions=2)
        n_scans = fill_scans(root)
        for number in range(options.runs):
            try:
                seconds = seconds_to_first_step(root, Path(folder) / f"out{number}", options.deadline)
            except (RuntimeError, TimeoutError) as error:
                raise SystemExit(f"first_step: {error}") from error
            print(f"{n_scans} scans of {options.participants} participants: first step after {seconds:.2f} s")


if __name__ == "__main__":
    main()
