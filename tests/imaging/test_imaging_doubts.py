"""What is doubted of a scan that can be processed, and what is an error."""

from __future__ import annotations

import numpy as np
import pytest

from tntpipe.errors import WARNING_MARK, ImageError
from tntpipe.imaging.doubts import doubt_about_blank, doubt_about_edge, doubt_about_tissues, doubt_about_volume, tell
from tntpipe.imaging.tissue_classes import TissueClass

NAMES = {1: "CSF", 2: "GM", 3: "WM"}


def classes(*medians: float, order: tuple[int, ...] = (1, 2, 3)) -> tuple[TissueClass, ...]:
    """Classes of a standard deviation of 10, by the order of their medians."""
    return tuple(TissueClass(index, 100, median, 10.0) for index, median in zip(order, medians, strict=True))


def test_tissues_that_lie_apart_as_on_a_t1w_are_not_doubted() -> None:
    assert doubt_about_tissues(classes(40, 60, 85), NAMES, "scan") == ""


@pytest.mark.parametrize("order", [(3, 2, 1), (2, 1, 3), (1, 3, 2)])
def test_tissues_in_another_order_are_an_error(order: tuple[int, ...]) -> None:
    """As on a T2w, or where the tags lie in other tissues than they name."""
    with pytest.raises(ImageError, match="follow each other from dark to bright") as caught:
        doubt_about_tissues(classes(40, 60, 85, order=order), NAMES, "scan")
    assert ", ".join(NAMES[index] for index in order) in caught.value.fact
    assert "Look at the registered model" in caught.value.remedy


def test_the_tissues_order_goes_by_their_names_and_not_by_their_indices() -> None:
    names = {1: "WM", 2: "GM", 3: "CSF"}
    assert doubt_about_tissues(classes(40, 60, 85, order=(3, 2, 1)), names, "scan") == ""
    with pytest.raises(ImageError):
        doubt_about_tissues(classes(40, 60, 85), names, "scan")


def test_tissues_half_a_standard_deviation_apart_are_an_error_and_one_apart_a_doubt() -> None:
    with pytest.raises(ImageError, match=r"CSF–GM 0\.49 and GM–WM 2\.00"):
        doubt_about_tissues(classes(40, 44.9, 64.9), NAMES, "scan")
    assert "CSF–GM 0.51 and GM–WM 2.00 standard deviations" in doubt_about_tissues(classes(40, 45.1, 65.1), NAMES, "s")
    assert "GM–WM 0.99" in doubt_about_tissues(classes(40, 60, 69.9), NAMES, "scan")
    assert doubt_about_tissues(classes(40, 60, 70), NAMES, "scan") == ""


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("end", [0, -1])
def test_a_mask_that_is_cut_off_at_any_face_of_the_image_is_doubted(axis: int, end: int) -> None:
    mask = np.zeros((20, 20, 20), dtype=np.bool_)
    mask[3:17, 3:17, 3:17] = True
    assert doubt_about_edge(mask) == ""
    kept = slice(5, None) if end == 0 else slice(None, -5)
    assert "reaches the edge" in doubt_about_edge(mask[tuple(kept if a == axis else slice(None) for a in range(3))])


def test_a_mask_that_only_just_touches_the_edge_is_not_doubted() -> None:
    mask = np.zeros((20, 20, 20), dtype=np.bool_)
    mask[3:17, 3:17, 3:17] = True
    mask[10, 10, 17:] = True
    assert doubt_about_edge(mask) == ""


def test_a_brain_that_borders_on_zeros_is_doubted_whole_or_at_one_side() -> None:
    mask = np.zeros((20, 20, 20), dtype=np.bool_)
    mask[3:17, 3:17, 3:17] = True
    values = np.full(mask.shape, 7.0)
    assert doubt_about_blank(mask, values) == ""
    values[3:6, 3, 2] = 0
    assert doubt_about_blank(mask, values) == "", "a few voxels may happen to be 0"
    values[:, :, 17:] = 0
    assert "17 % of the brain mask's surface borders" in doubt_about_blank(mask, values)
    assert "100 % of the brain mask's" in doubt_about_blank(mask, np.where(mask, values, 0))


@pytest.mark.parametrize(("volume_mm3", "doubted"), [(0.79e6, True), (0.81e6, False), (2.19e6, False), (2.3e6, True)])
def test_volumes_that_no_adults_brain_has_are_doubted(volume_mm3: float, doubted: bool) -> None:
    assert bool(doubt_about_volume(volume_mm3)) is doubted


def test_a_doubt_is_a_marked_line_and_no_doubt_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    tell("")
    tell("odd")
    assert capsys.readouterr().out == f"{WARNING_MARK}odd\n"
