"""The level status as a user types it, on journals that runs left."""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path

import pytest

import tntpipe.cli.main as cli
from tntpipe.cli.follow import JSON_S
from tntpipe.formatting import GIB
from tntpipe.journal.events import (
    Outcome,
    RunEnded,
    RunEvent,
    RunStarted,
    ScanEnded,
    ScanOutcome,
    StepEnded,
    StepStarted,
)
from tntpipe.journal.writer import Journal
from tntpipe.store.locks import hold

HERE = platform.node()


def started(host: str = HERE, pid: int = os.getpid()) -> RunStarted:
    return RunStarted(
        command=("tntpipe", "bids", "out", "participant"),
        version="1",
        ants="ANTs 2.5",
        host={"name": host, "cpus": 4, "mem_bytes": 8 * GIB},
        pid=pid,
        cpus=2,
        mem_bytes=4 * GIB,
        budget="2 CPUs, 4.0 GiB",
        scans={"sub-01": 2, "sub-02": 2},
        reused={},
        settings={},
        folders={"dataset": "/gone", "output": "/moved", "work": "/gone/work"},
    )


RUNS = StepStarted(name="sub-01/a", scan="sub-01", kind="a", cpus=1, mem_bytes=GIB, pid=1)
FAILS = StepEnded(
    name="sub-02/a", scan="sub-02", kind="a", outcome=Outcome.FAILED, message="exit status 3", folder="/gone"
)
SCAN_FAILS = ScanEnded(scan="sub-02", outcome=ScanOutcome.FAILED, message="a failed")
SCAN_STOPS = ScanEnded(scan="sub-02", outcome=ScanOutcome.STOPPED)


def record(out: Path, run: str, *events: RunEvent) -> Path:
    """A run's folder; the clock stands still at now."""
    journal = Journal(out / "logs" / run / "journal.jsonl")
    for event in events:
        journal.record(float(int(os.stat(out).st_mtime)), event)  # noqa: PTH116
    journal.close()
    return out / "logs" / run


def status(out: Path, *words: str) -> int:
    return cli.main(["no/such/dataset", str(out), "status", *words])


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((started(), RUNS), 0),
        ((started(), RUNS, FAILS, SCAN_FAILS), 1),
        ((started(), RunEnded(exit_status=0, scans={})), 0),
        ((started(), SCAN_FAILS, RunEnded(exit_status=1, scans={})), 1),
        ((started(), SCAN_STOPS, RunEnded(exit_status=130, scans={})), 75),
        ((started(pid=2**22 + 1), RUNS), 75),
        ((started(host="elsewhere"), RUNS), 0),
    ],
    ids=["running", "running, one failed", "done", "failed", "stopped", "died", "running elsewhere"],
)
def test_the_exit_status_says_how_the_run_stands(tmp_path: Path, events: tuple[RunEvent, ...], expected: int) -> None:
    record(tmp_path, "run-20260101-000000", *events)
    assert status(tmp_path) == expected


def test_what_runs_and_what_failed_is_said_with_the_last_lines_of_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = record(tmp_path, "run-20260101-000000", started(), RUNS, FAILS, SCAN_FAILS)
    (run / "steps/sub-02").mkdir(parents=True)
    (run / "steps/sub-02/a.txt").write_text("first\nthe reason\n")
    status(tmp_path)
    text = capsys.readouterr().out
    for fact in ("sub-01/a  ", "sub-02/a  exit status 3", "| the reason", str(run / "steps/sub-02/a.txt")):
        assert fact in text


def test_json_is_one_object_with_the_same_content(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path, "run-20260101-000000", started(), RUNS)
    assert status(tmp_path, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["run"], said["state"], said["running"][0]["name"]) == ("run-20260101-000000", "running", "sub-01/a")


def test_the_newest_run_is_shown_or_the_one_that_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("run-20260101-000000", "run-20260101-000000-9", "run-20260101-000000-10", "run-20251231-235959"):
        record(tmp_path, name, started(), RunEnded(exit_status=0, scans={}))
    for words, shown in (
        ((), "run-20260101-000000-10"),
        (("--run", "run-20251231-235959"), "run-20251231-235959"),
        (("--run", "20260101-000000"), "run-20260101-000000"),
        (("--run", f"{tmp_path}/logs/run-20260101-000000-9/"), "run-20260101-000000-9"),
    ):
        assert status(tmp_path, *words) == 0
        assert capsys.readouterr().out.startswith(f"{shown}: ended")


def test_other_runs_into_the_folder_are_named_while_they_are_under_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alive = record(tmp_path, "run-20260101-000000", started())
    record(tmp_path, "run-20260101-000001", started(), RunEnded(exit_status=0, scans={}))
    record(tmp_path, "run-20260101-000002", started())
    record(tmp_path, "run-20260101-000003", started())
    with (alive / "journal.jsonl").open("ab") as journal:
        assert hold(journal)
        status(tmp_path)
    assert capsys.readouterr().out.splitlines()[-1] == "also under way: run-20260101-000000 (--run shows one)"


def test_a_run_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status(tmp_path) == 66
    assert f"no journal of a run in {tmp_path}/logs" in capsys.readouterr().err
    record(tmp_path, "run-20260101-000000", started())
    assert status(tmp_path, "--run", "yesterday") == 66
    assert "run-20260101-000000" in capsys.readouterr().err


def test_a_journal_of_another_version_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = record(tmp_path, "run-20260101-000000", started())
    journal = run / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"schema_version":', '"schema_version":9'))
    assert status(tmp_path) == 65
    assert "schema version 9" in capsys.readouterr().err


def test_a_replay_without_a_screen_prints_the_lines_of_the_run_and_how_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path, "run-20260101-000000", started(), RUNS, FAILS, SCAN_FAILS, RunEnded(exit_status=1, scans={}))
    assert status(tmp_path, "--replay") == 1
    lines = capsys.readouterr().out.splitlines()
    assert "2 scans, 4 steps, 4 of them to run" in lines[0]
    assert "ERROR   sub-02/a failed: exit status 3" in lines[1]
    assert lines[3].startswith("run-20260101-000000: ended")


class Growing:
    """A journal that grows by an event a look of whoever sleeps between looks."""

    def __init__(self, out: Path, monkeypatch: pytest.MonkeyPatch, *events: RunEvent) -> None:
        self.run = record(out, "run-20260101-000000", started())
        self._left = list(events)
        self.instant = 1000.0
        monkeypatch.setattr(time, "sleep", self._sleep)
        monkeypatch.setattr(time, "monotonic", lambda: self.instant)

    def _sleep(self, seconds: float) -> None:
        self.instant += seconds
        if not self._left:
            raise KeyboardInterrupt
        journal = Journal(self.run / "journal.jsonl")
        journal.record(2e9, self._left.pop(0))
        journal.close()


def test_following_prints_lines_as_they_come_until_the_run_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Growing(tmp_path, monkeypatch, RUNS, FAILS, SCAN_FAILS, RunEnded(exit_status=1, scans={}))
    assert status(tmp_path, "--follow") == 1
    said = capsys.readouterr().out
    assert said.index("4 of them to run") < said.index("sub-02/a failed") < said.index("run-20260101-000000: ended")
    assert said.count("sub-02/a failed") == 1


def test_ctrl_c_ends_the_view_and_says_how_the_run_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Growing(tmp_path, monkeypatch, RUNS)
    assert status(tmp_path, "--follow") == 0
    assert "run-20260101-000000: running" in capsys.readouterr().out


def test_following_a_run_whose_process_is_gone_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path, "run-20260101-000000", started(pid=2**22 + 1), RUNS)
    assert status(tmp_path, "--follow") == 75
    assert "run-20260101-000000: died" in capsys.readouterr().out


def test_following_as_json_prints_an_object_a_line_every_ten_seconds_and_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = Growing(tmp_path, monkeypatch, *[RUNS] * 45, RunEnded(exit_status=0, scans={}))
    began = growing.instant
    assert status(tmp_path, "--follow", "--json") == 0
    states = [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()]
    assert states == ["running"] * (int((growing.instant - began) // JSON_S) + 1) + ["ended"]
