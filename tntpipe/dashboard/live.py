"""The screen of a run that goes on: draws it when that is due, and seldom enough to cost next to nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TextIO

from tntpipe.dashboard.frame import frame
from tntpipe.dashboard.screen import Screen
from tntpipe.journal.run_state import RunState

FRAME_S = 0.5
"""The time between two frames, at least."""

SHARE = 0.02
"""Part of one CPU that drawing may take: after a frame comes none for fifty times what it took."""


class LiveScreen:
    """Draws a run's state on a terminal. ``cpu_s`` tells the CPU time used so far."""

    def __init__(self, screen: Screen, footer: str = "", cpu_s: Callable[[], float] = time.thread_time) -> None:
        self.footer = footer
        self._screen, self._cpu_s = screen, cpu_s
        self._due_at = float("-inf")

    def tick(self, state: RunState, now: float, prepare: Callable[[], None] = lambda: None) -> None:
        """Draw the state at ``now`` if a frame is due; ``prepare`` is called before one, and counts as part of it."""
        instant = time.monotonic()
        if instant < self._due_at or not self._screen.is_ready:
            return
        before_s = self._cpu_s()
        prepare()
        self.draw(state, now)
        self._due_at = instant + max(FRAME_S, (self._cpu_s() - before_s) / SHARE)

    def draw(self, state: RunState, now: float) -> None:
        """Draw the state at ``now``, due or not."""
        if self._screen.is_ready:
            size = self._screen.size
            self._screen.show(frame(state, now, size.columns, size.lines, self.footer), size)

    def put_away(self) -> None:
        """Give the terminal back; the next frame takes it again."""
        self._screen.leave()
        self._due_at = float("-inf")

    def put_away_at_once(self) -> None:
        """The same, for a process that is about to be gone."""
        self._screen.leave_at_once()

    def close(self) -> None:
        """Give the terminal back for good."""
        self._screen.close()


def live_screen(stream: TextIO, footer: str = "") -> LiveScreen | None:
    """A screen on the terminal that ``stream`` writes to; None where that is none, or one that cannot draw."""
    if os.environ.get("TERM", "dumb").lower() in ("dumb", "unknown", ""):
        return None
    try:
        return LiveScreen(Screen(stream), footer)
    except (OSError, ValueError):
        return None
