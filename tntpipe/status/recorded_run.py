"""A run as its journal has it, which may still grow, and how it is with it."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from pathlib import Path

from tntpipe.errors import ExitStatus
from tntpipe.journal.events import RunEvent, ScanOutcome
from tntpipe.journal.reader import JournalReader
from tntpipe.journal.run_state import BAD, RunState
from tntpipe.profiling.process_start import process_began
from tntpipe.status.liveness import Life, Sight, sight_of
from tntpipe.store.locks import is_held


class RecordedRun:
    """The run whose folder is ``run_dir``; ``lowest`` is the level from which lines count as recent."""

    def __init__(self, run_dir: Path, lowest: str = "INFO") -> None:
        self.run_dir = run_dir
        self.state = RunState(lowest="DEBUG" if lowest == "DEBUG" else "INFO")
        self._journal = run_dir / "journal.jsonl"
        self._reader = JournalReader(self._journal)

    def new_events(self) -> Iterator[tuple[float, RunEvent]]:
        """Take in what was written since the last call, and yield it."""
        for t, event in self._reader.new_events():
            self.state.apply(t, event)
            yield t, event

    def catch_up(self) -> None:
        """Take in what was written since the last call."""
        for _ in self.new_events():
            pass

    def sight(self) -> Sight:
        """How it is with the run, seen from here."""
        words = (self._journal, self.run_dir / "run.log")
        last_word = max(path.stat().st_mtime for path in words if path.exists())
        return sight_of(
            self.state,
            host=platform.node(),
            process_began=process_began,
            last_word=last_word,
            now=time.time(),
            is_held=is_held(self._journal),
        )

    def exit_status(self, sight: Sight) -> ExitStatus:
        """What the level ``status`` returns of it."""
        if self.state.n_scans(*BAD):
            return ExitStatus.SCAN_FAILED
        if sight.life in (Life.DIED, Life.SILENT) or self.state.n_scans(ScanOutcome.STOPPED):
            return ExitStatus.TEMPORARY_FAILURE
        return ExitStatus.SUCCESS if self.state.exit_status is None else ExitStatus(self.state.exit_status)
