"""The level ``group``: one table of all scans, made from the output folder alone, at any time."""

from __future__ import annotations

import argparse
import sys

from tntpipe.errors import ExitStatus
from tntpipe.formatting import counted, printable
from tntpipe.study.write import write_study


def write_tables(options: argparse.Namespace) -> ExitStatus:
    """Write the tables, and say where they are and what to know of them."""
    destination = None if options.group_output is None else options.group_output.absolute()
    written = write_study(options.output_dir.absolute(), destination)
    for text in written.warnings:
        print(printable(f"WARNING {text}"), file=sys.stderr)
    scans = f"{counted(written.n_scans, 'scan')}, {written.n_done} of them with figures"
    print(printable(f"{written.table}: {scans}; {counted(written.n_columns, 'column')}"))
    return ExitStatus.SUCCESS
