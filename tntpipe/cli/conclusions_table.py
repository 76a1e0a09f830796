"""What was concluded from profiles as a table: the figures, what they rest on, and how sure they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from tntpipe.profiling.resource_file import StepResources

WIDTH_OF_A_PIPE = 150
SURE, FAIRLY_SURE = 8, 3
"""From so many steps on the memory of a kind counts as well, or fairly well, known."""

THREADS = 4
"""The speed-up is shown at so many."""

_COLUMNS: Mapping[str, Callable[[StepResources], str]] = {
    "steps": lambda step: str(step.n),
    "peak GiB": lambda step: _number(step.peak, 2),
    "request GiB": lambda step: _number(step.mem, 2),
    "which is": lambda step: _how(step),
    "known": lambda step: _sureness(step),
    "CPUs": lambda step: _number(step.ncpu, 0),
    "s, 1 thread": lambda step: _number(step.time, 1),
    "mean of": lambda step: str(step.n_time) if step.n_time else "unknown",
    f"x at {THREADS}": lambda step: _speed_up(step.thread_overhead),
}

_REFERENCE_COLUMNS: Mapping[str, Callable[[StepResources], str]] = {
    "ncpu": lambda step: _number(step.ncpu, 0),
    "cpumax %": lambda step: _number(step.cpumax, 0),
    "mem GiB": lambda step: _number(step.mem, 3),
    "time s": lambda step: _number(step.time, 1),
}


def print_conclusions(steps: Mapping[str, StepResources], *, by_reference: bool) -> None:
    """Print a row for each kind of step."""
    columns = _REFERENCE_COLUMNS if by_reference else _COLUMNS
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("step", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="left" if name in ("which is", "known") else "right", no_wrap=True)
    for name, step in steps.items():
        table.add_row(name, *(show(step) for show in columns.values()))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = max(console.width, WIDTH_OF_A_PIPE)
    console.print(table)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _how(step: StepResources) -> str:
    if step.correlation is not None:
        return f"by voxels (r {step.correlation:.2f}) x {step.padding:g} + 64 MB"
    return f"largest x {step.padding:g} + 64 MB"


def _sureness(step: StepResources) -> str:
    n = step.n or 0
    return "well" if n >= SURE else "fairly" if n >= FAIRLY_SURE else "hardly"


def _speed_up(overhead: float | None) -> str:
    return "" if overhead is None else f"{THREADS / (1 + overhead * (THREADS - 1)):.1f}"
