"""A file that grows by whole lines while a run lasts, and a disk that fails does not end the run.

A line that cannot be written now waits in memory and is written, in its place, as soon as one can be: the file has no
gap and no torn line, once there is room again.
"""

from __future__ import annotations

import errno
from collections import deque
from pathlib import Path
from typing import BinaryIO, cast

MOST_WAITING_BYTES = 64 * 1024 * 1024
"""What waits beyond this is lost: some 300 000 events."""


class AppendedLines:
    """The file at ``path``; ``error`` says why the last line could not be written, None when all are."""

    def __init__(self, path: Path) -> None:
        """Open it; OSError where it cannot be."""
        self.path = path
        self.error: OSError | None = None
        self.n_lost = 0
        self._file = cast(BinaryIO, path.open("ab", buffering=0))
        self._waiting: deque[bytes] = deque()
        self._n_waiting_bytes = 0

    @property
    def file(self) -> BinaryIO:
        """The open file, to be locked."""
        return self._file

    @property
    def n_missing(self) -> int:
        """How many lines are not on the disk."""
        return len(self._waiting) + self.n_lost

    def append(self, line: str) -> None:
        """Write a line, or let it wait; what is not valid Unicode is escaped."""
        self._write()
        data = f"{line}\n".encode(errors="backslashreplace")
        if self._n_waiting_bytes + len(data) <= MOST_WAITING_BYTES:
            self._waiting.append(data)
            self._n_waiting_bytes += len(data)
        else:
            self.n_lost += 1
        self._write()

    def close(self) -> None:
        """Write what waits, if that can be done now, and close the file."""
        self._write()
        self._file.close()

    def _write(self) -> None:
        try:
            while self._waiting:
                self._write_first()
        except OSError as error:
            self.error = error
        else:
            self.error = None

    def _write_first(self) -> None:
        data = self._waiting.popleft()
        n_written = 0
        try:
            n_written = self._file.write(data)
        except OSError as error:
            if error.errno != errno.ESTALE:  # a server that has forgotten the open file may know it by its name
                raise
            self._file.close()
            self._file = self.path.open("ab", buffering=0)
        finally:
            self._n_waiting_bytes -= n_written
            if n_written < len(data):
                self._waiting.appendleft(data[n_written:])
