"""What the screen shows below its head: a panel has a heading and rows, of which as many are made as are shown."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tntpipe.dashboard.cells import FULL, TAKEN, Line, Span, bar, clean, fit, fit_step
from tntpipe.formatting import GIB, counted, duration
from tntpipe.journal.events import ScanOutcome
from tntpipe.journal.run_state import BAD, GOOD, RunningStep, RunState, ScanState

BAR_CELLS = 14
COUNT_CELLS = 7
NAME_CELLS = 26
"""What the name of a running step needs; its figures have the rest."""

SPACED_FROM = 25
"""Lines from which empty ones stand between the panels."""

MOST_SCANS_LISTED = 60
"""Up to so many scans, all are listed; of more, those under way."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel that has something to show: how many rows it would have, and the first so many of them.

    ``weight`` is its share of the rows where there are not enough for all.
    """

    n_rows: int
    weight: int
    heading: Callable[[int, int], Line]
    rows: Callable[[int, int], Iterator[Line]]

    def drawn(self, width: int, n_shown: int) -> list[Line]:
        """Its heading and its first rows, in a given width."""
        return [self.heading(width, n_shown), *islice(self.rows(width, n_shown), n_shown)]


@dataclass(frozen=True, slots=True)
class _Column:
    """One figure of a running step; where there is little room, columns go in the order of ``goes``."""

    title: str
    cells: int
    goes: int
    shown: Callable[[RunningStep, float], Span]


def _time(step: RunningStep, now: float) -> Span:
    elapsed_s = max(0.0, now - step.since)
    if not step.expected_s:
        return duration(elapsed_s), ""
    return f"{duration(elapsed_s)} / {duration(step.expected_s)}", "yellow" if elapsed_s > step.expected_s else ""


def _memory(n_bytes: int, step: RunningStep) -> Span:
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

    def heading(width: int, n_shown: int) -> Line:
        columns, name_cells = _columns_in(width)
        title = fit(f"running: {_shown(n_shown, counted(len(steps), 'step'), len(steps))}", name_cells)
        return ((title, "bold"), ("".join(fit(column.title, column.cells, right=True) for column in columns), "dim"))

    def rows(width: int, _n_shown: int) -> Iterator[Line]:
        columns, name_cells = _columns_in(width)
        for step in steps:
            figures = ((column.shown(step, now), column.cells) for column in columns)
            name = fit_step(clean(step.name), name_cells)
            yield (name, ""), *((fit(text, cells, right=True), style) for (text, style), cells in figures)

    return Panel(len(steps), 3, heading, rows)


def _columns_in(width: int) -> tuple[Sequence[_Column], int]:
    """The columns that leave a name enough room, and that room."""
    columns = list(COLUMNS)
    while columns and width - sum(column.cells for column in columns) < NAME_CELLS:
        columns.remove(min(columns, key=lambda column: column.goes))
    return columns, max(0, width - sum(column.cells for column in columns))


def _gib(n_bytes: int) -> str:
    """GiB in few cells."""
    gib = n_bytes / GIB
    return f"{gib:.1f}" if gib >= 1 else f"{gib:.2f}"


def scans(state: RunState) -> Panel:
    """Each scan with its phase; of many scans, those under way."""
    under_way = state.under_way
    n_rows = len(state.scans) if len(state.scans) <= MOST_SCANS_LISTED else len(under_way)

    def heading(_width: int, n_shown: int) -> Line:
        which = "" if n_rows == len(state.scans) else " under way"
        return ((f"scans: {_shown(n_shown, f'{n_rows}{which}', n_rows)}", "bold"),)

    def rows(width: int, n_shown: int) -> Iterator[Line]:
        listed = list(islice(_in_order(state), n_shown))
        longest = max((len(name) for name, _ in listed), default=0)
        name_cells = max(0, min(longest, width - BAR_CELLS - COUNT_CELLS - 26))
        for name, scan in listed:
            yield _scan_row(name, scan, name_cells)

    return Panel(n_rows, 3, heading, rows)


def _in_order(state: RunState) -> Iterator[tuple[str, ScanState]]:
    """Those under way, and where all are listed then those that are not over, failed ones, and good ones."""
    yield from state.under_way.items()
    if len(state.scans) <= MOST_SCANS_LISTED:
        rest = [(name, scan) for name, scan in state.scans.items() if name not in state.under_way]
        yield from sorted(rest, key=lambda item: 0 if item[1].outcome is None else 1 if item[1].outcome in BAD else 2)


def _scan_row(name: str, scan: ScanState, name_cells: int) -> Line:
    parts = [(scan.n_over, FULL, _colour(scan)), (len(scan.running), TAKEN, "cyan")]
    return (
        (fit(clean(name), name_cells), ""),
        (" ", ""),
        *bar(BAR_CELLS, scan.n_steps, parts),
        (fit(f"{scan.n_over}/{scan.n_steps}", COUNT_CELLS, right=True), "dim"),
        (" ", ""),
        _phase(scan),
    )


def _colour(scan: ScanState) -> str:
    return "red" if scan.outcome in BAD else "green"


def _phase(scan: ScanState) -> tuple[str, str]:
    """What the scan is at: the step that it has been at for longest, and how many others run beside it."""
    if scan.outcome is not None:
        told = scan.message if scan.outcome is ScanOutcome.FAILED else f"{scan.outcome.value} {scan.message}"
        return clean(told).rstrip(), "green" if scan.outcome in GOOD else "red"
    if not scan.running:
        return ("waits", "yellow") if scan.n_over else ("to come", "dim")
    kind = next(iter(scan.running.values())).kind.replace("_", " ")
    return clean(kind) + (f", and {len(scan.running) - 1} more" if len(scan.running) > 1 else ""), "cyan"


def waiting_steps(state: RunState) -> Panel:
    """The head of the queue, and why it waits."""

    def rows(width: int, _n_shown: int) -> Iterator[Line]:
        for name, why in state.waiting.items():
            yield (fit_step(clean(name), min(len(name), width // 2)), ""), (f"  {clean(why)}", "yellow")

    return Panel(len(state.waiting), 1, lambda _width, _n: (("waiting, those first that start first", "bold"),), rows)


def failures(state: RunState) -> Panel:
    """What failed, the last first; it stays."""
    n_rows = len(state.failures)

    def rows(_width: int, _n_shown: int) -> Iterator[Line]:
        for failure in reversed(state.failures):
            yield (clean(failure.name), "red"), (f"  {clean(failure.message)}", "")

    return Panel(n_rows, 1, lambda _width, n: ((f"failed: {_shown(n, str(n_rows), n_rows)}", "bold red"),), rows)


def recent(state: RunState) -> Panel:
    """What happened last, the last first."""
    styles = {"WARNING": "yellow", "ERROR": "red", "DEBUG": "dim"}

    def rows(_width: int, _n_shown: int) -> Iterator[Line]:
        for t, level, text in reversed(state.recent):
            clock = datetime.datetime.fromtimestamp(t).strftime("%H:%M:%S")
            yield (clock, "dim"), (f" {clean(text)}", styles.get(level, ""))

    return Panel(len(state.recent), 1, lambda _width, _n: (("recently", "bold"),), rows)


def _shown(n_shown: int, all_of_them: str, n_rows: int) -> str:
    return all_of_them + (f", {n_shown} shown" if n_shown < n_rows else "")


def stacked(panels: Sequence[Panel], width: int, height: int) -> list[Line]:
    """Panels one below the other in at most so many lines: a row each where there is room, then by their weights."""
    n_between = len(panels) - 1 if height >= SPACED_FROM else 0
    lines: list[Line] = []
    for panel, n_shown in zip(panels, shares(panels, height - n_between), strict=True):
        if n_shown:
            lines += [()] if lines and n_between else []
            lines += panel.drawn(width, n_shown)
    return lines


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
