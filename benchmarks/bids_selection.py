"""Time to select the T1w scans of a large dataset, beside pybids' default index of the same files.

Each measurement is a fresh Python process, so that imports count. The dataset is made of empty files in a temporary
folder: participants × sessions of eight files each. Files are in the page cache for both.

    python -m benchmarks.bids_selection [--participants 1000] [--skip-pybids]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SMOKE = ("--participants", "3", "--repeats", "1", "--skip-pybids")

SESSION_FILES = (
    *("anat/{key}_T1w.nii.gz", "anat/{key}_T1w.json", "anat/{key}_T2w.nii.gz", "anat/{key}_T2w.json"),
    *("func/{key}_task-rest_bold.nii.gz", "func/{key}_task-rest_bold.json"),
    *("dwi/{key}_dwi.nii.gz", "dwi/{key}_dwi.json"),
)

PROGRAMS = {
    "bare Python": "import sys; print(0)",
    "tntpipe select_scans": (
        "import sys; from pathlib import Path; from tntpipe.bids.selection import Selection, select_scans;"
        "print(len(select_scans(Path(sys.argv[1]), Selection()).scans))"
    ),
    "tntpipe, one participant": (
        "import sys; from pathlib import Path; from tntpipe.bids.selection import Selection, select_scans;"
        "print(len(select_scans(Path(sys.argv[1]), Selection(participant_labels=('0001',))).scans))"
    ),
    "import bids alone": "import bids; print(0)",
    "parse_file_entities on each T1w": (
        "import sys; from pathlib import Path; from bids.layout import parse_file_entities;"
        "paths = Path(sys.argv[1]).glob('sub-*/ses-*/anat/*_T1w.nii.gz');"
        "print(len([parse_file_entities(str(path)) for path in paths]))"
    ),
    "pybids BIDSLayout, default": (
        "import sys; from bids import BIDSLayout;"
        "print(len(BIDSLayout(sys.argv[1]).get(suffix='T1w', extension=['.nii', '.nii.gz'])))"
    ),
}


def make_dataset(root: Path, participants: int, sessions: int) -> None:
    """Write a dataset of empty images and empty JSON objects."""
    (root / "dataset_description.json").write_text('{"Name": "benchmark", "BIDSVersion": "1.10.0"}')
    for participant in range(1, participants + 1):
        for session in range(1, sessions + 1):
            folder = root / f"sub-{participant:04d}" / f"ses-{session:02d}"
            for name in SESSION_FILES:
                path = folder / name.format(key=f"sub-{participant:04d}_ses-{session:02d}")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("{}" if path.suffix == ".json" else "")


def timed(program: str, root: Path) -> tuple[float, int]:
    """Seconds of wall time of a fresh process, and the number of scans that it found."""
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program, str(root)], check=True, stdout=subprocess.PIPE, text=True)
    return time.perf_counter() - begin, int(done.stdout)


def main() -> None:
    """Make the dataset, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--participants", type=int, default=1000)
    parser.add_argument("--sessions", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3, help="the best of these counts; the index runs once")
    parser.add_argument("--skip-pybids", action="store_true", help="leave out the default index (minutes)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bids_selection_") as folder:
        root = Path(folder)
        make_dataset(root, options.participants, options.sessions)
        n_files = options.participants * options.sessions * len(SESSION_FILES)
        print(f"{options.participants} participants x {options.sessions} sessions, {n_files} files")
        print(f"{'':34}{'wall_s':>8}{'scans':>8}")
        for name, program in PROGRAMS.items():
            is_index = "BIDSLayout" in name
            if is_index and options.skip_pybids:
                continue
            wall_s, scans = min(timed(program, root) for _ in range(1 if is_index else options.repeats))
            print(f"{name:34}{wall_s:8.2f}{scans:8d}", flush=True)


if __name__ == "__main__":
    main()
