"""Profiles as files: ours, a run's journal, or the flat arrays of nipype's resource monitor, told apart by content.

Ours is the flat arrays with more beside them, so that what reads those reads it too. It is written whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import Any

from tntpipe.errors import InputMissingError, TableError
from tntpipe.files import parsed_json, regular, write_text
from tntpipe.journal.reader import read_journal
from tntpipe.profiling.journal_profile import profile_of
from tntpipe.profiling.nipype_profile import is_flat_arrays, profile_of_arrays
from tntpipe.profiling.profile import SCHEMA_VERSION, Entry, Profile, StepUse

_USE_KEYS = tuple(field.name for field in fields(StepUse))


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
            first_line = file.readline()
        if _is_of_journal(first_line):
            return profile_of(read_journal(path))
        return _profile_in(path, parsed_json(path.read_text(encoding="utf-8"), parse_constant=_no_number), kinds)
    except OSError as error:
        raise InputMissingError(
            f"The profile {path} cannot be read: {error.strerror}.", remedy="Check its name."
        ) from error
    except ValueError as error:
        raise _unusable(path, f"it is not JSON: {error}") from error


def _is_of_journal(line: bytes) -> bool:
    try:
        content = parsed_json(line)
    except ValueError:
        return False
    return isinstance(content, dict) and "event" in content


def _profile_in(path: Path, content: Any, kinds: Collection[str]) -> Profile:
    if not is_flat_arrays(content):
        raise _unusable(path, "it has no arrays name, time and rss_GiB")
    version = content.get("schema_version")
    if version not in (None, SCHEMA_VERSION):
        raise _unusable(path, f"it has schema version {version!r}, not {SCHEMA_VERSION}")
    try:
        return profile_of_arrays(content, kinds) if version is None else _ours(content)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise _unusable(path, f"{type(error).__name__}: {error}") from error


def _ours(content: dict[str, Any]) -> Profile:
    columns = (content[name] for name in ("name", "time", "rss_GiB", "vms_GiB", "cpus"))
    return Profile(
        host=dict(content["host"]),
        run=dict(content["run"]),
        steps=tuple(StepUse(**{key: use[key] for key in _USE_KEYS}) for use in content["steps"]),
        entries=tuple(
            Entry(name=name, time=t, rss_gib=rss, vms_gib=vms, cpu_percent=cpus)
            for name, t, rss, vms, cpus in zip(*columns, strict=True)
        ),
    )


def _plain(use: StepUse) -> dict[str, Any]:
    """A step as it stands in the file, with what follows from its figures."""
    figures = {key: getattr(use, key) for key in _USE_KEYS} | {"entities": use.entities, "mean_cpus": use.mean_cpus}
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in figures.items()}


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _unusable(path: Path, what: str) -> TableError:
    return TableError(
        f"{path} is no profile: {what}.",
        remedy="Name what a run of tntpipe wrote as its profile, a run's journal.jsonl, or a resource_monitor.json.",
    )
