"""The head of the screen: when the run ends, how far its scans and steps are, and what its budget is used for."""

from __future__ import annotations

import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tntpipe.dashboard.cells import FULL, TAKEN, Bar, clean, line
from tntpipe.formatting import GIB, duration
from tntpipe.journal.events import ScanOutcome
from tntpipe.journal.run_state import BAD, GOOD, RunState

LABEL_CELLS = 8
LEAST_BAR_CELLS, MOST_BAR_CELLS = 8, 60
TEXT_CELLS = 52
"""What the texts beside the bars take at most, with figures of usual length."""

N_LINES = 5

Parts = list[tuple[str, str]]


def overview(state: RunState, now: float, width: int) -> list[RenderableType]:
    """A title, and four bars as one table."""
    bar_cells = min(max(width - LABEL_CELLS - 1 - TEXT_CELLS, LEAST_BAR_CELLS), MOST_BAR_CELLS)
    bars = Table.grid(padding=0, expand=True)
    bars.add_column(width=LABEL_CELLS, no_wrap=True, style="bold")
    bars.add_column(width=bar_cells + 1, no_wrap=True)
    bars.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    n_good, n_bad = state.n_scans(*GOOD), state.n_scans(*BAD)
    n_going_on = len(state.under_way) + state.n_scans(ScanOutcome.STOPPED)
    scans = ((n_good, FULL, "green"), (n_bad, FULL, "red"), (n_going_on, TAKEN, "cyan"))
    n_lost = state.n_failed + state.n_dropped
    n_done = state.n_over - n_lost
    steps = ((n_done, FULL, "green"), (n_lost, FULL, "red"), (len(state.running), TAKEN, "cyan"))
    bars.add_row("scans", Bar(bar_cells, len(state.scans), scans), line(*_scans(state)))
    bars.add_row("steps", Bar(bar_cells, state.n_steps, steps), line(*_steps(state, n_done)))
    cpus = _budget_bar(bar_cells, state.cpus, state.reserved_cpus, state.busy_cpus)
    bars.add_row("CPUs", cpus, line(*_cpus(state)))
    memory = _budget_bar(bar_cells, state.mem_bytes, state.reserved_bytes, state.rss_bytes)
    bars.add_row("memory", memory, line(*_memory(state)))
    return [_title(state, now), bars]


def _title(state: RunState, now: float) -> Text:
    if state.facts is None:
        return line(("tntpipe", "bold"))
    elapsed = duration(max(0.0, (state.ended or now) - state.started))
    ants = state.facts.ants.partition(" in ")[0]
    return line(
        ("tntpipe", "bold"),
        (f" on {clean(str(state.facts.host.get('name', '?')))} for {elapsed}, ", ""),
        *_end(state, now),
        (f"  {clean(ants)}", "dim"),
    )


def _end(state: RunState, now: float) -> Parts:
    left_s = state.seconds_left(now)
    if state.exit_status is not None:
        return [(f"ended with exit status {int(state.exit_status)}", "bold")]
    if left_s is None:
        return [("estimating time left", "dim")]
    if left_s == 0:
        return [("should have ended", "magenta")]
    end = datetime.datetime.fromtimestamp(now + left_s)
    days = (end.date() - datetime.datetime.fromtimestamp(now).date()).days
    at = f"{end:%H:%M}" if not days else f"{end:%a %H:%M}" if days < 7 else f"{end:%d %b}"
    return [(f"about {duration(left_s)} left", "bold"), (f", until {at}", "")]


def _scans(state: RunState) -> Parts:
    """How many scans are in which state."""
    return _counts(
        (state.n_scans(*GOOD), "done", "green"),
        (state.n_scans(*BAD), "failed", "bold red"),
        (state.n_scans(ScanOutcome.STOPPED), "unfinished", "magenta"),
        (len(state.under_way), "under way", ""),
        (state.n_scans_to_come(), "to come", ""),
    )


def _steps(state: RunState, n_done: int) -> Parts:
    rest = _counts(
        (state.n_failed, "failed", "bold red"), (state.n_dropped, "dropped", "red"), (len(state.running), "running", "")
    )
    return [(f"{n_done} of {state.n_steps} done", ""), *([(", ", ""), *rest] if rest else [])]


def _counts(*told: tuple[int, str, str]) -> Parts:
    """Those that there are any of."""
    parts: Parts = []
    for number, what, style in told:
        if number:
            parts += [(", ", "")] if parts else []
            parts.append((f"{number} {what}", style))
    return parts


def _budget_bar(width: int, whole: float, reserved: float, used: float) -> Bar:
    """What is used, what of it was not reserved, what is reserved and not used, and what is free."""
    within = min(used, reserved)
    beyond = max(0.0, min(used, whole) - reserved)
    return Bar(width, whole, ((within, FULL, "cyan"), (beyond, FULL, "magenta"), (reserved - within, TAKEN, "blue")))


def _cpus(state: RunState) -> Parts:
    over = state.busy_cpus > state.cpus + 0.5
    return [
        (f"{state.busy_cpus:.1f} busy", "red" if over else "cyan"),
        (f", {state.reserved_cpus} of {state.cpus} reserved", ""),
    ]


def _memory(state: RunState) -> Parts:
    style = "red" if state.rss_bytes > state.mem_bytes else "cyan"
    most = f" (most {state.peak_rss_bytes / GIB:.1f})"
    used = f"{state.rss_bytes / GIB:.1f} GiB used"
    rest = f", {state.reserved_bytes / GIB:.1f} of {state.mem_bytes / GIB:.1f} reserved"
    shown = most if len(used + most + rest) <= TEXT_CELLS else ""
    return [(used, style), (f"{shown}{rest}", "")]
