"""The report's page of a run that has ended, however that was."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tntpipe.journal.history import Attempt
from tntpipe.journal.writer import JOURNAL_NAME
from tntpipe.processes.child_python import kept_variables, python_command
from tntpipe.run.crash_causes import Death, advice_on, cause_of
from tntpipe.run.terminal import screen_may_be_gone

APART_FROM_BYTES = 20_000_000
"""The report of a larger journal is made in a process of its own: it takes more than a second or two, and memory that
this one, which may hold the graph of a thousand scans, need not have."""


def report_of_run(run_dir: Path) -> Path | None:
    """Make the report of a run that has ended; None where that failed, which is said and does the run no harm.

    What makes it is imported here: a run of hours need not load it before its end.
    """
    try:
        from tntpipe.report.write import PAGE_NAME

        size = (run_dir / JOURNAL_NAME).stat().st_size
        if size < APART_FROM_BYTES:
            return write_explained_report(run_dir)
        _say(f"making the report, from {size / 1e6:.0f} MB of journal ...")
        _write_apart(run_dir)
    except Exception as error:
        remedy = "The level report makes it again from the journal."
        _say(f"tntpipe: the report of {run_dir} could not be made: {error} {remedy}")
        return None
    return run_dir / PAGE_NAME


def write_explained_report(run_dir: Path) -> Path:
    """Write the report of a run, with what its failures mean; where the page is."""
    from tntpipe.report.write import write_report

    return write_report(run_dir, explained)


def explained(attempt: Attempt, last_lines: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The cause of a failure, as far as it is known, and what to do about it, a thing a line."""
    text = "\n".join([attempt.message, *last_lines])
    exit_code = attempt.usage.exit_code if attempt.usage is not None else None
    death = Death(exit_code=exit_code, text=text, scan=attempt.scan)
    cause = cause_of(death)
    return ("", ()) if cause is None else (cause.name, [line.strip() for line in advice_on(death)])


def _write_apart(run_dir: Path) -> None:
    """The same in a process of its own; OSError with its last line where it fails."""
    made = subprocess.run(
        python_command("tntpipe.run.report_page", str(run_dir)),
        cwd="/",
        env=kept_variables(),
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


if __name__ == "__main__":
    write_explained_report(Path(sys.argv[1]))
