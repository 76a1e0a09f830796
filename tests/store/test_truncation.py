"""Files that were cut short anywhere are told from whole ones."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tntpipe.store.truncation import missing_from

VOXELS = np.arange(6 * 5 * 4, dtype=np.int16).reshape(6, 5, 4)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image], ids=["NIfTI-1", "NIfTI-2"])
@pytest.mark.parametrize("dtype", ["u1", "<i2", ">f4", "<f8"])
def test_an_image_cut_short_anywhere_is_told_from_a_whole_one(tmp_path: Path, kind: type, dtype: str) -> None:
    image = kind(VOXELS.astype(dtype), np.eye(4))
    image.header.set_data_dtype(dtype)
    nib.save(image, tmp_path / "whole.nii.gz")
    assert missing_from(tmp_path / "whole.nii.gz") == ""
    content = (tmp_path / "whole.nii.gz").read_bytes()
    cut = tmp_path / "cut.nii.gz"
    for length in range(1, len(content), 3):
        cut.write_bytes(content[:length])
        assert missing_from(cut) != "", length


def test_an_image_compressed_in_pieces_is_whole(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(VOXELS, np.eye(4)), tmp_path / "whole.nii")
    content = (tmp_path / "whole.nii").read_bytes()
    pieces = tmp_path / "pieces.nii.gz"
    pieces.write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:]))
    assert missing_from(pieces) == ""
    pieces.write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:-1]))
    assert missing_from(pieces) == f"it holds {len(content) - 1} of {len(content)} bytes"


def test_what_is_compressed_must_be_an_image(tmp_path: Path) -> None:
    path = tmp_path / "text.nii.gz"
    path.write_bytes(gzip.compress(b"no image" * 100))
    assert missing_from(path) == "it has no header of an image"


@pytest.mark.parametrize("precision", ["double", "float"])
def test_a_transform_cut_short_anywhere_is_told_from_a_whole_one(tmp_path: Path, precision: str) -> None:
    """The transforms are what antsRegistration wrote of a registration of an image to itself, with --float 0 and 1."""
    whole = Path(__file__).with_name(f"affine_{precision}.mat")
    assert missing_from(whole) == ""
    content = whole.read_bytes()
    cut = tmp_path / "cut.mat"
    for length in range(len(content)):
        cut.write_bytes(content[:length])
        assert missing_from(cut) != "", length


def test_a_file_of_a_kind_that_does_not_tell_is_believed(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("x,y")
    assert missing_from(tmp_path / "points.csv") == ""
