"""What the command says of its budget: in a dry run, in the log, and where the budget is too small."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_runs import Run, run

WARNING = "--n_proc 64 is more than the 1 CPU that SLURM_CPUS_PER_TASK grants: "


@pytest.fixture
def one_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a Slurm job of one CPU."""
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1")


@pytest.fixture
def nothing_to_run(tmp_path: Path) -> Path:
    """A dataset whose only scan cannot be read, so that a run is over at once."""
    scan = tmp_path / "bids/sub-01/anat/sub-01_T1w.nii"
    scan.parent.mkdir(parents=True)
    scan.write_bytes(b"no image")
    (tmp_path / "bids/dataset_description.json").write_text(json.dumps({"Name": "none", "BIDSVersion": "1.10.0"}))
    return tmp_path / "bids"


def lines_of(run: Run, start: str) -> list[str]:
    return [line.removeprefix(start).strip() for line in run.said.splitlines() if line.startswith(start)]


@pytest.mark.usefixtures("one_cpu")
def test_a_dry_run_says_which_limit_won(bids: Path, tmp_path: Path) -> None:
    said = run(bids, tmp_path / "out", "--dry-run", "--memory_gb", "4")
    (budget,) = lines_of(said, "budget ")
    assert budget.startswith("1 CPU (SLURM_CPUS_PER_TASK; the machine has ")
    assert ", 4.0 GiB of memory (--memory_gb; " in budget
    assert not lines_of(said, "limit ")


@pytest.mark.usefixtures("one_cpu")
def test_a_dry_run_warns_of_more_than_there_is(bids: Path, tmp_path: Path) -> None:
    said = run(bids, tmp_path / "out", "--dry-run", "--memory_gb", "4", "--n_proc", "64", "-v")
    (warning,) = lines_of(said, "warning ")
    assert warning.startswith(WARNING) and warning.endswith("up to 64.0 times as long.")
    assert lines_of(said, "budget ")[0].startswith("64 CPUs (--n_proc; the machine has ")
    assert "1 CPU (SLURM_CPUS_PER_TASK)" in lines_of(said, "limit ")


@pytest.mark.usefixtures("one_cpu")
def test_the_log_has_the_budget_the_other_limits_and_the_warning(
    nothing_to_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NSLOTS", "a few")
    out = tmp_path / "out"
    said = run(nothing_to_run, out, "--n_proc", "64", "--memory_gb", "4")
    (log,) = out.glob("logs/run-*/run.log")
    logged = [line.split(" ", 2)[2] for line in log.read_text().splitlines()]
    (others,) = (line for line in logged if line.startswith("DEBUG") and "other limits: " in line)
    assert "1 CPU (SLURM_CPUS_PER_TASK); " in others
    assert any(line.startswith("INFO    budget: 64 CPUs (--n_proc; ") for line in logged)
    assert any(line.startswith(f"WARNING {WARNING}") for line in logged)
    assert "INFO    NSLOTS is 'a few', which is no number of CPUs: it is ignored" in logged
    assert WARNING in said.said and "other limits" not in said.said


def test_a_budget_that_is_too_small_says_whose_it_is(
    bids: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "50")
    said = run(bids, tmp_path / "out", "--dry-run")
    assert said.status == 64
    assert "0.05 GiB of memory (SLURM_MEM_PER_NODE; " in said.said
