"""The whole screen, laid out by rich: a pure function of a run's state, the time, and the size of the terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache

from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.style import Style
from rich.text import Text

from tntpipe.dashboard.cells import line
from tntpipe.dashboard.overview import N_LINES, overview
from tntpipe.dashboard.panels import Panel, failures, recent, running_steps, scans, shares, waiting_steps
from tntpipe.journal.run_state import RunState

TWO_COLUMNS_FROM = 130
"""Cells from which the panels stand beside each other."""

SPACED_FROM = 25
"""Lines from which empty ones stand between the panels."""

Line = tuple[tuple[str, Style], ...]
"""A line of the screen: texts and how they look."""


def frame(state: RunState, now: float, width: int, height: int, footer: str = "") -> list[Line]:
    """The screen at the instant ``now`` (seconds since the epoch): exactly ``height`` lines of at most ``width`` cells.

    What matters most comes first, so that a small terminal shows at least that; ``footer`` is the last line.
    """
    console = _console()
    options = console.options.update_dimensions(width, height)
    plain = Style.null()
    lines = console.render_lines(screen(state, now, width, height, footer), options, pad=False)
    return [_without_end(tuple((part.text, part.style or plain) for part in parts)) for parts in lines]


def screen(state: RunState, now: float, width: int, height: int, footer: str = "") -> RenderableType:
    """The same as something that rich can draw."""
    last = line((footer or " ", "dim"))  # rich takes an empty text for none
    n_head = min(N_LINES, height - 1)
    if n_head < 1:
        return last
    room = height - n_head - 1
    parts = [Layout(Group(*overview(state, now, width)), size=n_head)]
    if room:
        if width < TWO_COLUMNS_FROM:
            panels = [failures(state), running_steps(state, now), scans(state), waiting_steps(state), recent(state)]
            body = _stacked(panels, width, room)
        else:
            left_cells = (width - 3) * 11 // 20
            steps = [running_steps(state, now), waiting_steps(state), recent(state)]
            body = Layout()
            body.split_row(
                Layout(_stacked(steps, left_cells, room), size=left_cells),
                Layout(Text("\n".join([" │ "] * room), style="dim"), size=3),
                _stacked([failures(state), scans(state)], width - left_cells - 3, room),
            )
        parts.append(Layout(body, size=room))
    whole = Layout()
    whole.split_column(*parts, Layout(last, size=1))
    return whole


def _stacked(panels: Sequence[Panel], width: int, height: int) -> Layout:
    """Panels one below the other in so many lines: a row each where there is room, then by their weights."""
    n_between = len(panels) - 1 if height >= SPACED_FROM else 0
    parts: list[Layout] = []
    left = height
    for panel, n_shown in zip(panels, shares(panels, height - n_between), strict=True):
        if n_shown:
            size = min(left, n_shown + 1 + bool(n_between))
            parts.append(Layout(panel.drawn(width, n_shown), size=size))
            left -= size
    if left:
        parts.append(Layout(Text(" "), size=left))
    stack = Layout()
    stack.split_column(*parts)
    return stack


@cache
def _console() -> Console:
    """It lays out and writes nothing."""
    return Console(
        file=io.StringIO(), force_terminal=True, markup=False, highlight=False, emoji=False, legacy_windows=False
    )


def _without_end(parts: Line) -> Line:
    """A line without the blanks at its end."""
    while parts and not parts[-1][0].strip():
        parts = parts[:-1]
    return (*parts[:-1], (parts[-1][0].rstrip(), parts[-1][1])) if parts else ()
