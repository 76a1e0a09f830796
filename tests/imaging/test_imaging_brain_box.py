"""Brains cut out of scans, and brought to a grid of their own: where they lie, how bright, how large."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from tntpipe.imaging.brain_box import crop_brain_file, resampled


def test_a_cropped_brain_stays_where_it_is_in_the_world(tmp_path):
    affine = np.array([[0, -2.0, 0, 30], [1.5, 0, 0, -20], [0, 0, 2, 10], [0, 0, 0, 1]])
    values = np.random.default_rng(0).uniform(100, 200, (30, 36, 40)).astype(np.float32)
    inside = np.zeros(values.shape, np.uint8)
    inside[12:20, 14:25, 9:33] = 1
    for name, voxels in (("scan", values), ("mask", inside)):
        image = nib.Nifti1Image(voxels, None)
        image.set_qform(affine, 1)
        image.to_filename(tmp_path / f"{name}.nii.gz")
    paths = {name: str(tmp_path / f"{name}.nii.gz") for name in ("scan", "mask", "brain")}
    crop_brain_file(image=paths["scan"], mask=paths["mask"], output=paths["brain"], margin=6, clip_percent=0, grid_mm=0)
    brain = nib.load(paths["brain"])
    assert brain.shape == (16, 17, 30)  # 6 mm on each side, of voxels of 1.5, 2 and 2 mm
    cut = np.asarray(brain.dataobj)
    places = np.argwhere(cut > 0)
    assert len(places) == inside.sum()
    world = nib.affines.apply_affine(brain.affine, places)
    there = np.rint(nib.affines.apply_affine(np.linalg.inv(affine), world)).astype(int)
    assert np.array_equal(cut[tuple(places.T)], values[tuple(there.T)])
    assert (inside[tuple(there.T)] == 1).all()


def test_a_cropped_brain_is_clipped_at_its_bright_end(tmp_path):
    values = np.arange(1000, dtype=np.float32).reshape(10, 10, 10)
    for name, voxels in (("scan", values), ("mask", np.ones((10, 10, 10), np.uint8))):
        nib.Nifti1Image(voxels, np.eye(4)).to_filename(tmp_path / f"{name}.nii.gz")
    paths = {name: str(tmp_path / f"{name}.nii.gz") for name in ("scan", "mask", "brain")}
    crop_brain_file(image=paths["scan"], mask=paths["mask"], output=paths["brain"], margin=0, clip_percent=5, grid_mm=0)
    cut = np.asarray(nib.load(paths["brain"]).dataobj)
    assert cut.max() == pytest.approx(949, abs=1)
    assert np.array_equal(cut[values < 949], values[values < 949])


def ball(voxel_mm: tuple[float, float, float], radius_mm: float = 30.0) -> nib.Nifti1Image:
    """A ball of 100 about the world's (5, -3, 8), seen with partial volume on voxels of that size."""
    shape = [round(90 / size) for size in voxel_mm]
    affine = np.diag([*voxel_mm, 1.0])
    affine[:3, 3] = np.array([5.0, -3.0, 8.0]) - np.array(voxel_mm) * (np.array(shape) - 1) / 2
    fine = np.stack(np.meshgrid(*(np.arange(n * 3) / 3 - 1 / 3 for n in shape), indexing="ij"))
    world = fine * np.array(voxel_mm)[:, None, None, None] + affine[:3, 3][:, None, None, None]
    inside = np.linalg.norm(world - np.array([5.0, -3.0, 8.0])[:, None, None, None], axis=0) < radius_mm
    values = inside.reshape(shape[0], 3, shape[1], 3, shape[2], 3).mean(axis=(1, 3, 5)) * 100
    return nib.Nifti1Image(values.astype(np.float32), affine)


@pytest.mark.parametrize("voxel_mm", [(0.7, 0.7, 0.7), (1.0, 1.0, 1.3), (1.0, 1.0, 3.0), (2.0, 2.0, 2.0)])
def test_a_resampled_brain_has_its_size_and_place_whatever_its_voxels_were(voxel_mm):
    found = resampled(ball(voxel_mm), 2.0)
    assert nib.affines.voxel_sizes(found.affine) == pytest.approx([2, 2, 2])
    values = np.asarray(found.dataobj)
    assert values.sum() * 8 / 100 == pytest.approx(4 / 3 * np.pi * 30**3, rel=0.005)
    assert values.max() == pytest.approx(100, abs=0.01)
    places = np.argwhere(np.ones(values.shape, bool))
    centre = nib.affines.apply_affine(found.affine, places.T @ values.ravel() / values.sum())
    assert centre == pytest.approx([5, -3, 8], abs=0.01)


def test_an_oblique_brain_is_resampled_along_its_own_axes():
    image = ball((1.0, 1.0, 1.3))
    turned = np.eye(4)
    turned[:3, :3] = [[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]
    oblique = resampled(nib.Nifti1Image(np.asarray(image.dataobj), turned @ image.affine), 2.0)
    upright = resampled(image, 2.0)
    assert np.array_equal(np.asarray(oblique.dataobj), np.asarray(upright.dataobj))
    assert oblique.affine == pytest.approx(turned @ upright.affine)


def test_fine_voxels_are_averaged_and_not_picked():
    """Noise of 0.5 mm: the Gaussian leaves 1 / (2 sqrt(pi) 1.64)^1.5 of it, 7 %; trilinear sampling alone 35 %."""
    values = np.random.default_rng(0).normal(500, 100, (80, 80, 80)).astype(np.float32)
    found = np.asarray(resampled(nib.Nifti1Image(values, np.diag([0.5, 0.5, 0.5, 1])), 2.0).dataobj)[3:-3, 3:-3, 3:-3]
    assert found.mean() == pytest.approx(500, abs=1)
    assert found.std() < 8
