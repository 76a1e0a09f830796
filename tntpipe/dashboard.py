"""The screen of a run: a pure function from its state and the time to something that rich can print."""

from __future__ import annotations

import datetime

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tntpipe.events import ScanOutcome
from tntpipe.resources import format_gib
from tntpipe.run_state import RunningStep, RunState, ScanState

N_SCANS_SHOWN = 12
N_STEPS_SHOWN = 12


def render(state: RunState, now: float) -> RenderableType:
    """The whole screen at the instant ``now`` (seconds since the epoch)."""
    parts: list[RenderableType] = [_overview(state, now), _running_steps(state, now), _scans(state)]
    parts += [Text.from_markup(f"[dim]{_clock(t)}[/] {escape(text)}") for t, text in state.recent]
    return Group(*parts)


def _overview(state: RunState, now: float) -> Table:
    steps = list(state.running.values())
    used_cpus = sum(step.cpus for step in steps)
    requested = sum(step.mem_bytes for step in steps)
    really = sum(step.rss_bytes for step in steps)
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", style="bold")
    grid.add_column(width=30)
    grid.add_column()
    finished = state.n_scans(ScanOutcome.DONE, ScanOutcome.SKIPPED)
    failed = state.n_scans(ScanOutcome.FAILED, ScanOutcome.REFUSED)
    scans = f"{finished} of {len(state.scans)} scans done" + (f", [red]{failed} failed[/]" if failed else "")
    grid.add_row("steps", _bar(state.n_over, state.n_steps), f"{state.n_over}/{state.n_steps}; {scans}")
    grid.add_row("CPUs", _bar(used_cpus, state.cpus), f"{used_cpus} of {state.cpus} reserved")
    memory = f"{format_gib(requested)} of {format_gib(state.mem_bytes)} reserved, {format_gib(really)} really used"
    grid.add_row("memory", _bar(requested, state.mem_bytes), memory)
    grid.add_row("elapsed", "", f"{duration(now - state.started)}, {state.ants}")
    return grid


def _running_steps(state: RunState, now: float) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for name, justify in (("running step", "left"), ("time", "right"), ("CPUs", "right"), ("memory", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    steps = sorted(state.running.values(), key=lambda step: step.since)
    for step in steps[:N_STEPS_SHOWN]:
        table.add_row(escape(step.name), duration(now - step.since), str(step.cpus), _memory(step))
    if len(steps) > N_STEPS_SHOWN:
        table.add_row(f"[dim]and {len(steps) - N_STEPS_SHOWN} more[/]", "", "", "")
    return table


def _scans(state: RunState) -> Table:
    """Scans that run or failed, a line each; the others only as numbers above."""
    table = Table(box=None, padding=(0, 1), header_style="dim")
    table.add_column("scan", no_wrap=True)
    table.add_column("", width=20)
    table.add_column("", overflow="ellipsis", no_wrap=True)
    told = [(name, scan) for name, scan in state.scans.items() if scan.n_running or _went_wrong(scan)]
    for name, scan in told[:N_SCANS_SHOWN]:
        status = (
            f"[red]{scan.outcome.value}[/] {escape(scan.message)}" if scan.outcome else f"{scan.n_over}/{scan.n_steps}"
        )
        table.add_row(escape(name), _bar(scan.n_over, scan.n_steps), status)
    if len(told) > N_SCANS_SHOWN:
        table.add_row(f"[dim]and {len(told) - N_SCANS_SHOWN} more[/]", "", "")
    return table


def _went_wrong(scan: ScanState) -> bool:
    return scan.outcome in (ScanOutcome.FAILED, ScanOutcome.REFUSED)


def _memory(step: RunningStep) -> str:
    return f"{format_gib(step.rss_bytes)} of {format_gib(step.mem_bytes)}"


def _bar(part: float, whole: float) -> ProgressBar:
    return ProgressBar(total=max(whole, 1), completed=min(part, whole), width=30)


def duration(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> duration(59), duration(3725)
    ('0:59', '1:02:05')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _clock(t: float) -> str:
    return datetime.datetime.fromtimestamp(t).strftime("%H:%M:%S")
