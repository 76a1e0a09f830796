"""What a measurement of accuracy is made of: cases, each one scan of one dataset, and which of them are wanted.

A case knows how its image is made and from what; an image whose recipe has not changed is not made again.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from benchmarks import synthetic_heads

EXAMPLE = Path(__file__).parents[1] / "tntpipe/data/example/bids"


class MissingError(Exception):
    """What should have been scored is not there; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What of everything is measured: ``heads`` by name, all where there are none; ``s1`` is the file of one head."""

    folder: Path
    quick: bool = False
    heads: tuple[str, ...] = ()
    s1: Path | None = None

    def takes(self, head: str) -> bool:
        return not self.heads or head in self.heads

    @property
    def words(self) -> str:
        """The choice, for the page."""
        parts = ["the short selection" if self.quick else "", f"heads {', '.join(self.heads)}" if self.heads else ""]
        return ", ".join(part for part in parts if part) or "all heads and conditions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One scan; ``recipe`` changes whenever ``make`` would write something else."""

    head: str
    condition: str
    recipe: str
    make: Callable[[Path], None]

    @property
    def participant(self) -> str:
        """Its label in the dataset: letters and digits of head and condition."""
        return re.sub("[^A-Za-z0-9]", "", self.head + self.condition.title())


def copied(head: str, source: Path, condition: str = "") -> Case:
    """A scan as it is."""

    def make(target: Path) -> None:
        if not source.is_file():
            raise MissingError(f"{source.name} is not there")
        if source.suffix == ".gz":
            shutil.copyfile(source, target)
        else:
            nib.save(nib.load(source), target)

    size = source.stat().st_size if source.is_file() else 0
    return Case(head=head, condition=condition, recipe=f"copy of {source.name}, {size} bytes", make=make)


def fingerprint(*functions: Path) -> str:
    """What the source files of a recipe hold, short."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in functions)).hexdigest()[:12]


GENERATOR = fingerprint(Path(synthetic_heads.__file__))


def write_dataset(bids: Path, cases: Iterable[Case]) -> dict[str, str]:
    """Make the scans that are missing or were made otherwise; for each participant that has none, why."""
    bids.mkdir(parents=True, exist_ok=True)
    description = {"Name": "Heads to measure the accuracy of volumes on", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
    (bids / "dataset_description.json").write_text(json.dumps(description, indent=2) + "\n")
    missing = {}
    for case in cases:
        name = f"sub-{case.participant}"
        target = bids / name / "anat" / f"{name}_T1w.nii.gz"
        sidecar = target.with_name(f"{name}_T1w.json")
        recipe = json.dumps({"Recipe": f"{case.head} {case.condition}: {case.recipe}"})
        if target.is_file() and sidecar.is_file() and sidecar.read_text() == recipe:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        sidecar.unlink(missing_ok=True)
        print(f"making {name}", flush=True)
        try:
            case.make(target)
        except (MissingError, OSError, nib.filebasedimages.ImageFileError) as error:
            target.unlink(missing_ok=True)
            missing[case.participant] = str(error)
        else:
            sidecar.write_text(recipe)
    return missing


def save_scan(image: np.ndarray, affine: np.ndarray, target: Path) -> None:
    """As 16-bit integers that use most of their range, whatever the scan's own units."""
    synthetic_heads.save(image * (7000 / float(image.max())), affine, target)
