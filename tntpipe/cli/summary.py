"""What is said when a run has ended."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tntpipe.events import ScanOutcome
from tntpipe.run_state import RunState

N_GOOD_SHOWN = 20


def print_summary(state: RunState, run_dir: Path, output_dir: Path) -> None:
    """A table of the scans that need attention (and of the others while they are few), then one line of counts."""
    console = Console(stderr=True, soft_wrap=not sys.stderr.isatty())
    good = (ScanOutcome.DONE, ScanOutcome.SKIPPED)
    shown = [
        (name, scan)
        for name, scan in state.scans.items()
        if scan.outcome not in good or len(state.scans) <= N_GOOD_SHOWN
    ]
    if shown:
        table = Table("scan", "result", "why", box=None, header_style="bold", padding=(0, 2, 0, 0))
        for name, scan in shown:
            colour = "green" if scan.outcome in good else "red"
            result = scan.outcome.value if scan.outcome else "unknown"
            table.add_row(escape(name), f"[{colour}]{result}[/]", escape(scan.message))
        console.print(table)
    counts = (
        f"{state.n_scans(ScanOutcome.DONE)} done, "
        f"{state.n_scans(ScanOutcome.FAILED, ScanOutcome.REFUSED)} failed, "
        f"{state.n_scans(ScanOutcome.SKIPPED)} skipped (finished before)"
    )
    stopped = state.n_scans(ScanOutcome.STOPPED)
    if stopped:
        counts += f", {stopped} unfinished (the same command goes on with them)"
    failed = state.n_scans(ScanOutcome.FAILED)
    where = f"crash files in {output_dir / 'logs'}" if failed else f"log in {run_dir / 'run.log'}"
    console.print(escape(f"{counts}; volumes in {output_dir}; {where}"), highlight=False)
