"""Whether an image can be processed at all, said before anything runs in words that help to mend it.

Decides what a usable scan, mask and label map is. `check_header` reads a few hundred bytes; `check_image` reads all
voxels, one slab at a time. Changes no file and knows nothing of what will be done with the image.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tntpipe.errors import ImageError, TableError
from tntpipe.imaging.facts import ImageFacts, read_facts
from tntpipe.imaging.foreign import RECONVERT
from tntpipe.imaging.given_image import image_of, load_given
from tntpipe.imaging.labels import require_known
from tntpipe.imaging.orientation import MAX_SHEAR_ANGLE
from tntpipe.imaging.stream import VoxelRange, voxel_range
from tntpipe.imaging.tables import MIN_TAGS, read_tags
from tntpipe.imaging.tissue import sample_points
from tntpipe.imaging.volumes import grids_agree, label_voxels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tntpipe.imaging.tables import Label

LARGEST_FLOAT32, SMALLEST_FLOAT32 = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
"""What the later steps compute with."""

MIN_LENGTH_VOXELS = 16
"""A brain is some 120 mm high: fewer slices would each be thicker than `MAX_VOXEL_MM`. Four-level registration shrinks
by 8 and needs two voxels left."""

MIN_VOXEL_MM = 0.2
"""The finest published T1w of a living whole brain has 0.25 mm voxels (Lüsebrink et al. 2017, Sci Data 4:170032)."""

MAX_VOXEL_MM = 8.0
"""Clinical slices of 6 mm with a gap of 2 mm; a cortex of 3 mm cannot be measured in anything thicker."""

MIN_EXTENT_MM = 80.0
"""No axis of an adult's brain is shorter than some 110 mm: what covers less than this holds no whole one, or its voxel
sizes are wrong."""

MIN_VALUES = 64
"""Fewest different values of a picture; a mask has 2 and a label map some 40, the coarsest T1w of 8 bits over 100."""

_DRAW = "Draw it again, or give another one."

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
        complex voxels, not one 3-D volume, too few or implausibly small or large voxels, smaller than a brain, no
        usable orientation, or (uncompressed files) shorter than its header says.
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
    extent_mm = [length * size for length, size in zip(facts.shape, facts.voxel_mm, strict=True)]
    if min(extent_mm) < MIN_EXTENT_MM:
        raise ImageError(
            f"{path}: covers {'×'.join(f'{length:.0f}' for length in extent_mm)} mm, less than a brain.",
            remedy="A whole head is needed: check the voxel sizes; a piece of a scan cannot be measured.",
        )
    return facts


def check_image(path: str | Path, *, max_shear_angle: float = MAX_SHEAR_ANGLE) -> ImageFacts:
    """Check a scan completely: its header, then every voxel, a slab at a time.

    Raises
    ------
    ImageError
        As `check_header`; or the data end early or are corrupt; all voxels are alike or have a handful of values, as
        labels do; or more than `MAX_NON_FINITE` of them are no finite number.
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


def check_mask(
    path: str | Path, *, like: ImageFacts | None = None, max_shear_angle: float = MAX_SHEAR_ANGLE
) -> ImageFacts:
    """Check a mask: a 3-D image of integers with voxels inside and outside, on the grid of ``like`` if given."""
    facts = read_facts(path, max_shear_angle)
    _require_grid(facts, like)
    voxels = label_voxels(image_of(facts), path)
    if not voxels.any():
        raise ImageError(f"{path}: the mask is empty.", remedy=_DRAW)
    if voxels.all():
        raise ImageError(f"{path}: the mask holds every voxel of the image, so it masks nothing.", remedy=_DRAW)
    return facts


def check_labels(
    path: str | Path,
    labels: Sequence[Label],
    *,
    like: ImageFacts | None = None,
    max_shear_angle: float = MAX_SHEAR_ANGLE,
) -> ImageFacts:
    """Check a label map: a 3-D image of integers, not all 0, each of them in the table of ``labels``."""
    facts = read_facts(path, max_shear_angle)
    _require_grid(facts, like)
    voxels = label_voxels(image_of(facts), path)
    require_known(voxels, labels, str(path))
    if not voxels.any():
        raise ImageError(f"{path}: the label map is empty.", remedy=_DRAW)
    return facts


def check_priors(path: str | Path, table: str | Path, nuclei: Sequence[Label]) -> None:
    """Check a model's probabilities, and that every subcortical label of ``nuclei`` is a structure of theirs.

    Raises
    ------
    ImageError, TableError
        As `read_priors`; no structure has the intensities of one of `NEEDED`; or a label that no structure of the table
        stands for, which would always be empty.
    """
    from tntpipe.imaging.mixture import NEEDED
    from tntpipe.imaging.priors import REMEDY, read_priors

    priors = read_priors(path, table)
    lacking = [group for group in NEEDED if group not in priors.groups]
    if lacking:
        raise TableError(f"{table}: no structure has the intensities of {' and '.join(lacking)}.", remedy=REMEDY)
    found = {structure.subcortex for structure in priors.structures}
    missing = [label.name for label in nuclei if label.index and label.name not in found]
    if missing:
        raise TableError(
            f"{table}: no structure is {missing[0]!r} in its column subcortex, though the subcortical labels have it.",
            remedy="Name it there as the subcortical label table does.",
        )


def check_tags(
    path: str | Path,
    labels: Sequence[Label],
    template: ImageFacts,
    brain_mask: str | Path,
    *,
    max_shear_angle: float = MAX_SHEAR_ANGLE,
) -> None:
    """Check a tag table: every tag within the template's image, and enough of each class in its brain.

    Raises
    ------
    TableError
        As `read_tags`; or a tag lies outside the image, or fewer than `MIN_TAGS` of a class lie in the brain.
    """
    tags = read_tags(path, labels)
    remedy = "Coordinates are world mm of the template, x to the right, y to the front, z to the top (RAS)."
    affine = np.array(template.affine)
    whole = np.ones(template.shape, dtype=np.float32)
    inside = np.isfinite(sample_points(tags.points, whole, whole > 0, affine))
    if not inside.all():
        x, y, z = tags.points[int(np.argmin(inside))]
        raise TableError(f"{path}: the tag ({x:g}, {y:g}, {z:g}) lies outside {template.path.name}.", remedy=remedy)
    brain = label_voxels(load_given(brain_mask, max_shear_angle), brain_mask) > 0
    in_brain = np.isfinite(sample_points(tags.points, whole, brain, affine))
    for label in labels:
        n_tags = int((in_brain & (np.array(tags.indices) == label.index)).sum())
        if label.index and n_tags < MIN_TAGS:
            raise TableError(
                f"{path}: class {label.index} ({label.name}) has {n_tags} tags in the brain of {template.path.name}, "
                f"at least {MIN_TAGS} are needed.",
                remedy=remedy,
            )


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
    if max(abs(voxels.minimum), abs(voxels.maximum)) > LARGEST_FLOAT32:
        fact = f"holds values from {voxels.minimum:g} to {voxels.maximum:g}, too large for 32 bits."
    elif voxels.maximum <= 0 and voxels.minimum < 0:
        fact = "no voxel is above 0; a T1w has bright tissue."
    elif float(np.float32(voxels.maximum)) - float(np.float32(voxels.minimum)) < SMALLEST_FLOAT32:
        kind = "0" if voxels.minimum == voxels.maximum == 0 else f"the same value, {voxels.maximum:g}"
        fact = f"every voxel is {kind}; there is no picture in it."
    elif voxels.n_values < MIN_VALUES:
        raise ImageError(
            f"{path}: its voxels have {voxels.n_values} different values, as masks and label maps do.",
            remedy="Put the T1w itself there.",
        )
    else:
        return
    raise ImageError(f"{path}: {fact}", remedy=RECONVERT)
