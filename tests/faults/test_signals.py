"""Signals to a real run in each of its phases: what it does, how it ends, and that nothing is left."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from fake_ants import Place, Run, write_programs, write_scans
from processes import is_alive, start_run, until, words_of

from tntpipe.scheduler.portfolio import PORTFOLIO

SLEEPS = "exec sleep 300"
NEVER_STOPS = "trap '' TERM; while :; do sleep 300; done"
LONG_GRACE = "import tntpipe.executors.machine as machine; machine.GRACE_S = 600.0"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Two scans, whose ANTs sleeps; nothing that a test starts is left."""
    write_scans(tmp_path / "bids", "01", "02")
    place = Place(tmp_path)
    yield place
    place.close()


def running(place: Place, text: str, *, options: tuple[str, ...] = (), **keywords: Any) -> Run:
    """A run whose two first ANTs steps, ``text``, have begun."""
    write_programs(place.root / "ants", f"echo $$ > {place.root}/begun-$$\n{text}")
    run = place.start(*options, **keywords)
    until(lambda: len(list(place.root.glob("begun-*"))) == 2 or run.process.poll() is not None)
    assert run.process.poll() is None, run.said
    return run


def children(run: Run) -> list[psutil.Process]:
    """The ANTs steps that run."""
    return [psutil.Process(int(path.name.split("-")[1])) for path in run.place.root.glob("begun-*")]


def events(run: Run, name: str) -> list[dict[str, object]]:
    (journal,) = run.place.out.glob("logs/run-*/journal.jsonl")
    told = map(json.loads, journal.read_text().splitlines())
    return [event for event in told if event["event"] == name]


def assert_ended_in_order(run: Run, left: list[psutil.Process]) -> None:
    """Everything unfinished, nothing failed, nothing left, and the table said."""
    assert "2 unfinished: re-run the same command to resume" in run.said
    assert not events(run, "StepDropped") and len(events(run, "RunEnded")) == 1
    assert {event["outcome"] for event in events(run, "ScanEnded")} == {"stopped"}
    assert not list(run.place.out.glob("logs/crash-*"))
    assert list((run.place.out / "work/scratch").iterdir()) == []
    assert not [child for child in left if is_alive(child.pid)]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=lambda v: str(v)
)
def test_one_signal_ends_a_run_in_good_order(place: Place, number: signal.Signals, status: int) -> None:
    run = running(place, SLEEPS)
    left = children(run)
    run.process.send_signal(number)
    assert run.status() == status
    assert_ended_in_order(run, left)


def test_a_second_signal_kills_what_does_not_stop(place: Place) -> None:
    run = running(place, NEVER_STOPS, before=LONG_GRACE)
    left = children(run)
    run.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert run.process.poll() is None
    run.process.send_signal(signal.SIGINT)
    assert run.status() == 130
    assert_ended_in_order(run, left)


def test_a_third_signal_ends_a_run_that_is_stuck(place: Place) -> None:
    stuck = "import tntpipe.run.participant_run as run, time\nrun.drive = lambda *a: time.sleep(300)"
    write_programs(place.root / "ants", SLEEPS)
    run = place.start(before=stuck)
    until(lambda: list(place.out.glob("logs/run-*/run.log")))
    until(lambda: "budget" in run.said)
    for _ in range(3):
        run.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    assert run.status() == 143


def test_a_signal_that_children_get_first_fails_no_step(place: Place) -> None:
    """As batch systems do, which signal every process of a job."""
    run = running(place, SLEEPS)
    left = children(run)
    for child in left:
        child.terminate()
    until(lambda: not any(is_alive(child.pid) for child in left))
    time.sleep(0.3)
    run.process.terminate()
    assert run.status() == 143
    assert_ended_in_order(run, left)


def test_a_child_that_somebody_terminates_fails_when_the_run_is_not_stopped(place: Place) -> None:
    run = running(place, SLEEPS)
    for child in children(run):
        child.terminate()
    assert run.status() == 1
    assert "killed by SIGTERM" in run.said and "2 failed" in run.said


@pytest.mark.parametrize(
    ("words", "number"),
    [(("nohup",), signal.SIGHUP), (("env", "--ignore-signal=INT"), signal.SIGINT)],
    ids=lambda v: str(v),
)
def test_a_signal_that_was_ignored_at_the_start_stays_ignored(
    place: Place, words: tuple[str, ...], number: signal.Signals
) -> None:
    run = running(place, SLEEPS, prefix=words)
    run.process.send_signal(number)
    time.sleep(0.5)
    assert run.process.poll() is None and len(children(run)) == 2
    run.process.terminate()
    assert run.status() == 143


def on_a_terminal(place: Place, text: str, **keywords: Any) -> tuple[Run, int]:
    """A run on a terminal of its own, with the live screen, and the terminal's other end."""
    other_end, terminal = os.openpty()
    run = running(place, text, terminal=terminal, **keywords)
    os.close(terminal)
    os.set_blocking(other_end, False)
    return run, other_end


def test_a_closed_terminal_ends_a_run_in_good_order(place: Place) -> None:
    run, other_end = on_a_terminal(place, SLEEPS)
    left = children(run)
    os.close(other_end)
    assert run.status() == 129
    (ended,) = events(run, "RunEnded")
    assert ended["scans"] == {"sub-01": "stopped", "sub-02": "stopped"}
    assert not [child for child in left if is_alive(child.pid)]


@pytest.mark.parametrize("options", [(), ("--no_dashboard",)], ids=["screen", "lines"])
def test_a_run_that_ignores_its_terminal_goes_on_without_it(place: Place, options: tuple[str, ...]) -> None:
    run, other_end = on_a_terminal(place, SLEEPS, options=options, prefix=("env", "--ignore-signal=HUP"))
    os.close(other_end)
    run.process.send_signal(signal.SIGUSR1)
    until(lambda: any("what waits" in str(event["text"]) for event in events(run, "Notice")))
    run.process.terminate()
    assert run.status() == 143
    (ended,) = events(run, "RunEnded")
    assert ended["scans"] == {"sub-01": "stopped", "sub-02": "stopped"}


def test_a_pause_stops_the_children_too_and_they_go_on_with_the_run(place: Place) -> None:
    run = running(place, SLEEPS)
    everything = [psutil.Process(run.process.pid), *children(run)]
    run.process.send_signal(signal.SIGTSTP)
    until(lambda: all(process.status() == psutil.STATUS_STOPPED for process in everything))
    run.process.send_signal(signal.SIGCONT)
    until(lambda: all(process.status() == psutil.STATUS_SLEEPING for process in everything))
    run.process.terminate()
    assert run.status() == 143
    assert_ended_in_order(run, everything[1:])
    assert "goes on, after a pause of" in run.said


def test_a_paused_run_can_be_terminated_as_batch_systems_do(place: Place) -> None:
    run = running(place, SLEEPS)
    left = children(run)
    run.process.send_signal(signal.SIGTSTP)
    until(lambda: psutil.Process(run.process.pid).status() == psutil.STATUS_STOPPED)
    run.process.terminate()
    run.process.send_signal(signal.SIGCONT)
    assert run.status() == 143
    assert_ended_in_order(run, left)


def test_for_a_paused_run_no_time_passes(tmp_path: Path) -> None:
    run = start_run(tmp_path, f"echo > {tmp_path}/begun; sleep 0.3; echo > out")
    until((tmp_path / "begun").exists)
    run.send_signal(signal.SIGTSTP)
    until(lambda: psutil.Process(run.pid).status() == psutil.STATUS_STOPPED)
    time.sleep(2)
    run.send_signal(signal.SIGCONT)
    assert run.wait(30) == 0
    assert json.loads((tmp_path / "work/steps/s/0/record.json").read_text())["usage"]["wall_s"] < 2


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=lambda v: str(v)
)
def test_a_signal_while_programs_are_looked_for_ends_the_run_at_once(
    place: Place, number: signal.Signals, status: int
) -> None:
    write_programs(place.root / "ants", SLEEPS, version="exec sleep 300")
    run = place.start()
    asked = psutil.Process(run.process.pid)
    until(lambda: any("sleep" in words_of(child) for child in asked.children()))
    left = asked.children()
    run.process.send_signal(number)
    assert run.status(30) == status
    until(lambda: not any(is_alive(child.pid) for child in left))
    assert run.said == f"tntpipe: stopped by {number.name}; what is finished is kept.\n"


def test_a_signal_while_scans_are_checked_ends_the_run_at_once(place: Place) -> None:
    """Even where a scan's disk does not answer."""
    slow = (
        "import tntpipe.run.scan_checks as checks, time, pathlib\n"
        f"checks._check_scan = lambda *a: pathlib.Path({str(place.root / 'reading')!r}).touch() or time.sleep(300)\n"
    )
    write_programs(place.root / "ants", SLEEPS)
    run = place.start(before=slow)
    until((place.root / "reading").exists)
    run.process.terminate()
    assert run.status(30) == 143
    assert "stopped by SIGTERM; what is finished is kept" in run.said


@pytest.mark.parametrize("n_signals", [1, 2])
def test_a_signal_while_a_result_is_hashed_waits_for_it_a_moment_only(place: Place, n_signals: int) -> None:
    slow = (
        "import tntpipe.store.work_folder as workfolder, tntpipe.executors.machine as machine, time, pathlib\n"
        f"workfolder._described = lambda *a: pathlib.Path({str(place.root / 'hashing')!r}).touch() or time.sleep(300)\n"
        f"machine.PATIENCE_S, machine.HURRY_S = {(1.0, 600.0) if n_signals == 1 else (600.0, 1.0)}\n"
    )
    write_programs(place.root / "ants", SLEEPS)
    run = place.start(before=slow)
    until((place.root / "hashing").exists)
    for _ in range(n_signals):
        run.process.terminate()
        time.sleep(0.2)
    assert run.status(30) == 143
    assert_ended_in_order(run, [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGTSTP])
def test_a_signal_while_the_summary_is_said_changes_nothing(place: Place, number: signal.Signals) -> None:
    during = (
        "import os, tntpipe.run.participant_run as run\n"
        "def say(*words, real=run.print_summary):\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
        "    real(*words)\n"
        "run.print_summary = say"
    )
    write_programs(place.root / "ants", "exit 3")
    run = place.start(before=during)
    assert run.status() == 1
    assert "0 done, 2 failed" in run.said


def test_asking_how_things_stand_is_answered_in_the_log(place: Place) -> None:
    run = running(place, SLEEPS)
    run.process.send_signal(signal.SIGUSR1)
    leaders = "|".join(PORTFOLIO)
    until(lambda: re.search(f"2 steps running, ({leaders}); what waits:", run.said))
    status = json.loads((place.out / "logs/status.json").read_text())
    assert (status["state"], status["steps"]["running"], status["pid"]) == ("running", 2, run.process.pid)
    assert run.process.poll() is None
    run.process.terminate()
    assert run.status() == 143
