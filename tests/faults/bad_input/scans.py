"""Scans that can be read and run and hold no proper picture of a head: what is wrong shows only while they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import nibabel as nib
import numpy as np

from bad_input.breaking import Voxels

Affine = np.ndarray
Change = Callable[[Voxels, Affine], tuple[Voxels, Affine]]


def write_changed(head: Path, change: Change, path: Path) -> None:
    """Write the head with its voxels and its affine changed."""
    image = nib.load(head)
    voxels, affine = change(np.asarray(image.dataobj).astype(np.float32), image.affine.copy())
    made = nib.Nifti1Image(voxels.clip(0, 32767).round().astype(np.int16), None)
    made.set_qform(affine, 1)
    made.set_sform(None, 0)
    nib.save(made, path)


def sound(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
    return voxels, affine


def turned_axis(axis: int) -> Change:
    """The header says that an axis runs the other way than it does."""

    def change(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
        turned = affine.copy()
        turned[:3, 3] = affine[:3, 3] + affine[:3, axis] * (voxels.shape[axis] - 1)
        turned[:3, axis] = -affine[:3, axis]
        return voxels, turned

    return change


def swapped_axes(a: int, b: int) -> Change:
    """The header takes two axes for each other."""

    def change(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
        swapped = affine.copy()
        swapped[:3, [a, b]] = affine[:3, [b, a]]
        return voxels, swapped

    return change


def noise(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
    return np.abs(np.random.default_rng(0).normal(100, 40, voxels.shape)), affine


def bottle(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
    """A phantom: a ball of water of 85 mm radius."""
    centre = (np.array(voxels.shape) - 1) / 2
    far_mm = np.sqrt(sum((4.0 * (i - c)) ** 2 for i, c in zip(np.indices(voxels.shape), centre, strict=True)))
    rng = np.random.default_rng(0)
    return np.where(far_mm < 85, 400, 10) + rng.normal(0, 8, voxels.shape), affine


def cut(axis: int, start: float, stop: float) -> Change:
    """Nothing was scanned before and after these shares of an axis, which is as long as before."""

    def change(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
        kept = np.zeros(voxels.shape[axis], dtype=np.bool_)
        kept[int(start * len(kept)) : int(stop * len(kept))] = True
        shape = [1, 1, 1]
        shape[axis] = -1
        return voxels * kept.reshape(shape), affine

    return change


def cropped(axis: int, start: float, stop: float) -> Change:
    """The image itself ends there."""

    def change(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
        n = voxels.shape[axis]
        first, last = int(start * n), int(stop * n)
        moved = affine.copy()
        moved[:3, 3] += affine[:3, axis] * first
        return np.take(voxels, range(first, last), axis), moved

    return change


def stripped(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
    """Everything but a brain-sized ellipsoid set to 0, as somebody's skull-stripping leaves it."""
    centre = np.linalg.inv(affine) @ (0, -20, 10, 1)
    radii = np.array([66, 84, 62]) / np.linalg.norm(affine[:3, :3], axis=0)
    inside = sum(((i - c) / r) ** 2 for i, c, r in zip(np.indices(voxels.shape), centre, radii, strict=False)) < 1
    return voxels * inside, affine


def inverted(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
    """Fluid bright and white matter dark, as on a T2w."""
    head = voxels > 0.1 * np.percentile(voxels, 99)
    return np.where(head, np.percentile(voxels, 99.5) * 1.05 - voxels, voxels * 0.1), affine


def resized(factor: float) -> Change:
    """Voxel sizes that are wrong by a factor."""

    def change(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
        wrong = affine.copy()
        wrong[:3, :] *= factor
        return voxels, wrong

    return change


def far_away(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
    moved = affine.copy()
    moved[:3, 3] += (3000, -2000, 1000)
    return voxels, moved


def thick(voxels: Voxels, affine: Affine) -> tuple[Voxels, Affine]:
    """Slices of 8 mm."""
    n = voxels.shape[2] // 2
    averaged = voxels[:, :, : 2 * n].reshape(*voxels.shape[:2], n, 2).mean(-1)
    return averaged, affine @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 2, 0.5], [0, 0, 0, 1]])


HARMLESS: Mapping[str, str] = {
    "sound": "nothing is wrong",
    "mirrored": "nobody can tell left from right by a picture of a head: an image whose header swaps them looks sound",
    "faraway": "where the origin lies does not matter",
    "thick": "8 mm are the thickest slices that are taken",
}
"""Changes after which a scan must be done without a warning, and why; after any other it must fail or be warned of."""

CHANGES: Mapping[str, Change] = {
    "sound": sound,
    "upsidedown": turned_axis(2),
    "backtofront": turned_axis(1),
    "mirrored": turned_axis(0),
    "axesyz": swapped_axes(1, 2),
    "axesxy": swapped_axes(0, 1),
    "noise": noise,
    "bottle": bottle,
    "cuttop": cut(2, 0, 0.7),
    "cutfront": cut(1, 0, 0.7),
    "cuthalf": cut(0, 0.5, 1),
    "croptop": cropped(2, 0, 0.8),
    "cropbottom": cropped(2, 0.45, 1),
    "cropfront": cropped(1, 0, 0.8),
    "crophalf": cropped(0, 0.5, 1),
    "stripped": stripped,
    "inverted": inverted,
    "small": resized(0.7),
    "large": resized(1.4),
    "faraway": far_away,
    "thick": thick,
}
