"""The logs of steps are found under the names of scan and kind, from the start of a step to after the end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tntpipe.store.step_logs import StepLogs, log_tail


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch/0123"
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text("begins\n")
    return folder


def test_a_running_steps_log_is_there_and_takes_no_room(tmp_path: Path, scratch: Path) -> None:
    StepLogs(tmp_path / "run").show("s/a", scratch / "log.txt")
    with (scratch / "log.txt").open("a") as file:
        file.write("goes on\n")
    found = tmp_path / "run/steps/s/a.txt"
    assert found.read_text() == "begins\ngoes on\n"
    assert found.samefile(scratch / "log.txt")


def test_it_outlives_the_folder_of_the_step(tmp_path: Path, scratch: Path) -> None:
    logs = StepLogs(tmp_path / "run")
    logs.show("s/a", scratch / "log.txt")
    scratch.rename(tmp_path / "published")
    logs.keep("s/a", tmp_path / "published/log.txt", failed=False)
    (tmp_path / "published/log.txt").unlink()
    assert logs.path("s/a").read_text() == "begins\n"


def test_an_earlier_attempt_keeps_its_log(tmp_path: Path, scratch: Path) -> None:
    logs = StepLogs(tmp_path / "run")
    for attempt in ("first", "second", "third"):
        (scratch / attempt).write_text(attempt)
        logs.show("s/a.b", scratch / attempt)
    names = ("a.b.txt", "a.b.try1.txt", "a.b.try2.txt")
    assert [(tmp_path / "run/steps/s" / name).read_text() for name in names] == ["third", "first", "second"]


@pytest.mark.parametrize("failed", [True, False])
def test_where_the_disk_is_another_the_log_is_copied_of_a_failed_step_and_linked_of_another(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, failed: bool
) -> None:
    def cannot(*_paths: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", cannot)
    logs = StepLogs(tmp_path / "run")
    logs.show("s/a", scratch / "log.txt")
    assert not logs.path("s/a").exists()
    logs.keep("s/a", scratch / "log.txt", failed=failed)
    assert logs.path("s/a").read_text() == "begins\n"
    assert logs.path("s/a").is_symlink() != failed


def test_a_log_that_cannot_be_shown_stops_nothing(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "run").write_text("a file where a folder should be")
    logs = StepLogs(tmp_path / "run")
    logs.show("s/a", scratch / "log.txt")
    logs.keep("s/a", scratch / "log.txt", failed=True)


def test_the_tail_of_a_log_is_its_last_lines_that_are_not_empty(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 100_000 + b"\n\nlast but one\n\xff last\n\n")
    assert log_tail(tmp_path / "log", 2) == ["last but one", "\ufffd last"]
    assert log_tail(tmp_path / "none") == []
