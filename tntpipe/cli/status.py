"""The level ``status``: how a run stands, told from its journal alone, on any host that sees the output folder.

Exit status: 0 while it runs or once it is done, 1 as soon as a scan has failed, 75 when it is unfinished and nothing
goes on with it.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path

from tntpipe.cli.recorded_runs import newest_run, others_under_way, run_called
from tntpipe.errors import ExitStatus
from tntpipe.events import ScanOutcome
from tntpipe.journal import JournalReader
from tntpipe.life import Life, Sight, sight_of
from tntpipe.profiling.alive import process_began
from tntpipe.run_state import BAD, RunState
from tntpipe.status import status_lines, status_of


def show_status(options: argparse.Namespace) -> ExitStatus:
    """Say how the newest run stands, or the one that was named."""
    logs = options.output_dir.absolute() / "logs"
    run_dir = newest_run(logs) if options.run is None else run_called(logs, options.run)
    recorded = RecordedRun(run_dir)
    recorded.catch_up()
    sight = recorded.sight()
    status = status_of(recorded.state, sight, run_dir, time.time())
    if options.json:
        print(json.dumps(status, indent=2))
        return exit_status_of(recorded.state, sight)
    for line in status_lines(status):
        print(line)
    others = others_under_way(logs, run_dir, time.time())
    if others:
        print(f"also under way: {', '.join(others)} (--run shows one)")
    return exit_status_of(recorded.state, sight)


class RecordedRun:
    """A run as its journal has it, which may grow."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.state = RunState()
        self._journal = run_dir / "journal.jsonl"
        self._reader = JournalReader(self._journal)

    def catch_up(self) -> None:
        """Take in what was written since."""
        for t, event in self._reader.new_events():
            self.state.apply(t, event)

    def sight(self) -> Sight:
        """How it is with the run, seen from here."""
        words = (self._journal, self.run_dir / "run.log")
        last_word = max(path.stat().st_mtime for path in words if path.exists())
        return sight_of(
            self.state, host=platform.node(), process_began=process_began, last_word=last_word, now=time.time()
        )


def exit_status_of(state: RunState, sight: Sight) -> ExitStatus:
    """What the level returns of a run."""
    if state.n_scans(*BAD):
        return ExitStatus.SCAN_FAILED
    if sight.life in (Life.DIED, Life.SILENT) or state.n_scans(ScanOutcome.STOPPED):
        return ExitStatus.TEMPORARY_FAILURE
    return ExitStatus.SUCCESS if state.exit_status is None else ExitStatus(state.exit_status)
