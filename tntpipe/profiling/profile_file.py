"""Profiles as files: ours, a run's journal, or the flat arrays of nipype's resource monitor, told apart by content.

Ours is the flat arrays with more beside them, so that what reads those reads it too. It is written whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tntpipe.decoding import Figure, Seconds, decoded
from tntpipe.errors import InputMissingError, TableError
from tntpipe.files import regular, write_text
from tntpipe.journal.reader import read_journal
from tntpipe.profiling.journal_profile import profile_of
from tntpipe.profiling.nipype_profile import FlatArrays, profile_of_arrays, refuse_unequal
from tntpipe.profiling.profile import SCHEMA_VERSION, Entry, Profile, ProfiledRun, StepUse
from tntpipe.resources import Host

_USE_KEYS = tuple(field.name for field in fields(StepUse))


@dataclass(frozen=True, slots=True)
class _Version:
    """Which kind of file it is: arrays alone have no version, and lines of a journal tell of an event."""

    schema_version: int | None = None
    event: str | None = None


@dataclass(frozen=True, slots=True)
class _Written:
    """A file of ours, by its keys."""

    host: Host
    run: ProfiledRun
    steps: tuple[StepUse, ...]
    name: list[str]
    time: list[Seconds]
    rss_GiB: list[Figure]
    vms_GiB: list[Figure]
    cpus: list[Figure]


def write_profile(path: Path, profile: Profile) -> None:
    """Write it as JSON: a line for each step, and one for each array."""
    steps = [json.dumps(_plain(use), ensure_ascii=False) for use in profile.steps]
    parts = {
        "schema_version": json.dumps(SCHEMA_VERSION),
        "host": json.dumps(dict(profile.host), ensure_ascii=False),
        "run": json.dumps(dict(profile.run), ensure_ascii=False),
        "steps": "[\n  " + ",\n  ".join(steps) + "\n ]" if steps else "[]",
        "name": json.dumps([entry.name for entry in profile.entries], ensure_ascii=False),
        "time": json.dumps([round(entry.time, 3) for entry in profile.entries]),
        "rss_GiB": json.dumps([round(entry.rss_gib, 6) for entry in profile.entries]),
        "vms_GiB": json.dumps([round(entry.vms_gib, 6) for entry in profile.entries]),
        "cpus": json.dumps([round(entry.cpu_percent, 1) for entry in profile.entries]),
    }
    write_text(path, "{\n" + ",\n".join(f' "{name}": {value}' for name, value in parts.items()) + "\n}\n")


def read_profile(path: Path, kinds: Collection[str] = ()) -> Profile:
    """The profile in a file; ``kinds`` are the steps' names that are looked for in nipype's.

    Raises
    ------
    InputMissingError, TableError
        It is not there, or holds no profile.
    """
    try:
        with regular(path).open("rb") as file:
            if _is_of_journal(file.readline()):
                return profile_of(read_journal(path))
        return _profile_in(path.read_bytes(), kinds)
    except OSError as error:
        raise InputMissingError(
            f"The profile {path} cannot be read: {error.strerror}.", remedy="Check its name."
        ) from error
    except ValueError as error:
        raise TableError(
            f"{path} is not a profile: {error}.",
            remedy="Name the profile or the journal.jsonl of a run of tntpipe, or a resource_monitor.json.",
        ) from error


def _is_of_journal(line: bytes) -> bool:
    try:
        return decoded(line, _Version).event is not None
    except ValueError:
        return False


def _profile_in(text: bytes, kinds: Collection[str]) -> Profile:
    version = decoded(text, _Version).schema_version
    if version is None:
        return profile_of_arrays(decoded(text, FlatArrays), kinds)
    if version != SCHEMA_VERSION:
        raise ValueError(f"it has schema version {version!r}, not {SCHEMA_VERSION}")
    told = decoded(text, _Written)
    columns = told.name, told.time, told.rss_GiB, told.vms_GiB, told.cpus
    refuse_unequal(columns)
    return Profile(
        host=told.host,
        run=told.run,
        steps=told.steps,
        entries=tuple(
            Entry(name=name, time=t, rss_gib=rss, vms_gib=vms, cpu_percent=cpus)
            for name, t, rss, vms, cpus in zip(*columns, strict=True)
        ),
    )


def _plain(use: StepUse) -> dict[str, Any]:
    """A step as it stands in the file, with what follows from its figures."""
    figures = {key: getattr(use, key) for key in _USE_KEYS} | {"entities": use.entities, "mean_cpus": use.mean_cpus}
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in figures.items()}
