"""Fractions, residuals, asymmetries and robust z, against cases worked by hand."""

from __future__ import annotations

import doctest
import json
from pathlib import Path

import pytest
from made_up_study import add_scan, describe

from tntpipe.imaging.tables import read_table
from tntpipe.study import columns, derived, measures
from tntpipe.study.write import write_study

VOLUMES = {"01": 10, "02": 11, "03": 12, "04": 13, "05": 14, "11": 110, "12": 111, "13": 112, "14": 113, "15": 114}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Ten made-up scans, of which the second five are of a site whose volumes are far larger."""
    out = tmp_path / "out"
    describe(out)
    for name, volume in VOLUMES.items():
        tables = {
            "label-ICV": [(1, "intracranial", 10 * volume)],
            "seg-tissue": [(2, "GM", volume)],
            "atlas-MNI_seg-subcortex": [(1, "Thalamus-R", 1), (2, "Thalamus-L", 3), (3, "BrainStem", 4)],
        }
        add_scan(out, f"sub-{name}", tables)
    return out


def rows(out: Path) -> dict[str, dict[str, str]]:
    write_study(out)
    return {row["participant_id"]: row for row in read_table(out / "group_derived.tsv", ())}


@pytest.mark.parametrize("module", [derived, columns, measures])
def test_the_docstrings_examples_hold(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted and not found.failed


def test_volumes_are_told_over_icv_and_as_residuals(out: Path) -> None:
    first, last = rows(out)["sub-01"], rows(out)["sub-15"]
    assert (first["gm_per_icv"], last["gm_per_icv"]) == ("0.10000", "0.10000")
    assert first["gm_residual_mm3"] == last["gm_residual_mm3"] == "124.0", "the mean: all of it goes with ICV"
    assert "icv_per_icv" not in first


def test_the_left_side_larger_is_a_positive_asymmetry(out: Path) -> None:
    row = rows(out)["sub-01"]
    assert row["thalamus_asymmetry"] == "0.50000" and row["thalamus_asymmetry_z"] == "n/a", "all are the same"
    assert not any(name.startswith("brain_stem_asymmetry") for name in row)


def test_z_is_taken_within_sites_where_participants_have_one(out: Path) -> None:
    assert abs(float(rows(out)["sub-01"]["gm_z"])) < 1
    lines = ["participant_id\tsite", *(f"sub-{name}\t{'AB'[int(name) > 9]}" for name in VOLUMES)]
    (out / "participants.tsv").write_text("\n".join(lines) + "\n")
    assert [rows(out)[name]["gm_z"] for name in ("sub-01", "sub-03", "sub-11")] == ["-1.349", "0.000", "-1.349"]
    assert "within its site" in json.loads((out / "group_derived.json").read_text())["gm_z"]["Description"]


def test_of_few_scans_there_is_no_z_and_no_residual(out: Path, tmp_path: Path) -> None:
    few = tmp_path / "few"
    describe(few)
    add_scan(few, "sub-01")
    row = rows(few)["sub-01"]
    assert (row["gm_z"], row["gm_residual_mm3"]) == ("n/a", "n/a") and row["gm_per_icv"] == "0.42857"
