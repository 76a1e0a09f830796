"""Derivatives: whole files under final names, published once, and again when they are gone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from published_steps import open_folder, publish
from small_runs import script

from tntpipe.errors import OutputError
from tntpipe.steps.step import Export, Step
from tntpipe.store.derivatives import Derivatives

NAME = "sub-01/anat/sub-01_desc-x_T1w.nii.gz"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "labels.tsv"
    path.write_text("index\tname\n")
    return path


@pytest.fixture
def step(tmp_path: Path, table: Path) -> Step:
    """A published step with two derivatives: its output, and an input that goes along."""
    exports = (Export("out", NAME, {"Sources": ["ä"]}), Export("in/0", "sub-01/anat/sub-01_dseg.tsv"))
    step = dataclasses.replace(script("s/a", "x", table), exports=exports)
    publish(tmp_path, step)
    return step


def derivatives(root: Path) -> Derivatives:
    return Derivatives(root / "out", open_folder(root))


def test_outputs_and_inputs_that_go_along_are_published_with_their_sidecars(tmp_path: Path, step: Step) -> None:
    assert not derivatives(tmp_path).are_published(step)
    derivatives(tmp_path).publish(step)
    folder = tmp_path / "out/sub-01/anat"
    assert {path.name for path in folder.iterdir()} == {
        "sub-01_desc-x_T1w.nii.gz",
        "sub-01_desc-x_T1w.json",
        "sub-01_dseg.tsv",
    }
    assert (folder / "sub-01_desc-x_T1w.nii.gz").read_text() == "made"
    assert (folder / "sub-01_dseg.tsv").read_text() == "index\tname\n"
    assert json.loads((folder / "sub-01_desc-x_T1w.json").read_text()) == {"Sources": ["ä"]}
    assert derivatives(tmp_path).are_published(step)


@pytest.mark.parametrize("name", [NAME, NAME.replace(".nii.gz", ".json"), "sub-01/anat/sub-01_dseg.tsv"])
@pytest.mark.parametrize("harm", ["gone", "shortened", "a folder"])
def test_a_derivative_that_was_harmed_counts_as_not_published(tmp_path: Path, step: Step, name: str, harm: str) -> None:
    derivatives(tmp_path).publish(step)
    path = tmp_path / "out" / name
    path.unlink()
    if harm == "shortened":
        path.touch()
    elif harm == "a folder":
        path.mkdir()
    assert not derivatives(tmp_path).are_published(step)


def test_another_sidecar_or_another_name_is_published_again(tmp_path: Path, step: Step) -> None:
    derivatives(tmp_path).publish(step)
    for export in (Export("out", NAME, {"Sources": ["b"]}), Export("out", NAME.replace("desc-x", "desc-y"))):
        assert not derivatives(tmp_path).are_published(dataclasses.replace(step, exports=(export,)))


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_torn_manifest_means_again(tmp_path: Path, step: Step, text: str) -> None:
    derivatives(tmp_path).publish(step)
    (tmp_path / "out/manifest/s.json").write_text(text)
    assert not derivatives(tmp_path).are_published(step)


def test_a_step_without_derivatives_has_published_them(tmp_path: Path) -> None:
    assert derivatives(tmp_path).are_published(script("s/b", "x"))
    derivatives(tmp_path).publish(script("s/b", "x"))
    assert not (tmp_path / "out").exists()


def test_a_link_in_the_place_of_a_derivative_is_replaced_and_its_target_kept(tmp_path: Path, step: Step) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "out/sub-01/anat").mkdir(parents=True)
    (tmp_path / "out" / NAME).symlink_to(target)
    derivatives(tmp_path).publish(step)
    assert target.read_text() == "precious" and not (tmp_path / "out" / NAME).is_symlink()


def test_a_name_that_leads_out_of_the_output_folder_is_refused(tmp_path: Path, step: Step) -> None:
    away = dataclasses.replace(step, exports=(Export("out", "../elsewhere/x.nii.gz"),))
    with pytest.raises(OutputError, match="leads out of the output folder"):
        derivatives(tmp_path).publish(away)
    assert not (tmp_path / "elsewhere/x.nii.gz").exists()


def test_what_a_killed_run_left_half_written_is_removed_at_the_next_start(tmp_path: Path, step: Step) -> None:
    derivatives(tmp_path).publish(step)
    folder = tmp_path / "out/sub-01/anat"
    left = [f".sub-01_desc-x_T1w{end}.0123456789ab.tmp" for end in (".nii.gz", ".json")]
    others = [".sub-01_desc-y_T1w.nii.gz.0123456789ab.tmp", ".hidden", "mine.tmp"]
    for name in (*left, *others):
        (folder / name).touch()
    before = {path.name for path in folder.iterdir()}
    derivatives(tmp_path).begin([step])
    assert {path.name for path in folder.iterdir()} == before - set(left)


@pytest.mark.parametrize("harm", ["removed", "another folder"])
def test_an_output_folder_that_goes_away_during_a_run_is_not_made_anew(tmp_path: Path, step: Step, harm: str) -> None:
    output = derivatives(tmp_path)
    output.begin([step])
    (tmp_path / "out").rename(tmp_path / "away")
    if harm == "another folder":
        (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="was removed, or its disk unmounted, while the run used it"):
        output.publish(step)
    assert not (tmp_path / "out/sub-01").exists()
    (tmp_path / "out").rmdir() if harm == "another folder" else None
    (tmp_path / "away").rename(tmp_path / "out")
    output.publish(step)
    assert output.are_published(step)


def test_a_full_disk_leaves_no_half_file_and_says_where(
    tmp_path: Path, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_source: Path, destination: Path) -> None:
        Path(destination).write_text("ma")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(OutputError, match=r"_T1w\.nii\.gz cannot be written: No space left"):
        derivatives(tmp_path).publish(step)
    assert list((tmp_path / "out/sub-01/anat").iterdir()) == []
