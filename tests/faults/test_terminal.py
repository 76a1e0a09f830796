"""A real run on a terminal: it is left as it was found, however the run ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from fake_ants import Place, Run, write_programs, write_scans
from processes import until
from terminals import Terminal

from tntpipe.dashboard.screen import BEGIN_UPDATE, END_UPDATE, ENTER, LEAVE

SLEEPS = "exec sleep 300"
STUCK = """
import time, tntpipe.run.participant_run as run
def drive(scheduler, machine, *_):
    machine._tick()
    time.sleep(300)
run.drive = drive
"""
CRASHES = """
import tntpipe.dashboard.live as live
from rich.style import Style
def frame(*_):
    frame.n = getattr(frame, "n", 0) + 1
    assert frame.n < 4, "a bug"
    return [((str(frame.n), Style.null()),)] * 24
live.frame = frame
"""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    write_scans(tmp_path / "bids", "01", "02")
    place = Place(tmp_path)
    yield place
    for process in psutil.Process().children():
        process.kill()
        process.wait()


def running(place: Place, terminal: Terminal) -> Run:
    """A run that has drawn its screen while ANTs sleeps."""
    write_programs(place.root / "ants", SLEEPS)
    run = place.start(terminal=terminal.slave)
    until(lambda: "sub-02/bias_field" in terminal.sent)
    return run


def test_ctrl_c_gives_the_terminal_back_and_then_says_how_it_went(place: Place, terminal: Terminal) -> None:
    run = running(place, terminal)
    assert not terminal.is_as_it_was
    terminal.type(b"abc")
    terminal.type(b"\x03")
    assert terminal.status_of(run.process) == 130
    assert terminal.is_as_it_was
    until(lambda: "2 unfinished" in terminal.sent)
    assert "abc" not in terminal.sent, "keys are not echoed into the frame"
    assert "2 unfinished" in terminal.sent.rpartition(LEAVE)[2], "not on the screen that goes away"


def test_a_run_that_is_stuck_gives_the_terminal_back_at_the_third_signal(place: Place, terminal: Terminal) -> None:
    write_programs(place.root / "ants", SLEEPS)
    run = place.start(before=STUCK, terminal=terminal.slave)
    until(lambda: END_UPDATE in terminal.sent)
    for _ in range(3):
        run.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    assert terminal.status_of(run.process) == 143
    assert terminal.is_as_it_was


def test_a_bug_gives_the_terminal_back_and_is_told(place: Place, terminal: Terminal) -> None:
    write_programs(place.root / "ants", SLEEPS)
    run = place.start(before=CRASHES, terminal=terminal.slave)
    assert terminal.status_of(run.process) == 70
    assert terminal.is_as_it_was
    until(lambda: "AssertionError: a bug" in terminal.sent.rpartition(LEAVE)[2])


def test_a_pause_gives_the_terminal_back_and_the_run_takes_it_again(place: Place, terminal: Terminal) -> None:
    run = running(place, terminal)
    os.kill(run.process.pid, signal.SIGTSTP)
    until(lambda: psutil.Process(run.process.pid).status() == psutil.STATUS_STOPPED)
    assert terminal.is_as_it_was
    n_entered = terminal.sent.count(ENTER)
    os.kill(run.process.pid, signal.SIGCONT)
    until(lambda: terminal.sent.count(ENTER) == n_entered + 1)
    os.kill(run.process.pid, signal.SIGINT)
    assert terminal.status_of(run.process) == 130
    assert terminal.is_as_it_was


def test_lines_come_instead_of_the_screen_where_that_is_asked_for(place: Place, terminal: Terminal) -> None:
    write_programs(place.root / "ants", "exit 3")
    run = place.start("--no_dashboard", "--stop_on_first_crash", terminal=terminal.slave)
    assert terminal.status_of(run.process) == 1
    until(lambda: "0 done, " in terminal.sent)
    assert BEGIN_UPDATE not in terminal.sent and ENTER not in terminal.sent
    assert "/bias_field failed: exit status 3" in terminal.sent


def test_files_hold_no_codes_of_the_terminal(place: Place, terminal: Terminal) -> None:
    write_programs(place.root / "ants", "exit 3")
    run = place.start("--stop_on_first_crash", terminal=terminal.slave)
    assert terminal.status_of(run.process) == 1
    logs = list((place.out / "logs").rglob("*"))
    texts = [path.read_text() for path in logs if path.is_file()]
    assert any(path.name == "run.log" for path in logs) and any("crash-" in path.name for path in logs)
    assert not any("\x1b" in text or "[bold" in text for text in texts)
