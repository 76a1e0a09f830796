"""Changes of a real scan that leave its head as it is, or mirror it: another field, place, noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.accuracy_cases import GENERATOR, Case, fingerprint, save_scan
from benchmarks.synthetic_heads import Appearance, LabelMap, field

RECIPE = fingerprint(Path(__file__))

Array = NDArray[np.float32]
Affine = NDArray[np.float64]

SEED = 7
TURN_DEGREES = 20.0
FIELD_PERCENT = 40.0
NOISE_PERCENT = 1.0
WHITE_PERCENTILE = 98
"""Of the head's voxels: about the level of white matter."""

BRAIN_HALF_MM = (65.0, 85.0, 65.0)
BRAIN_BELOW_TOP_MM = 80.0
"""Half axes of an ellipsoid of a brain's size, and how far its centre lies below the top of the head."""


def head_mask(image: Array) -> NDArray[np.bool_]:
    """The largest bright piece, its holes filled."""
    smooth = ndimage.gaussian_filter(image, 1)
    level = float(smooth[smooth > 0].mean()) if (smooth > 0).any() else 0.0
    pieces, _ = ndimage.label(smooth > 0.5 * level)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(ndimage.binary_fill_holes(pieces == int(sizes.argmax())))


def brain_place(mask: NDArray[np.bool_], affine: Affine) -> NDArray[np.bool_]:
    """Where the brain of a head lies, near enough to say how strong a field is there."""
    points = apply_affine(affine, np.argwhere(mask))
    top = float(np.quantile(points[:, 2], 0.999))
    centre = [*points[points[:, 2] > top - 2 * BRAIN_BELOW_TOP_MM].mean(axis=0)[:2], top - BRAIN_BELOW_TOP_MM]
    world = apply_affine(affine, np.stack(np.indices(mask.shape), axis=-1))
    return np.asarray((((world - centre) / BRAIN_HALF_MM) ** 2).sum(axis=-1) < 1)


def in_field(image: Array, affine: Affine) -> Array:
    brain = LabelMap(np.where(brain_place(head_mask(image), affine), 2, 0).astype(np.int16), affine)
    return image * field(brain, Appearance(seed=SEED, bias_percent=FIELD_PERCENT, shape="coil"))


def turned(image: Array, affine: Affine) -> Array:
    """About the vertical axis through the middle of the grid, which stays."""
    cos, sin = math.cos(math.radians(TURN_DEGREES)), math.sin(math.radians(TURN_DEGREES))
    turn = np.eye(4)
    turn[:2, :2] = (cos, -sin), (sin, cos)
    centre = np.eye(4)
    centre[:3, 3] = apply_affine(affine, (np.array(image.shape) - 1) / 2)
    back = np.linalg.inv(affine) @ centre @ turn @ np.linalg.inv(centre) @ affine
    return np.asarray(ndimage.affine_transform(image, back[:3, :3], back[:3, 3], order=1))


def shifted(image: Array, affine: Affine) -> Array:
    """By half a voxel along each axis, by cubic splines: linear interpolation would blur."""
    return np.asarray(np.maximum(ndimage.shift(image, (0.5, 0.5, 0.5), order=3), 0))


def noisy(image: Array, affine: Affine) -> Array:
    sd = NOISE_PERCENT / 100 * float(np.percentile(image[head_mask(image)], WHITE_PERCENTILE))
    drawn = np.random.default_rng(SEED).standard_normal(image.shape, dtype=np.float32)
    return np.asarray(np.abs(image + np.float32(sd) * drawn))


def mirrored(image: Array, affine: Affine) -> Array:
    """The image of the mirrored head: voxels swapped along the axis nearest to left and right."""
    return np.ascontiguousarray(np.flip(image, int(np.argmax(np.abs(affine[0, :3])))))


CHANGES: dict[str, Callable[[Array, Affine], Array]] = {
    "field": in_field, "turned": turned, "shifted": shifted, "noise": noisy, "mirrored": mirrored,
}  # fmt: skip
NAMES = {
    "field": f"a field of {FIELD_PERCENT:g} % more", "turned": f"turned by {TURN_DEGREES:g}°",
    "shifted": "shifted by half a voxel", "noise": f"{NOISE_PERCENT:g} % of noise more", "mirrored": "mirrored",
}  # fmt: skip


def changed(head: str, path: Path, change: str) -> Case:
    """A scan after one of the `CHANGES`."""
    size = path.stat().st_size if path.is_file() else 0
    recipe = f"{path.name}, {size} bytes, {GENERATOR}, {RECIPE}"
    return Case(head=head, condition=change, recipe=recipe, make=partial(_write, path, change))


def _write(path: Path, change: str, target: Path) -> None:
    image = nib.load(path)
    save_scan(CHANGES[change](image.get_fdata(dtype=np.float32), image.affine), image.affine, target)
