"""Synthetic T1w heads whose every structure is known: label maps painted as a scanner would show them.

Each label gets the mean that a T1w gives it (``labels/t1-intensities.tsv``: over scans, and within one), a texture of
its own, partial volume at its borders; white matter gets a gradient, the head bright vessels; then a smooth field and
Rician noise. What is drawn depends on the seed only.

The conventions of per cent are BrainWeb's (Collins 1998, IEEE TMI 17:463): a field of 40 % lies between 0.8 and 1.2
within the brain; noise is relative to white matter.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Volume = NDArray[np.float32]
Labels = NDArray[np.integer[Any]]

CSF = (4, 5, 14, 15, 24, 43, 44, 72)
GM = (3, 8, 10, 11, 12, 13, 17, 18, 26, 42, 47, 49, 50, 51, 52, 53, 54, 58)
WM = (2, 7, 16, 28, 41, 46, 60, 85)
"""FreeSurfer's codes by tissue: deep nuclei are grey; brain stem and ventral diencephalon mostly white."""
OTHER_INTRACRANIAL = (25, 30, 57, 62, 136, 137, 163, 164)
"""Lesions, vessels and choroid plexus: of no tissue, but within the skull."""

NUCLEI = {
    "Thalamus": (10, 49), "Caudate": (11, 50), "Putamen": (12, 51), "Pallidum": (13, 52), "Hippocampus": (17, 53),
    "Amygdala": (18, 54), "Accumbens": (26, 58),
}  # fmt: skip
"""Left and right."""

SHAPES = ("slant", "bowl", "wave", "coil")

WITHIN_SCAN = 1 / 3
"""The spread of a label within a scan, of the table's ``mean_of_sds``; the rest lies between scans."""
TEXTURE_MM = 2.0
BETWEEN_LABELS = 0.4
"""Of the table's spread between scans that is drawn for each class on its own; the brightness of a scan is not drawn,
since no method may depend on it."""
POINT_SPREAD_MM = 0.5
"""Standard deviation of what a voxel sees."""
WM_GRADIENT = 0.06
"""From the deepest white matter to that under the cortex, of its intensity."""
VESSEL_SHARE = 0.002
"""Of the voxels of the head that are bright vessels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """How a head is scanned; ``texture`` 0 paints each label flat."""

    seed: int = 1
    bias_percent: float = 40
    shape: str = "bowl"
    noise_percent: float = 3
    texture: float = 1


@dataclass(frozen=True, slots=True)
class LabelMap:
    """Voxels of FreeSurfer's codes (500 and above: outside the brain), 1 mm, and the affine to world mm (RAS)."""

    labels: Labels
    affine: NDArray[np.float64]

    @property
    def brain(self) -> NDArray[np.bool_]:
        return np.isin(self.labels, (*GM, *WM, *CSF, *OTHER_INTRACRANIAL))


def read_label_map(path: Path) -> LabelMap:
    image = nib.load(path)
    return LabelMap(np.asarray(image.dataobj).astype(np.int16), np.asarray(image.affine))


def read_intensities(path: Path) -> dict[int, tuple[int, float, float, float]]:
    """Of each label: the class whose intensity it shares, mean over scans, its spread, the spread within a label."""
    with path.open(encoding="utf-8") as file:
        return {
            int(row["label"]): (
                int(row["class"]), float(row["mean_of_means"]), float(row["sd_of_means"]), float(row["mean_of_sds"]),
            )
            for row in csv.DictReader(file, delimiter="\t")
        }  # fmt: skip


def paint(head: LabelMap, table: dict[int, tuple[int, float, float, float]], look: Appearance) -> Volume:
    """The T1w before field and noise, float32, white matter near 160."""
    draw = np.random.default_rng(look.seed)
    labels = head.labels
    codes = np.unique(labels)
    place = np.searchsorted(codes, labels)
    classes = {table.get(int(code), table[0])[0] for code in codes}
    shift = {index: np.clip(draw.normal(), -1.5, 1.5) * BETWEEN_LABELS for index in sorted(classes)}
    rows = [table.get(int(code), table[0]) for code in codes]
    means = np.array([mean + shift[index] * sd for index, mean, sd, _ in rows], dtype=np.float32)
    sds = np.array([sd * WITHIN_SCAN for *_, sd in rows], dtype=np.float32)
    image = means[place]
    if look.texture:
        coarse = ndimage.gaussian_filter(draw.standard_normal(labels.shape, dtype=np.float32), TEXTURE_MM)
        fine = draw.standard_normal(labels.shape, dtype=np.float32)
        grain = coarse / coarse.std() * np.float32(0.8) + fine * np.float32(0.6)
        image += np.float32(look.texture) * sds[place] * grain
        image *= 1 - np.float32(look.texture) * _white_gradient(labels)
        image[_vessels(labels, draw)] = np.float32(1.2 * means[np.searchsorted(codes, 41)])
    return np.asarray(ndimage.gaussian_filter(np.maximum(image, 0), POINT_SPREAD_MM), dtype=np.float32)


def field(head: LabelMap, look: Appearance) -> Volume:
    """A smooth multiplicative field, from 1 - p/2 to 1 + p/2 within the brain for p per cent."""
    if not look.bias_percent:
        return np.ones(head.labels.shape, dtype=np.float32)
    draw = np.random.default_rng(look.seed + 1000)
    brain = np.argwhere(head.brain)
    low, high = brain.min(axis=0), brain.max(axis=0)
    centre, half = (low + high) / 2, (high - low) / 2
    axes = [
        ((np.arange(size) - middle) / extent).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        for axis, (size, middle, extent) in enumerate(zip(head.labels.shape, centre, half, strict=True))
    ]
    direction = draw.normal(size=3)
    direction /= np.linalg.norm(direction)
    along = sum(np.float32(part) * axis for part, axis in zip(direction, axes, strict=True))
    if look.shape == "slant":
        raw = along + 0.3 * along * along
    elif look.shape == "bowl":
        raw = -sum(np.float32(weight) * (axis - np.float32(0.3 * part)) ** 2
                   for weight, axis, part in zip(draw.uniform(0.6, 1.4, 3), axes, direction, strict=True))  # fmt: skip
    elif look.shape == "wave":
        turns, starts = draw.uniform(1.5, 2.5, 3), draw.uniform(0, 6, 3)
        raw = sum(np.sin(np.float32(turn) * axis + np.float32(start))
                  for turn, start, axis in zip(turns, starts, axes, strict=True))  # fmt: skip
    elif look.shape == "coil":
        distance = sum((axis - np.float32(1.5 * part)) ** 2 for axis, part in zip(axes, direction, strict=True))
        raw = np.exp(-distance / 2)
    else:
        raise ValueError(f"unknown shape of a field: {look.shape}")
    raw = np.broadcast_to(raw, head.labels.shape)
    inside = raw[head.brain]
    smooth = (raw - inside.min()) / (inside.max() - inside.min()) - 0.5
    return np.asarray(np.maximum(1 + look.bias_percent / 100 * smooth, 0.1), dtype=np.float32)


def scanned(head: LabelMap, table: dict[int, tuple[int, float, float, float]], look: Appearance) -> Volume:
    """The scan on the label map's grid."""
    return noisy(paint(head, table, look) * field(head, look), head, look)


def noisy(image: Volume, head: LabelMap, look: Appearance) -> Volume:
    """Rician noise, relative to the white matter of an image on the label map's grid."""
    draw = np.random.default_rng(look.seed + 2000)
    sd = np.float32(look.noise_percent / 100 * float(image[np.isin(head.labels, (2, 41))].mean()))
    real = image + sd * draw.standard_normal(image.shape, dtype=np.float32)
    imaginary = sd * draw.standard_normal(image.shape, dtype=np.float32)
    return np.asarray(np.hypot(real, imaginary), dtype=np.float32)


def save(image: Volume, affine: NDArray[np.float64], path: Path) -> None:
    """As 16-bit integers, with a qform."""
    picture = nib.Nifti1Image(np.clip(np.rint(image * 4), 0, 32767).astype(np.int16), affine)
    picture.set_qform(affine, code=1)
    picture.set_sform(None, code=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(picture, path)


def thick(image: Volume, affine: NDArray[np.float64], axis: int, factor: int) -> tuple[Volume, NDArray[np.float64]]:
    """Slices of ``factor`` voxels averaged along an axis."""
    length = image.shape[axis] // factor * factor
    kept = np.moveaxis(np.take(image, range(length), axis), axis, 0)
    averaged = kept.reshape(length // factor, factor, *kept.shape[1:]).mean(axis=1)
    scale = np.eye(4)
    scale[axis, axis], scale[axis, 3] = factor, (factor - 1) / 2
    return np.ascontiguousarray(np.moveaxis(averaged, 0, axis), dtype=np.float32), affine @ scale


def resampled(image: Volume, affine: NDArray[np.float64], voxel_mm: float) -> tuple[Volume, NDArray[np.float64]]:
    """On cubic voxels of another size, by cubic splines."""
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    scale = np.diag([*(voxel_mm / sizes), 1.0])
    shape = tuple(int(length * size / voxel_mm) for length, size in zip(image.shape, sizes, strict=True))
    out = ndimage.affine_transform(image, scale[:3, :3], output_shape=shape, order=3)
    return np.asarray(np.maximum(out, 0), dtype=np.float32), affine @ scale


def _white_gradient(labels: Labels) -> Volume:
    white = np.isin(labels, (2, 7, 41, 46))
    depth = np.minimum(ndimage.distance_transform_edt(white), 10) / 10
    return np.asarray(np.where(white, WM_GRADIENT * (1 - depth), 0), dtype=np.float32)


def _vessels(labels: Labels, draw: np.random.Generator) -> NDArray[np.bool_]:
    """Thin bright threads in fluid and outside the brain, where vessels of a T1w lie."""
    smooth = [ndimage.gaussian_filter(draw.standard_normal(labels.shape, dtype=np.float32), 3) for _ in range(2)]
    near = sum((part / part.std()) ** 2 for part in smooth)
    room = np.isin(labels, CSF) | ((labels >= 500) & (labels != 506))
    limit = np.quantile(near[room], VESSEL_SHARE * labels.size / max(1, int(room.sum())) * 0.1)
    return np.asarray((near < limit) & room)
