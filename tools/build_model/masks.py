"""The template's T1w as shipped, its brain mask and its intracranial mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tools.build_model.images import Mask, ball, solid
from tools.build_model.tissue import EXTRACRANIAL

AIR_INTENSITY = 500
"""Averaged air reaches about 600 of the template's 10000; taken off, so that the head fades into 0 without an edge."""
HEAD_THRESHOLD = 700
LEVELS = 500
"""Grey levels kept of 10000: steps of 0.2 %, a fifth of the contrast that noise leaves in the brain."""

OPENING_MM = 4
DURA_MM = 4


def shipped_t1w(template: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return the whole head at ``LEVELS`` grey levels on a background of 0, small enough to ship."""
    head = ndimage.binary_dilation(solid(template > HEAD_THRESHOLD), ball(3))
    scaled = (template - AIR_INTENSITY) * (LEVELS / (template.max() - AIR_INTENSITY))
    return np.where(head, np.rint(np.clip(scaled, 0, LEVELS)), 0).astype(np.int16)


def brain_mask(brain_only: NDArray[np.float32]) -> Mask:
    """Return the support of the published brain-only template, without holes."""
    return solid(brain_only > 0)


def intracranial_mask(priors: NDArray[np.float32], names: list[str], brain: Mask) -> Mask:
    """Return where the atlas expects anything inside the skull rather than outside, with the whole brain mask.

    Opened with a ball, which cuts the optic nerves and the vessels that leave the skull; one voxel trimmed, since the
    atlas's CSF reaches into the dura; and no farther from the brain mask than the dura is.
    """
    outside = [index for index, name in enumerate(names) if name in EXTRACRANIAL]
    covered = priors.sum(axis=-1) > 0.5
    inside = (priors[..., outside].sum(axis=-1) < 0.5) & covered
    opened = ndimage.binary_opening(solid(inside), ball(OPENING_MM))
    trimmed = ndimage.binary_erosion(opened) & ndimage.binary_dilation(brain, ball(DURA_MM))
    return solid(trimmed | brain)
