"""The command lines of the steps, word for word."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tntpipe.steps.arithmetic import image_input, imaging
from tntpipe.steps.bet import bet
from tntpipe.steps.bias import bias_field
from tntpipe.steps.registration import (
    PRESETS,
    brain_registration,
    head_registration,
    linear_registration,
    nonlinear_registration,
    tissue_registration,
)
from tntpipe.steps.step import Input, Place, Step
from tntpipe.steps.tissue import atropos
from tntpipe.steps.transforms import (
    LABELS,
    MASK,
    PROBABILITY,
    Link,
    apply_to_image,
    apply_to_points,
    displacement_field,
)

PLACE = Place(folder="sub-01", scan="sub-01", voxels=1000, voxel_mm=1.0)
T1W, TEMPLATE = "sub-01/normalised/T1w.nii.gz", "model/T1w/clean.nii.gz"
START = (
    "--dimensionality 3 --float 0 --verbose 1 --random-seed 1 --collapse-output-transforms 1 "
    "--write-composite-transform 0 --output xfm_ --use-histogram-matching 0 "
    "--winsorize-image-intensities [0.005,0.995] --initial-moving-transform "
)


def words(step: Step) -> str:
    return " ".join(step.arguments)


def linear(preset: str) -> Step:
    return linear_registration(PLACE, kind="linear", fixed=T1W, moving=TEMPLATE, preset=PRESETS[preset], seed=1)


def nonlinear(preset: str) -> Step:
    matrix = "sub-01/linear/xfm_0GenericAffine.mat"
    return nonlinear_registration(
        PLACE, kind="syn", fixed=T1W, moving=TEMPLATE, linear=matrix, preset=PRESETS[preset], seed=1
    )


def test_reference_linear_is_the_reference_pipelines() -> None:
    stage = (
        "--transform {}[0.1] --metric MI[in/fixed.nii.gz,in/moving.nii.gz,1,32,Regular,0.25] "
        "--convergence [1000x500x250x100,1e-6,10] --shrink-factors 8x4x2x1 --smoothing-sigmas 3x2x1x0vox"
    )
    expected = f"{START}[in/fixed.nii.gz,in/moving.nii.gz,1] {stage.format('Rigid')} {stage.format('Affine')}"
    assert words(linear("reference")) == expected


def test_reference_syn_is_the_reference_pipelines() -> None:
    assert words(nonlinear("reference")) == (
        f"{START}in/linear.mat --transform SyN[0.1,3,0] --metric CC[in/fixed.nii.gz,in/moving.nii.gz,1,4] "
        "--convergence [100x70x50x20,1e-6,10] --shrink-factors 8x4x2x1 --smoothing-sigmas 3x2x1x0vox"
    )


def test_quick_is_ants_registration_syn_quick() -> None:
    assert "--convergence [1000x500x250x0,1e-6,10]" in words(linear("quick"))
    assert "--metric MI[in/fixed.nii.gz,in/moving.nii.gz,1,32] --convergence [100x70x50x0,1e-6,10]" in words(
        nonlinear("quick")
    )


def test_debug_iterates_once_a_level() -> None:
    assert words(linear("debug")).count("[1x1x1x1,1e-6,10]") == 2
    assert words(nonlinear("debug")).count("[1x1x1x1,1e-6,10]") == 1


@pytest.mark.parametrize(
    ("voxel_mm", "shrink"), [(1.0, "8x4"), (2.0, "4x2"), (0.7, "11x6"), (4.0, "2x1"), (8.0, "1x1")]
)
def test_the_coarse_registration_works_on_the_same_grids_whatever_the_voxel_size(voxel_mm: float, shrink: str) -> None:
    place = dataclasses.replace(PLACE, voxel_mm=voxel_mm)
    step = brain_registration(place, fixed=T1W, moving=TEMPLATE, seed=1)
    assert words(step).count(f"--shrink-factors {shrink} --smoothing-sigmas 4x2mm") == 1  # affine
    assert words(step).count(f"x{shrink} --smoothing-sigmas 8x4x2mm") == 1  # rigid


@pytest.mark.parametrize(
    ("voxel_mm", "levels"),
    [(0.7, "8x4x2x1 --smoothing-sigmas 3x2x1x0vox"), (2.0, "8x4x2x1 --smoothing-sigmas 3x2x1x0vox"),
     (4.0, "4x2x1x1 --smoothing-sigmas 1.5x1x0.5x0vox")],
)  # fmt: skip
def test_the_brain_of_a_coarse_scan_is_not_shrunk_to_nothing(voxel_mm: float, levels: str) -> None:
    place = dataclasses.replace(PLACE, voxel_mm=voxel_mm)
    step = linear_registration(place, kind="linear", fixed=T1W, moving=TEMPLATE, preset=PRESETS["quick"], seed=1)
    assert words(step).count(f"--shrink-factors {levels}") == 2  # rigid and affine


def test_the_head_is_registered_again_by_its_affine_part_alone_from_where_it_lies() -> None:
    step = head_registration(PLACE, fixed=T1W, moving=TEMPLATE, transform="affine.mat", seed=1)
    assert words(step).count("--initial-moving-transform in/affine.mat --transform Affine[0.1] --metric MI[") == 1
    assert words(step).count("--transform ") == 1


@pytest.mark.parametrize(("voxel_mm", "shrink"), [(1.0, "2"), (4.0, "2"), (9.0, "1")])
def test_n4_works_in_a_mask_at_8_mm_on_voxels_of_4_mm(voxel_mm: float, shrink: str) -> None:
    place = dataclasses.replace(PLACE, voxel_mm=voxel_mm)
    step = bias_field(place, image=T1W, mask=T1W, kind="bias_field")
    assert words(step) == (
        "--image-dimensionality 3 --verbose 1 --input-image in/T1w.nii.gz --mask-image in/mask.nii.gz "
        f"--shrink-factor {shrink} --convergence [50x50x50x50,0.0000001] --bspline-fitting [200] "
        "--output [corrected.nii.gz,field.nii.gz]"
    )


def test_atropos_starts_from_the_labels_and_weighs_them_no_further() -> None:
    step = atropos(PLACE, image=T1W, mask=T1W, initial=T1W, n_classes=3)
    assert words(step) == (
        "--image-dimensionality 3 --verbose 1 --use-random-seed 0 --intensity-image in/T1w.nii.gz "
        "--mask-image in/mask.nii.gz --initialization PriorLabelImage[3,in/initial.nii.gz,0] "
        "--likelihood-model Gaussian --mrf [0.1,1x1x1] --convergence [1,0] "
        "--output [segmentation.nii.gz,posterior%d.nii.gz]"
    )
    assert step.outputs == ("segmentation.nii.gz", "posterior1.nii.gz", "posterior2.nii.gz", "posterior3.nii.gz")


@pytest.mark.parametrize(
    ("interpolation", "data_type"),
    [(PROBABILITY, "float"), (MASK, "uchar"), (LABELS, "int")],
    ids=["p", "mask", "labels"],
)
def test_an_image_comes_to_the_scan(interpolation: str, data_type: str) -> None:
    step = apply_to_image(
        PLACE,
        "lobes",
        image=T1W,
        reference=T1W,
        transforms=(Link("syn/W.nii.gz"), Link("syn/A.mat")),
        interpolation=interpolation,
        output="lobes.nii.gz",
    )
    assert words(step) == (
        "--dimensionality 3 --verbose 1 --input in/image.nii.gz --reference-image in/reference.nii.gz "
        "--transform in/transform0.nii.gz --transform in/transform1.mat "
        f"--interpolation {interpolation} --output-data-type {data_type} --output lobes.nii.gz"
    )


def test_a_displacement_field_goes_through_its_transforms_in_their_order() -> None:
    chain = [Link("sub-01/syn/affine.mat", inverted=True), Link("sub-01/syn/warp.nii.gz")]
    step = displacement_field(PLACE, "displacement", image=TEMPLATE, reference=T1W, transforms=chain)
    assert words(step) == (
        "--dimensionality 3 --verbose 1 --input in/image.nii.gz --reference-image in/reference.nii.gz "
        "--transform [in/transform0.mat,1] --transform in/transform1.nii.gz --float 1 --output [displacement.nii.gz,1]"
    )
    assert [item.source for item in step.inputs[2:]] == [link.source for link in chain]


def test_tissues_are_registered_map_by_map_from_where_they_are() -> None:
    maps = {tissue: f"sub-01/maps/{tissue}.nii.gz" for tissue in ("CSF", "GM", "WM")}
    step = tissue_registration(PLACE, fixed=maps, moving=maps, seed=1)
    assert words(step) == (
        "--dimensionality 3 --float 0 --verbose 1 --random-seed 1 --collapse-output-transforms 1 "
        "--write-composite-transform 0 --output xfm_ --use-histogram-matching 0 "
        "--transform SyN[0.2,3,0] --metric MeanSquares[in/fixed_CSF.nii.gz,in/moving_CSF.nii.gz,1] "
        "--metric MeanSquares[in/fixed_GM.nii.gz,in/moving_GM.nii.gz,1] "
        "--metric MeanSquares[in/fixed_WM.nii.gz,in/moving_WM.nii.gz,1] --convergence [60x40,1e-7,10] "
        "--shrink-factors 8x4 --smoothing-sigmas 4x2mm"
    )


def test_points_come_to_the_scan_by_the_inverse() -> None:
    step = apply_to_points(PLACE, points=T1W, inverse=Link("sub-01/back/displacement.nii.gz"))
    assert words(step) == (
        "--dimensionality 3 --precision 1 --input in/points.csv --output points.csv --transform in/inverse.nii.gz"
    )
    assert step.inputs[1].source == "sub-01/back/displacement.nii.gz"


def test_bet_takes_its_two_settings() -> None:
    step = bet(PLACE, image=T1W, frac=0.35, vertical_gradient=-0.1)
    assert words(step) == "in/T1w.nii.gz brain -m -n -f 0.35 -g -0.1"


def test_no_word_of_a_command_holds_a_path_of_the_users() -> None:
    hostile = Path("/data/a b,c]$(rm -rf ~)/sub-01_T1w.nii")
    step = imaging(
        PLACE,
        "clean",
        "clean-header",
        "--input",
        Input(image_input("T1w", hostile.name), hostile),
        outputs=("out.nii.gz",),
    )
    assert step.argv({"imaging": ("python",)}) == ("python", "clean-header", "--input", "in/T1w.nii")


def test_only_registrations_that_give_the_same_with_any_number_of_threads_may_have_several() -> None:
    maps = dict.fromkeys(("CSF", "GM", "WM"), T1W)
    moldable = [
        nonlinear("standard"),
        nonlinear("reference"),
        tissue_registration(PLACE, fixed=maps, moving=maps, seed=1),
    ]
    head = brain_registration(PLACE, fixed=T1W, moving=TEMPLATE, seed=1)
    n4 = bias_field(PLACE, image=T1W, mask=T1W, kind="bias_field")
    fixed = [linear("standard"), linear("reference"), nonlinear("quick"), head, n4]
    assert all(step.moldable for step in moldable)
    assert not any(step.moldable for step in fixed)
    assert not any("thread" in words(step) for step in (*moldable, *fixed))


def test_standard_works_on_grids_in_millimetres_whatever_the_voxels() -> None:
    levels = "--shrink-factors 4x2x1 --smoothing-sigmas 2x1x0vox"
    assert words(linear("standard")).count(levels) == 2
    assert words(nonlinear("standard")).endswith(
        f"--metric CC[in/fixed.nii.gz,in/moving.nii.gz,1,2] --convergence [100x70x30,1e-6,10] {levels}"
    )
    assert PRESETS["standard"].grid_words == ("--grid_mm", "2")
