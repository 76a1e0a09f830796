"""Following and replaying a run on a terminal, which is left as it was found."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from cli_runs import command, environment
from processes import until
from stories import STORY
from terminals import Terminal

from tntpipe.dashboard.screen import LEAVE
from tntpipe.journal.events import RunStarted
from tntpipe.journal.writer import Journal


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()
    for process in psutil.Process().children():
        process.kill()
        process.wait()


def record(out: Path, n_events: int) -> None:
    """The story up to an event, an event a second, by a process of this host that is there."""
    facts = STORY[0]
    assert isinstance(facts, RunStarted)
    values = {name: getattr(facts, name) for name in facts.__dataclass_fields__}
    here = values | {"host": {"name": platform.node()}, "pid": os.getpid()}
    journal = Journal(out / "logs/run-20260101-000000/journal.jsonl")
    for number, event in enumerate((RunStarted(**here), *STORY[1:n_events])):
        journal.record(4e9 + number, event)
    journal.close()


def status(out: Path, terminal: Terminal, *words: str) -> subprocess.Popen[bytes]:
    slave = terminal.slave
    return subprocess.Popen(
        command("none", out, "status", *words),
        env=environment() | {"TERM": "xterm"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )


def test_a_replay_shows_the_screen_of_the_run_and_leaves_the_terminal(tmp_path: Path, terminal: Terminal) -> None:
    record(tmp_path, len(STORY))
    process = status(tmp_path, terminal, "--replay", "--speed", "15")
    assert terminal.status_of(process) == 1
    shown, left, after = terminal.sent.rpartition(LEAVE)
    assert left and terminal.is_as_it_was
    assert "replayed 15 times as fast as it was" in shown and "running: 2 steps" in shown
    assert "ended with exit status 1" in shown, "the last frame"
    assert "run-20260101-000000: ended" in after


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 1), (signal.SIGTERM, 143)])
def test_a_follower_that_is_stopped_leaves_the_terminal(
    tmp_path: Path, terminal: Terminal, number: signal.Signals, expected: int
) -> None:
    record(tmp_path, 9)
    process = status(tmp_path, terminal, "--follow")
    until(lambda: "running: 2 steps" in terminal.sent and "Ctrl-C ends this view, not the run" in terminal.sent)
    process.send_signal(number)
    assert terminal.status_of(process) == expected
    assert terminal.is_as_it_was
