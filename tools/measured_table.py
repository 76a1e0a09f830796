"""Makes ``tntpipe/profiling/measured.json`` from the records of finished runs.

For each kind of step and each variant of it, memory and CPU seconds become a line in the scan's voxels: a constant and
a slope, neither below zero, that no measurement exceeds. Where all measurements have one size, the line is the
proportion through the largest. Give work folders of scans of several sizes.

    python -m tools.measured_table WORK_DIR [WORK_DIR …]
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

TARGET = Path(__file__).resolve().parents[1] / "tntpipe/profiling/measured.json"
SECOND_REGISTRATION = ("linear_registration", "nonlinear_registration")
"""Kinds whose figures hold for the registration to a subcortical model too: the same command on the same scan."""

Measured = tuple[int, int, float]


def read_records(work_dir: Path) -> Iterator[tuple[str, str, Measured]]:
    """Kind, variant, and voxels, bytes and CPU seconds of each step that a work folder holds."""
    for path in sorted(work_dir.glob("steps/*/*/record.json")):
        record = json.loads(path.read_text())
        used = record["usage"]
        yield record["kind"], record["variant"], (record["voxels"], used["peak_bytes"], used["cpu_s"])


def upper_line(voxels: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """A constant and a slope, both at least 0, such that no value lies above the line.

    >>> upper_line(np.array([1.0, 2.0]), np.array([3.0, 5.0]))
    (1.0, 2.0)
    """
    if len(set(voxels)) < 2:
        return 0.0, float((values / voxels).max())
    slope, constant = np.polyfit(voxels, values, 1)
    if constant < 0:
        return 0.0, float((values / voxels).max())
    slope = max(float(slope), 0.0)
    return float((values - slope * voxels).max()), slope


def line_of(measured: list[Measured]) -> dict[str, float]:
    """The table's entry for one kind and variant."""
    voxels, peaks, cpu_s = (np.array(column, dtype=float) for column in zip(*measured, strict=True))
    mem_bytes, mem_slope = upper_line(voxels, peaks)
    cpu_constant, cpu_slope = upper_line(voxels, cpu_s)
    return {
        "mem_bytes": round(mem_bytes),
        "mem_bytes_per_voxel": round(mem_slope, 2),
        "cpu_s": round(cpu_constant, 2),
        "cpu_s_per_voxel": float(f"{cpu_slope:.3g}"),
        "n": len(measured),
        "largest_voxels": int(voxels.max()),
    }


def main() -> None:
    """Write the table; kinds that were not measured keep what they have."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work_dirs", type=Path, nargs="+")
    options = parser.parse_args()
    measured: dict[tuple[str, str], list[Measured]] = defaultdict(list)
    for work_dir in options.work_dirs:
        for kind, variant, figures in read_records(work_dir):
            measured[kind, variant].append(figures)
    table = json.loads(TARGET.read_text())
    for (kind, variant), figures in sorted(measured.items()):
        line = table["kinds"].setdefault(kind, {}).setdefault(variant, {})
        line.update(line_of(figures))  # what tools.measured_speed_up has written stays
        if kind in SECOND_REGISTRATION:
            table["kinds"].setdefault(f"subcortical_{kind}", {})[variant] = dict(line)
    host = f"{os.cpu_count()} shared cores, {platform.machine()}, Linux, Python {platform.python_version()}"
    table["measured"] = {"date": datetime.date.today().isoformat(), "host": host, "by": "tools/measured_table.py"}
    TARGET.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
