"""Reads the lines of a journal back into events, of a run that may still go on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tntpipe.decoding import Seconds, decoded
from tntpipe.errors import TableError
from tntpipe.journal.events import RunEvent
from tntpipe.journal.writer import SCHEMA_VERSION

_KINDS: Mapping[str, Any] = {kind.__name__: kind for kind in RunEvent.__args__}


@dataclass(frozen=True, slots=True)
class _Head:
    """What each line begins with; the version stands in the first."""

    t: Seconds
    event: str
    schema_version: int = 0


class JournalReader:
    """Reads a journal that may still be written; of events of other kinds than ``only`` these, by name, nothing."""

    def __init__(self, path: Path, only: Collection[str] | None = None) -> None:
        self._path, self._only = path, only
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
                if not self._is_checked:
                    _check_version(self._path, line)
                    self._is_checked = True
                try:
                    head = decoded(line, _Head)
                    if self._only is not None and head.event not in self._only:
                        continue
                    yield head.t, decoded(line, _KINDS[head.event])
                except (KeyError, ValueError):  # it says something else than an event of this version
                    continue


def read_journal(path: Path | str, only: Collection[str] | None = None) -> Iterator[tuple[float, RunEvent]]:
    """What happened, and when; a torn line (the last one of a killed run) is left out. Raises as ``JournalReader``."""
    return JournalReader(Path(path), only).new_events()


def _check_version(path: Path, first_line: bytes) -> None:
    try:
        version = decoded(first_line, _Head).schema_version
    except ValueError:
        version = 0
    if version != SCHEMA_VERSION:
        fact = f"has schema version {version}, not {SCHEMA_VERSION}" if version else "does not begin as a journal does"
        raise TableError(f"{path} {fact}.", remedy="Name the journal.jsonl of a run of this version of tntpipe.")
