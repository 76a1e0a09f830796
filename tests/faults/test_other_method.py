"""A run by another method that is stopped before it has computed anything, and what an older version has left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_ants import Place, write_programs, write_scans
from processes import until


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A scan and an ANTs that fails, so that the first steps of the scan are all that a run publishes."""
    write_scans(tmp_path / "bids", "01")
    write_programs(tmp_path / "ants", "exit 3")
    place = Place(tmp_path)
    yield place
    place.close()


def lying(out: Path) -> dict[str, bytes]:
    names = ("sub-01/anat/*", "manifest/*", "logs/CITATION.md", "README", "dataset_description.json")
    return {str(path): path.read_bytes() for name in names for path in out.glob(name)}


def test_a_run_that_is_stopped_before_anything_was_computed_changes_nothing(place: Place, tmp_path: Path) -> None:
    assert place.start().status() == 1
    before = lying(place.out)
    sidecar = json.loads((place.out / "sub-01/anat/sub-01_desc-qform_T1w.json").read_text(encoding="utf-8"))
    assert sidecar["Debug"] is True and "(a test of the software" in (place.out / "logs/CITATION.md").read_text()
    for path in (tmp_path / "ants").iterdir():
        path.write_text(path.read_text(encoding="utf-8").replace("exit 3", "exec sleep 300"), encoding="utf-8")
    place.options = ["--registration", "quick", "--n_proc", "2", "--memory_gb", "8"]
    other = place.start(said="other")
    until(lambda: "/bias_field" in events(place.out) and "will be moved to" in other.said)
    other.process.terminate()
    assert other.status() == 143 and lying(place.out) == before


def events(out: Path) -> str:
    """The names of steps that the newest run has started."""
    journal = max(out.glob("logs/run-*/journal.jsonl"), key=lambda path: path.stat().st_mtime)
    lines = (json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines(keepends=True) if "\n" in line)
    return " ".join(line["name"] for line in lines if line["event"] == "StepStarted")


def test_results_of_an_older_version_are_told_and_moved_aside(place: Place) -> None:
    folder = place.out / "sub-01/anat"
    folder.mkdir(parents=True)
    old = folder / "sub-01_from-MNI152NLin2009cAsym_to-T1w_mode-image_xfm.h5"
    for path in (old, folder / "sub-01_desc-nucor_T1w.nii.gz", folder / "sub-01_desc-mine_mask.nii.gz"):
        path.write_text("old")
    listed = place.start("--dry-run", said="listed")
    assert listed.status() == 0 and f"withdraw sub-01/anat/{old.name}" in listed.said
    run = place.start()
    assert run.status() == 1
    assert "results in no manifest, of an older version of tntpipe: sub-01" in run.said
    (moved,) = place.out.glob(f"work/withdrawn/*/sub-01/anat/{old.name}")
    assert moved.read_text() == "old" and not old.exists()
    assert (folder / "sub-01_desc-mine_mask.nii.gz").exists()
