"""What a run says of itself once a minute: a line, and the status file."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from stories import STORY

from tntpipe.journal.events import Notice, RunEnded, StepsWaiting
from tntpipe.journal.reader import read_journal
from tntpipe.journal.writer import SCHEMA_VERSION
from tntpipe.run.sinks import HEARTBEAT_S, PLAIN_TICK_S, QUEUE_S, Views


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


def test_what_waits_is_found_out_now_and_then_and_before_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, found = Clock(monkeypatch), []
    with Views(tmp_path, dashboard=False, loglevel="ERROR") as views:
        views.emit(STORY[0])
        for _ in range(int(HEARTBEAT_S / PLAIN_TICK_S) + 1):
            views.tick(lambda: found.append(views.emit(StepsWaiting(steps={"s/a": f"waits {clock.wall}"}))))
            clock.pass_s(PLAIN_TICK_S)
    assert len(found) == 1 + HEARTBEAT_S / QUEUE_S
    told = json.loads((tmp_path / "status.json").read_text())
    assert told["waiting"] == {"s/a": f"waits {told['t']}"}


def test_the_journal_has_what_waits_when_that_are_others_and_else_once_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    with Views(tmp_path, dashboard=False, loglevel="ERROR") as views:
        for second in range(240):
            name = "s/a" if second < 100 else "s/b"
            views.emit(StepsWaiting(steps={name: f"{second}"}))
            clock.pass_s(1.0)
    told = [event.steps for _, event in read_journal_of(views)]
    assert told == [{"s/a": "0"}, {"s/a": "60"}, {"s/b": "100"}, {"s/b": "160"}, {"s/b": "220"}]


def read_journal_of(views: Views) -> list[tuple[float, StepsWaiting]]:
    """A journal that begins as one does."""
    path = views.run_dir / "journal.jsonl"
    path.write_text(f'{{"t": 0, "event": "none", "schema_version": {SCHEMA_VERSION}}}\n' + path.read_text())
    return [(t, event) for t, event in read_journal(path) if isinstance(event, StepsWaiting)]


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
