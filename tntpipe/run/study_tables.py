"""The study's tables at the end of a run, however that was."""

from __future__ import annotations

import sys
from pathlib import Path

from tntpipe.run.terminal import screen_may_be_gone


def tables_of_run(output_dir: Path) -> Path | None:
    """Make the tables of all scans; None where that failed, which is said and does the run no harm."""
    try:
        from tntpipe.study.write import write_study

        return write_study(output_dir).table
    except Exception as error:
        with screen_may_be_gone():
            text = f"tntpipe: the tables of the study could not be made: {error} The level group makes them again."
            print(text, file=sys.stderr, flush=True)
        return None
