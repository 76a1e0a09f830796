"""The record of a finished step: what it is made of, and how it is read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tntpipe.decoding import Count, read_decoded

SCHEMA_VERSION = 1
RECORD_NAME = "record.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One output, as it was when it was published."""

    size_bytes: Count
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What made a published step, and what it made, by name; ``warnings`` are what it wrote to its log for the user of
    the run."""

    step: str
    kind: str
    variant: str
    voxels: Count
    argv: tuple[str, ...]
    program_version: str
    fingerprint: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, Made]
    usage: Mapping[str, float]
    warnings: tuple[str, ...] = ()
    schema_version: int = field(default=SCHEMA_VERSION)


def read_record(path: Path) -> Record | None:
    """The record in a file, None where there is none that makes sense."""
    record = read_decoded(path, Record)
    return record if record and record.schema_version == SCHEMA_VERSION and record.outputs else None
