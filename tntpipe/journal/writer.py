"""The run's events as JSON lines, each flushed as it happens, so that a killed run leaves all but its last line.

A line is ``{"t": seconds since the epoch, "event": its name, ...its fields}``; the first one also holds the schema
version, and fields with their default value are left out. ``docs/journal.md`` tells what each field means. What is
not valid Unicode (a path in another encoding) is escaped, as JSON has it. What is read again is equal to what was
written, so that a recorded run and a live one are the same to whatever folds over them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import Any

from tntpipe.journal.append_only_file import AppendedLines
from tntpipe.journal.events import RunEvent, RunStarted

SCHEMA_VERSION = 7
JOURNAL_NAME = "journal.jsonl"
"""What it is called in the folder of its run."""


class Journal:
    """Appends events to the file at ``path``."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lines = AppendedLines(path)

    def record(self, t: float, event: RunEvent) -> None:
        """Write one event that happened at ``t``."""
        head: dict[str, Any] = {"t": round(t, 3), "event": type(event).__name__}
        if isinstance(event, RunStarted):
            head["schema_version"] = SCHEMA_VERSION
        values = head | _said(event)
        self.lines.append(json.dumps(values, default=asdict, ensure_ascii=False, separators=(",", ":")))

    def close(self) -> None:
        self.lines.close()


def _said(event: RunEvent) -> dict[str, Any]:
    defaults = _defaults(type(event))  # type: ignore[arg-type]
    return {name: value for name, default in defaults.items() if (value := getattr(event, name)) != default}


@cache
def _defaults(kind: type) -> dict[str, Any]:
    return {field.name: field.default for field in fields(kind)}
