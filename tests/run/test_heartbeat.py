"""What a run says of itself once a minute: a line, and the status file."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from stories import STORY

from tntpipe.cli.views import HEARTBEAT_S, PLAIN_TICK_S, Views
from tntpipe.events import Notice, RunEnded, StepsWaiting


class Clock:
    """Two hours pass when they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monotonic, self.wall = 5000.0, 1_800_000_000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.monotonic)
        monkeypatch.setattr(time, "time", lambda: self.wall)

    def pass_s(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds


def test_once_a_minute_a_line_says_how_the_run_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(monkeypatch)
    with Views(tmp_path, dashboard=False, loglevel="INFO") as views:
        for event in STORY[:8]:
            views.emit(event)
        capsys.readouterr()
        for _ in range(int(150 / PLAIN_TICK_S)):
            clock.pass_s(PLAIN_TICK_S)
            views.tick()
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all("2 steps running, 3 of 6 done, 1 of 3 scans, 1 failed" in line for line in said), said
    assert said == views.run_dir.joinpath("run.log").read_text().splitlines()[-2:]


def test_what_waits_is_found_out_before_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    with Views(tmp_path, dashboard=False, loglevel="ERROR") as views:
        views.emit(STORY[0])
        views.tick(lambda: pytest.fail("it costs something, and nobody asks"))
        clock.pass_s(HEARTBEAT_S)
        views.tick(lambda: views.emit(StepsWaiting(steps={"s/a": "waits"})))
    assert json.loads((tmp_path / "status.json").read_text())["waiting"] == {"s/a": "waits"}


def test_the_status_file_is_written_once_a_minute_when_it_is_asked_for_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, path = Clock(monkeypatch), tmp_path / "status.json"
    with Views(tmp_path, dashboard=False, loglevel="ERROR") as views:
        views.emit(STORY[0])
        assert not path.exists()
        written = set()
        for _ in range(int(180 / PLAIN_TICK_S)):
            clock.pass_s(PLAIN_TICK_S)
            views.tick()
            if path.exists():
                written.add(json.loads(path.read_text())["t"])
        assert len(written) == 3
        clock.pass_s(1.0)
        views.write_status()
        status = json.loads(path.read_text())
        assert (status["state"], status["t"], status["run"]) == ("running", clock.wall, views.run_dir.name)
        views.emit(RunEnded(exit_status=0, scans={}))
        assert json.loads(path.read_text())["state"] == "ended"
    assert [left.name for left in tmp_path.iterdir() if left.is_file()] == ["status.json"]


def test_a_status_file_that_cannot_be_written_costs_the_run_nothing(tmp_path: Path) -> None:
    with Views(tmp_path, dashboard=False, loglevel="ERROR") as views:
        (tmp_path / "status.json").mkdir()
        views.emit(RunEnded(exit_status=0, scans={}))
    assert (tmp_path / "status.json").is_dir()


def test_a_text_of_several_lines_takes_one_in_the_log(tmp_path: Path) -> None:
    with Views(tmp_path, dashboard=False, loglevel="ERROR") as views:
        views.emit(Notice(text="first\n  second\n"))
    assert views.run_dir.joinpath("run.log").read_text().endswith("INFO    first second\n")
