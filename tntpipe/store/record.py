"""The record of a finished step: what it is made of, and how it is read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tntpipe.files import read_json

SCHEMA_VERSION = 1
RECORD_NAME = "record.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What made a published step, and what it made: ``outputs`` maps a name to its size and SHA-256; ``warnings`` are
    what it wrote to its log for the user of the run."""

    step: str
    kind: str
    variant: str
    voxels: int
    argv: tuple[str, ...]
    program_version: str
    fingerprint: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, Mapping[str, Any]]
    usage: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    schema_version: int = field(default=SCHEMA_VERSION)


def read_record(path: Path) -> Record | None:
    """The record in a file, None where there is none that makes sense."""
    values = read_json(path)
    if not isinstance(values, dict) or values.get("schema_version") != SCHEMA_VERSION:
        return None
    try:
        record = Record(**values)
        made = record.outputs.values()
        whole = bool(made) and all({"size_bytes", "sha256"} <= set(output) for output in made)
    except (TypeError, AttributeError):
        return None
    return record if whole else None
