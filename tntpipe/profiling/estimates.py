"""What a step will need, and where each figure comes from.

A kind's memory and CPU time are linear in the voxels of the scan. Requests carry a margin, estimates of time do not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources
from typing import Any

from tntpipe.resources import MIB

SCHEMA_VERSION = 1
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


class Source(str, Enum):
    """Where an estimate comes from."""

    SHIPPED = "shipped"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What to reserve for a step, its wall time at one thread, and a in S(k) = k / (1 + a (k - 1)) at k threads.

    ``source`` is that of the memory.
    """

    mem_bytes: int
    cpu_s: float
    thread_overhead: float
    source: Source = Source.SHIPPED

    def wall_s(self, threads: int) -> float:
        """Expected wall time at a number of threads."""
        return self.cpu_s * (1 + self.thread_overhead * (threads - 1)) / threads


@cache
def shipped_measurements() -> Mapping[str, Any]:
    """The measured table that ships with the package."""
    text = resources.files("tntpipe.profiling").joinpath("measured.json").read_text(encoding="utf-8")
    table: Mapping[str, Any] = json.loads(text)
    if table["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"measured.json has schema {table['schema_version']}, not {SCHEMA_VERSION}")
    return table


class Estimates:
    """The estimates of one run; by default those of the table that ships with the package."""

    def __init__(self, table: Mapping[str, Any] | None = None) -> None:
        self._kinds = (shipped_measurements() if table is None else table)["kinds"]
        self._known: dict[tuple[str, str, int], Estimate] = {}

    def of(self, kind: str, variant: str, voxels: int) -> Estimate:
        """That of one step; an unknown variant takes the largest of its kind, an unknown kind is a KeyError."""
        key = kind, variant, voxels
        if key not in self._known:
            self._known[key] = _from_table(self._kinds[kind], variant, voxels)
        return self._known[key]


def _from_table(variants: Mapping[str, Mapping[str, Any]], variant: str, voxels: int) -> Estimate:
    chosen = [variants[variant]] if variant in variants else list(variants.values())
    peak = max(line["mem_bytes"] + line["mem_bytes_per_voxel"] * voxels for line in chosen)
    return Estimate(
        mem_bytes=math.ceil((peak * MEMORY_MARGIN + MEMORY_PAD_BYTES) / STEP_BYTES) * STEP_BYTES,
        cpu_s=float(f"{max(line['cpu_s'] + line['cpu_s_per_voxel'] * voxels for line in chosen):.2g}"),
        thread_overhead=_thread_overhead(chosen) or _thread_overhead(variants.values()) or NO_SPEED_UP,
        source=Source.SHIPPED if all(line["n"] for line in chosen) else Source.ASSUMED,
    )


def _thread_overhead(lines: Iterable[Mapping[str, float]]) -> float | None:
    """The worst that was measured, if any was."""
    return max((line["thread_overhead"] for line in lines if "thread_overhead" in line), default=None)
