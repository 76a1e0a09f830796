"""What a step will need, and where each figure comes from.

In the shipped table a kind's memory and CPU time are linear in the voxels of the scan. Requests carry a margin,
estimates of time do not. A resource file goes before the table, figure by figure; where it was measured on other scans
or with other parameters, the table tells by how much its figures change. A kind in neither has a guess: the figures of
the largest kind that runs the same program.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from importlib import resources
from typing import Any

from tntpipe.formatting import MIB
from tntpipe.profiling.profile import DEBUG
from tntpipe.profiling.resource_file import ResourceFile, StepResources

SCHEMA_VERSION = 2
MEMORY_MARGIN = 1.2
MEMORY_PAD_BYTES = 64 * MIB
"""Padding of a figure from a handful of measurements, as in Witt et al. 2019 and Tovar et al. 2018."""

STEP_BYTES = 32 * MIB
"""Requests are multiples of this, and times have two digits: steps of scans of about one size are alike to the
scheduler, whose decisions take longer the more kinds of request there are."""

NO_SPEED_UP = 1.0
"""The thread overhead of what was not measured with several threads: nothing is gained by them."""

MAX_CPUS = 8
"""Beyond so many threads ANTs gains nothing (ANTsX/ANTs #268, #604)."""


LARGEST_KINDS = {
    "antsRegistration": "nonlinear_registration",
    "antsApplyTransforms": "subcortex",
    "antsApplyTransformsToPoints": "tag_transform",
    "N4BiasFieldCorrection": "bias_field",
    "Atropos": "tissue_segmentation",
    "imaging": "segmentation",
    "bet": "brain_mask",
}
"""For each program the kind of step that needs most memory with it."""

LARGEST_KIND = "segmentation"
"""What a step of any other program is taken for: the largest that is no registration."""


class Source(str, Enum):
    """Where an estimate comes from."""

    FILE = "resource file"
    SHIPPED = "shipped"
    ASSUMED = "assumed"
    GUESSED = "guessed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What to reserve for a step, its wall time at one thread, and a in S(k) = k / (1 + a (k - 1)) at k threads.

    ``source`` is that of the memory, ``time_source`` that of the time. ``cpus`` are those that a step is given whose
    threads nobody chooses.
    """

    mem_bytes: int
    cpu_s: float
    thread_overhead: float
    source: Source = Source.SHIPPED
    time_source: Source = Source.SHIPPED
    cpus: int = 1

    def wall_s(self, threads: int) -> float:
        """Expected wall time at a number of threads."""
        return self.cpu_s * (1 + self.thread_overhead * (threads - 1)) / threads


@cache
def shipped_measurements() -> Mapping[str, Any]:
    """The table that ships with the package: a line for each kind and variant, and when and where it was measured."""
    text = resources.files("tntpipe.profiling").joinpath("profiles/shipped.json").read_text(encoding="utf-8")
    table: Mapping[str, Any] = json.loads(text)
    if table["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"shipped.json has schema {table['schema_version']}, not {SCHEMA_VERSION}")
    return table


class Estimates:
    """The estimates of one run: what a resource file says, and of the rest what the shipped table does."""

    def __init__(self, file: ResourceFile | None = None, table: Mapping[str, Any] | None = None) -> None:
        self.file = file
        self._kinds = (shipped_measurements() if table is None else table)["kinds"]
        self._known: dict[tuple[str, str, int, str], Estimate] = {}

    def of(self, kind: str, variant: str, voxels: int, program: str = "") -> Estimate:
        """That of one step; an unknown variant takes the largest of its kind, an unknown kind that of its program."""
        key = kind, variant, voxels, program
        if key not in self._known:
            self._known[key] = self._estimate(*key)
        return self._known[key]

    def taken_for(self, kind: str, program: str) -> str:
        """The kind in the table whose figures a step has: its own, where it is there."""
        return kind if kind in self._kinds else LARGEST_KINDS.get(program, LARGEST_KIND)

    def time_ratio(self, kind: str, variant: str, voxels: int, other_voxels: int) -> float:
        """By what the shipped time grows from the first number of voxels to the second; 1 where it is not known."""
        if kind not in self._kinds or not voxels or not other_voxels:
            return 1.0
        first, second = (_from_table(self._kinds[kind], variant, n).cpu_s for n in (voxels, other_voxels))
        return second / first

    def _estimate(self, kind: str, variant: str, voxels: int, program: str) -> Estimate:
        known = self.taken_for(kind, program)
        shipped = _from_table(self._kinds[known], variant, voxels)
        if known != kind:
            shipped = replace(shipped, source=Source.GUESSED, time_source=Source.GUESSED)
        said = self.file.steps.get(kind) if self.file is not None else None
        if said is None:
            return shipped
        return replace(shipped, **self._memory(said, known, variant, voxels), **self._time(said, kind, variant, voxels))

    def _memory(self, said: StepResources, kind: str, variant: str, voxels: int) -> dict[str, Any]:
        """What a file says of memory and CPUs."""
        cpus = {"cpus": said.ncpu or 1}
        mem_bytes = said.mem_bytes(voxels)
        if mem_bytes is None:
            return cpus
        seen_variant = variant if said.variant in (None, DEBUG) else str(said.variant)
        seen_voxels = voxels if said.mem_bytes_per_voxel or not said.voxels else min(said.voxels, voxels)
        here, there = (
            _from_table(self._kinds[kind], *case) for case in ((variant, voxels), (seen_variant, seen_voxels))
        )
        ratio = max(1.0, here.mem_bytes / there.mem_bytes)
        if ratio > 1 or said.mem_bytes_per_voxel:
            mem_bytes = _steps_of_memory(mem_bytes * ratio)
        return cpus | {"mem_bytes": mem_bytes, "source": Source.FILE}

    def _time(self, said: StepResources, kind: str, variant: str, voxels: int) -> dict[str, Any]:
        """What a file says of the time of this variant."""
        if said.variant not in (None, variant):
            return {}
        figures: dict[str, Any] = {}
        if said.time:
            time_s = said.time * self.time_ratio(kind, variant, said.voxels or 0, voxels)
            figures = {"cpu_s": float(f"{time_s:.2g}"), "time_source": Source.FILE}
        if said.thread_overhead is not None:
            figures["thread_overhead"] = said.thread_overhead
        return figures


def _from_table(variants: Mapping[str, Mapping[str, Any]], variant: str, voxels: int) -> Estimate:
    chosen = [variants[variant]] if variant in variants else list(variants.values())
    source = Source.SHIPPED if all(line["n"] for line in chosen) else Source.ASSUMED
    peak = max(line["mem_bytes"] + line["mem_bytes_per_voxel"] * voxels for line in chosen)
    return Estimate(
        mem_bytes=_steps_of_memory(peak * MEMORY_MARGIN + MEMORY_PAD_BYTES),
        cpu_s=float(f"{max(line['cpu_s'] + line['cpu_s_per_voxel'] * voxels for line in chosen):.2g}"),
        thread_overhead=_thread_overhead(chosen) or _thread_overhead(variants.values()) or NO_SPEED_UP,
        source=source,
        time_source=source,
    )


def _steps_of_memory(mem_bytes: float) -> int:
    return math.ceil(mem_bytes / STEP_BYTES) * STEP_BYTES


def _thread_overhead(lines: Iterable[Mapping[str, float]]) -> float | None:
    """The worst that was measured, if any was."""
    return max((line["thread_overhead"] for line in lines if "thread_overhead" in line), default=None)
