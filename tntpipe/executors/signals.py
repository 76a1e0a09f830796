"""What a run is told by signals, and what each means.

SIGINT, SIGTERM and SIGHUP ask it to stop: the first time in good order, the second time at once, and the third time it
is gone before the handler returns. SIGTSTP asks it to pause, SIGUSR1 to say how things stand. A signal that was ignored
when the program was started (by nohup; SIGINT of a job in the background) stays ignored.

A handler takes note and wakes the loop, no more: it may interrupt the loop anywhere.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tntpipe.errors import STOP_SIGNALS

OTHER_SIGNALS = (signal.SIGTSTP, signal.SIGUSR1)
LAST_STOP = 3


class Signals:
    """The signals of one run; ``wake`` is called in the handler, ``gone`` before the process is gone at once."""

    def __init__(self, wake: Callable[[], None], gone: Callable[[], None] = lambda: None) -> None:
        self._wake, self._gone = wake, gone
        self._n_stops = 0
        self._n_stops_told = 0
        self._came: set[int] = set()
        self.first_stop: int | None = None

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """While it lasts, signals are taken note of."""
        before = {
            number: signal.signal(number, self._handle)
            for number in (*STOP_SIGNALS, *OTHER_SIGNALS)
            if number == signal.SIGUSR1 or signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def new_stops(self) -> range:
        """Which requests to stop have come since the last call: 1 is the first one."""
        told, self._n_stops_told = self._n_stops_told, self._n_stops
        return range(told + 1, self._n_stops_told + 1)

    def came(self, number: int) -> bool:
        """Whether that other signal has come since the last call."""
        if number in self._came:
            self._came.remove(number)
            return True
        return False

    def _handle(self, number: int, _frame: object) -> None:
        if number in STOP_SIGNALS:
            self._n_stops += 1
            if self._n_stops >= LAST_STOP:
                self._gone()
                os._exit(128 + number)
            self.first_stop = self.first_stop or number
        else:
            self._came.add(number)
        self._wake()


def sleep_until_continued() -> float:
    """Stop this process as a shell's ``kill -STOP`` does; how many seconds passed until somebody continued it."""
    began = time.monotonic()
    os.kill(os.getpid(), signal.SIGSTOP)  # SIGTSTP does nothing to a process that has no shell to continue it
    return time.monotonic() - began
