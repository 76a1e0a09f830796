"""The head of the screen: when the run ends, how far its scans and steps are, and what its budget is used for."""

from __future__ import annotations

import datetime

from tntpipe.dashboard.cells import FULL, TAKEN, Line, bar, clean, width_of
from tntpipe.formatting import GIB, duration
from tntpipe.journal.events import ScanOutcome
from tntpipe.journal.run_state import BAD, GOOD, RunState

LABEL_CELLS = 8
LEAST_BAR_CELLS, MOST_BAR_CELLS = 8, 60
TEXT_CELLS = 52
"""What the texts beside the bars take at most, with figures of usual length."""


def overview(state: RunState, now: float, width: int) -> list[Line]:
    """A title and four bars."""
    bar_cells = min(max(width - LABEL_CELLS - 1 - TEXT_CELLS, LEAST_BAR_CELLS), MOST_BAR_CELLS)
    n_good, n_bad = state.n_scans(*GOOD), state.n_scans(*BAD)
    n_stopped, n_under_way = state.n_scans(ScanOutcome.STOPPED), len(state.under_way)
    scans = bar(
        bar_cells,
        len(state.scans),
        [(n_good, FULL, "green"), (n_bad, FULL, "red"), (n_under_way + n_stopped, TAKEN, "cyan")],
    )
    steps = bar(bar_cells, state.n_steps, [(state.n_over, FULL, "green"), (len(state.running), TAKEN, "cyan")])
    return [
        _title(state, now),
        _row("scans", scans, *_counts(state)),
        _row("steps", steps, (f"{state.n_over} of {state.n_steps} ended, {len(state.running)} running", "")),
        _row("CPUs", _budget_bar(bar_cells, state.cpus, state.reserved_cpus, state.busy_cpus), *_cpus(state)),
        _row("memory", _budget_bar(bar_cells, state.mem_bytes, state.reserved_bytes, state.rss_bytes), *_memory(state)),
    ]


def _row(label: str, bar_spans: Line, *texts: tuple[str, str]) -> Line:
    return ((label.ljust(LABEL_CELLS), "bold"), *bar_spans, (" ", ""), *texts)


def _title(state: RunState, now: float) -> Line:
    if state.facts is None:
        return (("tntpipe", "bold"),)
    elapsed = duration(max(0.0, (state.ended or now) - state.started))
    ants = state.facts.ants.partition(" in ")[0]
    return (
        ("tntpipe", "bold"),
        (f" on {clean(str(state.facts.host.get('name', '?')))} for {elapsed}, ", ""),
        *_end(state, now),
        (f"  {clean(ants)}", "dim"),
    )


def _end(state: RunState, now: float) -> Line:
    left_s = state.seconds_left(now)
    if state.exit_status is not None:
        return ((f"ended with exit status {int(state.exit_status)}", "bold"),)
    if left_s is None:
        return (("the end is not foreseen yet", "dim"),)
    if left_s == 0:
        return (("should have ended", "yellow"),)
    end = datetime.datetime.fromtimestamp(now + left_s)
    days = (end.date() - datetime.datetime.fromtimestamp(now).date()).days
    at = f"{end:%H:%M}" if not days else f"{end:%a %H:%M}" if days < 7 else f"{end:%d %b}"
    return ((f"about {duration(left_s)} left", "bold"), (f", until {at}", ""))


def _counts(state: RunState) -> Line:
    """How many scans are in which state, as far as there are any."""
    told = (
        (state.n_scans(*GOOD), "done", "green"),
        (state.n_scans(*BAD), "failed", "bold red"),
        (state.n_scans(ScanOutcome.STOPPED), "unfinished", "yellow"),
        (len(state.under_way), "under way", ""),
        (state.n_scans_to_come(), "to come", ""),
    )
    spans: list[tuple[str, str]] = []
    for number, what, style in told:
        if number:
            spans += [(", ", "")] if spans else []
            spans.append((f"{number} {what}", style))
    return tuple(spans)


def _budget_bar(width: int, whole: float, reserved: float, used: float) -> Line:
    """What is used, what is reserved beyond that, and what is free; use beyond what is reserved is red."""
    within = min(used, reserved)
    beyond = max(0.0, min(used, whole) - reserved)
    return bar(width, whole, [(within, FULL, "cyan"), (beyond, FULL, "red"), (reserved - within, TAKEN, "blue")])


def _cpus(state: RunState) -> Line:
    over = state.busy_cpus > state.reserved_cpus + 0.5
    return (
        (f"{state.busy_cpus:.1f} busy", "red" if over else "cyan"),
        (f", {state.reserved_cpus} of {state.cpus} reserved", ""),
    )


def _memory(state: RunState) -> Line:
    over = state.rss_bytes > state.reserved_bytes
    most = f" (most {state.peak_rss_bytes / GIB:.1f})"
    used = f"{state.rss_bytes / GIB:.1f} GiB used"
    rest = f", {state.reserved_bytes / GIB:.1f} of {state.mem_bytes / GIB:.1f} reserved"
    shown = most if width_of(used + most + rest) <= TEXT_CELLS else ""
    return ((used, "red" if over else "cyan"), (f"{shown}{rest}", ""))
