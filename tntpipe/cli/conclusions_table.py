"""What was concluded from profiles as a table: the figures, what they rest on, and how sure they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from tntpipe.profiling.resource_file import StepResources

SURE, FAIRLY_SURE = 8, 3
"""From so many steps on the memory of a kind counts as well, or fairly well, known."""

THREADS = 4
"""The speed-up is shown at so many."""

_COLUMNS: Mapping[str, Callable[[StepResources], str]] = {
    "n": lambda step: str(step.n),
    "peak\nGiB": lambda step: _number(step.peak, 2),
    "given\nGiB": lambda step: _number(step.mem, 2),
    "by, and\n64 MiB": lambda step: _rule(step),
    "known": lambda step: _sureness(step),
    "1 thread\ns": lambda step: _number(step.time, 1) or "unknown",
    f"{THREADS} are\ntimes": lambda step: _speed_up(step.thread_overhead),
}
_REFERENCE_COLUMNS: Mapping[str, Callable[[StepResources], str]] = {
    "ncpu": lambda step: _number(step.ncpu, 0),
    "cpumax\n%": lambda step: _number(step.cpumax, 0),
    "mem\nGiB": lambda step: _number(step.mem, 3),
    "time\ns": lambda step: _number(step.time, 1),
}


def print_conclusions(steps: Mapping[str, StepResources], *, by_reference: bool) -> None:
    """Print a row for each kind of step; a column that would be empty is left out."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("step", overflow="fold")
    columns = []
    for name, show in (_REFERENCE_COLUMNS if by_reference else _COLUMNS).items():
        if any(map(show, steps.values())):
            columns.append(show)
            table.add_column(name, justify="left" if name.startswith(("by", "known")) else "right", no_wrap=True)
    for name, step in steps.items():
        table.add_row(name, *(show(step) for show in columns))
    Console(highlight=False, markup=False).print(table)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _rule(step: StepResources) -> str:
    if step.correlation is not None:
        return f"line x{step.padding:g}"
    return f"max x{step.padding:g}"


def _sureness(step: StepResources) -> str:
    n = step.n or 0
    return "well" if n >= SURE else "fairly" if n >= FAIRLY_SURE else "hardly"


def _speed_up(overhead: float | None) -> str:
    return "" if overhead is None else f"{THREADS / (1 + overhead * (THREADS - 1)):.1f}"
