"""Plays a recorded run on the screen that it had, faster than it was."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tntpipe.cli.follow import ctrl_c_ends_the_view, say
from tntpipe.dashboard.live import LiveScreen, live_screen
from tntpipe.journal.reader import read_journal
from tntpipe.journal.run_state import RunState

WHOLE_S = 30.0
"""Unless a speed is given, the whole run takes so long."""

NAP_S = 0.05
LAST_FRAME_S = 2.0
"""How long the last frame stays."""


def replay(run_dir: Path, whole: RunState, *, speed: float | None, dashboard: bool, lowest: str) -> None:
    """Play the run whose events, all of them, made the state ``whole``.

    Where there is no screen, its lines are printed, without a wait.
    """
    speed = speed or max(1.0, (whole.last_t - whole.started) / WHOLE_S)
    footer = f"replayed {_figure(speed)} times as fast as it was; Ctrl-C ends it    {run_dir.name}"
    live = live_screen(sys.stdout, footer) if dashboard else None
    journal = run_dir / "journal.jsonl"
    if live is None:
        for t, event in read_journal(journal):
            say(t, event, lowest)
        return
    try:
        with ctrl_c_ends_the_view():
            _play(live, journal, whole.started, speed, lowest)
    finally:
        live.close()


def _figure(speed: float) -> str:
    """As many digits as mean something.

    >>> _figure(0.25), _figure(15.04), _figure(2000)
    ('0.25', '15', '2,000')
    """
    return f"{speed:,.0f}" if speed >= 10 else f"{speed:.3g}"


def _play(live: LiveScreen, journal: Path, started: float, speed: float, lowest: str) -> None:
    state, began = RunState(lowest="DEBUG" if lowest == "DEBUG" else "INFO"), time.monotonic()
    for t, event in read_journal(journal):
        while (now := started + (time.monotonic() - began) * speed) < t:
            live.tick(state, now)
            time.sleep(min(NAP_S, (t - now) / speed))
        state.apply(t, event)
    live.draw(state, state.last_t)
    time.sleep(LAST_FRAME_S)
