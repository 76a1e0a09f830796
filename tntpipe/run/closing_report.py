"""What is said when a run has ended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tntpipe.formatting import and_more, printable
from tntpipe.journal.events import ScanOutcome
from tntpipe.journal.run_state import RunState, ScanState

GOOD = (ScanOutcome.DONE, ScanOutcome.SKIPPED)
N_GOOD_SHOWN = 20
N_NAMED = 5
FEWEST_GATHERED = 3


def print_summary(
    state: RunState, run_dir: Path, output_dir: Path, report: Path | None = None, study: Path | None = None
) -> None:
    """What needs attention first, then (while they are few) the other scans, then counts and where to read on.

    Scans that failed for the same reason are told together. ``report`` is where the run's page is, ``study`` the table
    of all scans, if there are any. No line is longer than a path makes it.
    """
    console = Console(stderr=True)
    shown = [
        (name, scan)
        for name, scan in state.scans.items()
        if scan.outcome not in GOOD or scan.warnings or len(state.scans) <= N_GOOD_SHOWN
    ]
    if shown:
        _print_scans(console, _gathered(shown))
    for line in _closing_lines(state, run_dir, output_dir, report, study):
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def _closing_lines(
    state: RunState, run_dir: Path, output_dir: Path, report: Path | None, study: Path | None
) -> Iterator[str]:
    yield (
        f"{state.n_scans(ScanOutcome.DONE)} done, "
        f"{state.n_scans(ScanOutcome.FAILED, ScanOutcome.REFUSED)} failed, "
        f"{state.n_scans(ScanOutcome.SKIPPED)} skipped (finished before)"
    )
    if stopped := state.n_scans(ScanOutcome.STOPPED):
        yield f"{stopped} unfinished: re-run the same command to resume"
    if doubtful := sum(bool(scan.warnings) for scan in state.scans.values() if scan.outcome in GOOD):
        yield f"{doubtful} with warnings: look at {'it' if doubtful == 1 else 'them'} before use"
    if state.n_scans(ScanOutcome.FAILED):
        yield f"crash files in {output_dir / 'logs'}"
    yield f"volumes in {study or output_dir}"
    if report is not None:
        yield f"report in {report}"
    yield f"log in {run_dir / 'run.log'}"


def _gathered(shown: Iterable[tuple[str, ScanState]]) -> list[tuple[str, ScanState]]:
    """Those that are not good first, the commonest reason first, scans with the same reason in one line."""
    alike: dict[tuple[ScanOutcome | None, str], list[tuple[str, ScanState]]] = {}
    good: list[tuple[str, ScanState]] = []
    for name, scan in shown:
        if scan.outcome in GOOD:
            good.append((name, scan))
        else:
            alike.setdefault((scan.outcome, _cause(name, scan)), []).append((name, scan))
    lines: list[tuple[str, ScanState]] = []
    for scans in sorted(alike.values(), key=len, reverse=True):
        if len(scans) < FEWEST_GATHERED or any(scan.warnings for _, scan in scans):
            lines += scans
        else:
            names = and_more([name for name, _ in scans], N_NAMED)
            lines.append((f"{len(scans)} × {names}", scans[0][1]))
    return lines + sorted(good, key=lambda item: not item[1].warnings)


def _cause(name: str, scan: ScanState) -> str:
    """The message without what differs from scan to scan: its name, paths and numbers."""
    return re.sub(r"\S*/\S*|\d+(\.\d+)?", "", scan.message.replace(name, ""))


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
