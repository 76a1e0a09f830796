"""The level ``report``: a run's page, made again from its journal."""

from __future__ import annotations

import argparse

from tntpipe.errors import ExitStatus
from tntpipe.status.recorded_runs import newest_run, run_called


def show_report(options: argparse.Namespace) -> ExitStatus:
    """Make the report of the newest run, or of the one that was named, and say where it is."""
    from tntpipe.run.report_page import write_explained_report

    logs = options.output_dir.absolute() / "logs"
    run_dir = newest_run(logs) if options.run is None else run_called(logs, options.run)
    print(write_explained_report(run_dir))
    return ExitStatus.SUCCESS
