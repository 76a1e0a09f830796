"""The commands as real children on the real heads: what they write, say and return."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from tntpipe.imaging.__main__ import COMMANDS

HEAVY = {"scipy", "pandas", "matplotlib", "ants", "bids"}


def text_of(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def put_model(folder: Path, image: nib.Nifti1Image) -> None:
    """A brain-sized ball with lobes, and tags of three classes where the head is dark, middling and bright."""
    voxels = np.asarray(image.dataobj, dtype=np.float32)
    centre = ndimage.center_of_mass(voxels > voxels.mean())
    distance_mm = 2 * np.sqrt(sum((axis - c) ** 2 for axis, c in zip(np.indices(image.shape), centre, strict=True)))
    ball = distance_mm < 60
    nib.Nifti1Image(ball.astype(np.float32), image.affine).to_filename(folder / "ball.nii.gz")
    lobes = ball * (1 + (np.indices(image.shape)[0] > centre[0]))
    nib.Nifti1Image(lobes.astype(np.float32), image.affine).to_filename(folder / "lobes.nii.gz")
    lines = ["x\ty\tz\tindex"]
    for index, (low, high) in enumerate(((5, 10), (45, 50), (90, 95)), start=1):
        bounds = np.percentile(voxels[ball], (low, high))
        places = np.argwhere(ball & (voxels >= bounds[0]) & (voxels <= bounds[1]))[::7][:200]
        for x, y, z in nib.affines.apply_affine(image.affine, places):
            lines.append(f"{x}\t{y}\t{z}\t{index}")
    (folder / "tags.tsv").write_text("\n".join(lines) + "\n")
    (folder / "tissue.tsv").write_text("index\tname\n1\tCSF\n2\tGM\n3\tWM\n")
    (folder / "lobes.tsv").write_text("index\tname\n1\tHalf-L\n2\tHalf-R\n")


STORY = """
clean-header --input HEAD --output T1w.nii.gz
rescale --input T1w.nii.gz --output norm.nii.gz
refine-brain-mask --image norm.nii.gz --mask ball.nii.gz --output brain.nii.gz
multiply --image norm.nii.gz --mask brain.nii.gz --output norm_brain.nii.gz
tags-to-points --tags tags.tsv --output points.csv
sample-tags --points points.csv --image norm.nii.gz --mask brain.nii.gz --tags tags.tsv \
 --tissue_labels tissue.tsv --output features.tsv
classify --image norm.nii.gz --mask brain.nii.gz --features features.tsv --output init_dseg.nii.gz
to-integer --input lobes.nii.gz --output lobes_dseg.nii.gz
combine --tissue init_dseg.nii.gz --lobes lobes_dseg.nii.gz --tissue_labels tissue.tsv --lobe_labels lobes.tsv \
 --output dseg.nii.gz --output_labels dseg.tsv
statistics --labels dseg.nii.gz --labels_table dseg.tsv --image norm.nii.gz --output stats.tsv
""".replace("\\\n", "")


def test_the_whole_story_on_a_real_head_ends_in_a_table_of_volumes(head, run, tmp_path):
    put_model(tmp_path, nib.load(head))

    for line in STORY.strip().splitlines():
        ended = run(*line.replace("HEAD", str(head)).split())
        assert (ended.returncode, ended.stderr) == (0, ""), line
    normalised = nib.load(tmp_path / "norm.nii.gz")
    assert normalised.get_data_dtype() == np.float32
    assert (normalised.get_fdata().min(), normalised.get_fdata().max()) == (0, 5000)
    rows = text_of(tmp_path / "stats.tsv")
    assert [row["name"] for row in rows] == [f"{t}+{h}" for h in ("Half-L", "Half-R") for t in ("CSF", "GM", "WM")]
    labels = np.asarray(nib.load(tmp_path / "dseg.nii.gz").dataobj)
    for row in rows:
        inside = labels == int(row["index"])
        assert int(row["number_voxels"]) == inside.sum() > 0
        assert float(row["volume"]) == 8 * inside.sum()
        assert float(row["mean"]) == pytest.approx(normalised.get_fdata()[inside].mean())
    means = [float(row["mean"]) for row in rows]
    assert means[:3] == sorted(means[:3])


def test_an_expected_error_is_one_line_and_its_status(run):
    ended = run("rescale", "--input", "no.nii.gz", "--output", "out.nii.gz")
    assert (ended.returncode, ended.stdout) == (65, "")
    assert ended.stderr == "rescale: no.nii.gz: there is no such file.\n"


def test_an_output_that_cannot_be_written_is_one_line_and_status_74(run, write):
    ended = run("rescale", "--input", write(), "--output", "no/such/folder/out.nii.gz")
    assert ended.returncode == 74
    assert ended.stderr == "rescale: no/such/folder/out.nii.gz: No such file or directory.\n"


def test_a_truncated_image_is_an_expected_error_in_every_command_that_reads_it(run, write):
    path = write()
    path.write_bytes(path.read_bytes()[:-3000])
    for words in (("clean-header",), ("rescale",), ("to-integer",)):
        ended = run(*words, "--input", path, "--output", "out.nii.gz")
        assert ended.returncode == 65, ended.stderr
        assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [(), ("nonsense",), ("rescale",), ("rescale", "--input", "a", "--outp", "b")])
def test_wrong_usage_is_status_64(run, words):
    assert run(*words).returncode == 64


def test_help_names_every_command_and_every_option(run):
    text = run("--help").stdout
    for command in COMMANDS:
        assert command.name in text
        words = run(command.name, "--help").stdout
        assert all(f"--{option.name}" in words for option in command.options)


@pytest.mark.parametrize("module", sorted({command.function.partition(":")[0] for command in COMMANDS}))
def test_a_command_imports_nothing_heavy_before_it_runs(module, run, tmp_path):
    (tmp_path / "probe.py").write_text(
        f"import sys, tntpipe.imaging.__main__\nimport tntpipe.imaging.{module}\n"
        f"print(sorted({HEAVY!r} & {{name.partition('.')[0] for name in sys.modules}}))\n"
    )
    assert run(module="probe").stdout == "[]\n"


def test_too_few_samples_inside_the_brain_are_an_error_that_names_class_and_remedy(head, run, tmp_path):
    image = nib.load(head)
    put_model(tmp_path, image)
    nib.Nifti1Image((np.indices(image.shape).sum(0) < 20).astype(np.uint8), image.affine).to_filename(
        tmp_path / "corner.nii.gz"
    )
    run("tags-to-points", "--tags", "tags.tsv", "--output", "points.csv")
    words = ("--points", "points.csv", "--image", head, "--mask", "corner.nii.gz", "--tags", "tags.tsv")
    words += ("--tissue_labels", "tissue.tsv")
    ended = run("sample-tags", *words, "--output", "features.tsv")
    assert ended.returncode == 65
    assert "Only 0 of the 200 tags of tissue class 1 lie inside the brain" in ended.stderr
    assert not (tmp_path / "features.tsv").exists()


def test_a_label_that_the_table_has_not_is_an_error(run, write, tmp_path):
    (tmp_path / "labels.tsv").write_text("index\tname\n1\tone\n")
    write("labels.nii.gz", (np.arange(4096) % 3).astype(np.uint8).reshape(16, 16, 16))
    words = ("--labels", "labels.nii.gz", "--labels_table", "labels.tsv", "--image", "labels.nii.gz")
    ended = run("statistics", *words, "--output", "stats.tsv")
    assert (ended.returncode, ended.stderr) == (
        65,
        "statistics: labels.nii.gz: holds label 2, which its table of labels has not. "
        "Add what is missing to the table.\n",
    )


PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {child!r}], env={{**os.environ, **{extra!r}}})
print(child.pid, flush=True)
sys.stdin.read()
"""
CHILD = """
import time
from tntpipe.processes.parent_death import die_with_parent
die_with_parent()
print("up", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux kills a child with its parent")
def test_a_child_dies_when_its_parent_is_killed():
    words = [sys.executable, "-c", PARENT.format(child=CHILD, extra={})]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        lines = [parent.stdout.readline(), parent.stdout.readline()]
        pid = int(next(line for line in lines if line != "up\n"))
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.01)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux kills a child with its parent")
def test_a_child_whose_parent_died_before_it_asked_kills_itself():
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TNTPIPE_PARENT_PID": "999999999"}
    ended = subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, b"")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_given_mask_becomes_0_and_1_on_the_scans_grid(run, write, tmp_path):
    voxels = np.zeros((20, 18, 16), np.float32)
    voxels[5:15, 5:13, 4:12] = 0.49999
    write("scan.nii.gz")
    write("mask.nii.gz", voxels)
    command = ("given-mask", "--mask", "mask.nii.gz", "--like_image", "scan.nii.gz", "--output", "o.nii.gz")
    assert run(*command).returncode == 0
    result = nib.load(tmp_path / "o.nii.gz")
    assert result.get_data_dtype() == np.uint8
    assert np.array_equal(np.asarray(result.dataobj), voxels > 0)


def test_a_given_mask_on_another_grid_or_without_a_voxel_is_refused(run, write):
    write("scan.nii.gz")
    write("small.nii.gz", np.ones((16, 16, 16), np.uint8))
    write("empty.nii.gz", np.zeros((20, 18, 16), np.uint8))
    for name, fact in (("small.nii.gz", "grid"), ("empty.nii.gz", "empty")):
        result = run("given-mask", "--mask", name, "--like_image", "scan.nii.gz", "--output", "o.nii.gz")
        assert result.returncode == 65
        assert fact in result.stderr and name in result.stderr
