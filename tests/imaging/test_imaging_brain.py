"""The refined mask hugs a brain whose edge is known, and never strays from the registered one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from tntpipe.errors import ImageError
from tntpipe.imaging.brain import MOST_INWARD_MM, MOST_OUTWARD_MM, refine_brain_mask

VOXEL_MM = (2.0, 1.5, 2.5)
SHAPE = (90, 110, 72)


def distance_mm(shift_mm: tuple[float, float, float] = (0, 0, 0)) -> np.ndarray:
    axes = [(np.arange(n) - (n - 1) / 2) * size - s for n, size, s in zip(SHAPE, VOXEL_MM, shift_mm, strict=True)]
    return np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))


@pytest.fixture(scope="module")
def phantom() -> np.ndarray:
    """White matter to 45 mm, grey to 60 with fluid-filled sulci, fluid and bone to 68, marrow and scalp beyond."""
    r = distance_mm()
    values = np.select([r < 45, r < 60, r < 68, r < 76], [110.0, 80.0, 15.0, 190.0], 2.0)
    sulci = (np.arange(SHAPE[0]) % 12 == 0)[:, None, None] & (r > 48) & (r < 60)
    values[sulci] = 15
    values[np.abs(r - 20) < 2] = 20  # a ventricle
    values += np.random.default_rng(0).normal(0, 4, SHAPE)
    return ndimage.gaussian_filter(values, 0.5)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * float((a & b).sum()) / float(a.sum() + b.sum())


def boundary_moves_mm(refined: np.ndarray, registered: np.ndarray) -> tuple[float, float]:
    inward = ndimage.distance_transform_edt(registered, sampling=VOXEL_MM)[registered & ~refined]
    outward = ndimage.distance_transform_edt(~registered, sampling=VOXEL_MM)[refined & ~registered]
    return float(inward.max(initial=0)), float(outward.max(initial=0))


@pytest.mark.parametrize("shift_mm", [(3, 0, 0), (0, -3, 0), (0, 1, 2.5)])
@pytest.mark.parametrize("radius_mm", [57.5, 60, 63.5])
def test_a_misplaced_mask_moves_towards_the_edge_of_the_brain_within_the_limits(phantom, shift_mm, radius_mm):
    truth = distance_mm() < 60
    registered = distance_mm(shift_mm) < radius_mm
    refined = refine_brain_mask(phantom, registered.astype(np.float32), VOXEL_MM)
    assert dice(refined, truth) > max(dice(registered, truth) + 0.01, 0.95)
    inward, outward = boundary_moves_mm(refined, registered)
    assert inward <= MOST_INWARD_MM
    assert outward <= MOST_OUTWARD_MM


def test_a_mask_that_fits_already_stays(phantom):
    truth = distance_mm() < 60
    assert dice(refine_brain_mask(phantom, truth.astype(np.float32), VOXEL_MM), truth) > 0.97


def test_the_mask_is_one_piece_without_holes(phantom):
    refined = refine_brain_mask(phantom, (distance_mm() < 62).astype(np.float32), VOXEL_MM)
    assert ndimage.label(refined)[1] == 1
    assert np.array_equal(ndimage.binary_fill_holes(refined), refined)


@pytest.mark.parametrize("spread", [1, 100], ids=["everything looks like brain", "nothing can be told"])
def test_intensities_that_mislead_move_the_boundary_no_further_than_the_limits(spread):
    values = 100 + spread * np.random.default_rng(0).uniform(-1, 1, SHAPE)
    # A slit so wide (7.5 mm) that only its middle is out of reach from both sides: smoothing must not fill that.
    slit = np.abs(np.arange(SHAPE[1]) - SHAPE[1] // 2)[None, :, None] <= 2
    registered = (distance_mm() < 60) & ~(slit & (distance_mm() > 30))
    refined = refine_brain_mask(values, registered.astype(np.float32), VOXEL_MM)
    inward, outward = boundary_moves_mm(refined, registered)
    assert inward <= MOST_INWARD_MM
    assert outward <= MOST_OUTWARD_MM


def test_a_probability_counts_as_brain_above_one_half(phantom):
    probability = np.clip((66 - distance_mm()) / 12, 0, 1).astype(np.float32)
    from_probability = refine_brain_mask(phantom, probability, VOXEL_MM)
    from_mask = refine_brain_mask(phantom, (probability > 0.5).astype(np.float32), VOXEL_MM)
    assert np.array_equal(from_probability, from_mask)


def test_a_mask_that_missed_the_scan_or_is_a_sliver_is_refused(phantom):
    with pytest.raises(ImageError, match="does not meet the scan"):
        refine_brain_mask(phantom, np.zeros(SHAPE, np.float32), VOXEL_MM)
    with pytest.raises(ImageError, match="nowhere 16 mm thick"):
        refine_brain_mask(phantom, (distance_mm() < 7).astype(np.float32), VOXEL_MM)
