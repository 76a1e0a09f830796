"""What is doubtful about a scan that can be processed: its figures might be wrong although every step succeeds.

Decides which facts of a brain mask and of tissue samples no sound T1w of an adult shows. Knows no step; a doubt is a
line of the log that begins with `WARNING_MARK`, which a run tells its user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tntpipe.errors import WARNING_MARK, ImageError

if TYPE_CHECKING:
    from tntpipe.imaging.tissue_classes import TissueClass

SMALLEST_ADULT_BRAIN_MM3 = 0.8e6
LARGEST_ADULT_BRAIN_MM3 = 2.2e6
"""Volumes outside are doubted. Of 58 adults of 18 to 95 years on CT (Surg Radiol Anat 2010, doi
10.1007/s00276-010-0650-4) the smallest brain had 0.791 L, and the largest cranial cavity, which no brain mask should
exceed, 1.656 L (mean 1.385, SD 0.135); 46 adults on MRI had brains of 0.975 to 1.499 L (Allen 2002, Am J Phys
Anthropol 118:341). Six SDs above the mean cavity leave room for scans that were normalised to MNI space, whose brains
are large: the model's own mask has 1.9 L."""

MOST_AT_EDGE = 0.01
"""Of a brain mask's surface: more on the edge of the image and part of the brain was not scanned, or the mask is not
where the brain is."""

MOST_AT_BLANK = 0.05
"""Of a brain mask's surface: a scanner's noise is seldom exactly 0, so that on whole heads less than 1 % of it borders
on voxels of 0, on skull-stripped ones over half."""

BRIGHTEST_AIR, ROUGHEST_AIR = 0.3, 0.12
"""Of the middle of the head, the median of the image's corners and of the differences between neighbours there: above
both, there is noise as bright as tissue. See ``docs/reliability.md`` for what scans have."""

FEWEST_SDS, DOUBTED_SDS = 0.5, 1.0
"""Between the medians of neighbouring tissues, in standard deviations of one: below the first they cannot be told
apart, below the second hardly. See ``docs/reliability.md`` for what sound and wrong scans have."""


def tell(doubt: str) -> None:
    """Put a doubt, if there is one, into the step's log."""
    if doubt:
        print(f"{WARNING_MARK}{doubt}")


def doubt_about_volume(volume_mm3: float) -> str:
    """What is odd about a brain mask of that volume; empty where nothing is.

    Examples
    --------
    >>> doubt_about_volume(1.4e6)
    ''
    >>> doubt_about_volume(0.31e6)[:55]
    'The brain mask has 0.31 L, where adult brains have 0.8 '
    """
    if SMALLEST_ADULT_BRAIN_MM3 <= volume_mm3 <= LARGEST_ADULT_BRAIN_MM3:
        return ""
    return (
        f"The brain mask has {volume_mm3 / 1e6:.2f} L, where adult brains have {SMALLEST_ADULT_BRAIN_MM3 / 1e6:g} to "
        f"{LARGEST_ADULT_BRAIN_MM3 / 1e6:g} L: the registration has failed, the voxel sizes of the scan's header are "
        "wrong, or this is no adult's brain. Look at the mask on the scan before its figures are used."
    )


def doubt_about_edge(mask: NDArray[np.bool_]) -> str:
    """What is odd about a brain mask of which more than `MOST_AT_EDGE` of the surface is the image's edge.

    Examples
    --------
    >>> mask = np.zeros((9, 9, 9), dtype=bool)
    >>> mask[2:7, 2:7, 2:7] = True
    >>> doubt_about_edge(mask)
    ''
    >>> doubt_about_edge(mask[:, :, 3:])[:55]
    'The brain mask reaches the edge of the image with 19 % '
    """
    at_edge = sum(int(np.take(mask, end, axis).sum()) for axis in range(3) for end in (0, -1))
    surface = at_edge + sum(int((np.diff(mask.astype(np.int8), axis=axis) != 0).sum()) for axis in range(3))
    if at_edge <= MOST_AT_EDGE * surface:
        return ""
    return (
        f"The brain mask reaches the edge of the image with {100 * at_edge / surface:.0f} % of its surface: a part of "
        "the brain was not scanned, or the registration has failed. Look at the mask on the scan before its figures "
        "are used."
    )


def doubt_about_blank(mask: NDArray[np.bool_], values: NDArray[Any]) -> str:
    """What is odd about a brain mask of which more than `MOST_AT_BLANK` of the surface borders on voxels of exactly 0.

    Examples
    --------
    >>> mask = np.zeros((9, 9, 9), dtype=bool)
    >>> mask[2:7, 2:7, 2:7] = True
    >>> doubt_about_blank(mask, np.ones(mask.shape))
    ''
    >>> doubt_about_blank(mask, mask.astype(float))[:56]
    'The scan is skull-stripped, or a part of it is blank: 10'
    """
    blank = values == 0
    n_faces = n_blank = 0
    for axis in range(3):
        ahead, behind = (
            tuple(part if a == axis else slice(None) for a in range(3)) for part in (slice(1, None), slice(None, -1))
        )
        for inner, outer in ((ahead, behind), (behind, ahead)):
            faces = mask[inner] & ~mask[outer]
            n_faces += int(faces.sum())
            n_blank += int((faces & blank[outer]).sum())
    if n_blank <= MOST_AT_BLANK * n_faces:
        return ""
    return (
        f"The scan is skull-stripped, or a part of it is blank: {100 * n_blank / n_faces:.0f} % of the brain mask's "
        "surface borders on voxels of 0, so that the brain's size is that of whoever set them to 0. Use the whole head "
        "if there is one, and look at the mask on the scan before its figures are used."
    )


def doubt_about_air(level: float, roughness: float) -> str:
    """What is odd about air of that brightness and roughness, both relative to the middle of the head.

    Examples
    --------
    >>> doubt_about_air(0.065, 0.007)
    ''
    >>> doubt_about_air(0.98, 0.58)[:60]
    'The air around the head is noise, and 98 % as bright as the '
    """
    if level <= BRIGHTEST_AIR or roughness <= ROUGHEST_AIR:
        return ""
    return (
        f"The air around the head is noise, and {100 * level:.0f} % as bright as the head, as in the UNI image of an "
        "MP2RAGE. Most of it was set to 0, but some is left in the skull and around the head, so the volumes may be "
        "too small. Use the denoised image (UNI-DEN) if the scanner made one, or multiply UNI by INV2; otherwise look "
        "at the mask on the scan before its figures are used."
    )


def doubt_about_tissues(classes: Sequence[TissueClass], names: Mapping[int, str], image: str) -> str:
    """What is odd about tissue samples, given in the order of their medians; ``names`` are CSF, GM and WM.

    Raises
    ------
    ImageError
        Where the tissues are not as bright as on a T1w, one after the other, or cannot be told apart.
    """
    remedy = "Look at the registered model on the scan, and whether this is a T1w with a right orientation."
    found = [names.get(tissue.index, str(tissue.index)) for tissue in classes]
    if found != list(DARK_TO_BRIGHT):
        raise ImageError(
            f"{image}: at the tags of the model, {', '.join(found)} follow each other from dark to bright, where on a "
            f"T1w {', '.join(DARK_TO_BRIGHT)} do: the registration has failed, or this is no T1w.",
            remedy=remedy,
        )
    apart = [separation_sds(darker, brighter) for darker, brighter in pairwise(classes)]
    told = " and ".join(f"{a}–{b} {sds:.2f}" for (a, b), sds in zip(pairwise(found), apart, strict=True))
    if min(apart) < FEWEST_SDS:
        raise ImageError(
            f"{image}: at the tags of the model the tissues cannot be told apart ({told} standard deviations, at least "
            f"{FEWEST_SDS:g} are needed): the registration has failed, or there is no brain.",
            remedy=remedy,
        )
    if min(apart) >= DOUBTED_SDS:
        return ""
    return f"The tissues can hardly be told apart ({told} standard deviations). {remedy}"


DARK_TO_BRIGHT = ("CSF", "GM", "WM")


def separation_sds(darker: TissueClass, brighter: TissueClass) -> float:
    """How far two medians lie apart, in the root mean square of both standard deviations."""
    return (brighter.median - darker.median) / float(np.sqrt((darker.sd**2 + brighter.sd**2) / 2))
