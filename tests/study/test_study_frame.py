"""The study in pandas and in R: the page's examples as they stand, on a made-up study whose coefficients are known."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_up_study import add_run, add_scan, describe

import tntpipe
from tntpipe.errors import InputMissingError, ProgramMissingError, TableError
from tntpipe.journal.events import Notice, ScanEnded, ScanOutcome

PAGE = Path(__file__).resolve().parents[2] / "docs/statistics.md"
INTERCEPT, AGE, MALE, SITE_B = 0.6, -0.002, 0.01, -0.05
ICV = 1_000_000


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """24 made-up scans without noise; two more, far off, of which one has a warning and one has failed."""
    out, rows = tmp_path / "out", ["participant_id\tage\tsex\tsite\trun"]
    describe(out)
    description = json.loads((out / "dataset_description.json").read_text())
    (out / "dataset_description.json").write_text(json.dumps(description | {"DatasetLinks": {"raw": "../bids"}}))
    names = [f"sub-{n:02}" for n in range(26)]
    for n, name in enumerate(names):
        age, male, site_b = 20 + 2 * n, n % 2, n // 3 % 2
        fraction = INTERCEPT + AGE * age + MALE * male + SITE_B * site_b if n < 24 else 0.1
        tables = {
            "label-ICV": [(1, "intracranial", ICV)],
            "seg-tissue": [(2, "GM", round(fraction * ICV))],
            "seg-tissuelobes": [(2, "GM+Frontal-R", 7)],
        }
        add_scan(out, f"{name}_run-01", tables)
        rows.append(f"{name}\t{age}\t{'FM'[male]}\t{'AB'[site_b]}\tx")
    (tmp_path / "bids").mkdir()
    (tmp_path / "bids/participants.tsv").write_text("\n".join(rows) + "\n")
    ended = {"sub-25": ScanOutcome.FAILED}
    add_run(
        out,
        1000,
        [f"{name}_run-01" for name in names],
        Notice(text='it isn\'t "sure"', level="WARNING", scan="sub-24_run-01"),
        *(ScanEnded(scan=f"{name}_run-01", outcome=ended.get(name, ScanOutcome.DONE)) for name in names),
    )
    return out


def example(language: str) -> str:
    match = re.search(rf"```{language}\n(.+?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None
    assert len([line for line in match[1].splitlines() if line.strip()]) <= 10
    return match[1]


def test_the_pages_example_in_pandas_finds_the_coefficients(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(study.parent)
    names: dict[str, Any] = {}
    exec(example("python"), names)
    found = dict(zip(names["design"].columns, names["coefficients"], strict=True))
    expected = {"intercept": INTERCEPT, "age": AGE, "sex_M": MALE, "site_B": SITE_B}
    assert found == pytest.approx(expected, abs=1e-6) and len(names["design"]) == 24


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="Rscript is not installed: the page's R was not run")
def test_the_pages_example_in_r_finds_the_coefficients(study: Path) -> None:
    from tntpipe.study.write import write_study

    write_study(study)
    said = subprocess.run(["Rscript", "-e", example("r")], cwd=study.parent, capture_output=True, text=True, check=True)
    found = {line.split()[0]: float(line.split()[1]) for line in said.stdout.splitlines()[1:]}
    expected = {"(Intercept)": INTERCEPT, "age": AGE, "sexM": MALE, "siteB": SITE_B}
    assert found == pytest.approx(expected, abs=1e-6)


def test_the_long_frame_has_a_row_a_structure_with_its_participant(study: Path) -> None:
    frame = tntpipe.read(study)
    assert list(frame.participant_id.value_counts().unique()) == [3] and len(frame) == 3 * 25
    frontal = frame[frame.region == "Frontal"]
    assert set(frontal.tissue) == {"GM"} and set(frontal.hemisphere) == {"R"}
    assert dict(zip(frontal.participant_id, frontal.age, strict=True))["sub-03"] == 26


def test_keys_stay_words_and_a_column_of_both_tables_is_kept_twice(study: Path) -> None:
    frame = tntpipe.read(study, wide=True)
    assert len(frame) == 26 and set(frame.run) == {"01"} and set(frame.run_participants) == {"x"}
    assert frame.session_id.isna().all() and pd.api.types.is_float_dtype(frame.gm_mm3)
    assert frame.set_index("participant_id").warnings["sub-24"] == 'it isn\'t "sure"'


def test_reading_writes_nothing_and_needs_no_participants(study: Path) -> None:
    shutil.rmtree(study.parent / "bids")
    before = sorted(study.rglob("*"))
    assert "age" not in tntpipe.read(study)
    assert sorted(study.rglob("*")) == before


def test_participants_can_be_named_and_their_faults_are_told(study: Path, tmp_path: Path) -> None:
    path = tmp_path / "others.tsv"
    with pytest.raises(InputMissingError, match=r"others\.tsv"):
        tntpipe.read(study, participants=path)
    path.write_text("participant_id\theight\nsub-01\t170\nsub-01\t171\n")
    with pytest.raises(TableError, match="sub-01 twice"):
        tntpipe.read(study, participants=path)
    path.write_text("participant\theight\nsub-01\t170\n")
    with pytest.raises(TableError, match="no column participant_id"):
        tntpipe.read(study, participants=path)


def test_without_pandas_the_error_says_how_to_get_it(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ProgramMissingError, match=r"tntpipe\[pandas\]"):
        tntpipe.read(study)


def test_pandas_is_not_imported_before_it_is_asked_for() -> None:
    code = "import sys, tntpipe.study.write, tntpipe.study.frame; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
