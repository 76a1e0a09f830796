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

from tntpipe.crash import crash_name, crash_text
from tntpipe.dashboard import render
from tntpipe.events import Outcome, RunEvent, StepEnded, StepSampled, StepsWaiting
from tntpipe.files import write_text
from tntpipe.journal import Journal
from tntpipe.lines import LEVELS, line_of
from tntpipe.run_state import RunState

JOURNALED_SAMPLE_S = 10.0
"""A running step's samples, and what waits, go to the journal this far apart; the screen has them all."""

FRAME_S = 0.2
"""The screen is drawn again this far apart at least, however much happens."""


class Views:
    """Stamps each event with the time and hands it to every view."""

    def __init__(self, log_dir: Path, *, dashboard: bool, loglevel: str) -> None:
        self.state = RunState()
        self.when = datetime.now().strftime("%Y%m%d-%H%M%S")
        self.run_dir = _new_folder(log_dir, f"run-{self.when}")
        self._log_dir = log_dir
        self._journal = Journal(self.run_dir / "journal.jsonl")
        self._log = (self.run_dir / "run.log").open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
        self._lowest = LEVELS.index(loglevel)
        self._journaled_samples: dict[str, float] = {}
        self._drawn = 0.0
        self.console = Console(stderr=True)
        self.live: Live | None = None
        if dashboard and self.console.is_terminal and not self.console.is_dumb_terminal:
            self.live = Live(console=self.console, auto_refresh=False, transient=True)

    def __enter__(self) -> Views:
        if self.live:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            self.live.stop()
        self._journal.close()
        self._log.close()

    @contextmanager
    def put_away(self) -> Iterator[None]:
        """While it lasts, the screen is the terminal's again."""
        if self.live:
            self.live.stop()
        try:
            yield
        finally:
            if self.live:
                self.live.start()

    def emit(self, event: RunEvent) -> None:
        """Take one event."""
        t = time.time()
        self.state.apply(t, event)
        if self._is_for_journal(t, event):
            self._journal.record(t, event)
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
            self.live.update(render(self.state, t, height=self.console.height), refresh=True)

    def _is_for_journal(self, t: float, event: RunEvent) -> bool:
        match event:
            case StepSampled():
                return self._is_sample_due(t, event.name)
            case StepsWaiting():
                return self._is_sample_due(t, "")
        return True

    def _is_sample_due(self, t: float, name: str) -> bool:
        due = t - self._journaled_samples.get(name, 0.0) >= JOURNALED_SAMPLE_S
        if due:
            self._journaled_samples[name] = t
        return due

    def _say(self, t: float, level: str, text: str) -> None:
        stamped = f"{datetime.fromtimestamp(t).isoformat(sep=' ', timespec='seconds')} {level:<7} {text}"
        self._log.write(stamped + "\n")
        if not self.live and LEVELS.index(level) >= self._lowest:
            print(stamped, file=sys.stderr, flush=True)


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
