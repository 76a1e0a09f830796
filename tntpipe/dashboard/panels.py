"""What the screen shows below its head: a panel has a heading and rows, of which as many are made as are shown."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tntpipe.dashboard.cells import FULL, TAKEN, Bar, clean, line
from tntpipe.formatting import GIB, counted, duration
from tntpipe.journal.events import ScanOutcome
from tntpipe.journal.run_state import BAD, GOOD, RunningStep, RunState, ScanState

BAR_CELLS = 14
COUNT_CELLS = 7
NAME_CELLS, KIND_CELLS = 26, 9
"""What the name of a running step needs at least, and of it the slash and the kind; its figures have the rest."""

PHASE_CELLS = 20

MOST_SCANS_LISTED = 60
"""Up to so many scans, all are listed; of more, those under way."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel that has something to show: how many rows it would have, and how the first of them are drawn.

    ``weight`` is its share of the rows where there are not enough for all; ``drawn`` takes a width and a number of
    rows; the heading comes first.
    """

    n_rows: int
    weight: int
    drawn: Callable[[int, int], RenderableType]


@dataclass(frozen=True, slots=True)
class _Column:
    """One figure of a running step; where there is little room, columns go in the order of ``goes``."""

    title: str
    cells: int
    goes: int
    shown: Callable[[RunningStep, float], tuple[str, str]]


def _time(step: RunningStep, now: float) -> tuple[str, str]:
    elapsed_s = max(0.0, now - step.since)
    if not step.expected_s:
        return duration(elapsed_s), ""
    return f"{duration(elapsed_s)} / {duration(step.expected_s)}", "magenta" if elapsed_s > step.expected_s else ""


def _memory(n_bytes: int, step: RunningStep) -> tuple[str, str]:
    return _gib(n_bytes), "red" if n_bytes > step.mem_bytes else "cyan"


COLUMNS = (
    _Column("time / about", 18, 9, _time),
    _Column("CPUs", 8, 2, lambda step, _now: (f"{step.busy_cpus:.1f}/{step.cpus}", "cyan")),
    _Column("now", 6, 4, lambda step, _now: _memory(step.rss_bytes, step)),
    _Column("most", 6, 1, lambda step, _now: _memory(step.peak_bytes, step)),
    _Column("of GiB", 8, 3, lambda step, _now: (_gib(step.mem_bytes), "")),
)


def running_steps(state: RunState, now: float) -> Panel:
    """Each running step: its time of the expected one, its CPUs, its memory now, at most, and asked for."""
    steps = list(state.running.values())

    def drawn(width: int, n_shown: int) -> RenderableType:
        columns = _columns_in(width, max((Text(clean(step.scan)).cell_len for step in steps[:n_shown]), default=0))
        table = Table(box=None, padding=0, pad_edge=False, expand=True, header_style="")
        title = f"running: {_shown(n_shown, counted(len(steps), 'step'), len(steps))}"
        table.add_column(line((title, "bold")), ratio=1, no_wrap=True, overflow="ellipsis")
        for column in columns:
            table.add_column(line((column.title, "dim")), width=column.cells, no_wrap=True, justify="right")
        for step in steps[:n_shown]:
            table.add_row(line((clean(step.name), "")), *(line(column.shown(step, now)) for column in columns))
        return table

    return Panel(len(steps), 3, drawn)


def _columns_in(width: int, scan_cells: int) -> Sequence[_Column]:
    """The columns that leave names enough room: whole scans, and the beginning of what is done with them."""
    columns, name_cells = list(COLUMNS), max(NAME_CELLS, scan_cells + KIND_CELLS)
    while columns and width - sum(column.cells for column in columns) < name_cells:
        columns.remove(min(columns, key=lambda column: column.goes))
    return columns


def _gib(n_bytes: int) -> str:
    """GiB in few cells."""
    gib = n_bytes / GIB
    return f"{gib:.1f}" if gib >= 1 else f"{gib:.2f}"


def scans(state: RunState) -> Panel:
    """Each scan with its phase; of many scans, those under way."""
    n_rows = len(state.scans) if len(state.scans) <= MOST_SCANS_LISTED else len(state.under_way)

    def drawn(width: int, n_shown: int) -> RenderableType:
        which = "" if n_rows == len(state.scans) else " under way"
        listed = [(clean(name), scan) for name, scan in islice(_in_order(state), n_shown)]
        longest = max((Text(name).cell_len for name, _ in listed), default=0)
        rows = Table.grid(padding=0, expand=True)
        rows.add_column(width=max(1, min(longest, width - BAR_CELLS - COUNT_CELLS - PHASE_CELLS)) + 1, no_wrap=True)
        rows.add_column(width=BAR_CELLS, no_wrap=True)
        rows.add_column(width=COUNT_CELLS, no_wrap=True, justify="right")
        rows.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for name, scan in listed:
            good = (scan.n_over - scan.n_lost, FULL, "green")
            parts = (good, (scan.n_lost, FULL, "red"), (len(scan.running), TAKEN, "cyan"))
            count = line((f"{scan.n_over}/{scan.n_steps}", "dim"))
            phase, style = _phase(scan)
            rows.add_row(line((name, "")), Bar(BAR_CELLS, scan.n_steps, parts), count, line((f" {phase}", style)))
        return Group(line((f"scans: {_shown(n_shown, f'{n_rows}{which}', n_rows)}", "bold")), rows)

    return Panel(n_rows, 3, drawn)


def _in_order(state: RunState) -> Iterator[tuple[str, ScanState]]:
    """Those under way, and where all are listed then those that are not over, failed ones, and good ones."""
    yield from state.under_way.items()
    if len(state.scans) <= MOST_SCANS_LISTED:
        rest = [(name, scan) for name, scan in state.scans.items() if name not in state.under_way]
        yield from sorted(rest, key=lambda item: 0 if item[1].outcome is None else 1 if item[1].outcome in BAD else 2)


def _phase(scan: ScanState) -> tuple[str, str]:
    """What the scan is at: the step that it has been at for longest, and how many others run beside it."""
    if scan.outcome is not None:
        told = scan.message if scan.outcome is ScanOutcome.FAILED else f"{scan.outcome.value} {scan.message}"
        return clean(told).rstrip(), "green" if scan.outcome in GOOD else "red"
    if not scan.running:
        return ("waits", "magenta") if scan.n_over else ("to come", "dim")
    kind = next(iter(scan.running.values())).kind.replace("_", " ")
    return clean(kind) + (f", and {len(scan.running) - 1} more" if len(scan.running) > 1 else ""), "cyan"


def waiting_steps(state: RunState) -> Panel:
    """The head of the queue, and why it waits."""

    def drawn(width: int, n_shown: int) -> RenderableType:
        rows = (_waiting(name, why, width) for name, why in islice(state.waiting.items(), n_shown))
        return Group(line(("waiting, those first that start first", "bold")), *rows)

    return Panel(len(state.waiting), 1, drawn)


def _waiting(name: str, why: str, width: int) -> Text:
    shown = line((clean(name), ""))
    shown.truncate(max(1, width // 2), overflow="ellipsis")
    return shown.append(f"  {clean(why)}", "magenta")


def failures(state: RunState) -> Panel:
    """What failed, the last first; it stays."""
    n_rows = len(state.failures)

    def drawn(_width: int, n_shown: int) -> RenderableType:
        last = islice(reversed(state.failures), n_shown)
        rows = (line((clean(failure.name), "red"), (f"  {clean(failure.message)}", "")) for failure in last)
        return Group(line((f"failed: {_shown(n_shown, str(n_rows), n_rows)}", "bold red")), *rows)

    return Panel(n_rows, 1, drawn)


def recent(state: RunState) -> Panel:
    """What happened last, the last first."""
    styles = {"WARNING": "magenta", "ERROR": "red", "DEBUG": "dim"}

    def drawn(_width: int, n_shown: int) -> RenderableType:
        rows = (
            line((f"{datetime.datetime.fromtimestamp(t):%H:%M:%S}", "dim"), (f" {clean(text)}", styles.get(level, "")))
            for t, level, text in islice(reversed(state.recent), n_shown)
        )
        return Group(line(("recently", "bold")), *rows)

    return Panel(len(state.recent), 1, drawn)


def _shown(n_shown: int, all_of_them: str, n_rows: int) -> str:
    return all_of_them + (f", {n_shown} shown" if n_shown < n_rows else "")


def shares(panels: Sequence[Panel], height: int) -> list[int]:
    """How many rows each panel shows; those that show none have no heading either. The first ones come first."""
    shown = [0] * len(panels)
    for number, panel in enumerate(panels):
        if panel.n_rows and height >= 2:
            shown[number], height = 1, height - 2
    while height > 0:
        hungry = [number for number, panel in enumerate(panels) if 0 < shown[number] < panel.n_rows]
        if not hungry:
            break
        for number in hungry:
            more = min(panels[number].weight, panels[number].n_rows - shown[number], height)
            shown[number], height = shown[number] + more, height - more
    return shown
