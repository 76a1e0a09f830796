"""What is said when a run has ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tntpipe.formatting import printable
from tntpipe.journal.events import ScanOutcome
from tntpipe.journal.run_state import RunState, ScanState

GOOD = (ScanOutcome.DONE, ScanOutcome.SKIPPED)
N_GOOD_SHOWN = 20


def print_summary(
    state: RunState, run_dir: Path, output_dir: Path, report: Path | None = None, study: Path | None = None
) -> None:
    """A table of the scans that need attention (and of the others while they are few), then one line of counts.

    The line ends with where to read on: ``report`` is where the run's page is, ``study`` the table of all scans,
    if there are any.
    """
    console = Console(stderr=True)
    shown = [
        (name, scan)
        for name, scan in state.scans.items()
        if scan.outcome not in GOOD or scan.warnings or len(state.scans) <= N_GOOD_SHOWN
    ]
    if shown:
        _print_scans(console, shown)
    counts = (
        f"{state.n_scans(ScanOutcome.DONE)} done, "
        f"{state.n_scans(ScanOutcome.FAILED, ScanOutcome.REFUSED)} failed, "
        f"{state.n_scans(ScanOutcome.SKIPPED)} skipped (finished before)"
    )
    stopped = state.n_scans(ScanOutcome.STOPPED)
    if stopped:
        counts += f", {stopped} unfinished (re-run the same command to resume)"
    doubtful = sum(bool(scan.warnings) for scan in state.scans.values() if scan.outcome in GOOD)
    if doubtful:
        counts += f", {doubtful} of them with warnings: look at {'it' if doubtful == 1 else 'them'} before use"
    failed = state.n_scans(ScanOutcome.FAILED)
    where = f"crash files in {output_dir / 'logs'}" if failed else f"log in {run_dir / 'run.log'}"
    more = f"; report in {report}" if report is not None else ""
    told = printable(f"{counts}; volumes in {study or output_dir}; {where}{more}")
    console.print(told, markup=False, highlight=False, soft_wrap=True)


def _print_scans(console: Console, shown: Sequence[tuple[str, ScanState]]) -> None:
    """A table on a terminal, plain lines in a log; nothing is cut short."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("scan", "result", "why"):
        table.add_column(column, overflow="fold")
    for name, scan in shown:
        result = scan.outcome.value if scan.outcome else "unknown"
        colour = "red" if scan.outcome not in GOOD else "yellow" if scan.warnings else "green"
        why = printable("\n".join(filter(None, (scan.message, *(f"WARNING {text}" for text in scan.warnings)))))
        table.add_row(Text(name), Text(result, colour), Text(why))
        if not console.is_terminal:
            console.print(f"{name}: {result} {why}".rstrip(), markup=False, highlight=False, soft_wrap=True)
    if console.is_terminal:
        console.print(table)
