"""Where a run's events go: the journal, the log, crash files, and the screen."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType

from tntpipe.dashboard.live import LiveScreen, live_screen
from tntpipe.files import write_text
from tntpipe.formatting import counted, printable
from tntpipe.journal.append_only_file import AppendedLines
from tntpipe.journal.events import Outcome, RunEnded, RunEvent, StepEnded, StepSampled, StepsWaiting
from tntpipe.journal.run_state import RunState
from tntpipe.journal.text import LEVELS, line_of
from tntpipe.journal.writer import JOURNAL_NAME, Journal
from tntpipe.run.crash_file import crash_name, crash_text
from tntpipe.run.sample_thinning import Thinning
from tntpipe.run.status_file import STATUS_NAME, StatusFile
from tntpipe.run.terminal import screen_may_be_gone
from tntpipe.status.status import heartbeat
from tntpipe.store.locks import hold
from tntpipe.store.step_logs import StepLogs
from tntpipe.store.work_folder import LOG_NAME

QUEUE_S, LONGEST_QUEUE_S = 15.0, 60.0
"""What waits is found out at least so often, and goes to the journal as often if other steps wait than before; the same
ones with other reasons are told again after a minute. The screen has it all."""

HEARTBEAT_S = 60.0
"""How the run stands is said in the log, and where there is no screen, this often."""

SCREEN_TICK_S, PLAIN_TICK_S = 0.25, 5.0
"""How often somebody has to call ``tick``."""

FOOTER = "Ctrl-C stops the run in good order, Ctrl-Z pauses it    log: "
GOES_ON = "The run goes on, and writes what is missing as soon as it can: make room, or see to the disk."


class Views:
    """Stamps each event with the time and hands it to every view."""

    def __init__(self, log_dir: Path, *, dashboard: bool, loglevel: str) -> None:
        self.state = RunState(lowest="DEBUG" if loglevel == "DEBUG" else "INFO")
        self.when = datetime.now().strftime("%Y%m%d-%H%M%S")
        self.run_dir = _new_folder(log_dir, f"run-{self.when}")
        self.step_logs = StepLogs(self.run_dir)
        self._log_dir = log_dir
        self._journal = Journal(self.run_dir / JOURNAL_NAME)
        hold(self._journal.lines.file)  # as long as it lives, for whoever wants to know
        self._log = AppendedLines(self.run_dir / "run.log")
        self._status = StatusFile(log_dir / STATUS_NAME, self.run_dir)
        self._troubled: set[Path] = set()
        self._lowest = LEVELS.index(loglevel)
        self._thinning = Thinning()
        self._queue: tuple[str, ...] = ()
        self._queue_journaled = self._queue_found = float("-inf")
        self._beat = time.monotonic()
        self.live: LiveScreen | None = None
        if dashboard:
            self.live = live_screen(sys.stderr, f"{FOOTER}{self._log.path}")

    @property
    def tick_s(self) -> float:
        """How often ``tick`` is to be called."""
        return SCREEN_TICK_S if self.live else PLAIN_TICK_S

    def __enter__(self) -> Views:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            self.live.close()
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
            self.live.put_away()
        yield

    def gone(self) -> None:
        """The process will be gone at once."""
        if self.live:
            self.live.put_away_at_once()

    def emit(self, event: RunEvent) -> None:
        """Take one event."""
        t = time.time()
        self.state.apply(t, event)
        if self._is_for_journal(event):
            self._journal.record(t, event)
            self._watch(t, self._journal.lines)
        if isinstance(event, StepEnded):
            self._thinning.forget(event.name)
            self._keep_log(t, event)
        line = line_of(event)
        if line is not None:
            self._say(t, *line)
        if isinstance(event, RunEnded):
            self.write_status()

    def write_status(self) -> None:
        """Write the status file now."""
        self._status.write(self.state, time.time())

    def _keep_log(self, t: float, event: StepEnded) -> None:
        failed = event.outcome is Outcome.FAILED
        if event.folder:
            self.step_logs.keep(event.name, Path(event.folder) / LOG_NAME, failed=failed)
        if not failed:
            return
        try:
            write_text(self._log_dir / crash_name(event, self.when), self._crash_text(event))
        except OSError as error:
            self._say(t, "ERROR", f"the crash file of {event.name} cannot be written: {error.strerror}")

    def _crash_text(self, event: StepEnded) -> str:
        return crash_text(event, self._log.path, self.step_logs.path(event.name))

    def tick(self, prepare: Callable[[], None] = lambda: None) -> None:
        """Draw the screen, say how the run stands, and write it to its file, each if it is time.

        ``prepare`` is called before any of them, to find out what is known only when it is asked for.
        """
        now, t = time.monotonic(), time.time()
        if self.live:
            self.live.tick(self.state, t, prepare)
        if now - self._queue_found >= QUEUE_S:
            self._queue_found = now
            prepare()
        if now - self._beat >= HEARTBEAT_S:
            self._beat = now
            self._say(t, "INFO", heartbeat(self.state, t))
            self.write_status()

    def _is_for_journal(self, event: RunEvent) -> bool:
        match event:
            case StepSampled():
                return self._thinning.keeps(event)
            case StepsWaiting():
                return self._is_queue_due(tuple(event.steps))
        return True

    def _is_queue_due(self, names: tuple[str, ...]) -> bool:
        now = time.monotonic()
        if now - self._queue_journaled < (LONGEST_QUEUE_S if names == self._queue else QUEUE_S):
            return False
        self._queue, self._queue_journaled = names, now
        return True

    def _say(self, t: float, level: str, text: str) -> None:
        stamped = f"{datetime.fromtimestamp(t).isoformat(sep=' ', timespec='seconds')} {level:<7} {_one_line(text)}"
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


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()) if "\n" in text else text)


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
