"""Noise in air that is as bright as tissue, found so that it can be set to 0: the background of an MP2RAGE's UNI image.

A ratio of two images is noise wherever both have no signal, over the whole range of the tissues, so that no threshold
tells it from the head. Neighbours do: in tissue they are alike, in noise they are not. Decides what is noise by how
alike neighbours are in the corners of the image, which hold air. Works on scans whose darkest voxels are 0.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tntpipe.imaging.intensity import MAD_TO_SD
from tntpipe.imaging.padding import Mask

CORNER_SHARE = 1 / 8
"""Of each axis, that a corner covers."""

LEAST_IN_CORNERS = 0.25
"""Of the corners' voxels, those that must not be 0; fewer are what was left when air was set to 0."""

ALIKE_SHARE = 0.1
"""Of the range that the noise spans: neighbours that differ by less are alike. In even noise one in five is."""

NOISE_SDS = 1.9
"""Above the median of the corners, of the share of neighbours that are alike: 97 of 100 voxels of noise have less.
Median and MAD, because tissue may fill a part of the corners, as in one of 34 heads."""

SMALLEST_PIECE = 0.01
"""Of the largest piece of the head, in voxels: smaller pieces are noise that happens to be even."""

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AirNoise:
    """The corners of an image: their median and the median difference of neighbours, relative to the middle of the
    head; 0 where the corners are blank."""

    level: float
    roughness: float


def air_noise(scaled: Image, head: float) -> AirNoise:
    """How bright and how rough the air is.

    Parameters
    ----------
    scaled
        (i, j, k), intensities from 0; voxels of exactly 0 are left out.
    head
        The intensity of the middle of the head.

    Examples
    --------
    >>> even = np.full((16, 16, 16), 2, dtype=np.float32)
    >>> air_noise(even, head=10), air_noise(0 * even, head=10)
    (AirNoise(level=0.2, roughness=0.0), AirNoise(level=0.0, roughness=0.0))
    """
    blocks = [scaled[corner] for corner in _corners(scaled)]
    air = np.concatenate([block[block > 0] for block in blocks])
    if air.size < LEAST_IN_CORNERS * sum(block.size for block in blocks):
        return AirNoise(0.0, 0.0)
    steps = np.concatenate([_steps(np.moveaxis(block, axis, 0)) for block in blocks for axis in range(3)])
    return AirNoise(float(np.median(air)) / head, float(np.median(steps)) / head if steps.size else 0.0)


def find_noise(scaled: Image) -> Mask:
    """Where a scan whose corners are full of noise is noise: the air, and the middle of bones and sinuses.

    Parameters
    ----------
    scaled
        (i, j, k), intensities from 0.

    Returns
    -------
    ndarray of bool
        (i, j, k). Noise within a voxel or two of tissue is left, and thin, rough tissue may be taken for noise: of the
        brains of 27 heads, noise put into their air and bone, at most 1 voxel in 1000.
    """
    from scipy import ndimage

    corners = _corners(scaled)
    air = _within(scaled, corners)
    low, high = np.percentile(air[air > 0], (5, 95))
    alike = _share_alike(scaled, ALIKE_SHARE * (high - low) / 0.9)
    around = ndimage.uniform_filter(alike, 3)
    noise = around < _median_and_sds(_within(around, corners), NOISE_SDS)
    # The neighbourhood of what borders on noise is half noise and half head, so its own share decides.
    noise |= ndimage.binary_dilation(noise) & (alike < np.median(_within(alike, corners)))
    pieces, n_pieces = ndimage.label(~noise & (scaled > 0))
    sizes = np.bincount(pieces.ravel(), minlength=n_pieces + 1)
    sizes[0] = 0
    return np.asarray((sizes < max(SMALLEST_PIECE * sizes.max(), 1))[pieces])


def _corners(values: Image) -> list[tuple[slice, ...]]:
    ends = []
    for length in values.shape:
        n_voxels = max(2, round(CORNER_SHARE * length))
        ends.append((slice(0, n_voxels), slice(max(length - n_voxels, 0), length)))
    return list(itertools.product(*ends))


def _within(values: Image, boxes: list[tuple[slice, ...]]) -> Image:
    return np.concatenate([values[box].ravel() for box in boxes])


def _steps(lines: Image) -> Image:
    """The differences between neighbours along the first axis, where neither is 0."""
    return np.asarray(np.abs(np.diff(lines, axis=0))[(lines[1:] > 0) & (lines[:-1] > 0)])


def _median_and_sds(values: Image, sds: float) -> float:
    middle = np.median(values)
    return float(middle + sds * MAD_TO_SD * np.median(np.abs(values - middle)))


def _share_alike(values: Image, most: float) -> Image:
    """Of the up to 26 neighbours of each voxel, the share that differs by less than ``most``."""
    n_alike = np.zeros_like(values, dtype=np.uint8)
    for step in itertools.product((-1, 0, 1), repeat=3):
        if step > (0, 0, 0):
            ahead = tuple(slice(max(s, 0), n + min(s, 0)) for s, n in zip(step, values.shape, strict=True))
            behind = tuple(slice(max(-s, 0), n + min(-s, 0)) for s, n in zip(step, values.shape, strict=True))
            alike = np.abs(values[ahead] - values[behind]) < most
            n_alike[ahead] += alike
            n_alike[behind] += alike
    i, j, k = (np.r_[2, np.full(n - 2, 3), 2].astype(np.float32) for n in values.shape)
    return np.asarray(n_alike / (i[:, None, None] * j[:, None] * k - 1))
