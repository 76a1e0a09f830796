"""Makes lines of ``tntpipe/profiling/profiles/shipped.json`` from profiles of finished runs, or from their journals.

For each kind of step and each variant of it, memory and CPU seconds become a line in the scan's voxels: a constant and
a slope, neither below zero, that no measurement exceeds. Where all measurements have one size, the line is the
proportion through the largest. Give profiles of scans of several sizes: a line is replaced as a whole, and kept where
it comes from larger scans than those given. Steps with several threads do not count.

    python -m tools.measured_table PROFILE [PROFILE …]
"""

from __future__ import annotations

import argparse
import datetime
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tntpipe.profiling.profile import DONE, Profile, StepUse
from tntpipe.profiling.profile_file import read_profile

SMOKE = ("--help",)

TARGET = Path(__file__).resolve().parents[1] / "tntpipe/profiling/profiles/shipped.json"
SAME_COMMAND = {
    **{
        kind: f"subcortical_{kind}"
        for kind in ("linear_registration", "nonlinear_registration", "displacement", "inverse_displacement")
    },
    **{kind: f"brain_{kind}" for kind in ("bias_grid", "bias_field", "bias_correction")},
}
"""Kinds whose figures hold for another kind too: the same command on the same scan."""


def upper_line(voxels: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """A constant and a slope, both at least 0, such that no value lies above the line.

    >>> [round(part, 6) for part in upper_line(np.array([1.0, 2.0]), np.array([3.0, 5.0]))]
    [1.0, 2.0]
    """
    if len(set(voxels)) < 2:
        return 0.0, float((values / voxels).max())
    slope, constant = np.polyfit(voxels, values, 1)
    if constant < 0:
        return 0.0, float((values / voxels).max())
    slope = max(float(slope), 0.0)
    return float((values - slope * voxels).max()), slope


def line_of(uses: Sequence[StepUse], date: str) -> dict[str, Any]:
    """The table's entry for one kind and variant."""
    figures = [(use.voxels, use.peak_bytes, use.cpu_s or 0.0) for use in uses]
    voxels, peaks, cpu_s = (np.array(column, dtype=float) for column in zip(*figures, strict=True))
    mem_bytes, mem_slope = upper_line(voxels, peaks)
    cpu_constant, cpu_slope = upper_line(voxels, cpu_s)
    return {
        "mem_bytes": round(mem_bytes),
        "mem_bytes_per_voxel": round(mem_slope, 2),
        "cpu_s": round(cpu_constant, 2),
        "cpu_s_per_voxel": float(f"{cpu_slope:.3g}"),
        "n": len(uses),
        "voxels": sorted({use.voxels for use in uses}),
        "date": date,
    }


def lines(profiles: Iterable[Profile], date: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind, variant and entry of all that ended well with one thread."""
    measured: dict[tuple[str, str], list[StepUse]] = defaultdict(list)
    for profile in profiles:
        for use in profile.steps:
            if use.outcome == DONE and use.threads == 1 and use.voxels and use.cpu_s is not None:
                measured[use.kind, use.variant or ""].append(use)
    for (kind, variant), uses in sorted(measured.items()):
        yield kind, variant, line_of(uses, date)


def put(table: Mapping[str, Any], kind: str, variant: str, line: Mapping[str, Any]) -> bool:
    """Put a line into the table, unless a larger scan is behind the one that is there; whether it was put."""
    known = table["kinds"].setdefault(kind, {}).setdefault(variant, {})
    if max(known.get("voxels", [0])) > max(line["voxels"]):
        return False
    known.update(line)  # a speed-up stays
    known.pop("note", None)
    if kind in SAME_COMMAND:
        table["kinds"].setdefault(SAME_COMMAND[kind], {})[variant] = dict(known)
    return True


def main() -> None:
    """Write the table; kinds that were not measured keep what they have."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profiles", type=Path, nargs="+")
    options = parser.parse_args()
    profiles = [read_profile(path) for path in options.profiles]
    hosts = sorted({profile.machine for profile in profiles})
    date = datetime.datetime.now().astimezone().date().isoformat()
    table = json.loads(TARGET.read_text())
    table["measured"][date] = {"host": "; ".join(hosts)}
    for kind, variant, line in lines(profiles, date):
        was_put = put(table, kind, variant, line)
        print(f"{kind:<34} {variant:<10} {line['voxels']} {'' if was_put else 'kept: measured at larger scans'}")
    TARGET.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
