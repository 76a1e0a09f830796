"""The report of a run: written when it has ended, however that was, and by the level ``report`` from its journal."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tntpipe.cli.recorded_runs import newest_run, run_called
from tntpipe.cli.screen import screen_may_be_gone
from tntpipe.errors import ExitStatus
from tntpipe.journal import JOURNAL_NAME

APART_FROM_BYTES = 20_000_000
"""The report of a larger journal is made in a process of its own: it takes more than a second or two, and memory that
this one, which may hold the graph of a thousand scans, need not have."""


def show_report(options: argparse.Namespace) -> ExitStatus:
    """Make the report of the newest run, or of the one that was named, and say where it is."""
    from tntpipe.report.write import write_report

    logs = options.output_dir.absolute() / "logs"
    run_dir = newest_run(logs) if options.run is None else run_called(logs, options.run)
    print(write_report(run_dir))
    return ExitStatus.SUCCESS


def report_of_run(run_dir: Path) -> Path | None:
    """Make the report of a run that has ended; None where that failed, which is said and does the run no harm.

    What makes it is imported here: a run of hours need not load it before its end.
    """
    try:
        from tntpipe.report.write import PAGE_NAME, write_report

        size = (run_dir / JOURNAL_NAME).stat().st_size
        if size < APART_FROM_BYTES:
            return write_report(run_dir)
        _say(f"making the report, from {size / 1e6:.0f} MB of journal ...")
        _write_apart(run_dir)
    except Exception as error:
        remedy = "The level report makes it again from the journal."
        _say(f"tntpipe: the report of {run_dir} could not be made: {error} {remedy}")
        return None
    return run_dir / PAGE_NAME


def _write_apart(run_dir: Path) -> None:
    """The same in a process of its own; OSError with its last line where it fails."""
    made = subprocess.run(
        [sys.executable, "-m", "tntpipe.report", str(run_dir)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if made.returncode:
        lines = made.stderr.strip().splitlines() or [f"its process ended with status {made.returncode}."]
        raise OSError(lines[-1])


def _say(text: str) -> None:
    with screen_may_be_gone():
        print(text, file=sys.stderr, flush=True)
