"""The whole screen as lines: a pure function of a run's state, the time, and the size of the terminal."""

from __future__ import annotations

from itertools import zip_longest

from tntpipe.dashboard.cells import Line, cut, filled
from tntpipe.dashboard.overview import overview
from tntpipe.dashboard.panels import failures, recent, running_steps, scans, stacked, waiting_steps
from tntpipe.journal.run_state import RunState

TWO_COLUMNS_FROM = 130
"""Cells from which the panels stand beside each other."""

BETWEEN = (" │ ", "dim")


def frame(state: RunState, now: float, width: int, height: int, footer: str = "") -> list[Line]:
    """The screen at the instant ``now`` (seconds since the epoch): exactly ``height`` lines of at most ``width`` cells.

    What matters most comes first, so that a small terminal shows at least that; ``footer`` is the last line.
    """
    head = overview(state, now, width)[: max(height - 1, 0)]
    room = height - len(head) - 1
    if width < TWO_COLUMNS_FROM:
        panels = [failures(state), running_steps(state, now), scans(state), waiting_steps(state), recent(state)]
        body = stacked(panels, width, room)
    else:
        left_cells = (width - len(BETWEEN[0])) * 11 // 20
        left = stacked([running_steps(state, now), waiting_steps(state), recent(state)], left_cells, room)
        right = stacked([failures(state), scans(state)], width - left_cells - len(BETWEEN[0]), room)
        body = [(*filled(one, left_cells), BETWEEN, *other) for one, other in zip_longest(left, right, fillvalue=())]
    lines = [cut(line, width) for line in (*head, *body)]
    lines += [()] * (height - 1 - len(lines))
    return [*lines, cut(((footer, "dim"),), width)][:height]
