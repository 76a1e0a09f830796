"""One orientation is left in a header, and it is the right one."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tntpipe.errors import ImageError
from tntpipe.imaging.clean_header import clean_header
from tntpipe.imaging.facts import read_facts
from tntpipe.imaging.orientation import MAX_SHEAR_ANGLE, shear_angle
from tntpipe.imaging.volumes import load

RAMP = np.arange(20 * 18 * 16, dtype=np.int16).reshape(20, 18, 16)
TURN = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])


def affine(matrix: np.ndarray, offset: tuple[float, float, float] = (-10, 5, 7)) -> np.ndarray:
    full = np.eye(4)
    full[:3, :3], full[:3, 3] = matrix, offset
    return full


def cleaned(path: Path, max_shear_angle: float = MAX_SHEAR_ANGLE) -> tuple[nib.Nifti1Image, tuple[str, ...]]:
    return clean_header(load(path), path, max_shear_angle)


def test_a_qform_alone_is_kept_bit_by_bit(write):
    path = write(qform=affine(TURN * [1, 2, 3]))
    image, notices = cleaned(path)
    before = nib.load(path).header
    for field in ("qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"):
        assert image.header[field] == before[field], field
    assert (image.header["pixdim"][:4] == before["pixdim"][:4]).all()
    assert notices == ()


def test_of_two_forms_the_sform_is_dropped_and_a_difference_is_told(write):
    qform = affine(np.diag([2.0, 2, 2]))
    path = write(qform=qform, sform=affine(np.diag([2.0, 2, 2]), (0, 5, 7)))
    image, notices = cleaned(path)
    np.testing.assert_allclose(image.affine, qform)
    assert image.header["sform_code"] == 0
    warnings = read_facts(path, MAX_SHEAR_ANGLE).warnings
    assert (notices, warnings) == ((), ("its qform and sform place the image up to 10.0 mm apart; the qform is kept",))


def test_two_forms_that_agree_are_no_news(write):
    same = affine(TURN * 2)
    assert cleaned(write(qform=same, sform=same))[1] == ()


def test_an_sform_alone_becomes_the_qform(write):
    sform = affine(TURN * [-1, 2, 3])
    image, _ = cleaned(write(sform=sform))
    assert (image.header["qform_code"], image.header["sform_code"]) == (1, 0)
    np.testing.assert_allclose(image.get_qform(), sform, atol=1e-5)


def test_an_sform_that_shears_more_than_the_limit_is_refused(write):
    sform = affine(np.array([[1, 0.01, 0], [0, 1, 0], [0, 0, 1]]))
    with pytest.raises(ImageError, match=r"only its sform is set, and it shears .* by 0.01 rad"):
        cleaned(write(sform=sform))
    cleaned(write(sform=sform), max_shear_angle=0.02)


def test_a_rotation_rounded_to_32_bits_is_no_shear():
    rng = np.random.default_rng(0)
    for _ in range(200):
        rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.uniform(0.3, 3, 3)
        assert shear_angle(affine(rotation.astype(np.float32))) < 1e-6


def test_an_image_without_any_orientation_is_refused(write):
    path = write("scan.nii", fields={"qform_code": 0})
    with pytest.raises(ImageError, match="neither its qform nor its sform is set"):
        cleaned(path)


@pytest.mark.parametrize("noise", [6e-8, 1.2e-7])
def test_a_half_turn_with_rounding_noise_is_read_alike_by_nibabel_and_by_ants(write, run, tmp_path, noise):
    path = write("scan.nii", fields={"quatern_d": np.float32(1) - np.float32(noise)})
    assert run("clean-header", "--input", path, "--output", "clean.nii.gz").returncode == 0
    words = ("antsApplyTransforms", "-d", "3", "-i", "clean.nii.gz", "-r", "clean.nii.gz", "-o", "ants.nii.gz")
    assert run(*words, module="tntpipe.programs.ants").returncode == 0
    np.testing.assert_allclose(nib.load(tmp_path / "clean.nii.gz").affine, nib.load(tmp_path / "ants.nii.gz").affine)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_a_type_that_ants_reads_is_kept_with_its_voxels(write, dtype):
    image, notices = cleaned(write(voxels=(RAMP % 200).astype(dtype)))
    assert (image.get_data_dtype(), notices) == (np.dtype(dtype), ())
    assert np.array_equal(image.dataobj, RAMP % 200)


@pytest.mark.parametrize(
    ("dtype", "extreme", "native"),
    [("int64", -1, "int16"), ("int64", 2**31, "float64"), ("uint64", 65535, "uint16"), ("uint32", 255, "uint8")],
)
def test_any_other_integer_type_becomes_the_smallest_that_holds_its_values(dtype, extreme, native):
    voxels = (RAMP % 100).astype(dtype)
    voxels[0, 0, 0] = extreme
    image = nib.Nifti1Image(voxels, None, dtype=dtype)
    image.set_qform(np.eye(4), code=1)
    result, notices = clean_header(image, "wide.nii.gz")
    assert notices == (f"voxels are converted from {dtype} to {native}",)
    assert result.get_data_dtype() == np.dtype(native)
    assert np.array_equal(result.dataobj, voxels)


def test_big_endian_voxels_become_native(tmp_path):
    image = nib.Nifti1Image(RAMP, np.eye(4), nib.Nifti1Header(endianness=">"))
    image.set_data_dtype(">i2")
    image.set_qform(np.eye(4), code=1)
    image.to_filename(tmp_path / "big.nii")
    result, _ = cleaned(tmp_path / "big.nii")
    assert result.header.endianness == "<"
    assert np.array_equal(result.dataobj, RAMP)


def test_scaled_voxels_are_written_as_their_values(write):
    path = write("scaled.nii", fields={"scl_slope": 0.5, "scl_inter": 10.0})
    result, _ = cleaned(path)
    assert result.get_data_dtype().kind == "f"
    np.testing.assert_allclose(result.get_fdata(), RAMP * 0.5 + 10)


def test_trailing_axes_of_length_one_are_removed(write):
    result, _ = cleaned(write(voxels=RAMP[..., None, None]))
    assert result.shape == RAMP.shape
    assert np.array_equal(result.dataobj, RAMP)


def test_isolated_voxels_that_are_no_number_become_0(write):
    voxels = RAMP.astype(np.float32)
    voxels[3, 4, 5], voxels[6, 7, 8] = np.nan, np.inf
    result, notices = cleaned(write(voxels=voxels))
    assert notices == ("2 voxels that are no finite number become 0",)
    assert result.get_fdata()[3, 4, 5] == result.get_fdata()[6, 7, 8] == 0
    assert np.isfinite(result.get_fdata()).all()


def test_names_and_comments_of_the_scanner_are_left_behind(write):
    path = write("scan.nii", fields={"descrip": b"Jane Doe 1970"})
    result, _ = cleaned(path)
    assert result.header["descrip"].item() == b""


def test_a_real_head_keeps_its_voxels_and_place_and_gives_the_same_bytes_twice(head, run, tmp_path):
    for name in ("one.nii.gz", "two.nii.gz"):
        assert run("clean-header", "--input", head, "--output", name).returncode == 0
    assert (tmp_path / "one.nii.gz").read_bytes() == (tmp_path / "two.nii.gz").read_bytes()
    before, after = nib.load(head), nib.load(tmp_path / "one.nii.gz")
    assert np.array_equal(before.dataobj, after.dataobj)
    np.testing.assert_allclose(after.affine, before.get_qform() if before.header["qform_code"] else before.affine)
    assert after.header["sform_code"] == 0
