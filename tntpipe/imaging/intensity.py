"""Intensities of a scan: brought to a common range, and set to 0 outside a mask.

Decides the linear map from what the image itself holds. Knows neither tissue nor template.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import ImageError, UsageError
from tntpipe.imaging.volumes import like, load, real_voxels, require_same_grid, save, stored_voxels

MAD_TO_SD = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation (Rousseeuw & Croux 1993, JASA 88:1273)."""


def rescale(
    values: NDArray[np.floating[Any]], *, range_min: float, range_max: float, clip_percent: float
) -> NDArray[np.float32]:
    """Map intensities linearly onto a range, the extremes at both ends clipped to it.

    The ends are percentiles of the voxels above 0 only: how much empty background a scanner or a defacing tool left
    around the head must not move the tissue, so the result is the same however far the image is padded with 0.

    Parameters
    ----------
    values
        Intensities, any shape, any unit.
    range_min, range_max
        What the two percentiles become.
    clip_percent
        Per cent of the voxels above 0 that are clipped at each end, from 0 to below 50.

    Returns
    -------
    ndarray
        float32, the shape of ``values``, within [range_min, range_max].

    Raises
    ------
    UsageError
        The range is empty or ``clip_percent`` out of bounds.
    ImageError
        No voxel is above 0, or the two percentiles are equal.

    Examples
    --------
    >>> rescale(np.array([0.0, 1.0, 2.0, 3.0]), range_min=0, range_max=10, clip_percent=0)
    array([ 0.,  0.,  5., 10.], dtype=float32)
    """
    if not (range_min < range_max and 0 <= clip_percent < 50):
        raise UsageError(
            f"Intensities cannot be rescaled to {range_min:g}..{range_max:g} with {clip_percent:g} % clipped per end.",
            remedy="The range must grow, and the clipped share be at least 0 and below 50 %.",
        )
    positive = values[values > 0]
    if not positive.size:
        raise ImageError("No voxel of the image is above 0, so its intensities cannot be rescaled.")
    low, high = np.percentile(positive, (clip_percent, 100 - clip_percent))
    if not low < high:
        raise ImageError(f"All but the clipped voxels of the image are {low:g}: its intensities cannot be rescaled.")
    slope = np.float32((range_max - range_min) / (high - low))
    scaled: NDArray[np.float32] = (values.astype(np.float32) - np.float32(low)) * slope + np.float32(range_min)
    np.clip(scaled, np.float32(range_min), np.float32(range_max), out=scaled)
    return scaled


def rescale_file(*, input: str, output: str, range_min: float, range_max: float, clip_percent: float) -> None:
    """The command ``rescale``."""
    image = load(input)
    values = rescale(real_voxels(image, input), range_min=range_min, range_max=range_max, clip_percent=clip_percent)
    save(like(values, image), output)


def multiply_file(*, image: str, mask: str, output: str) -> None:
    """The command ``multiply``: voxels in their own type (float32 where the file scales them), 0 outside the mask."""
    pictured, masking = load(image), load(mask)
    require_same_grid(pictured, image, masking, mask)
    inside = stored_voxels(masking, mask) > 0
    voxels = stored_voxels(pictured, image)
    if voxels.dtype != pictured.get_data_dtype().newbyteorder("="):
        voxels = voxels.astype(np.float32)
    save(like(np.where(inside, voxels, voxels.dtype.type(0)), pictured), output)
