"""Whatever the unit, offset, padding or stray voxels of a scan: the same head comes out, with air at 0."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import tntpipe
from tntpipe.errors import WARNING_MARK, ImageError
from tntpipe.imaging.padding import find_padding
from tntpipe.imaging.scale import HEAD_LEVEL, find_range, to_positive_range

MODEL = Path(tntpipe.__file__).parent / "data/models/MNI152NLin2009cAsym/tpl-MNI152NLin2009cAsym"
BANDS = {"grey": (400, 550), "white": (600, 800)}


def voxels_of(path: Path) -> np.ndarray:
    return np.asarray(nib.load(path).dataobj, dtype=np.float32)


def with_voxel(values: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    changed = values.copy()
    changed[place] = value
    return changed


def with_strays(values: np.ndarray) -> np.ndarray:
    """Twenty voxels each of -300 and of a million, anywhere."""
    changed = values.copy()
    places = np.random.default_rng(0).choice(values.size, 40, replace=False)
    changed.ravel()[places[:20]], changed.ravel()[places[20:]] = -300, 1e6
    return changed


def with_border(values: np.ndarray, value: float) -> np.ndarray:
    return np.pad(values[1:-1, 1:-1, 1:-1], 1, constant_values=value)


def z_scores(values: np.ndarray) -> np.ndarray:
    return np.asarray((values - values.mean()) / values.std())


def z_scores_of_head(values: np.ndarray) -> np.ndarray:
    """Air 0, in the middle of the range."""
    head = values > 0
    return np.where(head, (values - values[head].mean()) / values[head].std(), 0).astype(np.float32)


def in_8_bits(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    return np.rint((values - low) / (high - low) * 255).astype(np.uint8)


def with_clipped_white_matter(values: np.ndarray) -> np.ndarray:
    scaled = to_positive_range(values)
    return np.minimum(values, np.median(values[(scaled > 600) & (scaled < 800)]))


CASES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "one voxel of the head at -300": lambda v: with_voxel(v, tuple(n // 2 for n in v.shape), -300),
    "one voxel of the air at -300": lambda v: with_voxel(v, (0, 0, 0), -300),
    "strays at both ends": with_strays,
    "a border of -1024": lambda v: with_border(v, -1024),
    "times 1e-9": lambda v: v * np.float32(1e-9),
    "times 1e7": lambda v: v * np.float32(1e7),
    "plus 1000": lambda v: v + 1000,
    "minus 5000": lambda v: (v - 5000).astype(np.int16),
    "plus 3": lambda v: (v + 3).astype(np.uint16),
    "from -1 to 1": lambda v: 2 * v / v.max() - 1,
    "z-scores": z_scores,
    "z-scores with a border of 0": lambda v: with_border(z_scores(v), 0),
    "z-scores of the head, air 0": z_scores_of_head,
    "8 bits": in_8_bits,
    "z-scores of the head in 8 bits": lambda v: in_8_bits(z_scores_of_head(v)),
    "float64, big-endian": lambda v: v.astype(">f8") - 1e9,
}


@pytest.mark.parametrize("case", CASES)
def test_tissue_comes_out_as_that_of_the_plain_head_and_air_as_0(head: Path, case: str) -> None:
    values = voxels_of(head)
    plain, scaled = to_positive_range(values), to_positive_range(CASES[case](values))
    inner = np.zeros(values.shape, dtype=np.bool_)
    inner[1:-1, 1:-1, 1:-1] = True
    for low, high in BANDS.values():
        tissue = inner & (plain > low) & (plain < high)
        rel = 0.02 if "8 bits" in case else 0.01  # a grey level is up to 0.016
        assert np.median(scaled[tissue]) == pytest.approx(np.median(plain[tissue]), rel=rel)
    outside = ndimage.binary_erosion(plain == 0, iterations=3, border_value=1)
    assert (scaled[outside] > 0).mean() < 0.002, "but for strays, and for holes of one grey level with tissue"
    assert scaled.dtype == np.float32
    assert scaled.min() == 0
    assert scaled.max() < 10 * HEAD_LEVEL


def test_a_plain_head_is_only_multiplied(head: Path) -> None:
    values = voxels_of(head)
    found = find_range(values)
    assert (found.air, found.padding) == (0, ())
    np.testing.assert_allclose(to_positive_range(values), values * (HEAD_LEVEL / found.head), rtol=1e-5)


def test_clipped_white_matter_stays_a_part_of_the_head(head: Path) -> None:
    values = voxels_of(head)
    plain, scaled = to_positive_range(values), to_positive_range(with_clipped_white_matter(values))
    low, high = BANDS["grey"]
    grey = (plain > low) & (plain < high)
    assert np.median(scaled[grey]) == pytest.approx(np.median(plain[grey]), rel=0.01)
    assert np.isclose(scaled, scaled.max()).mean() > 0.05


@pytest.mark.parametrize("constant", [0, -1024, 5000, 37, -0.5])
@pytest.mark.parametrize("width", [1, 7])
def test_padding_with_any_constant_changes_no_tissue_and_becomes_dark(head: Path, constant: float, width: int) -> None:
    values = voxels_of(head)
    plain = to_positive_range(values)
    scaled = to_positive_range(np.pad(values, width, constant_values=constant))
    core = scaled[width:-width, width:-width, width:-width]
    assert np.median(core[plain > 400]) == pytest.approx(np.median(plain[plain > 400]), rel=0.005)
    assert scaled[0].max() == 0


def test_frames_within_frames_are_all_found(head: Path) -> None:
    values = voxels_of(head)
    framed = np.pad(np.pad(values, ((0, 0), (4, 4), (4, 4))), ((4, 0), (0, 0), (0, 0)), constant_values=-1024)
    assert find_padding(framed)[0] == [-1024, 0]
    np.testing.assert_array_equal(to_positive_range(framed)[4:, 4:-4, 4:-4], to_positive_range(values))


def test_the_same_picture_in_another_order_of_memory_is_the_same(head: Path) -> None:
    values = voxels_of(head)
    np.testing.assert_array_equal(
        to_positive_range(np.asfortranarray(values)), to_positive_range(np.ascontiguousarray(values))
    )


def phantom(noise: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]) -> np.ndarray:
    """A ball of three tissues, with a given noise about it."""
    rng = np.random.default_rng(1)
    radius = np.sqrt(sum((axis - 15.5) ** 2 for axis in np.indices((32, 32, 32))))
    tissue = np.select([radius < 6, radius < 9, radius < 12], [100.0, 70.0, 30.0], 0.0)
    return np.where(tissue > 0, tissue + rng.normal(0, 4, tissue.shape), noise(rng, tissue.shape))


BLANK = phantom(lambda rng, shape: np.zeros(shape))


@settings(max_examples=100, deadline=None)
@given(st.floats(-9, 9), st.floats(-1e4, 1e4))
def test_gain_and_offset_do_not_matter(exponent: float, offset: float) -> None:
    changed = (BLANK + offset) * 10**exponent
    np.testing.assert_allclose(to_positive_range(changed), to_positive_range(BLANK), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("offset", [-500, 40, 1000])
def test_noise_in_air_is_brought_down_to_0_together_with_an_offset(offset: float) -> None:
    values = phantom(lambda rng, shape: rng.rayleigh(3, shape))
    plain, scaled = to_positive_range(values), to_positive_range(values + offset)
    assert find_range(values).air == pytest.approx(0, abs=1)
    np.testing.assert_allclose(scaled[plain > 100], plain[plain > 100], rtol=0.02)


def test_noise_that_begins_above_0_stays_there_in_a_scan_without_offset() -> None:
    values = phantom(lambda rng, shape: rng.normal(4, 0.7, shape))
    values[3, 3, 3:9] = 0
    assert find_range(values).air == 0
    assert find_range(values + 100).air == pytest.approx(102, abs=1)


def test_noise_on_both_sides_of_0_leaves_0_where_it_is() -> None:
    assert find_range(phantom(lambda rng, shape: rng.normal(0, 1, shape))).air == 0


def test_undershoots_of_resampling_do_not_move_air(head: Path) -> None:
    resampled = ndimage.zoom(voxels_of(head), 1.37, order=3)
    assert resampled.min() < -3
    assert find_range(resampled).air == pytest.approx(0, abs=1)
    assert find_range(z_scores(resampled)).air == pytest.approx(-resampled.mean() / resampled.std(), abs=0.02)


def test_undershoots_in_noise_do_not_move_air_either() -> None:
    values = 1000 + phantom(lambda rng, shape: rng.rayleigh(2, shape))
    values.ravel()[:: values.size // 100] = 992
    assert find_range(values).air == pytest.approx(1000, abs=2)


@pytest.fixture(scope="module")
def brain() -> np.ndarray:
    values = voxels_of(Path(f"{MODEL}_T1w.nii.gz"))
    return np.where(voxels_of(Path(f"{MODEL}_desc-brain_mask.nii.gz")) > 0, values, 0)[::2, ::2, ::2]


def test_around_a_skull_stripped_brain_0_is_air_even_where_no_voxel_is_nearly_as_dark(brain: np.ndarray) -> None:
    assert find_range(brain).air == 0
    without_fluid = np.where(brain > 220, brain, 0)
    assert find_range(without_fluid).air == 0
    assert find_range(without_fluid - 300).air == -300
    assert find_range(np.where(brain > 0, brain, -3000)).air == pytest.approx(50, abs=20), "too far below to be air"


def test_around_z_scores_of_a_brain_0_becomes_as_dark_as_its_darkest(brain: np.ndarray) -> None:
    scaled = to_positive_range(z_scores_of_head(brain))
    assert not scaled[brain == 0].any()
    assert np.corrcoef(scaled[brain > 60], brain[brain > 60])[0, 1] > 0.9999
    assert 0 <= np.percentile(scaled[brain > 0], 0.1) < 10


def test_tissue_that_has_the_same_value_as_padding_is_kept(brain: np.ndarray) -> None:
    coarse = in_8_bits(z_scores_of_head(brain))
    constant = coarse[0, 0, 0]
    scaled = to_positive_range(coarse)
    assert 50 < constant < 200
    inside = ndimage.binary_erosion(brain > 0) & (coarse == constant)
    assert inside.sum() > 100
    assert (scaled[inside] > 100).mean() > 0.99
    assert scaled[0, 0, 0] == 0


@pytest.mark.parametrize("values", [np.full((9, 9, 9), 3.0), np.pad(np.full((9, 9, 9), 5.0), 3)])
def test_a_scan_without_a_picture_is_refused(values: np.ndarray) -> None:
    with pytest.raises(ImageError, match="there is no picture in it"):
        to_positive_range(values)


def test_the_command_writes_float32_on_the_scans_grid_and_says_what_became_what(head, run, write, tmp_path):
    image = nib.load(head)
    values = np.asarray(image.dataobj, dtype=np.float32) - 40
    write("scan.nii.gz", values, qform=image.affine)
    ended = run("to-positive-range", "--input", "scan.nii.gz", "--output", "scaled.nii.gz")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("scan.nii.gz: air at -40 becomes 0, the middle of the head at ")
    assert ended.stdout.count("\n") == 1 and WARNING_MARK not in ended.stdout
    scaled = nib.load(tmp_path / "scaled.nii.gz")
    assert scaled.get_data_dtype() == np.float32
    np.testing.assert_allclose(scaled.affine, image.affine, atol=1e-4)
    np.testing.assert_array_equal(np.asarray(scaled.dataobj), to_positive_range(values))
