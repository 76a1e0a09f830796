"""ANTs' displacements are LPS, places are RAS, and a field belongs to one grid."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from tntpipe.errors import ImageError
from tntpipe.imaging.displacement import model_places, read_displacement

SHAPE = (4, 5, 6)


def write_field(path, shape=(*SHAPE, 1, 3)):
    nib.Nifti1Image(np.arange(np.prod(shape), dtype=np.float32).reshape(shape), np.eye(4)).to_filename(path)
    return path


def test_a_displacement_to_left_back_and_up_lowers_x_and_y_and_raises_z():
    affine = np.array([[2.0, 0, 0, -10], [0, 3, 0, 20], [0, 0, 4, 5], [0, 0, 0, 1]])
    field = np.zeros((*SHAPE, 3), np.float32)
    field[1, 2, 3] = 1, 2, 3
    found = model_places(np.array([[1, 0], [2, 0], [3, 0]]), affine, field)
    assert found.T.tolist() == [[-8 - 1, 26 - 2, 17 + 3], [-10, 20, 5]]


def test_voxels_of_an_oblique_scan_are_placed_by_its_affine():
    turn = nib.affines.from_matvec([[0, -2, 0], [2, 0, 0], [0, 0, 2]], [7, 8, 9])
    found = model_places(np.array([[1], [2], [3]]), turn, np.zeros((*SHAPE, 3), np.float32))
    assert found.ravel().tolist() == [7 - 4, 8 + 2, 9 + 6]


def test_a_field_is_read_as_a_vector_for_each_voxel(tmp_path):
    field = read_displacement(write_field(tmp_path / "field.nii.gz"), SHAPE)
    assert field.shape == (*SHAPE, 3)
    assert field.dtype == np.float32
    assert field[0, 0, 1].tolist() == [3, 4, 5]


@pytest.mark.parametrize("shape", [(4, 5, 7, 1, 3), (4, 5, 6, 3), (4, 5, 6, 1, 2), (4, 5, 6)])
def test_a_file_without_a_vector_for_each_voxel_of_the_scan_is_refused_by_name(tmp_path, shape):
    with pytest.raises(ImageError, match=r"field\.nii\.gz: has shape \(4, 5, .*grid has \(4, 5, 6, 1, 3\)"):
        read_displacement(write_field(tmp_path / "field.nii.gz", shape), SHAPE)
