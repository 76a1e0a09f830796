"""What tntpipe made of one scan, read for comparison: label maps with their names, masks, volumes by lobe."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.accuracy_cases import MissingError

TISSUES = ("GM", "WM", "CSF")
NUCLEI = ("Thalamus", "Caudate", "Putamen", "Pallidum", "Hippocampus", "Amygdala", "Accumbens")


@dataclass(frozen=True, slots=True)
class LabelImage:
    """Voxels of labels, the affine to world mm (RAS), and each structure's label."""

    labels: NDArray[Any]
    affine: NDArray[np.float64]
    names: dict[str, int]

    @property
    def voxel_mm3(self) -> float:
        return voxel_mm3(self.affine)

    def mask(self, name: str) -> NDArray[np.bool_]:
        if name not in self.names:
            raise MissingError(f"no structure {name}")
        return np.asarray(self.labels == self.names[name])

    def volumes_mm3(self) -> dict[str, float]:
        """Voxels times their volume, by name."""
        counts = np.bincount(self.labels.ravel(), minlength=max(self.names.values()) + 1)
        return {name: float(counts[label]) * self.voxel_mm3 for name, label in self.names.items()}


@dataclass(frozen=True, slots=True)
class Outputs:
    """The derivatives of one participant with one scan."""

    folder: Path

    def path(self, ending: str) -> Path:
        """The one file with this ending."""
        found = sorted(self.folder.glob(f"*{ending}"))
        if not found:
            raise MissingError(f"no {ending}")
        return found[0]

    def labels(self, segmentation: str) -> LabelImage:
        """A label map and the table beside it."""
        path = self.path(f"_seg-{segmentation}_dseg.nii.gz")
        image = nib.load(path)
        rows = read_rows(path.with_name(path.name.replace(".nii.gz", ".tsv")))
        names = {row["name"]: int(row["index"]) for row in rows}
        return LabelImage(np.asarray(image.dataobj).astype(np.int64), image.affine, names)

    def mask_mm3(self, ending: str) -> float:
        """The volume of a mask."""
        image = nib.load(self.path(ending))
        return float((np.asarray(image.dataobj) > 0).sum()) * voxel_mm3(image.affine)

    def totals_mm3(self) -> dict[str, float]:
        """Brain, ICV and the tissues."""
        return {
            "ICV": self.mask_mm3("_label-ICV_mask.nii.gz"),
            "brain": self.mask_mm3("_desc-brain_mask.nii.gz"),
            **{name: volume for name, volume in self.labels("tissue").volumes_mm3().items() if name in TISSUES},
        }

    def nuclei_mm3(self) -> dict[str, float]:
        """Structures as ``Thalamus-R``."""
        return self.labels("subcortex").volumes_mm3()

    def ventricles_mm3(self) -> float | None:
        """All ventricles together, where some label map has them."""
        for path in sorted(self.folder.glob("*_dseg.tsv")):
            names = [row["name"] for row in read_rows(path) if "entric" in row["name"]]
            if names:
                volumes = self.labels(re.sub(r".*_seg-(\w+)_dseg\.tsv", r"\1", path.name)).volumes_mm3()
                return sum(volumes[name] for name in names)
        return None

    def lobes_mm3(self) -> dict[str, float]:
        """Grey and white matter by lobe, as ``GM Frontal-R``."""
        rows = read_rows(self.path("_seg-tissuelobes_stats.tsv"))
        named = {re.sub(r"^(GM|WM|CSF)\W", r"\1 ", row["name"].replace("_", "-")): row for row in rows}
        return {name: float(row["volume"]) for name, row in named.items() if name.startswith(("GM ", "WM "))}


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def voxel_mm3(affine: NDArray[np.float64]) -> float:
    return float(abs(np.linalg.det(affine[:3, :3])))


def both_sides(volumes: dict[str, float], structure: str) -> float:
    """Left and right together."""
    try:
        return volumes[f"{structure}-R"] + volumes[f"{structure}-L"]
    except KeyError as error:
        raise MissingError(f"no structure {error.args[0]}") from error


def dice(pairs: Iterable[tuple[NDArray[np.bool_], NDArray[np.bool_]]]) -> float:
    """Twice the overlap over the sum, of one or several pairs of masks together.

    >>> dice([(np.array([True, True, False]), np.array([True, False, False]))])
    0.6666666666666666
    """
    overlap = total = 0
    for one, other in pairs:
        overlap += int((one & other).sum())
        total += int(one.sum()) + int(other.sum())
    return 2 * overlap / total if total else float("nan")


def nearest(
    labels: NDArray[Any], affine: NDArray[np.float64], shape: tuple[int, ...], onto: NDArray[np.float64]
) -> NDArray[Any]:
    """Labels at the voxels of another grid."""
    if labels.shape == shape and np.allclose(affine, onto, atol=1e-3):
        return labels
    back = np.linalg.inv(affine) @ onto
    return np.asarray(ndimage.affine_transform(labels, back[:3, :3], back[:3, 3], output_shape=shape, order=0))
