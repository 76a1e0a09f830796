"""Follows a run from another terminal: on the same screen as the run has, or in lines, or in JSON."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from tntpipe.dashboard.live import live_screen
from tntpipe.formatting import printable
from tntpipe.journal.events import RunEvent
from tntpipe.journal.text import LEVELS, line_of
from tntpipe.status.liveness import Life
from tntpipe.status.recorded_run import RecordedRun
from tntpipe.status.status import heartbeat, status_of

LOOK_S = 0.5
"""The journal is looked at this often."""

TELL_S = 60.0
JSON_S = 10.0
"""How the run stands is said in a line, or as JSON, this often."""


def follow(run: RecordedRun, *, dashboard: bool, lowest: str) -> None:
    """Show the run until it has ended, or is seen to have died, or Ctrl-C; that ends the view, never the run."""
    live = live_screen(sys.stdout) if dashboard else None
    told = time.monotonic()
    try:
        with ctrl_c_ends_the_view():
            while True:
                for t, event in run.new_events():
                    if live is None:
                        say(t, event, lowest)
                sight = run.sight()
                if live is not None:
                    live.footer = f"Ctrl-C ends this view, not the run    {run.run_dir.name}: {sight.how}"
                    live.tick(run.state, time.time())
                elif time.monotonic() - told >= TELL_S:
                    told = time.monotonic()
                    _say_line(time.time(), "INFO", heartbeat(run.state, time.time()))
                if sight.life in (Life.ENDED, Life.DIED):
                    return
                time.sleep(LOOK_S)
    finally:
        if live is not None:
            live.close()


def follow_as_json(run: RecordedRun) -> None:
    """Print an object a line, now, every ten seconds, and when the run has ended or died."""
    with ctrl_c_ends_the_view():
        while True:
            run.catch_up()
            sight = run.sight()
            print(json.dumps(status_of(run.state, sight, run.run_dir, time.time())), flush=True)
            if sight.life in (Life.ENDED, Life.DIED):
                return
            _sleep_while_alive(run)


def _sleep_while_alive(run: RecordedRun) -> None:
    until = time.monotonic() + JSON_S
    while time.monotonic() < until and run.sight().life not in (Life.ENDED, Life.DIED):
        time.sleep(LOOK_S)
        run.catch_up()


def say(t: float, event: RunEvent, lowest: str) -> None:
    """Print the line of an event, if it has one of that level at least."""
    line = line_of(event)
    if line is not None and LEVELS.index(line[0]) >= LEVELS.index(lowest):
        _say_line(t, *line)


def _say_line(t: float, level: str, text: str) -> None:
    when = datetime.fromtimestamp(t).isoformat(sep=" ", timespec="seconds")
    print(f"{when} {level:<7} {printable(' '.join(text.split()))}", flush=True)


@contextmanager
def ctrl_c_ends_the_view() -> Iterator[None]:
    """SIGINT ends the block; other signals that stop the program go on as they are."""
    try:
        yield
    except KeyboardInterrupt as error:
        if getattr(error, "number", signal.SIGINT) != signal.SIGINT:
            raise
