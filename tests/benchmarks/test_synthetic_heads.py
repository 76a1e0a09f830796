"""Painted heads: what is drawn depends on the seed alone, fields and noise have the strength they are said to have."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.synthetic_heads import (
    SHAPES,
    Appearance,
    LabelMap,
    field,
    noisy,
    paint,
    resampled,
    scanned,
    thick,
)

WHITE = (1, 160.0, 20.0, 15.0)
TABLE = {0: (0, 7.0, 1.8, 5.0), 2: WHITE, 41: WHITE, 3: (2, 96.0, 12.0, 18.0), 24: (3, 44.0, 11.0, 25.0)}
FLAT = Appearance(seed=3, bias_percent=0, noise_percent=0, texture=0)


@pytest.fixture(scope="module")
def head():
    """A ball of white matter in a shell of grey matter and one of fluid."""
    place = np.stack(np.indices((40, 44, 36)), -1) - (20, 22, 18)
    radius = np.linalg.norm(place, axis=-1)
    white = np.where(place[..., 0] < 0, 2, 41)
    labels = np.select([radius < 9, radius < 12, radius < 14], [white, 3, 24], 0).astype(np.int16)
    return LabelMap(labels, np.diag([1.0, 1.0, 1.0, 1.0]))


def test_the_same_seed_paints_the_same_scan_and_another_one_does_not(head):
    first = scanned(head, TABLE, Appearance(seed=3))
    assert np.array_equal(first, scanned(head, TABLE, Appearance(seed=3)))
    assert not np.array_equal(first, scanned(head, TABLE, Appearance(seed=4)))


def test_a_flat_head_has_one_intensity_deep_in_each_tissue(head):
    image = paint(head, TABLE, FLAT)
    assert np.ptp(image[18:23, 20:25, 16:21]) < 0.01
    assert image[20, 22, 18] == pytest.approx(160, abs=0.4 * 1.5 * 20)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_field_of_40_percent_lies_between_0_8_and_1_2_in_the_brain(head, shape):
    inside = field(head, Appearance(seed=5, bias_percent=40, shape=shape))[head.brain]
    assert (inside.min(), inside.max()) == pytest.approx((0.8, 1.2), abs=1e-4)


def test_the_same_field_at_twice_the_strength_deviates_twice_as_far(head):
    weak, strong = (field(head, Appearance(seed=5, bias_percent=p, shape="slant"))[head.brain] for p in (40, 80))
    assert np.allclose(strong - 1, 2 * (weak - 1), atol=1e-5)


def test_no_field_is_one_everywhere(head):
    assert (field(head, FLAT) == 1).all()


def test_an_unknown_shape_is_refused(head):
    with pytest.raises(ValueError, match="ring"):
        field(head, Appearance(shape="ring"))


def test_noise_is_relative_to_white_matter(head):
    image = np.full(head.labels.shape, 200, dtype=np.float32)
    seen = noisy(image, head, Appearance(seed=1, noise_percent=3))
    assert float((seen - image).std()) == pytest.approx(6, rel=0.03)


def test_thick_slices_are_means_and_their_centres_stay_in_place():
    image = np.arange(7, dtype=np.float32)[:, None, None] * np.ones((1, 2, 2), dtype=np.float32)
    averaged, affine = thick(image, np.diag([2.0, 1.0, 1.0, 1.0]), 0, 3)
    assert averaged[:, 0, 0].tolist() == [1, 4]
    assert (affine @ (0, 0, 0, 1))[0] == 2  # mm, of the middle of voxels 0 to 2
    assert (affine @ (1, 0, 0, 1))[0] == 8


def test_finer_voxels_keep_a_slope_where_it_was():
    image = (10 + np.arange(20, dtype=np.float32))[:, None, None] * np.ones((1, 6, 6), dtype=np.float32)
    fine, affine = resampled(image, np.eye(4), 0.8)
    assert fine.shape == (25, 7, 7)
    assert fine[10, 3, 3] == pytest.approx(10 + (affine @ (10, 3, 3, 1))[0], abs=0.01)
