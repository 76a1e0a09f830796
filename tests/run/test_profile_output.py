"""The profile of a run as a file: an empty one never replaces one that is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from stories import STORY

from tntpipe.errors import ExitStatus
from tntpipe.journal.events import RunEnded, RunEvent
from tntpipe.journal.writer import Journal
from tntpipe.profiling.profile_file import read_profile
from tntpipe.run.profile_output import write_profile_of_run


def journal_of(path: Path, *events: RunEvent) -> Path:
    journal = Journal(path)
    for number, event in enumerate(events):
        journal.record(1000.0 + number, event)
    journal.close()
    return path


def test_a_run_with_nothing_to_do_leaves_the_profile_of_the_run_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The manual's first command, given twice."""
    profile = tmp_path / "profile.json"
    first = journal_of(tmp_path / "first.jsonl", *STORY)
    second = journal_of(tmp_path / "second.jsonl", STORY[0], RunEnded(exit_status=0, scans={}))
    assert write_profile_of_run(profile, first, ExitStatus.SUCCESS) is ExitStatus.SUCCESS
    before = profile.read_bytes()
    assert read_profile(profile).steps
    capsys.readouterr()
    assert write_profile_of_run(profile, second, ExitStatus.SUCCESS) is ExitStatus.SUCCESS
    assert profile.read_bytes() == before
    assert f"no step ran, so {profile} stays as it is" in capsys.readouterr().err


def test_where_there_was_no_profile_an_empty_one_is_written(tmp_path: Path) -> None:
    journal = journal_of(tmp_path / "journal.jsonl", STORY[0], RunEnded(exit_status=0, scans={}))
    (tmp_path / "profile.json").write_bytes(b"")
    assert write_profile_of_run(tmp_path / "profile.json", journal, ExitStatus.SUCCESS) is ExitStatus.SUCCESS
    assert read_profile(tmp_path / "profile.json").steps == ()
