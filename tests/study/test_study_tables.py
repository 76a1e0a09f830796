"""The tables of a study: a row for every scan, names that others' tools take, and nothing that is silently lost."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from made_up_study import METHOD, TABLES, add_run, add_scan, describe

from tntpipe.cli.main import main
from tntpipe.errors import ExitStatus, InputMissingError, OutputError, TableError
from tntpipe.imaging.tables import read_table
from tntpipe.journal.events import Notice, ScanEnded, ScanOutcome
from tntpipe.study.write import write_study

DONE, FAILED, REFUSED = ScanOutcome.DONE, ScanOutcome.FAILED, ScanOutcome.REFUSED


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Two scans that are done, one that failed half-way, one that was refused and one that is under way."""
    out = tmp_path / "out"
    describe(out)
    for name in ("sub-01", "sub-02_ses-b_run-01", "sub-03"):
        add_scan(out, name)
    add_run(
        out,
        1000,
        ["sub-01", "sub-02_ses-b_run-01", "sub-03", "sub-05"],
        ScanEnded(scan="sub-04", outcome=REFUSED, message="the file\tends early."),
        Notice(text="tissues overlap", level="WARNING", scan="sub-01"),
        ScanEnded(scan="sub-01", outcome=DONE),
        ScanEnded(scan="sub-02_ses-b_run-01", outcome=DONE),
        ScanEnded(scan="sub-03", outcome=FAILED, message="no memory"),
    )
    return out


def wide(out: Path) -> dict[str, dict[str, str]]:
    rows = read_table(out / "group_volumes.tsv", ())
    found = {row["participant_id"]: row for row in rows}
    assert len(found) == len(rows)
    return found


def test_every_scan_has_a_row_with_how_it_stands_and_why(out: Path) -> None:
    written = write_study(out)
    rows = wide(out)
    assert {name: row["status"] for name, row in rows.items()} == {
        "sub-01": "done",
        "sub-02": "done",
        "sub-03": "failed",
        "sub-04": "refused",
        "sub-05": "unfinished",
    }
    assert (written.n_scans, written.n_done) == (5, 2)
    assert rows["sub-03"]["reason"] == "no memory" and rows["sub-04"]["reason"].endswith("ends early.")
    assert "resume" in rows["sub-05"]["reason"]
    assert (rows["sub-01"]["warnings"], rows["sub-02"]["warnings"]) == ("tissues overlap", "n/a")
    assert any("3 scans without figures (sub-03, sub-04, sub-05)" in text for text in written.warnings)


def test_a_scan_that_failed_has_no_figures_though_some_of_its_tables_lie_there(out: Path) -> None:
    write_study(out)
    assert {row["gm_mm3"] for name, row in wide(out).items() if name > "sub-02"} == {"n/a"}
    assert {row["participant_id"] for row in read_table(out / "group_volumes_long.tsv", ())} == {"sub-01", "sub-02"}


def test_the_last_run_that_had_a_scan_says_how_it_stands(out: Path) -> None:
    add_run(out, 2000, ["sub-03"], ScanEnded(scan="sub-03", outcome=DONE))
    add_run(out, 500, ["sub-01"], ScanEnded(scan="sub-01", outcome=FAILED, message="long ago"))
    write_study(out)
    assert wide(out)["sub-03"]["status"] == wide(out)["sub-01"]["status"] == "done"


def test_columns_are_words_with_units_and_figures_have_as_many_digits_as_they_mean(out: Path) -> None:
    write_study(out)
    row = wide(out)["sub-02"]
    assert {name: row[name] for name in ("session_id", "acq", "run")} == {
        "session_id": "ses-b",
        "acq": "n/a",
        "run": "01",
    }
    assert (row["icv_mm3"], row["brain_mm3"], row["gm_mm3"]) == ("1400000.0", "1200000.0", "600000.0")
    assert (row["brain_icv"], row["voxel_mm3"]) == ("0.85714", "2")
    assert (row["gm_frontal_r_mm3"], row["gm_frontal_l_mm3"]) == ("120000.0", "0.0")
    assert (row["brain_stem_mm3"], row["striatum_r_mm3"]) == ("18000.0", "10000.0")
    assert all(name.isidentifier() and name == name.lower() for name in row)
    long = read_table(out / "group_volumes_long.tsv", ())
    frontal = next(r for r in long if r["region"] == "Frontal" and r["hemisphere"] == "R")
    assert (frontal["tissue"], frontal["segmentation"], frontal["mean_intensity"]) == ("GM", "tissuelobes", "109.287")


def test_the_long_table_holds_no_structure_twice_and_the_wide_one_marks_sums(out: Path) -> None:
    write_study(out)
    nuclei = [r for r in read_table(out / "group_volumes_long.tsv", ()) if r["segmentation"] == "subcortex"]
    assert {r["region"] for r in nuclei} == {"Caudate", "Putamen", "BrainStem"}
    assert json.loads((out / "group_volumes.json").read_text())["striatum_r_mm3"]["Derivative"] is True


@pytest.mark.parametrize("name", ["group_volumes", "group_volumes_long", "group_derived", "phenotype/tntpipe"])
def test_a_dictionary_has_each_column_of_its_table(out: Path, name: str) -> None:
    write_study(out)
    entries = json.loads((out / f"{name}.json").read_text())
    columns = (out / f"{name}.tsv").read_text().splitlines()[0].split("\t")
    about = {"MeasurementToolMetadata", "Derivative"} if name.startswith("phenotype") else set()
    assert set(columns) == entries.keys() - about and len(set(columns)) == len(columns)
    assert all(entries[column]["Description"] for column in columns)


def test_two_labels_that_would_be_one_column_are_an_error_and_nothing_is_written(out: Path) -> None:
    add_scan(out, "sub-01", {**TABLES, "seg-tissuelobes": [(1, "GM+Frontal-R", 1), (2, "GM Frontal R", 2)]})
    with pytest.raises(TableError, match="gm_frontal_r_mm3"):
        write_study(out)
    assert not list(out.glob("group_*"))


def test_a_label_that_two_scans_write_in_two_ways_is_one_column(out: Path) -> None:
    add_scan(out, "sub-01", {**TABLES, "seg-tissuelobes": [(2, "GM_Frontal_R", 5)]})
    write_study(out)
    assert [wide(out)[name]["gm_frontal_r_mm3"] for name in ("sub-01", "sub-02")] == ["10.0", "120000.0"]


def test_a_label_that_would_hide_a_total_is_an_error(out: Path) -> None:
    add_scan(out, "sub-01", {**TABLES, "atlas-MNI_seg-subcortex": [(1, "Brain", 5)]})
    with pytest.raises(TableError, match="brain_mm3"):
        write_study(out)


def test_an_entity_that_bids_does_not_know_is_an_error(out: Path) -> None:
    add_scan(out, "sub-06_foo-1")
    with pytest.raises(TableError, match=r"sub-06_foo-1.*'foo-1'"):
        write_study(out)


def test_scans_that_only_another_entity_tells_apart_are_two_rows(out: Path) -> None:
    add_scan(out, "sub-07")
    add_scan(out, "sub-07_ce-gad")
    write_study(out)
    rows = [row for row in read_table(out / "group_volumes.tsv", ()) if row["participant_id"] == "sub-07"]
    assert sorted(row["ce"] for row in rows) == ["gad", "n/a"]


def test_methods_that_differ_are_told_in_a_column_and_in_a_warning(out: Path) -> None:
    assert not any("different methods" in text for text in write_study(out).warnings)
    add_scan(out, "sub-02_ses-b_run-01", method={**METHOD, "registration": "quick"})
    (warning,) = (text for text in write_study(out).warnings if "different methods" in text)
    assert '"standard" in 1 scan (sub-01)' in warning and '"quick" in 1 scan (sub-02_ses-b_run-01)' in warning
    rows = wide(out)
    assert (rows["sub-01"]["preset"], rows["sub-02"]["preset"]) == ("standard", "quick")
    assert rows["sub-01"]["method"] != rows["sub-02"]["method"]


def test_a_table_that_the_manifest_does_not_list_is_not_read(out: Path) -> None:
    add_scan(out, "sub-01", {"seg-tissue": [(2, "GM", 7)]})
    write_study(out)
    assert (wide(out)["sub-01"]["gm_mm3"], wide(out)["sub-01"]["icv_mm3"]) == ("14.0", "n/a")


def test_results_that_were_deleted_are_told_so(out: Path) -> None:
    shutil.rmtree(out / "sub-01")
    write_study(out)
    assert wide(out)["sub-01"]["status"] == "missing" and "sub-01_label-ICV" in wide(out)["sub-01"]["reason"]


def test_results_without_journal_or_manifest_are_read_too(out: Path) -> None:
    shutil.rmtree(out / "logs")
    shutil.rmtree(out / "manifest")
    written = write_study(out)
    assert wide(out)["sub-02"]["gm_mm3"] == "600000.0" and wide(out)["sub-02"]["method"] == "n/a"
    assert any("in no manifest" in text for text in written.warnings)


def test_a_journal_of_another_version_is_told_and_the_others_count(out: Path) -> None:
    path = out / "logs/run-1/journal.jsonl"
    path.parent.mkdir()
    path.write_text('{"t":1,"event":"RunStarted","schema_version":1}\n')
    assert any("schema version 1" in text for text in write_study(out).warnings)
    assert wide(out)["sub-04"]["status"] == "refused"


def test_the_phenotype_has_only_scans_with_figures_and_no_text_about_them(out: Path) -> None:
    write_study(out)
    rows = read_table(out / "phenotype/tntpipe.tsv", ("participant_id", "session_id", "run"))
    assert [row["participant_id"] for row in rows] == ["sub-01", "sub-02"]
    assert rows[0].keys().isdisjoint({"status", "reason", "warnings", "acq"})


def test_the_same_study_is_not_written_again(out: Path) -> None:
    write_study(out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    write_study(out)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_an_output_folder_that_may_only_be_read_is_gathered_elsewhere(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(out.rglob("*"))
    assert main(["group", str(out), "--group_output", str(tmp_path / "tables")]) == ExitStatus.SUCCESS
    assert sorted(out.rglob("*")) == before
    assert (tmp_path / "tables/group_volumes.tsv").is_file()
    assert "5 scans, 2 of them with figures" in capsys.readouterr().out


def test_group_is_a_level_and_a_first_word(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere", str(out), "group"]) == main(["group", str(out)]) == ExitStatus.SUCCESS
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


def test_a_folder_without_results_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputMissingError, match="holds no results"):
        write_study(tmp_path)


def test_tables_do_not_leave_the_output_folder(out: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (out / "phenotype").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="leads out"):
        write_study(out)
    assert os.listdir(tmp_path / "elsewhere") == []  # noqa: PTH208


def test_a_table_that_leads_out_of_the_output_folder_is_not_read(out: Path, tmp_path: Path) -> None:
    path = out / "sub-01/anat/sub-01_seg-tissue_stats.tsv"
    path.rename(tmp_path / "secret.tsv")
    path.symlink_to(tmp_path / "secret.tsv")
    write_study(out)
    row = wide(out)["sub-01"]
    assert (row["status"], row["gm_mm3"]) == ("damaged", "n/a") and "leads out" in row["reason"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"index\tname\tnumber_voxels\tvolume\tmean\n2\tGM",
        b"index\tname\tnumber_voxels\tvolume\tmean\n2\tGM\tmany\t1.0\t2.0\n",
        b"name\tvolume\nGM\t5\n",
        b"\xff\xfe\x00\x01binary",
    ],
    ids=["empty", "torn", "no number", "other columns", "binary"],
)
def test_a_damaged_table_costs_the_row_of_its_scan_by_name_and_nothing_else(out: Path, content: bytes) -> None:
    write_study(out)
    before = wide(out)
    path = out / "sub-01/anat/sub-01_seg-tissue_stats.tsv"
    path.write_bytes(content)
    written = write_study(out)
    rows = wide(out)
    assert (rows["sub-01"]["status"], rows["sub-01"]["icv_mm3"]) == ("damaged", "n/a")
    assert path.name in rows["sub-01"]["reason"]
    assert {name: row for name, row in rows.items() if name != "sub-01"} == {
        name: row for name, row in before.items() if name != "sub-01"
    }
    assert any("sub-01" in text and "without figures" in text for text in written.warnings)
