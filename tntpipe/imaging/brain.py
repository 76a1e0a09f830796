"""A brain mask that a coarse registration carried to the scan, made to fit the brain.

Decides only in a shell a few millimetres thick about the registered boundary; what lies deeper stays brain, what lies
further out stays outside, whatever the intensities say. So a scan on which the intensities mislead keeps the registered
mask within those limits. Knows nothing of the template. All lengths are mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import ImageError
from tntpipe.imaging.doubts import doubt_about_blank, doubt_about_edge, doubt_about_volume, tell
from tntpipe.imaging.given_image import load_given
from tntpipe.imaging.intensity import MAD_TO_SD
from tntpipe.imaging.volumes import bounding_box, like, load, real_voxels, require_same_grid, save, voxel_size

Mask = NDArray[np.bool_]
Size = tuple[float, float, float]

MOST_INWARD_MM = 4.0
MOST_OUTWARD_MM = 4.0
"""How far the boundary may move either way: about what an affine registration of heads leaves."""

CORE_MM = 8.0
"""Depth below which a voxel is brain even on a poorly registered scan; its intensities describe the brain's."""

OPENING_MM = 3.0
"""Bridges (dura, vessels, optic nerves, marrow over a thin skull) thinner than twice this between brain and head are
cut."""

CLOSING_MM = 4.0
"""Sulci narrower than twice this are filled: the fluid in them belongs to the brain mask."""

SMOOTHING_MM = 1.0
"""Standard deviation of the Gaussian that evens out the final boundary."""

DARK_SHARE = 0.4
"""Where between the darkest and the median intensity of the core the line between fluid or bone and cortex is drawn.
BET takes 0.5 (Smith 2002, Hum Brain Mapp 17:143); less keeps cortex that shares its voxels with fluid, at little risk
since the boundary is tied to the registered one. On Colin27 and MNI152 at 2 mm, 0.3 to 0.5 differ by 0.004 in Dice."""

BRIGHT_SDS = 4.0
"""Robust standard deviations above the core's median at which white matter ends and fat begins."""


@dataclass(frozen=True, slots=True)
class BrainIntensities:
    """The range of intensities that is taken for grey or white matter."""

    dark: float
    bright: float


def refine_brain_mask(values: NDArray[np.floating[Any]], registered: NDArray[np.floating[Any]], voxel_mm: Size) -> Mask:
    """Move the boundary of a registered brain mask to the edge of the brain.

    Parameters
    ----------
    values
        (i, j, k), bias-corrected T1w intensities: fluid and bone dark, fat bright.
    registered
        (i, j, k), the template's mask or brain probability on the scan's grid, from 0 to 1; brain is above 0.5.
    voxel_mm
        Voxel size along each axis.

    Returns
    -------
    ndarray of bool
        (i, j, k), one connected piece without holes, nowhere further than `MOST_INWARD_MM` inside and
        `MOST_OUTWARD_MM` outside the registered boundary.

    Raises
    ------
    ImageError
        The registered mask is empty, or nowhere thicker than twice `CORE_MM`.
    """
    from scipy import ndimage

    coarse = registered > 0.5
    if not coarse.any():
        raise ImageError("The registered brain mask does not meet the scan: the registration has failed.")
    box = _box(coarse, voxel_mm)
    coarse, values = coarse[box], values[box]
    depth = ndimage.distance_transform_edt(coarse, sampling=voxel_mm).astype(np.float32)
    height = ndimage.distance_transform_edt(~coarse, sampling=voxel_mm).astype(np.float32)
    certain, possible = depth > MOST_INWARD_MM, height <= MOST_OUTWARD_MM
    brain = brain_intensities(values[depth > CORE_MM])
    tissue = possible & (values > brain.dark) & (values < brain.bright) | certain
    tissue = _largest_piece(_opened(tissue, OPENING_MM, voxel_mm) | certain)
    closed = _closed(tissue, CLOSING_MM, voxel_mm) & possible
    filled = ndimage.binary_fill_holes(closed | certain)
    smooth = ndimage.gaussian_filter(filled.astype(np.float32), [SMOOTHING_MM / size for size in voxel_mm]) > 0.5
    refined = np.zeros(registered.shape, dtype=np.bool_)
    refined[box] = _largest_piece(smooth & possible | certain)
    return refined


def brain_intensities(core: NDArray[np.floating[Any]]) -> BrainIntensities:
    """The range of brain tissue, from intensities deep inside the brain.

    Examples
    --------
    >>> brain = brain_intensities(np.array([0.0, 80, 90, 100, 110, 120]))
    >>> round(brain.dark, 1), round(brain.bright, 1)
    (42.8, 184.0)
    """
    if not core.size:
        raise ImageError(
            f"The registered brain mask is nowhere {2 * CORE_MM:g} mm thick: the registration has failed.",
            remedy="Look at the registered template beside the scan.",
        )
    darkest, median = np.percentile(core, (2, 50))
    sd = MAD_TO_SD * float(np.median(np.abs(core - median)))
    return BrainIntensities(
        dark=float(darkest + DARK_SHARE * (median - darkest)), bright=float(median + BRIGHT_SDS * sd)
    )


def refine_brain_mask_file(*, image: str, mask: str, output: str) -> None:
    """The command ``refine-brain-mask``."""
    scan, registered = load(image), load(mask)
    require_same_grid(scan, image, registered, mask)
    voxel_mm = voxel_size(scan)
    values = real_voxels(scan, image)
    refined = refine_brain_mask(values, real_voxels(registered, mask), voxel_mm)
    tell_doubts(refined, values, voxel_mm)
    save(like(refined.astype(np.uint8), scan), output)


def given_mask_file(*, mask: str, like_image: str, output: str, max_shear_angle: float) -> None:
    """The command ``given-mask``: a mask that somebody drew on the scan, as 0 and 1 under the scan's clean header."""
    drawn, scan = load_given(mask, max_shear_angle), load(like_image)
    require_same_grid(scan, like_image, drawn, mask)
    inside = real_voxels(drawn, mask) > 0
    if not inside.any():
        raise ImageError(f"{mask}: the mask is empty.", remedy="Draw it again, or leave the scan out.")
    tell_doubts(inside, real_voxels(scan, like_image), voxel_size(scan))
    save(like(inside.astype(np.uint8), scan), output)


def tell_doubts(mask: Mask, values: NDArray[np.floating[Any]], voxel_mm: Size) -> None:
    """Put what is odd about a brain mask on a scan into the log."""
    tell(doubt_about_volume(int(mask.sum()) * float(np.prod(voxel_mm))))
    tell(doubt_about_edge(mask))
    tell(doubt_about_blank(mask, values))


def _box(mask: Mask, voxel_mm: Size) -> tuple[slice, ...]:
    """The mask's bounding box with the room that growing and closing need."""
    return bounding_box(mask, [int(np.ceil((MOST_OUTWARD_MM + CLOSING_MM) / size)) + 1 for size in voxel_mm])


def _eroded(mask: Mask, radius_mm: float, voxel_mm: Size) -> Mask:
    from scipy import ndimage

    return np.asarray(ndimage.distance_transform_edt(mask, sampling=voxel_mm) > radius_mm)


def _dilated(mask: Mask, radius_mm: float, voxel_mm: Size) -> Mask:
    return ~_eroded(~mask, radius_mm, voxel_mm)


def _opened(mask: Mask, radius_mm: float, voxel_mm: Size) -> Mask:
    return _dilated(_eroded(mask, radius_mm, voxel_mm), radius_mm, voxel_mm)


def _closed(mask: Mask, radius_mm: float, voxel_mm: Size) -> Mask:
    return _eroded(_dilated(mask, radius_mm, voxel_mm), radius_mm, voxel_mm)


def _largest_piece(mask: Mask) -> Mask:
    from scipy import ndimage

    pieces, n_pieces = ndimage.label(mask)
    return mask if n_pieces < 2 else np.asarray(pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:]))
