"""Reads the lines of a journal back into events, of a run that may still go on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tntpipe.errors import TableError
from tntpipe.files import parsed_json
from tntpipe.journal.events import Outcome, RetryCause, RunEvent, ScanOutcome
from tntpipe.journal.validation import fit
from tntpipe.journal.writer import SCHEMA_VERSION

_KINDS: Mapping[str, Any] = {kind.__name__: kind for kind in RunEvent.__args__}
_OUTCOMES: Mapping[str, Callable[[Any], object]] = {"StepEnded": Outcome, "ScanEnded": ScanOutcome}


class JournalReader:
    """Reads a journal that may still be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._is_checked = False

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
                event = _event_of(values)
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


def _event_of(values: Any) -> tuple[float, RunEvent] | None:
    """The event of one line, None for one that says something else than an event of this version."""
    try:
        fields = {name: value for name, value in values.items() if name not in ("t", "event", "schema_version")}
        event = values["event"]
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
