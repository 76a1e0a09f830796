"""Each image that cannot be used is refused by name, with the reason."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tntpipe.errors import ExitStatus, ImageError
from tntpipe.imaging.check import check_header, check_image, check_labels, check_mask, same_grid
from tntpipe.imaging.tables import Label

RAMP = np.arange(20 * 18 * 16, dtype=np.int16).reshape(20, 18, 16)
NOISE = np.random.default_rng(0).integers(0, 5000, (32, 32, 32), dtype=np.int16)


def refusal(path: Path, *, by_header: bool) -> str:
    """What `check_image` says; `check_header` must say the same where the header is enough to know."""
    with pytest.raises(ImageError) as caught:
        check_image(path)
    assert caught.value.exit_status == ExitStatus.BAD_DATA
    assert str(path) in caught.value.fact
    if by_header:
        with pytest.raises(ImageError):
            check_header(path)
    else:
        check_header(path)
    return str(caught.value)


def test_a_real_head_passes_and_its_facts_are_its_headers(head):
    facts = check_image(head)
    image = nib.load(head)
    assert facts == check_header(head)
    assert (facts.shape, facts.n_voxels) == (image.shape, np.prod(image.shape))
    assert facts.voxel_mm == (2.0, 2.0, 2.0)
    np.testing.assert_allclose(facts.affine, image.affine)


def test_trailing_axes_of_length_one_pass(write):
    assert check_image(write(voxels=RAMP[..., None])).shape == RAMP.shape


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert "there is no such file" in refusal(tmp_path / "no.nii.gz", by_header=True)


def test_a_link_to_nothing_says_to_fetch_it(tmp_path):
    (tmp_path / "annexed.nii.gz").symlink_to("nowhere")
    message = refusal(tmp_path / "annexed.nii.gz", by_header=True)
    assert "is a link to a file that is not there" in message
    assert "git annex get" in message


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "folder.nii.gz").mkdir()
    assert "is a folder" in refusal(tmp_path / "folder.nii.gz", by_header=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(write):
    path = write()
    path.chmod(0)
    assert "cannot be read (Permission denied)" in refusal(path, by_header=True)


@pytest.mark.parametrize("name", ["empty.nii", "empty.nii.gz"])
def test_an_empty_file_is_refused(tmp_path, name):
    (tmp_path / name).touch()
    assert "the file is empty" in refusal(tmp_path / name, by_header=True)


def test_a_compressed_image_named_as_uncompressed_is_refused_and_the_reverse(write, tmp_path):
    packed, plain = write("packed.nii.gz"), write("plain.nii")
    packed.rename(tmp_path / "a.nii")
    plain.rename(tmp_path / "b.nii.gz")
    assert "is compressed but named .nii. Rename it to .nii.gz" in refusal(tmp_path / "a.nii", by_header=True)
    assert "named .nii.gz but is not compressed" in refusal(tmp_path / "b.nii.gz", by_header=True)


@pytest.mark.parametrize("content", [b"hello", b"\0" * 1000, b"\x5c\x01\0\0" + b"\0" * 996])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "other.nii").write_bytes(content)
    assert "is not a NIfTI image" in refusal(tmp_path / "other.nii", by_header=True)


def test_another_name_than_nifti_is_refused(tmp_path):
    (tmp_path / "head.mnc").write_bytes(b"x")
    assert "is not named as a NIfTI image" in refusal(tmp_path / "head.mnc", by_header=True)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_truncated_compressed_image_is_refused(write, share):
    path = write(voxels=NOISE)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "ends early" in refusal(path, by_header=False)


def test_a_truncated_image_is_refused_by_its_header_alone(write):
    path = write("scan.nii")
    path.write_bytes(path.read_bytes()[:-5000])
    assert "the file ends early, with 57 % of the voxels" in refusal(path, by_header=True)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_truncated_compressed_image_is_told_with_the_share_of_its_voxels(write, share):
    path = write(voxels=NOISE)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    told = int(re.search(r"with (\d+) % of the voxels", refusal(path, by_header=False))[1])
    assert abs(told - 100 * share) < 8


def test_a_damaged_compressed_image_is_refused(write):
    path = write(voxels=NOISE)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert "corrupt" in refusal(path, by_header=False)


@pytest.mark.parametrize("shape", [(256, 256), (256, 256, 1)])
def test_a_single_slice_is_refused(write, shape):
    voxels = np.arange(256 * 256, dtype=np.int32).reshape(shape)
    assert "is a single slice" in refusal(write(voxels=voxels), by_header=True)


def test_several_volumes_are_refused(write):
    assert "holds several volumes (20×18×16×2)" in refusal(write(voxels=np.stack([RAMP, RAMP], -1)), by_header=True)


def test_too_few_slices_are_refused(write):
    assert "fewer than 16 along an axis" in refusal(write(voxels=RAMP[:, :, :15]), by_header=True)


@pytest.mark.parametrize(
    ("voxels", "kind"),
    [
        (RAMP.astype(np.complex64), "complex numbers"),
        (np.zeros(RAMP.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")]), "colours"),
    ],
)
def test_complex_and_colour_voxels_are_refused(write, voxels, kind):
    assert f"its voxels are {kind}" in refusal(write(voxels=voxels), by_header=True)


def test_all_nan_is_refused_and_isolated_nan_is_not(write):
    voxels = RAMP.astype(np.float32)
    voxels[0, 0, 0] = np.nan
    check_image(write(voxels=voxels))
    voxels[:] = np.nan
    assert "100 % of its voxels are no finite number" in refusal(write(voxels=voxels), by_header=False)


@pytest.mark.parametrize(("value", "words"), [(0, "every voxel is 0;"), (7, "every voxel is the same value, 7;")])
def test_a_constant_image_is_refused(write, value, words):
    assert words in refusal(write(voxels=np.full_like(RAMP, value)), by_header=False)


def test_neither_form_is_refused(write):
    path = write("scan.nii", fields={"qform_code": 0})
    assert "neither its qform nor its sform is set" in refusal(path, by_header=True)


@pytest.mark.parametrize("diagonal", [(0, 0, 0), (2, 2, 0)])
def test_a_zero_or_flat_affine_is_refused(write, diagonal):
    rows = {f"srow_{axis}": row for axis, row in zip("xyz", np.diag([*diagonal, 1])[:3], strict=True)}
    path = write("scan.nii", sform=np.eye(4), fields=rows)
    assert "gives the voxels no volume" in refusal(path, by_header=True)


def test_axes_in_one_plane_are_refused(write):
    fields = {"srow_x": (2, 2, 0, 0), "srow_y": (0, 0, 2, 0), "srow_z": (0, 0, 0, 0)}
    assert "gives the voxels no volume" in refusal(write("scan.nii", sform=np.eye(4), fields=fields), by_header=True)


def test_a_nan_affine_is_refused(write):
    fields = {"srow_x": (np.nan, 0, 0, 0)}
    message = refusal(write("scan.nii", sform=np.eye(4), fields=fields), by_header=True)
    assert "its sform holds values that are no finite number" in message


@pytest.mark.parametrize("pixdim", [(1, 0, 2, 2), (1, -2, 2, 2), (1, np.nan, 2, 2)])
def test_a_qform_with_impossible_voxel_sizes_is_refused(write, pixdim):
    path = write("scan.nii", fields={"pixdim": (*pixdim, 0, 0, 0, 0)})
    assert "its qform" in refusal(path, by_header=True)


def test_a_quaternion_longer_than_one_is_refused(write):
    assert "its qform is invalid" in refusal(write("scan.nii", fields={"quatern_b": 2}), by_header=True)


def test_a_shearing_sform_is_refused_above_the_limit_only(write):
    sform = np.array([[5, 0.05, 0, 0], [0, 5, 0, 0], [0, 0, 5, 0], [0, 0, 0, 1.0]])
    path = write(sform=sform)
    assert "it shears the voxel axes by 0.01 rad" in refusal(path, by_header=True)
    assert "--max_shear_angle" in refusal(path, by_header=True)
    check_image(path, max_shear_angle=0.011)


def test_coordinates_written_with_five_decimals_are_no_shear(write):
    rng = np.random.default_rng(0)
    for _ in range(50):
        rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        sform = np.eye(4)
        sform[:3, :3] = np.round(rotation, 5) * 5.1
        check_image(write(sform=sform))


@pytest.mark.parametrize(("degrees", "passes"), [(30, True), (44, True), (46, False), (90, False), (180, False)])
def test_forms_that_are_turned_against_each_other_are_refused_with_the_remedy(write, degrees, passes):
    turn = nib.affines.from_matvec(nib.eulerangles.euler2mat(x=np.radians(degrees)))
    path = write(qform=np.diag([5.0, 5, 5, 1]), sform=np.diag([5.0, 5, 5, 1]) @ turn)
    if passes:
        assert "the qform is kept" in check_image(path).warnings[0]
    else:
        message = refusal(path, by_header=True)
        assert f"turned against each other by {degrees}°" in message and "set the code of the wrong one to 0" in message


@pytest.mark.parametrize("size_mm", [0.002, 0.19, 8.1, 1000])
def test_an_implausible_voxel_size_is_refused(write, size_mm):
    message = refusal(write(qform=np.diag([2, 2, size_mm, 1])), by_header=True)
    assert "where 0.2 to 8 mm is plausible" in message


def test_lengths_in_metres_are_refused(write):
    assert "gives lengths in metres" in refusal(write("scan.nii", fields={"xyzt_units": 1}), by_header=True)


def test_a_grid_is_the_same_within_rounding_and_not_when_shifted_or_flipped(write):
    affine = np.diag([5.0, 5, 5, 1])
    here = check_header(write("a.nii", qform=affine))
    rounded, shifted, flipped = affine.copy(), affine.copy(), affine.copy()
    rounded[0, 3], shifted[0, 3], flipped[0, 0] = 1e-5, 0.5, -5
    assert same_grid(here, check_header(write("b.nii", qform=rounded)))
    assert not same_grid(here, check_header(write("c.nii", qform=shifted)))
    assert not same_grid(here, check_header(write("d.nii", qform=flipped)))
    assert not same_grid(here, check_header(write("e.nii", np.zeros((20, 18, 17), np.int16), qform=affine)))


def test_a_mask_is_integers_inside_and_outside_on_the_models_grid(write):
    mask = (RAMP > 100).astype(np.float32)
    model = check_header(write("model.nii.gz"))
    check_mask(write("mask.nii.gz", mask), like=model)
    with pytest.raises(ImageError, match="holds fractions"):
        check_mask(write("half.nii.gz", mask / 2), like=model)
    with pytest.raises(ImageError, match="the mask is empty"):
        check_mask(write("none.nii.gz", mask * 0), like=model)
    with pytest.raises(ImageError, match="holds every voxel"):
        check_mask(write("all.nii.gz", mask * 0 + 1), like=model)
    with pytest.raises(ImageError, match="does not lie on the grid of"):
        check_mask(write("off.nii.gz", mask, qform=np.diag([2.0, 2, 2.1, 1])), like=model)
    with pytest.raises(ImageError, match="holds values from nan"):
        check_mask(write("nan.nii.gz", np.where(mask > 0, np.nan, mask)), like=model)


def test_a_label_map_holds_only_labels_of_its_table(write):
    table = (Label(1, "one"), Label(2, "two"), Label(5, "absent"))
    check_labels(write("labels.nii.gz", RAMP % 3), table)
    with pytest.raises(ImageError, match="holds label 3, 4, which its table"):
        check_labels(write("more.nii.gz", RAMP % 5), table)
    with pytest.raises(ImageError, match="the label map is empty"):
        check_labels(write("none.nii.gz", RAMP * 0), table)
    with pytest.raises(ImageError, match="from -1"):
        check_labels(write("negative.nii.gz", RAMP % 3 - 1), table)
