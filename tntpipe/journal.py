"""The run's events as JSON lines, each flushed as it happens, so that a killed run leaves all but its last line.

A line is ``{"t": seconds since the epoch, "event": its name, ...its fields}``; the first one also holds the schema
version. Text that is not valid Unicode (a path in another encoding) is escaped, as JSON has it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Any

from tntpipe.events import RunEvent, RunStarted

SCHEMA_VERSION = 2


class Journal:
    """Appends events to the file at ``path``."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)

    def record(self, t: float, event: RunEvent) -> None:
        """Write one event that happened at ``t``."""
        head: dict[str, Any] = {"t": round(t, 3), "event": type(event).__name__}
        if isinstance(event, RunStarted):
            head["schema_version"] = SCHEMA_VERSION
        self._file.write(json.dumps(head | asdict(event), default=_plain, ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._file.close()


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a journal as dictionaries; a torn last line is left out."""
    with path.open("rb") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                return


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else str(value)
