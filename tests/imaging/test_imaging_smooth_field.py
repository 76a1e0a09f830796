"""A smooth field comes back from where it should go, and stays flat where nothing decides it."""

from __future__ import annotations

import numpy as np
import pytest

from tntpipe.imaging.smooth_field import CosineBasis, cosine_basis, curved, stepped

SHAPE = (40, 50, 36)
VOXEL_MM = (4.0, 3.5, 4.5)


@pytest.fixture(scope="module")
def brain() -> np.ndarray:
    """An ellipsoid of 136, 157 and 135 mm with air around it."""
    axes = [(np.arange(n) - (n - 1) / 2) / (0.425 * n) for n in SHAPE]
    mask = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")) < 1
    return np.asarray(mask)


@pytest.fixture(scope="module")
def indices(brain) -> np.ndarray:
    return np.argwhere(brain).T


@pytest.fixture(scope="module")
def basis(brain) -> CosineBasis:
    return cosine_basis(brain, VOXEL_MM)


def smooth(indices: np.ndarray) -> np.ndarray:
    """From 0.8 to 1.2 in the image, slow along each axis."""
    x, y, z = (line / (n - 1) for line, n in zip(indices, SHAPE, strict=True))
    wave = np.sin(2 * x + 1) - np.cos(2.5 * y) + 0.7 * z**2
    return np.asarray(0.8 + 0.4 * (wave - 0.3) / 2.6, dtype=np.float32)


def recovered(basis: CosineBasis, indices: np.ndarray, field: np.ndarray, weight: float = 400) -> np.ndarray:
    """The coefficients that least squares of the field's logarithm ask for: one step gets there."""
    at, weights = basis.at(indices), np.full(field.size, weight, np.float32)
    curvature = curved(at, basis.bending(), weights)
    return stepped(at, weights * np.log(field), curvature, np.zeros(basis.bending().size))


def field_at(basis: CosineBasis, indices: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    return np.exp(basis.at(indices) @ coefficients)


def test_a_field_that_levels_off_at_the_brains_ends_is_recovered_to_1_per_cent_everywhere(basis, indices):
    field = np.ones(indices.shape[1], np.float32)
    for line, low, high, waves in zip(indices, basis.low, basis.high, (1, 2, 1), strict=True):
        field += 0.1 * np.cos(np.pi * waves * (line + 0.5 - low) / (high + 1 - low)).astype(np.float32)
    found = field_at(basis, indices, recovered(basis, indices, field))
    assert np.ptp(field) > 0.4
    assert np.abs(found / field - 1).max() < 0.01


def test_a_field_that_still_slopes_there_is_recovered_to_1_per_cent_but_for_the_outermost_voxels(basis, indices):
    field = smooth(indices)
    error = np.abs(field_at(basis, indices, recovered(basis, indices, field)) / field - 1)
    assert np.ptp(field) > 0.25
    assert np.percentile(error, 99) < 0.01
    assert error.max() < 0.025


def test_a_constant_is_a_constant(basis, indices):
    coefficients = recovered(basis, indices, np.full(indices.shape[1], 1.3, np.float32))
    assert np.abs(field_at(basis, indices, coefficients) - 1.3).max() < 1e-3


@pytest.mark.parametrize("gain", [1e-6, 1e6])
def test_the_field_does_not_depend_on_the_weight_of_all_voxels_together(basis, indices, gain):
    field = smooth(indices)
    expected = recovered(basis, indices, field)
    assert np.allclose(recovered(basis, indices, field, 400 * gain), expected, atol=1e-3)


def test_a_field_on_the_whole_grid_is_the_one_at_its_voxels(basis, indices):
    coefficients = np.random.default_rng(0).normal(size=basis.bending().size)
    at_voxels = basis.at(indices) @ coefficients
    assert np.allclose(basis.volume(coefficients, SHAPE)[tuple(indices)], at_voxels, atol=1e-4)


def test_beyond_the_box_the_field_is_as_at_its_border():
    small = np.zeros(SHAPE, bool)
    small[15:25, 20:30, 13:23] = True
    basis = cosine_basis(small, VOXEL_MM)
    coefficients = np.random.default_rng(0).normal(size=basis.bending().size)
    volume = basis.volume(coefficients, SHAPE)
    for axis in range(3):
        low, high = basis.low[axis], basis.high[axis]
        assert low > 0 and high < SHAPE[axis] - 1
        lines = np.moveaxis(volume, axis, 0)
        assert (lines[:low] == lines[low]).all()
        assert (lines[high + 1 :] == lines[high]).all()
    ends = np.array([[0, basis.low[0]], [20, 20], [15, 15]])
    beyond, border = basis.at(ends)
    assert np.array_equal(beyond, border)


def test_a_half_without_data_stays_between_the_values_of_the_half_with_data(basis, indices):
    field = smooth(indices)
    known = indices[1] < SHAPE[1] // 2
    found = field_at(basis, indices, recovered(basis, indices[:, known], field[known]))
    assert np.percentile(np.abs(found[known] / field[known] - 1), 99) < 0.015
    least, most = field[known].min(), field[known].max()
    assert found[~known].min() > least - 0.1
    assert found[~known].max() < most + 0.1


def test_a_constant_in_one_half_is_a_constant_in_the_other(basis, indices):
    known = indices[0] < SHAPE[0] // 2
    coefficients = recovered(basis, indices[:, known], np.full(int(known.sum()), 1.3, np.float32))
    assert np.abs(field_at(basis, indices, coefficients) - 1.3).max() < 0.05


def test_faster_waves_cost_more_than_slow_ones_and_a_constant_nothing(basis):
    bending = basis.bending().reshape(basis.orders)
    assert bending[0, 0, 0] == 0
    assert (np.diff(bending, axis=0) > 0).all()
    assert bending[2, 0, 0] == pytest.approx(16 * bending[1, 0, 0])


def test_a_thin_box_still_has_a_slope():
    slab = np.ones((4, 4, 4), bool)
    assert cosine_basis(slab, (1.0, 1.0, 1.0)).orders == (2, 2, 2)
