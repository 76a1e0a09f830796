"""Ways to vary a head so that its true brain mask stays known: how it lies, its surroundings, intensities and grid.

Every variation takes a scan in RAS order with its mask, and returns both as they would be after the change.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import nibabel as nib
import numpy as np
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from scipy import ndimage

SEED = 20
Image = nib.Nifti1Image
Pair = tuple[Image, Image]
"""A scan and its true mask on the same grid."""
Back = Callable[[np.ndarray], np.ndarray]
"""From world points (n, 3) of the variation to those of the unvaried head, mm."""


def resampled(pair: Pair, back: Back, shape: tuple[int, ...], affine: np.ndarray) -> Pair:
    """Both on a grid: the scan by cubic splines, the mask linearly."""
    points = nib.affines.apply_affine(affine, np.stack(np.indices(shape), -1).reshape(-1, 3))
    voxels = nib.affines.apply_affine(np.linalg.inv(pair[0].affine), back(points)).T
    scan = ndimage.map_coordinates(pair[0].get_fdata(dtype=np.float32), voxels, order=3).clip(0)
    mask = ndimage.map_coordinates(pair[1].get_fdata(dtype=np.float32), voxels, order=1) > 0.5
    return Image(scan.reshape(shape), affine), Image(mask.reshape(shape).astype(np.uint8), affine)


def edited(edit: Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]) -> Callable[[Pair], Pair]:
    """A variation of intensities alone."""

    def vary(pair: Pair) -> Pair:
        scan, mask = pair[0].get_fdata(dtype=np.float32), np.asarray(pair[1].dataobj) > 0
        return Image(edit(scan, mask, np.random.default_rng(SEED)).astype(np.float32), pair[0].affine), pair[1]

    return vary


def turned(axis: int, degrees: float) -> Callable[[Pair], Pair]:
    """The head turned about the grid's centre, on a straight grid that is 20 mm larger on every side."""

    def vary(pair: Pair) -> Pair:
        one, other = (a for a in range(3) if a != axis)
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        turn = np.eye(3)
        turn[[one, one, other, other], [one, other, one, other]] = cos, -sin, sin, cos
        padded = added((10, 10), (10, 10), (10, 10))(pair)[0]
        centre = nib.affines.apply_affine(padded.affine, (np.array(padded.shape) - 1) / 2)
        return resampled(pair, lambda points: (points - centre) @ turn + centre, padded.shape, padded.affine)

    return vary


def added(*widths: tuple[int, int], mode: str = "constant") -> Callable[[Pair], Pair]:
    """Voxels added below and above each axis; negative widths crop."""

    def vary(pair: Pair) -> Pair:
        kept = tuple(
            slice(max(-low, 0), length - max(-high, 0))
            for (low, high), length in zip(widths, pair[0].shape, strict=True)
        )
        grown = [(max(low, 0), max(high, 0)) for low, high in widths]
        affine = pair[0].affine.copy()
        affine[:3, 3] = nib.affines.apply_affine(affine, [-low for low, _ in widths])
        scan = np.pad(np.asarray(pair[0].dataobj)[kept], grown, mode=mode)
        return Image(scan, affine), Image(np.pad(np.asarray(pair[1].dataobj)[kept], grown), affine)

    return vary


def cropped(*, top_mm: float = 0, bottom_mm: float = 0) -> Callable[[Pair], Pair]:
    """The field of view ends so far inside the brain."""

    def vary(pair: Pair) -> Pair:
        levels = np.flatnonzero(np.asarray(pair[1].dataobj).any(axis=(0, 1)))
        size = pair[0].header.get_zooms()[2]
        low = -(int(levels[0]) + round(bottom_mm / size)) if bottom_mm else 0
        high = int(levels[-1]) + 1 - pair[0].shape[2] - round(top_mm / size) if top_mm else 0
        return added((0, 0), (0, 0), (low, high))(pair)

    return vary


def shifted(pair: Pair) -> Pair:
    affine = pair[0].affine.copy()
    affine[:3, 3] += (80, -80, 80)
    return Image(np.asarray(pair[0].dataobj), affine), Image(np.asarray(pair[1].dataobj), affine)


def reoriented(pair: Pair) -> Pair:
    change = ornt_transform(io_orientation(pair[0].affine), axcodes2ornt("PIL"))
    return pair[0].as_reoriented(change), pair[1].as_reoriented(change)


def thick(pair: Pair) -> Pair:
    """1 x 1 x 3 mm, a slice being the mean (here Gaussian, 3 mm wide at half height) of what it spans."""
    sizes = np.array(pair[0].header.get_zooms())
    shape = tuple(int(n) for n in np.array(pair[0].shape) * sizes // (1, 1, 3))
    blurred = ndimage.gaussian_filter1d(pair[0].get_fdata(dtype=np.float32), 3 / 2.355 / sizes[2], axis=2)
    affine = pair[0].affine @ np.diag([*(1, 1, 3) / sizes, 1])
    return resampled((Image(blurred, pair[0].affine), pair[1]), lambda points: points, shape, affine)


def warped(pair: Pair) -> Pair:
    """A smooth random displacement of up to 10 mm along each axis, correlated over some 5 cm."""
    noise = np.random.default_rng(SEED).normal(size=(3, *pair[0].shape))
    field = np.stack([ndimage.gaussian_filter(part, 25 / np.array(pair[0].header.get_zooms())) for part in noise])
    field *= 10 / np.abs(field).max(axis=(1, 2, 3), keepdims=True)
    move = field.reshape(3, -1).T
    return resampled(pair, lambda points: points + move, pair[0].shape, pair[0].affine)


def biased(scan: np.ndarray, mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A smooth field, four times as bright in one corner as in the opposite one."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in scan.shape), indexing="ij")
    return scan * 2 ** ((x + y + z) / 3) * (1 + 0.3 * np.cos(2 * y))


def noisy(scan: np.ndarray, mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rician noise, 9 % of white matter's intensity (as BrainWeb counts it)."""
    sd = 0.09 * np.percentile(scan[mask], 90)
    return np.hypot(scan + random.normal(0, sd, scan.shape), random.normal(0, sd, scan.shape))


VARIATIONS: dict[str, Callable[[Pair], Pair]] = {
    **{f"turned {d}° about {name}": turned(a, d) for d in (15, 30) for a, name in enumerate("xyz")},
    "origin 80 mm off on each axis": shifted,
    "bias field, 4 to 1": edited(biased),
    "noise 9 %": edited(noisy),
    "stored as PIL": reoriented,
    "1 × 1 × 3 mm": thick,
    "warped by up to 10 mm": warped,
    "intensities × 1000": edited(lambda scan, mask, random: scan * 1000),
    "80 mm more neck": added((0, 0), (0, 0), (40, 0), mode="edge"),
    "100 mm of zeros at the left": added((50, 0), (0, 0), (0, 0)),
    "20 mm of the brain's top cut": cropped(top_mm=20),
    "10 mm of the brain's bottom cut": cropped(bottom_mm=10),
}
