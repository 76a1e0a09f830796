"""The run's events as JSON lines, each flushed as it happens, so that a killed run leaves all but its last line.

A line is ``{"t": seconds since the epoch, "event": its name, ...its fields}``; the first one also holds the schema
version, and none says what goes without saying (``told.py``). ``docs/journal.md`` tells what each field means. What is
not valid Unicode (a path in another encoding) is escaped, as JSON has it. What is read again is equal to what was
written, so that a recorded run and a live one are the same to whatever folds over them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Any

from tntpipe.appended import AppendedLines
from tntpipe.errors import TableError
from tntpipe.event_fields import fit
from tntpipe.events import Outcome, RetryCause, RunEvent, RunStarted, ScanOutcome
from tntpipe.files import parsed_json
from tntpipe.told import Told

SCHEMA_VERSION = 5
JOURNAL_NAME = "journal.jsonl"
"""What it is called in the folder of its run."""

_KINDS: Mapping[str, Any] = {kind.__name__: kind for kind in RunEvent.__args__}
_OUTCOMES: Mapping[str, Callable[[Any], object]] = {"StepEnded": Outcome, "ScanEnded": ScanOutcome}


class Journal:
    """Appends events to the file at ``path``."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lines = AppendedLines(path)
        self._told = Told()

    def record(self, t: float, event: RunEvent) -> None:
        """Write one event that happened at ``t``."""
        head: dict[str, Any] = {"t": round(t, 3), "event": type(event).__name__}
        if isinstance(event, RunStarted):
            head["schema_version"] = SCHEMA_VERSION
        values = head | self._told.shortened(type(event), asdict(event))
        self.lines.append(json.dumps(values, default=_plain, ensure_ascii=False, separators=(",", ":")))

    def close(self) -> None:
        self.lines.close()


class JournalReader:
    """Reads a journal that may still be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._is_checked = False
        self._told = Told()

    def new_events(self) -> Iterator[tuple[float, RunEvent]]:
        """What happened, and when, since the last call; a line that is not whole yet is left for the next one.

        Raises
        ------
        TableError
            It is no journal, or one of another schema version.
        OSError
            It cannot be read.
        """
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                try:
                    values = parsed_json(line)
                except ValueError:
                    continue
                if not self._is_checked:
                    _check_version(self._path, values)
                    self._is_checked = True
                event = _event_of(values, self._told)
                if event is not None:
                    yield event


def read_journal(path: Path | str) -> Iterator[tuple[float, RunEvent]]:
    """What happened, and when; a torn line (the last one of a killed run) is left out. Raises as ``JournalReader``."""
    return JournalReader(Path(path)).new_events()


def _check_version(path: Path, values: object) -> None:
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version != SCHEMA_VERSION:
        fact = f"has schema version {version}, not {SCHEMA_VERSION}" if version else "does not begin as a journal does"
        raise TableError(f"{path} {fact}.", remedy="Name the journal.jsonl of a run of this version of tntpipe.")


def _event_of(values: Any, told: Told) -> tuple[float, RunEvent] | None:
    """The event of one line, None for one that says something else than an event of this version."""
    try:
        said = {name: value for name, value in values.items() if name not in ("t", "event", "schema_version")}
        event = values["event"]
        fields = told.restored(_KINDS[event], said)
        if event in _OUTCOMES:
            fields["outcome"] = _OUTCOMES[event](fields["outcome"])
        if "cause" in fields:
            fields["cause"] = RetryCause(fields["cause"])
        for name in ("command", "argv"):
            if name in fields:
                fields[name] = tuple(fields[name])
        t = float(values["t"])
        return (t, _KINDS[event](**fields)) if math.isfinite(t) and fit(_KINDS[event], fields) else None
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return None


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else str(value)
