"""Time from the command to the first running step, on a large dataset: selection, checks, graph and schedule together.

The dataset is participants × sessions of eight files each, the T1w images of 16³ voxels (valid, so that they are
checked and scheduled), the others empty. The run is interrupted once its first step has started.

    python -m benchmarks.first_step [--participants 1000]
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np

from benchmarks.bids_selection import make_dataset


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


def seconds_to_first_step(root: Path, out: Path) -> float:
    """Run the command until a step has started, then stop it."""
    words = (str(root), str(out), "participant", "--no_dashboard", "--n_proc", "2", "--memory_gb", "16")
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "tntpipe", *words], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if re.search(r"INFO +\S+ started", line):
            seconds = time.perf_counter() - began
            process.send_signal(signal.SIGINT)
            break
    else:
        raise RuntimeError(f"no step was started; exit status {process.wait()}")
    process.stderr.read()
    process.wait()
    return seconds


def main() -> None:
    """Print the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--participants", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "bids"
        root.mkdir()
        make_dataset(root, options.participants, sessions=2)
        n_scans = fill_scans(root)
        for number in range(2):
            seconds = seconds_to_first_step(root, Path(folder) / f"out{number}")
            print(f"{n_scans} scans of {options.participants} participants: first step after {seconds:.2f} s")


if __name__ == "__main__":
    main()
