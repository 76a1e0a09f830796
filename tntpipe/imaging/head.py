"""The head in its image: where bias correction may look. A dim middle, as under a coil of many channels, belongs to it.

Decides by intensities on a coarse grid, with gaps filled; knows no anatomy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tntpipe.imaging.volumes import like, load, real_voxels, save, voxel_size

GRID_MM = 4.0
CLOSING_MM = 20.0
"""Gaps narrower than twice this are filled: sinuses, mouth, and the middle of a head that only its rim outshines."""
DARKEST = 1e-3
"""Of the bright end, where the logarithm of intensities starts: below it there is nothing but air."""
BRIGHT_PERCENTILE = 99


def head_mask(values: NDArray[np.float32], voxel_mm: tuple[float, float, float]) -> NDArray[np.bool_]:
    """Where the head is, gaps filled.

    Parameters
    ----------
    values
        (i, j, k), intensities, 0 for air.
    voxel_mm
        Voxel size along each axis.

    Returns
    -------
    ndarray of bool
        (i, j, k). The threshold is Otsu's (1979) of log intensities, so that a field does not move it.
    """
    from scipy import ndimage

    factors = [max(1, round(GRID_MM / size)) for size in voxel_mm]
    averaged = ndimage.uniform_filter(values, factors)
    coarse = averaged[tuple(slice(factor // 2, None, factor) for factor in factors)]
    bright = float(np.percentile(values[values > 0], BRIGHT_PERCENTILE)) if (values > 0).any() else 1.0
    threshold = np.exp(_otsu(np.log(np.clip(coarse, DARKEST * bright, bright))))
    pieces, n_pieces = ndimage.label(coarse > threshold)
    if not n_pieces:
        return np.ones(values.shape, dtype=bool)
    largest = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    sizes = [factor * size for factor, size in zip(factors, voxel_mm, strict=True)]
    margin = int(np.ceil(CLOSING_MM / min(sizes))) + 1
    padded = np.pad(largest, margin)
    grown = ndimage.distance_transform_edt(~padded, sampling=sizes) <= CLOSING_MM
    closed = ndimage.distance_transform_edt(grown, sampling=sizes) > CLOSING_MM
    filled = ndimage.binary_fill_holes(closed | padded)[tuple(slice(margin, -margin) for _ in range(3))]
    lines = [
        np.minimum(np.arange(length) // factor, short - 1)
        for length, factor, short in zip(values.shape, factors, filled.shape, strict=True)
    ]
    return np.asarray(filled[np.ix_(*lines)])


def head_mask_file(*, image: str, output: str) -> None:
    """The command ``head-mask``."""
    scan = load(image)
    mask = head_mask(real_voxels(scan, image), voxel_size(scan))
    print(f"the head takes {100 * mask.mean():.1f} % of the image")
    save(like(mask.astype(np.uint8), scan), output)


def _otsu(values: NDArray[np.float32]) -> float:
    """The threshold that separates values best into two classes (Otsu 1979, IEEE Trans Syst Man Cybern 9:62)."""
    counts, edges = np.histogram(values, 256)
    centres = (edges[1:] + edges[:-1]) / 2
    below, moment = np.cumsum(counts), np.cumsum(counts * centres)
    between = (moment[-1] * below - below[-1] * moment) ** 2 / np.maximum(below * (below[-1] - below), 1)
    return float(centres[np.argmax(between)])
