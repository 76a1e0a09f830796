"""Air as bright as tissue is noticed, and noise is told from the head; ordinary noise is left alone."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from tntpipe.errors import WARNING_MARK
from tntpipe.imaging.doubts import BRIGHTEST_AIR, ROUGHEST_AIR, doubt_about_air
from tntpipe.imaging.noise import air_noise, find_noise
from tntpipe.imaging.scale import HEAD_LEVEL, to_positive_range


@pytest.fixture
def scaled(head: Path) -> np.ndarray:
    """A real head in the positive range."""
    return to_positive_range(np.asarray(nib.load(head).dataobj))


def fake_uni(scaled: np.ndarray) -> np.ndarray:
    """What an MP2RAGE's UNI image shows: tissue from 500, and noise from 0 to 4095 where there is no signal."""
    rng = np.random.default_rng(0)
    tissue = 500 + 3 * scaled + rng.normal(0, 60, scaled.shape)
    noise = rng.uniform(0, 4095, scaled.shape)
    return np.clip(np.where(scaled < HEAD_LEVEL / 4, noise, tissue), 0, 4095).astype(np.int16)


def head_mask(scaled: np.ndarray) -> np.ndarray:
    bright = ndimage.binary_opening(scaled > HEAD_LEVEL / 4)
    pieces, _ = ndimage.label(bright)
    largest = np.pad(pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:]), 6)
    return ndimage.binary_fill_holes(ndimage.binary_closing(largest, iterations=5))[6:-6, 6:-6, 6:-6]


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def with_rician_noise(scaled: np.ndarray, sd: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.hypot(scaled + rng.normal(0, sd, scaled.shape), rng.normal(0, sd, scaled.shape)).astype(np.float32)


def doubt(scaled: np.ndarray) -> str:
    noise = air_noise(scaled, HEAD_LEVEL)
    return doubt_about_air(noise.level, noise.roughness)


def test_the_head_is_found_in_noise_as_bright_as_itself(scaled: np.ndarray) -> None:
    uni = to_positive_range(fake_uni(scaled))
    assert "as bright as the head, as in the UNI image" in doubt(uni)
    truth = head_mask(scaled)
    assert dice(head_mask(uni), truth) < 0.8
    noise = find_noise(uni)
    assert dice(head_mask(to_positive_range(np.where(noise, 0, uni))), truth) > 0.975
    deep = ndimage.distance_transform_edt(truth) > 10
    assert (noise & deep & (scaled > HEAD_LEVEL / 2)).sum() < 0.002 * deep.sum()


def test_the_tissue_of_a_fake_uni_comes_out_as_that_of_one_without_noise(scaled: np.ndarray) -> None:
    uni = fake_uni(scaled)
    quiet = to_positive_range(np.where(scaled < HEAD_LEVEL / 4, 0, uni))
    found = to_positive_range(np.where(find_noise(to_positive_range(uni)), 0, uni))
    grey, white = ((scaled > low) & (scaled < high) for low, high in ((400, 550), (600, 800)))
    assert np.median(found[white]) == pytest.approx(np.median(quiet[white]), rel=0.1)
    ratios = [np.median(image[grey]) / np.median(image[white]) for image in (found, quiet)]
    assert ratios[0] == pytest.approx(ratios[1], rel=0.005)


def test_tissue_in_some_of_the_corners_is_not_taken_for_noise(scaled: np.ndarray) -> None:
    """Three of the eight corners hold tissue, as where a neck is wide or a head fills a tight field of view."""
    uni = to_positive_range(fake_uni(scaled))
    tissue = HEAD_LEVEL + np.random.default_rng(0).normal(0, 20, (11, 14, 11))
    for place in (np.s_[-11:, :14, :11], np.s_[-11:, -14:, :11], np.s_[:11, :14, :11]):
        uni[place] = tissue
    deep = ndimage.distance_transform_edt(head_mask(scaled)) > 10
    assert (find_noise(uni) & deep & (scaled > HEAD_LEVEL / 2)).sum() < 0.01 * deep.sum()


def test_a_plain_head_with_or_without_ordinary_noise_is_not_doubted(scaled: np.ndarray) -> None:
    assert doubt(scaled) == ""
    for sd in (10, 40):
        assert doubt(to_positive_range(with_rician_noise(scaled, sd))) == ""


@pytest.mark.parametrize(
    ("level", "roughness", "doubted"),
    [(0.31, 0.13, True), (0.29, 0.5, False), (0.9, 0.11, False), (0, 0, False)],
)
def test_air_is_doubted_where_it_is_bright_and_rough(level: float, roughness: float, doubted: bool) -> None:
    """Bright alone is tissue in a tight field of view, rough alone is any noise."""
    assert (BRIGHTEST_AIR, ROUGHEST_AIR) == (0.3, 0.12)
    assert bool(doubt_about_air(level, roughness)) is doubted


def test_blank_corners_say_nothing() -> None:
    values = np.zeros((32, 32, 32), np.float32)
    values[8:24, 8:24, 8:24] = np.random.default_rng(0).uniform(1, 1000, (16, 16, 16))
    noise = air_noise(values, HEAD_LEVEL)
    assert (noise.level, noise.roughness) == (0, 0)


def test_level_and_roughness_are_medians_of_the_corners() -> None:
    values = np.full((32, 32, 32), 200, np.float32)
    values[::2], values[:, :, 16:] = 300, 7
    values[:4], values[-4:] = values[4:8], values[4:8]
    noise = air_noise(values[:, :, :16], head=1000)
    assert noise.level == 0.25
    assert noise.roughness == 0


def test_the_command_warns_and_sets_the_noise_to_0(head, scaled, run, write, tmp_path):
    write("uni.nii.gz", fake_uni(scaled), qform=nib.load(head).affine)
    ended = run("to-positive-range", "--input", "uni.nii.gz", "--output", "scaled.nii.gz")
    assert (ended.returncode, ended.stderr) == (0, "")
    told = ended.stdout.splitlines()
    assert told[0].startswith("uni.nii.gz: air at 0 becomes 0, the middle of the head at ")
    assert told[1].startswith(f"{WARNING_MARK}The air around the head is noise")
    result = np.asarray(nib.load(tmp_path / "scaled.nii.gz").dataobj)
    assert dice(head_mask(result), head_mask(scaled)) > 0.97
