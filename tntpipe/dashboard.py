"""The screen of a run: a pure function from its state and the time to something that rich can print."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tntpipe.durations import duration
from tntpipe.events import ScanOutcome
from tntpipe.resources import format_gib
from tntpipe.run_state import RunningStep, RunState, ScanState

N_OVERVIEW_LINES = 4
N_HEADER_LINES = 2


def render(state: RunState, now: float, *, height: int = 24) -> RenderableType:
    """The whole screen at the instant ``now`` (seconds since the epoch), in fewer than ``height`` lines."""
    told = [(name, scan) for name, scan in state.scans.items() if scan.running or _went_wrong(scan)]
    room = max(height - 1 - N_OVERVIEW_LINES - N_HEADER_LINES, 0)
    recent = list(state.recent)[-max(room // 4, 1) :]
    waiting = list(state.waiting.items())[: room // 4]
    room = max(room - len(recent) - len(waiting), 2)
    room_for_steps = room - min(len(told), room // 2)
    room_for_scans = room - min(len(state.running), room_for_steps)
    parts: list[RenderableType] = [_overview(state, now)]
    parts += [_running_steps(state, now, room_for_steps), _scans(told, room_for_scans)]
    parts += [_line("").append(f" {name} ", "bold").append(_flat(why), "yellow") for name, why in waiting]
    parts += [_line("").append(_clock(t), "dim").append(f" {_flat(text)}") for t, _, text in recent]
    return Group(*parts)


def _overview(state: RunState, now: float) -> Table:
    steps = list(state.running.values())
    used_cpus = sum(step.cpus for step in steps)
    requested = sum(step.mem_bytes for step in steps)
    really = sum(step.rss_bytes for step in steps)
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", style="bold", no_wrap=True)
    grid.add_column(width=20)
    grid.add_column()
    finished = state.n_scans(ScanOutcome.DONE, ScanOutcome.SKIPPED)
    failed = state.n_scans(ScanOutcome.FAILED, ScanOutcome.REFUSED)
    scans = _line(f"{state.n_over}/{state.n_steps}; {finished} of {len(state.scans)} scans done")
    if failed:
        scans.append(", ").append(f"{failed} failed", "red")
    grid.add_row("steps", _bar(state.n_over, state.n_steps), scans)
    grid.add_row("CPUs", _bar(used_cpus, state.cpus), _line(f"{used_cpus} of {state.cpus} reserved"))
    memory = f"{format_gib(requested)} of {format_gib(state.mem_bytes)} reserved, {format_gib(really)} used"
    grid.add_row("memory", _bar(requested, state.mem_bytes), _line(memory))
    grid.add_row("elapsed", "", _line(f"{duration(now - state.started)}, {state.facts.ants if state.facts else ''}"))
    return grid


def _running_steps(state: RunState, now: float, room: int) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    table.add_column(_line("running step"))
    for name in ("time", "CPUs", "memory"):
        table.add_column(name, justify="right", no_wrap=True)
    steps = sorted(state.running.values(), key=lambda step: step.since)
    n_shown = _n_shown(len(steps), room)
    for step in steps[:n_shown]:
        table.add_row(_line(step.name), duration(now - step.since), str(step.cpus), _memory(step))
    if n_shown < len(steps):
        table.add_row(_line(f"and {len(steps) - n_shown} more", "dim"))
    return table


def _scans(told: Sequence[tuple[str, ScanState]], room: int) -> Table:
    """Scans that run or failed, a line each; the others only as numbers above."""
    table = Table(box=None, padding=(0, 1), header_style="dim")
    table.add_column(_line("scan"))
    table.add_column(width=20)
    table.add_column()
    n_shown = _n_shown(len(told), room)
    for name, scan in told[:n_shown]:
        status = _line(f"{scan.n_over}/{scan.n_steps}")
        if scan.outcome:
            status = _line("").append(scan.outcome.value, "red").append(f" {_flat(scan.message)}")
        table.add_row(_line(name), _bar(scan.n_over, scan.n_steps), status)
    if n_shown < len(told):
        table.add_row(_line(f"and {len(told) - n_shown} more", "dim"))
    return table


def _n_shown(n_rows: int, room: int) -> int:
    """How many rows are drawn where there is room for so many; one is kept for saying how many are not."""
    return n_rows if n_rows <= room else max(room - 1, 0)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _line(text: str, style: str = "") -> Text:
    """Text that is never markup and takes one line."""
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _went_wrong(scan: ScanState) -> bool:
    return scan.outcome in (ScanOutcome.FAILED, ScanOutcome.REFUSED)


def _memory(step: RunningStep) -> str:
    return f"{format_gib(step.rss_bytes)} of {format_gib(step.mem_bytes)}"


def _bar(part: float, whole: float) -> ProgressBar:
    return ProgressBar(total=max(whole, 1), completed=min(part, whole), width=20)


def _clock(t: float) -> str:
    return datetime.datetime.fromtimestamp(t).strftime("%H:%M:%S")
