"""Bad input ends with a documented status and one message, good input is accepted; the cases are in `bad_input`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bad_input import image_files, image_headers, image_voxels
from bad_input.case import Case, faults_of
from bad_input.place import make_heads, make_place
from bad_input.running import remembered, run_here, words_of
from bad_input.table import CASES

from tntpipe.imaging.clean_header import NATIVE_TYPES, clean_header_file
from tntpipe.imaging.orientation import MAX_SHEAR_ANGLE


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    with remembered():
        yield make_heads(tmp_path_factory.mktemp("heads"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.name))
def test_bad_input_ends_with_one_message_and_touches_nothing(
    case: Case, heads: dict[str, Path], tmp_path: Path
) -> None:
    place = make_place(tmp_path / "root", heads)
    ended = run_here(place, words_of(place, case.arrange(place)))
    faults = faults_of(case, ended)
    assert not faults, "\n".join([*faults, ended.said])


def test_there_are_two_hundred_cases_and_each_has_a_name_of_its_own() -> None:
    names = [case.name for case in CASES]
    assert len(names) >= 200 and len(set(names)) == len(names)


ACCEPTED_IMAGES = [case for part in (image_files, image_headers, image_voxels) for case in part.cases() if case.good]


@pytest.mark.parametrize("case", ACCEPTED_IMAGES, ids=lambda case: ascii(case.name))
def test_an_image_that_is_accepted_is_cleaned_for_ants_with_the_same_voxels(
    case: Case, heads: dict[str, Path], tmp_path: Path
) -> None:
    """By the step that every scan begins with: what the check lets through must not fail an hour later."""
    place = make_place(tmp_path / "root", heads)
    case.arrange(place)
    (path,) = place.bids.glob("sub-bad/anat/sub-bad_T1w.nii*")
    cleaned = tmp_path / "clean.nii.gz"
    clean_header_file(input=str(path), output=str(cleaned), max_shear_angle=MAX_SHEAR_ANGLE)
    before, after = nib.load(path), nib.load(cleaned)
    if case.name == "voxels at 0":  # where nibabel takes the header for voxels
        before.dataobj._offset = 352
    assert after.get_data_dtype().name in NATIVE_TYPES and after.header["sform_code"] == 0
    assert after.shape == before.shape[:3]
    with np.errstate(invalid="ignore"):
        values = np.nan_to_num(before.get_fdata(), nan=0.0).reshape(after.shape)
    np.testing.assert_allclose(after.get_fdata(), values, rtol=1e-6)
