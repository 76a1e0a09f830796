"""Solids whose brain is known, crops, heads with a dark middle, and the commands on a real head at 4 mm."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from tntpipe.errors import WARNING_MARK, ExitStatus, ImageError
from tntpipe.imaging.head import head_mask
from tntpipe.imaging.priors import read_priors
from tntpipe.imaging.segmentation import CORE_MM, REACH_MM, brain_of, read_head
from tools.coarse_heads import EXAMPLE, coarse

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "tntpipe/data/models/MNI152NLin2009cAsym"
STEM = MODEL / "tpl-MNI152NLin2009cAsym_seg"
ATLAS = (
    *("--displacement", "displacement.nii.gz", "--priors", f"{STEM}-structures_probseg.nii.gz"),
    *("--priors_table", f"{STEM}-structures_probseg_labels.tsv"),
)
TABLES = ("--tissue_labels", "tissue.tsv", "--subcortex_labels", f"{STEM}-subcortex_dseg_labels.tsv")

SHAPE = (110, 100, 90)
VOXEL_MM = (1.0, 1.2, 1.0)


def distances_mm(shape: tuple[int, ...] = SHAPE, voxel_mm: tuple[float, ...] = VOXEL_MM) -> np.ndarray:
    """(3, i, j, k): from the middle, along each axis."""
    axes = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(shape, voxel_mm, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"))


def ball(radius_mm: float) -> np.ndarray:
    return np.asarray(np.linalg.norm(distances_mm(), axis=0) < radius_mm)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * float((a & b).sum()) / float(a.sum() + b.sum())


def brain_alone(solid: np.ndarray) -> np.ndarray:
    """The brain mask where no ventricle was found."""
    return brain_of(solid, np.zeros_like(solid), VOXEL_MM)


def test_a_ball_is_its_own_brain():
    assert dice(brain_alone(ball(30)), ball(30)) > 0.99


def test_a_thin_sheet_that_hangs_on_the_brain_is_lost_beyond_its_reach():
    x, y, z = distances_mm()
    sheet = (np.abs(y) < 1.5) & (np.abs(z) < 15) & (x > 0) & (x < 50)
    assert 2 * CORE_MM > 2 * 1.5
    found = brain_alone(ball(30) | sheet)
    beyond = np.linalg.norm(distances_mm(), axis=0) > 30 + REACH_MM + 1
    assert (sheet & beyond).sum() > 500
    assert not (found & beyond).any()
    assert dice(found, ball(30)) > 0.98


def test_a_second_solid_that_a_thin_sheet_joins_to_the_brain_is_lost():
    x, y, z = distances_mm()
    eye = np.sqrt((x - 46) ** 2 + y**2 + z**2) < 8
    nerve = (np.sqrt(y**2 + z**2) < 1.6) & (x > 0) & (x < 46)
    found = brain_alone(ball(30) | nerve | eye)
    assert not (found & eye & (x > 40)).any()


def test_a_gyrus_thicker_than_the_core_stays():
    x, y, z = distances_mm()
    gyrus = (np.abs(y) < 4) & (np.abs(z) < 15) & (x > 0) & (x < 40)
    found = brain_alone(ball(30) | gyrus)
    assert (found & gyrus).sum() > 0.97 * gyrus.sum()


@pytest.mark.parametrize(("width_mm", "is_filled"), [(3, True), (6, True), (12, False)])
def test_a_sulcus_is_filled_where_it_is_narrower_than_8_mm(width_mm, is_filled):
    x, y, _ = distances_mm()
    sulcus = ball(30) & (np.abs(y) < width_mm / 2) & (x > 5)
    deep = sulcus & ball(22) & (np.abs(y) < 1) & (x > 8)
    assert deep.any()
    found = brain_alone(ball(30) & ~sulcus)
    assert found[deep].mean() == pytest.approx(float(is_filled), abs=0.01)


def test_ventricles_belong_to_the_brain_however_wide():
    assert dice(brain_alone(ball(30) & ~ball(15)), ball(30)) > 0.99


def test_a_ventricle_that_opens_wider_than_a_sulcus_belongs_to_the_brain_where_it_was_found_to_be_one():
    x, y, z = distances_mm()
    channel = (np.sqrt(y**2 + z**2) < 6) & (x > 0) & ball(30)
    solid, ventricle = ball(30) & ~ball(12) & ~channel, ball(12)
    assert not brain_alone(solid)[ball(6)].any()
    assert dice(brain_of(solid, ventricle, VOXEL_MM), ball(30) & ~(channel & ~ball(12))) > 0.98


def test_fluid_taken_for_ventricle_in_small_pieces_does_not_widen_the_brain():
    x, y, z = distances_mm()
    fleck = (np.sqrt((x - 36) ** 2 + y**2 + z**2) < 3) & ~ball(30)
    assert fleck.any()
    assert np.array_equal(brain_of(ball(30), fleck, VOXEL_MM), brain_alone(ball(30)))


def test_a_brain_at_the_images_edge_is_not_eaten_from_there():
    solid = ball(30)[40:]
    assert solid[0].any()
    assert dice(brain_alone(solid), solid) > 0.98


@pytest.mark.parametrize("radius_mm", [0, 1.5], ids=["empty", "nowhere thick"])
def test_where_nothing_is_as_thick_as_a_brain_it_is_refused(radius_mm):
    with pytest.raises(ImageError, match="No grey or white matter was found"):
        brain_alone(ball(radius_mm))


HEAD_SHAPE, HEAD_MM = (100, 110, 100), (2.0, 2.0, 2.0)


@pytest.mark.parametrize("middle", [1.0, 25.0], ids=["as dark as air", "dim"])
def test_a_head_includes_its_dark_middle(middle):
    r = np.linalg.norm(distances_mm(HEAD_SHAPE, HEAD_MM), axis=0)
    head = np.select([r < 60, r < 80], [middle, 500.0], 0) + np.random.default_rng(0).uniform(0, 2, HEAD_SHAPE)
    found = head_mask(head.astype(np.float32), HEAD_MM)
    assert found[r < 60].all()
    assert dice(found, r < 80) > 0.95


def test_a_head_with_an_open_mouth_is_filled():
    x, y, z = distances_mm(HEAD_SHAPE, HEAD_MM)
    r = np.sqrt(x**2 + y**2 + z**2)
    mouth = (np.abs(z) < 12) & (y > 20)
    head = np.where((r < 80) & ~mouth, 500.0, 0).astype(np.float32)
    found = head_mask(head, HEAD_MM)
    assert found[(r < 70) & mouth].mean() > 0.9
    assert not found[r > 90].any()


def test_a_field_does_not_move_the_edge_of_the_head():
    x, y, z = distances_mm(HEAD_SHAPE, HEAD_MM)
    r = np.sqrt(x**2 + y**2 + z**2)
    head = np.where(r < 80, 500.0, 0) + np.random.default_rng(0).uniform(0, 2, HEAD_SHAPE)
    shaded = head * np.exp(x / 80)  # a factor of seven from one ear to the other
    plain = head_mask(head.astype(np.float32), HEAD_MM)
    assert dice(head_mask(shaded.astype(np.float32), HEAD_MM), plain) > 0.98


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "tntpipe.imaging", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def segment(folder: Path, image: str, output: str) -> None:
    ended = run(folder, "segment", "--image", image, *ATLAS, *TABLES, "--output", output)
    assert (ended.returncode, ended.stderr) == (0, "")


def voxels(path: Path) -> np.ndarray:
    return np.asarray(nib.load(path).dataobj)


def volumes_cm3(path: Path) -> dict[str, float]:
    """Of a map of tissues at 4 mm."""
    tissue = voxels(path)
    return {name: 0.064 * float((tissue == index).sum()) for index, name in enumerate(("CSF", "GM", "WM"), start=1)}


def write_like(path: Path, values: np.ndarray, head: nib.Nifti1Image) -> None:
    image = nib.Nifti1Image(values.astype(np.float32), None)
    image.set_qform(head.affine, 1)
    image.to_filename(path)


@pytest.fixture(scope="module")
def segmented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Colin27 at 4 mm, which stands in the model's space, plain and under a field, as the commands leave it."""
    folder = tmp_path_factory.mktemp("segmented")
    coarse(EXAMPLE / "sub-colin27/anat/sub-colin27_T1w.nii.gz", folder / "T1w.nii.gz")
    head = nib.load(folder / "T1w.nii.gz")
    nib.Nifti1Image(np.zeros((*head.shape, 1, 3), np.float32), head.affine).to_filename(folder / "displacement.nii.gz")
    (folder / "tissue.tsv").write_text("index\tname\n1\tCSF\n2\tGM\n3\tWM\n")
    values = np.asarray(head.dataobj, dtype=np.float64)
    write_like(folder / "shaded.nii.gz", values * known_field(head.shape), head)
    segment(folder, "T1w.nii.gz", "plain_")
    segment(folder, "shaded.nii.gz", "shaded_")
    return folder


def known_field(shape: tuple[int, ...]) -> np.ndarray:
    """From 0.8 at one end of the image's diagonal to 1.2 at the other."""
    x, y, z = (-np.cos(np.pi * (np.arange(n) + 0.5) / n) for n in shape)
    return np.asarray(1 + 0.2 * (x[:, None, None] + y[None, :, None] + z[None, None, :]) / 3)


def test_volumes_of_a_real_head_are_those_of_an_adult(segmented):
    found = volumes_cm3(segmented / "plain_tissue.nii.gz")
    assert 550 < found["GM"] < 1000
    assert 400 < found["WM"] < 800
    assert 0.9 < found["GM"] / found["WM"] < 1.9
    assert 50 < found["CSF"] < 500


def test_both_hippocampi_of_a_real_head_are_found_each_on_its_side(segmented):
    with (MODEL / f"{STEM.name}-subcortex_dseg_labels.tsv").open() as file:
        index = {row["name"]: int(row["index"]) for row in csv.DictReader(file, delimiter="\t")}
    image = nib.load(segmented / "plain_subcortex.nii.gz")
    for side, sign in (("L", -1), ("R", 1)):
        places = np.argwhere(np.asarray(image.dataobj) == index[f"Hippocampus-{side}"])
        assert 2 < 0.064 * len(places) < 8
        assert sign * nib.affines.apply_affine(image.affine, places)[:, 0].mean() > 15


def test_the_brain_of_a_real_head_is_one_piece_without_holes(segmented):
    brain = voxels(segmented / "plain_brain_mask.nii.gz") > 0
    assert ndimage.label(brain)[1] == 1
    assert np.array_equal(ndimage.binary_fill_holes(brain), brain)
    assert 1100 < 0.064 * brain.sum() < 1900


def test_the_files_of_a_segmentation_agree_with_each_other(segmented):
    maps = np.stack([voxels(segmented / f"plain_posterior{index}.nii.gz") for index in (1, 2, 3)])
    tissue, brain = voxels(segmented / "plain_tissue.nii.gz"), voxels(segmented / "plain_brain_mask.nii.gz")
    assert maps.min() >= 0
    assert maps.sum(axis=0).max() < 1 + 1e-5
    assert not maps[:, brain == 0].any() and not tissue[brain == 0].any()
    assert np.array_equal(tissue[tissue > 0], maps.argmax(axis=0)[tissue > 0] + 1)
    nuclei = voxels(segmented / "plain_subcortex.nii.gz")
    assert (tissue[nuclei > 0] > 1).all()  # grey or white matter


def test_a_scan_that_is_dark_where_the_brain_should_be_is_refused(segmented):
    head = nib.load(segmented / "T1w.nii.gz")
    write_like(segmented / "dark.nii.gz", np.zeros(head.shape), head)
    words = ("--image", "dark.nii.gz", *ATLAS, "--output", "dark_corrected.nii.gz")
    ended = run(segmented, "correct-by-tissue", *words)
    assert ended.returncode == ExitStatus.BAD_DATA
    assert (
        "dark.nii.gz: nothing has the intensities of tissue where the registered atlas expects the brain"
        in ended.stderr
    )
    assert not (segmented / "dark_corrected.nii.gz").exists()


def test_beyond_the_skull_no_field_is_stronger_than_within(segmented):
    priors = read_priors(f"{STEM}-structures_probseg.nii.gz", f"{STEM}-structures_probseg_labels.tsv")
    head = read_head(str(segmented / "T1w.nii.gz"), str(segmented / "displacement.nii.gz"), priors)
    own = np.zeros(head.values.shape, bool)
    own[tuple(head.nearest.reshape(3, -1))] = True
    assert 0.05 < own.mean() < 0.5
    coefficients = np.random.default_rng(1).normal(scale=0.02, size=head.basis.bending().size)
    field = head.field(coefficients)
    assert np.allclose(field[own], np.exp(head.basis.volume(coefficients, head.values.shape))[own], rtol=1e-5)
    assert (field.min(), field.max()) == (field[own].min(), field[own].max())
    indices = head.looked_at[:, ::50]
    at_samples = np.exp(head.basis.at(head.decided_at(indices)) @ coefficients)
    assert np.allclose(field[tuple(indices)], at_samples, rtol=1e-4)


def test_a_second_run_writes_the_same_bytes(segmented):
    segment(segmented, "T1w.nii.gz", "again_")
    first = sorted(path for path in segmented.glob("plain_*"))
    assert len(first) == 8
    for path in first:
        again = path.with_name(path.name.replace("plain", "again"))
        assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest(), path.name


def test_a_field_of_40_per_cent_changes_volumes_of_grey_and_white_matter_by_less_than_2(segmented):
    plain, shaded = (volumes_cm3(segmented / f"{name}_tissue.nii.gz") for name in ("plain", "shaded"))
    change = {name: shaded[name] / plain[name] - 1 for name in ("GM", "WM")}
    assert max(map(abs, change.values())) < 0.02, change


def test_more_than_half_of_a_field_is_taken_off_by_the_tissues(segmented):
    brain = voxels(segmented / "plain_brain_mask.nii.gz") > 0
    for name in ("T1w", "shaded"):
        words = ("--image", f"{name}.nii.gz", *ATLAS, "--output", f"{name}_corrected.nii.gz")
        ended = run(segmented, "correct-by-tissue", *words)
        assert (ended.returncode, ended.stderr) == (0, "")
    plain, shaded = (voxels(segmented / f"{name}_corrected.nii.gz")[brain] for name in ("T1w", "shaded"))
    raw = known_field(nib.load(segmented / "T1w.nii.gz").shape)[brain]
    left = shaded[plain > 0] / plain[plain > 0]
    assert raw.std() / raw.mean() > 0.05
    assert left.std() / left.mean() < 0.5 * raw.std() / raw.mean()


def test_tissue_maps_lie_in_the_brains_box_and_sum_to_1_within_it(segmented):
    words = ("--image", "T1w.nii.gz", *ATLAS, "--mask", "plain_brain_mask.nii.gz", "--output", "map_")
    ended = run(segmented, "tissue-maps", *words, "--margin", "8")
    assert (ended.returncode, ended.stderr) == (0, "")
    maps = [nib.load(segmented / f"map_{tissue}.nii.gz") for tissue in ("CSF", "GM", "WM")]
    whole = nib.load(segmented / "plain_brain_mask.nii.gz")
    brain = np.asarray(whole.dataobj) > 0
    ends = [np.flatnonzero(brain.any(axis=tuple(a for a in range(3) if a != axis)))[[0, -1]] for axis in range(3)]
    box = tuple(slice(max(0, low - 2), high + 3) for low, high in ends)
    assert maps[0].shape == brain[box].shape
    assert np.allclose(maps[0].affine[:3, 3], nib.affines.apply_affine(whole.affine, [part.start for part in box]))
    total = sum(np.asarray(part.dataobj) for part in maps)
    assert total.max() < 1 + 1e-5
    assert total[brain[box]].mean() > 0.97


def test_a_given_brain_mask_is_kept_and_nothing_is_found_outside_it(segmented):
    brain = voxels(segmented / "plain_brain_mask.nii.gz") > 0
    given = ndimage.binary_erosion(brain, iterations=2)
    write_like(segmented / "given.nii.gz", given, nib.load(segmented / "T1w.nii.gz"))
    words = ("--image", "T1w.nii.gz", *ATLAS, *TABLES, "--mask", "given.nii.gz", "--output", "within_")
    ended = run(segmented, "segment", *words)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert np.array_equal(voxels(segmented / "within_brain_mask.nii.gz") > 0, given)
    inside = voxels(segmented / "within_tissue.nii.gz")
    assert not inside[~given].any()
    assert np.array_equal(inside[given], voxels(segmented / "plain_tissue.nii.gz")[given])


def test_a_published_mask_that_reaches_the_edge_of_the_image_is_doubted(segmented):
    head = nib.load(segmented / "T1w.nii.gz")
    brain = voxels(segmented / "plain_brain_mask.nii.gz") > 0
    top = int(np.flatnonzero(brain.any(axis=(0, 1)))[-1]) - 5
    cut = head.slicer[:, :, :top]
    write_like(segmented / "cut.nii.gz", np.asarray(cut.dataobj), cut)
    nib.Nifti1Image(np.zeros((*cut.shape, 1, 3), np.float32), cut.affine).to_filename(segmented / "cut_field.nii.gz")
    words = ("--image", "cut.nii.gz", "--displacement", "cut_field.nii.gz", *ATLAS[2:], *TABLES, "--output", "cut_")
    ended = run(segmented, "segment", *words)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"{WARNING_MARK}The brain mask reaches the edge of the image" in ended.stdout


def test_a_mask_on_another_grid_is_refused_by_name(segmented):
    nib.Nifti1Image(np.ones((9, 9, 9), np.uint8), np.eye(4)).to_filename(segmented / "small.nii.gz")
    words = ("--image", "T1w.nii.gz", *ATLAS, *TABLES, "--mask", "small.nii.gz", "--output", "refused_")
    ended = run(segmented, "segment", *words)
    assert ended.returncode == ExitStatus.BAD_DATA
    assert "small.nii.gz" in ended.stderr and "different grids" in ended.stderr


@pytest.mark.parametrize("picture", ["noise", "inverted"])
def test_what_shows_no_tissues_as_a_t1w_does_is_refused_by_name(segmented, picture):
    head = nib.load(segmented / "T1w.nii.gz")
    plain = np.asarray(head.dataobj, dtype=np.float64)
    noise = np.random.default_rng(0).uniform(0, 500, plain.shape)
    name = f"{picture}.nii.gz"
    write_like(segmented / name, noise if picture == "noise" else np.where(plain > 5, plain.max() - plain, 0), head)
    ended = run(segmented, "segment", "--image", name, *ATLAS, *TABLES, "--output", "refused_")
    assert ended.returncode == ExitStatus.BAD_DATA
    assert f"segment: {name}: " in ended.stderr
    assert not list(segmented.glob("refused_*"))


def test_an_atlas_that_misses_the_scan_is_refused_by_name(segmented):
    shape = nib.load(segmented / "T1w.nii.gz").shape
    nib.Nifti1Image(np.full((*shape, 1, 3), 900, np.float32), np.eye(4)).to_filename(segmented / "far.nii.gz")
    words = ("--image", "T1w.nii.gz", "--displacement", "far.nii.gz", *ATLAS[2:], "--output", "out.nii.gz")
    ended = run(segmented, "correct-by-tissue", *words)
    assert ended.returncode == ExitStatus.BAD_DATA
    assert "T1w.nii.gz: the registered atlas does not meet the scan" in ended.stderr
