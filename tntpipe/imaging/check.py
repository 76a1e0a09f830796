"""Whether an image can be processed at all, said before anything runs in words that help to mend it.

Decides what a usable scan, mask and label map is. `check_header` reads a few hundred bytes; `check_image` reads all
voxels, one slab at a time. Changes no file and knows nothing of what will be done with the image.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tntpipe.errors import ImageError
from tntpipe.imaging.facts import ImageFacts, read_facts
from tntpipe.imaging.header import MAX_SHEAR_ANGLE
from tntpipe.imaging.labels import require_known
from tntpipe.imaging.stream import VoxelRange, voxel_range
from tntpipe.imaging.volumes import grids_agree, label_voxels, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tntpipe.imaging.tables import Label

MIN_LENGTH_VOXELS = 16
"""A brain is some 120 mm high: fewer slices would each be thicker than `MAX_VOXEL_MM`. Four-level registration shrinks
by 8 and needs two voxels left."""

MIN_VOXEL_MM = 0.2
"""The finest published T1w of a living whole brain has 0.25 mm voxels (Lüsebrink et al. 2017, Sci Data 4:170032)."""

MAX_VOXEL_MM = 8.0
"""Clinical slices of 6 mm with a gap of 2 mm; a cortex of 3 mm cannot be measured in anything thicker."""

MAX_NON_FINITE = 0.01
"""Isolated voxels that are no number are set to 0 when the header is cleaned; beyond this share, lost tissue and
padding can no longer be told apart."""


def check_header(path: str | Path, *, max_shear_angle: float = MAX_SHEAR_ANGLE) -> ImageFacts:
    """Check what can be known of a scan without reading its voxels.

    Parameters
    ----------
    max_shear_angle
        Radians: how far the axes of an image that has only an sform may deviate from right angles.

    Raises
    ------
    ImageError
        No file, no permission, no NIfTI, compressed under a name that says it is not (or the reverse), colour or
        complex voxels, not one 3-D volume, too few or implausibly small or large voxels, no usable orientation, or
        (uncompressed files) shorter than its header says.
    """
    facts = read_facts(path, max_shear_angle)
    if min(facts.shape) < MIN_LENGTH_VOXELS:
        raise ImageError(
            f"{path}: has {facts.size_text} voxels, fewer than {MIN_LENGTH_VOXELS} along an axis.",
            remedy="A whole head is needed: this may be a localiser or a piece of a scan.",
        )
    if not MIN_VOXEL_MM <= min(facts.voxel_mm) <= max(facts.voxel_mm) <= MAX_VOXEL_MM:
        sizes = "×".join(f"{size:.3g}" for size in facts.voxel_mm)
        raise ImageError(
            f"{path}: has voxels of {sizes} mm, where {MIN_VOXEL_MM:g} to {MAX_VOXEL_MM:g} mm is plausible.",
            remedy="Check its units and slice spacing; a scan with thicker slices cannot be measured.",
        )
    return facts


def check_image(path: str | Path, *, max_shear_angle: float = MAX_SHEAR_ANGLE) -> ImageFacts:
    """Check a scan completely: its header, then every voxel, a slab at a time.

    Raises
    ------
    ImageError
        As `check_header`; or the data end early or are corrupt; all voxels are alike; or more than `MAX_NON_FINITE` of
        them are no finite number.
    """
    facts = check_header(path, max_shear_angle=max_shear_angle)
    voxels = voxel_range(facts)
    if voxels.n_finite < facts.n_voxels * (1 - MAX_NON_FINITE):
        share = 100 * (1 - voxels.n_finite / facts.n_voxels)
        raise ImageError(
            f"{path}: {share:.0f} % of its voxels are no finite number (NaN or infinite).",
            remedy="Convert the scan again, or set its background to 0.",
        )
    _require_contrast(path, voxels)
    return facts


def check_mask(path: str | Path, *, like: ImageFacts | None = None) -> ImageFacts:
    """Check a mask: a 3-D image of integers with voxels inside and outside, on the grid of ``like`` if given."""
    facts = read_facts(path, MAX_SHEAR_ANGLE)
    _require_grid(facts, like)
    voxels = label_voxels(load(path), path)
    if not voxels.any():
        raise ImageError(f"{path}: the mask is empty.")
    if voxels.all():
        raise ImageError(f"{path}: the mask holds every voxel of the image, so it masks nothing.")
    return facts


def check_labels(path: str | Path, labels: Sequence[Label], *, like: ImageFacts | None = None) -> ImageFacts:
    """Check a label map: a 3-D image of integers, not all 0, each of them in the table of ``labels``."""
    facts = read_facts(path, MAX_SHEAR_ANGLE)
    _require_grid(facts, like)
    voxels = label_voxels(load(path), path)
    require_known(voxels, labels, str(path))
    if not voxels.any():
        raise ImageError(f"{path}: the label map is empty.")
    return facts


def same_grid(a: ImageFacts, b: ImageFacts) -> bool:
    """Whether a voxel index means the same place in both images."""
    return grids_agree(a.shape, np.array(a.affine), b.shape, np.array(b.affine))


def _require_grid(facts: ImageFacts, like: ImageFacts | None) -> None:
    if like is not None and not same_grid(facts, like):
        raise ImageError(
            f"{facts.path} ({facts.size_text}) does not lie on the grid of {like.path} ({like.size_text}).",
            remedy="Resample it onto that grid.",
        )


def _require_contrast(path: str | Path, voxels: VoxelRange) -> None:
    if voxels.maximum <= 0 and voxels.minimum < 0:
        raise ImageError(f"{path}: no voxel is above 0; a T1w has bright tissue.", remedy="Convert the scan again.")
    if voxels.minimum == voxels.maximum:
        kind = "0" if voxels.minimum == 0 else f"the same value, {voxels.minimum:g}"
        raise ImageError(f"{path}: every voxel is {kind}; there is no picture in it.", remedy="Convert the scan again.")
