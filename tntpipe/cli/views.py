"""Where a run's events go: the journal, the log, crash files, and the screen."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.live import Live

from tntpipe.appended import AppendedLines
from tntpipe.cli.screen import screen_may_be_gone
from tntpipe.cli.thinning import Thinning
from tntpipe.crash import crash_name, crash_text
from tntpipe.dashboard import render
from tntpipe.events import Outcome, RunEvent, StepEnded, StepSampled, StepsWaiting
from tntpipe.files import write_text
from tntpipe.journal import Journal
from tntpipe.lines import LEVELS, counted, line_of
from tntpipe.run_state import RunState

JOURNALED_QUEUE_S = 10.0
"""What waits goes to the journal this far apart; the screen has it all."""

JOURNAL_NAME = "journal.jsonl"
FRAME_S = 0.2
"""The screen is drawn again this far apart at least, however much happens."""


GOES_ON = "The run goes on, and writes what is missing as soon as it can: make room, or see to the disk."


class Views:
    """Stamps each event with the time and hands it to every view."""

    def __init__(self, log_dir: Path, *, dashboard: bool, loglevel: str) -> None:
        self.state = RunState()
        self.when = datetime.now().strftime("%Y%m%d-%H%M%S")
        self.run_dir = _new_folder(log_dir, f"run-{self.when}")
        self._log_dir = log_dir
        self._journal = Journal(self.run_dir / JOURNAL_NAME)
        self._log = AppendedLines(self.run_dir / "run.log")
        self._troubled: set[Path] = set()
        self._lowest = LEVELS.index(loglevel)
        self._thinning = Thinning()
        self._journaled_queue = float("-inf")
        self._drawn = 0.0
        self.console = Console(stderr=True)
        self.live: Live | None = None
        if dashboard and self.console.is_terminal and not self.console.is_dumb_terminal:
            self.live = Live(console=self.console, auto_refresh=False, transient=True)

    def __enter__(self) -> Views:
        if self.live:
            with screen_may_be_gone():
                self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            with screen_may_be_gone():
                self.live.stop()
        self._journal.close()
        self._log.close()
        for file in (self._journal.lines, self._log):
            if file.error is not None:
                text = f"{file.path} lacks its last {counted(file.n_missing, 'line')}: {file.error.strerror}"
                with screen_may_be_gone():
                    print(f"tntpipe: {text}.", file=sys.stderr, flush=True)

    @contextmanager
    def put_away(self) -> Iterator[None]:
        """While it lasts, the screen is the terminal's again."""
        if self.live:
            with screen_may_be_gone():
                self.live.stop()
        try:
            yield
        finally:
            if self.live:
                with screen_may_be_gone():
                    self.live.start()

    def emit(self, event: RunEvent) -> None:
        """Take one event."""
        t = time.time()
        self.state.apply(t, event)
        if self._is_for_journal(event):
            self._journal.record(t, event)
            self._watch(t, self._journal.lines)
        if isinstance(event, StepEnded) and event.outcome is Outcome.FAILED:
            self._write_crash_file(t, event)
        line = line_of(event)
        if line is not None:
            self._say(t, *line)

    def _write_crash_file(self, t: float, event: StepEnded) -> None:
        try:
            write_text(self._log_dir / crash_name(event, self.when), crash_text(event))
        except OSError as error:
            self._say(t, "ERROR", f"the crash file of {event.name} cannot be written: {error.strerror}")

    def tick(self) -> None:
        """Draw the screen again, if it is time."""
        t = time.time()
        if self.live and abs(t - self._drawn) >= FRAME_S:
            self._drawn = t
            with screen_may_be_gone():
                self.live.update(render(self.state, t, height=self.console.height), refresh=True)

    def _is_for_journal(self, event: RunEvent) -> bool:
        match event:
            case StepSampled():
                return self._thinning.keeps(event)
            case StepsWaiting():
                now = time.monotonic()
                due = now - self._journaled_queue >= JOURNALED_QUEUE_S
                if due:
                    self._journaled_queue = now
                return due
        return True

    def _say(self, t: float, level: str, text: str) -> None:
        stamped = f"{datetime.fromtimestamp(t).isoformat(sep=' ', timespec='seconds')} {level:<7} {text}"
        self._log.append(stamped)
        if not self.live and LEVELS.index(level) >= self._lowest:
            with screen_may_be_gone():
                print(stamped, file=sys.stderr, flush=True)
        self._watch(t, self._log)

    def _watch(self, t: float, file: AppendedLines) -> None:
        """Say once that a file cannot be written, and that it can be again."""
        if file.error is not None and file.path not in self._troubled:
            self._troubled.add(file.path)
            self._say(t, "WARNING", f"{file.path} cannot be written: {file.error.strerror}. {GOES_ON}")
        elif file.error is None and file.path in self._troubled:
            self._troubled.remove(file.path)
            missing = counted(file.n_lost, "line") if file.n_lost else "nothing"
            self._say(t, "INFO", f"{file.path} is written again; {missing} missing in it")


def _new_folder(parent: Path, name: str) -> Path:
    """A folder that did not exist, with a number at its end where the name is taken."""
    for number in range(1, 1000):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(parent / name)
