"""The resource file: what each kind of step should be given, in the shape of the reference's, and more in ours.

A file maps a step's name without its participant to ``ncpu``, ``cpumax`` (per cent), ``mem`` (GiB) and ``time``
(seconds), each of which may be left out or null: the next source then knows. ``mem`` is the request itself. What else
an entry of ours holds moves it with the size of the scan, so that a figure that is changed by hand counts as changed.
The key ``tntpipe`` tells where the file comes from. Invariant: a file that was read is sane, whoever wrote it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tntpipe.errors import InputMissingError, TableError
from tntpipe.files import parsed_json, regular, write_text
from tntpipe.formatting import GIB
from tntpipe.profiling.memory_rule import MOST_ABOVE_MAXIMUM
from tntpipe.profiling.resource_checks import problems_of_steps, shown

SCHEMA_VERSION = 1
ABOUT = "tntpipe"
"""The one key that is no step: the schema version and where the figures come from."""

REMEDY = "Fix it there, or make the file anew from a profile."


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResources:
    """What a kind of step should be given; figures that are None are for the next source to tell.

    ``mem`` is the request in GiB of a scan of ``voxels``; it changes by ``mem_bytes_per_voxel``, down to ``mem_least``
    and up to half as much again. ``time`` is that of ``variant`` with one thread, of a scan of ``voxels``. The last six
    are for people: how many steps ended (``n``), of how many of them the time counts, the largest peak, what it was
    multiplied by, how straight the line is, and over how many steps the speed-up was measured.
    """

    ncpu: int | None = None
    cpumax: float | None = None
    mem: float | None = None
    time: float | None = None
    variant: str | None = None
    voxels: int | None = None
    mem_bytes_per_voxel: float | None = None
    mem_least: float | None = None
    thread_overhead: float | None = None
    n: int | None = None
    n_time: int | None = None
    peak: float | None = None
    padding: float | None = None
    correlation: float | None = None
    n_speed_up: int | None = None

    def mem_bytes(self, voxels: int) -> int | None:
        """The request for a scan of so many voxels."""
        if self.mem is None:
            return None
        expected = self.mem * GIB
        if self.mem_bytes_per_voxel and self.voxels:
            moved = expected + self.mem_bytes_per_voxel * (voxels - self.voxels)
            expected = min(max(moved, (self.mem_least or 0.0) * GIB), expected * MOST_ABOVE_MAXIMUM)
        return math.ceil(expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFile:
    """A resource file that was read, or one to be written; ``about`` tells where it comes from."""

    path: Path
    steps: Mapping[str, StepResources]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def profiles(self) -> tuple[Mapping[str, Any], ...]:
        """What is told of each profile that the file was made from."""
        told = self.about.get("profiles", ())
        return tuple(profile for profile in told if isinstance(profile, dict)) if isinstance(told, list) else ()


def write_resource_file(file: ResourceFile) -> None:
    """Write it as JSON, a line for each step; what is unknown of the four first figures is null."""
    always = ("ncpu", "cpumax", "mem", "time")
    lines = [f" {json.dumps(ABOUT)}: {json.dumps(dict(file.about), ensure_ascii=False)}"] if file.about else []
    for name, step in file.steps.items():
        values = {f.name: getattr(step, f.name) for f in fields(step)}
        kept = {key: value for key, value in values.items() if key in always or value is not None}
        lines.append(f" {json.dumps(name, ensure_ascii=False)}: {json.dumps(kept)}")
    write_text(file.path, "{\n" + ",\n".join(lines) + "\n}\n")


def read_resource_file(path: Path, kinds: Collection[str]) -> ResourceFile:
    """The file, each of whose names is one of ``kinds``.

    Raises
    ------
    InputMissingError, TableError
        It is not there, or something in it makes no sense: all that does not is told at once.
    """
    try:
        content = parsed_json(regular(path).read_text(encoding="utf-8-sig"), object_pairs_hook=_without_twins)
    except OSError as error:
        raise InputMissingError(
            f"The resource file {path} cannot be read: {error.strerror}.", remedy="Check its name."
        ) from error
    except ValueError as error:
        raise TableError(f"The resource file {path} is not JSON: {error}.", remedy=REMEDY) from error
    if not isinstance(content, dict):
        raise TableError(
            f"The resource file {path} holds no steps by name, but {shown(content)}.",
            remedy='It looks like {"lobes": {"ncpu": 1, "mem": 0.8, "time": 5}}.',
        )
    about = content.pop(ABOUT, {})
    problems = [*_problems_of_about(about), *problems_of_steps(content, kinds)]
    if problems:
        raise TableError(f"The resource file {path}: " + " ".join(problems), remedy=REMEDY)
    return ResourceFile(path=path, steps={name: StepResources(**step) for name, step in content.items()}, about=about)


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    twins = sorted({key for key in keys if keys.count(key) > 1})
    if twins:
        raise ValueError(f"{', '.join(map(repr, twins))} stands there twice")
    return dict(pairs)


def _problems_of_about(about: Any) -> Iterable[str]:
    if not isinstance(about, dict):
        yield f"{ABOUT!r} is {shown(about)}, not an object; leave it out."
    elif about.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
        yield f"It has schema version {shown(about['schema_version'])}, not {SCHEMA_VERSION}: make it anew."
