"""What a step is expected to need: the shipped figures, their margins, and how they grow."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest

from tntpipe.profiling.estimates import (
    MEMORY_MARGIN,
    MEMORY_PAD_BYTES,
    SCHEMA_VERSION,
    STEP_BYTES,
    Estimate,
    Estimates,
    Source,
    shipped_measurements,
)
from tntpipe.resources import GIB
from tools.measured_speed_up import overheads

ESTIMATES = Estimates()
KINDS = [(kind, variant) for kind, table in shipped_measurements()["kinds"].items() for variant in table]


@pytest.mark.parametrize(("kind", "variant"), KINDS)
def test_a_request_is_the_measured_peak_with_its_margin_rounded_up(kind: str, variant: str) -> None:
    line = shipped_measurements()["kinds"][kind][variant]
    voxels = 7_000_000
    padded = (line["mem_bytes"] + voxels * line["mem_bytes_per_voxel"]) * MEMORY_MARGIN + MEMORY_PAD_BYTES
    needed = ESTIMATES.of(kind, variant, voxels)
    assert padded <= needed.mem_bytes < padded + STEP_BYTES
    assert needed.mem_bytes % STEP_BYTES == 0
    assert needed.cpu_s == pytest.approx(line["cpu_s"] + voxels * line["cpu_s_per_voxel"], rel=0.05)


def test_scans_of_about_one_size_are_alike_to_the_scheduler() -> None:
    """Its decisions take longer the more kinds of request there are."""
    sizes = range(7_000_000, 7_200_000, 1000)
    kinds = {(e.mem_bytes, e.cpu_s) for e in (ESTIMATES.of("lobes", "", voxels) for voxels in sizes)}
    assert len(kinds) <= 5


@pytest.mark.parametrize(("kind", "variant"), KINDS)
def test_a_larger_scan_never_needs_less(kind: str, variant: str) -> None:
    estimates = [ESTIMATES.of(kind, variant, voxels) for voxels in (1, 10**5, 7 * 10**6, 10**8)]
    for small, large in pairwise(estimates):
        assert small.mem_bytes <= large.mem_bytes and 0 < small.cpu_s <= large.cpu_s


def test_a_variant_that_was_not_measured_takes_the_largest_of_its_kind() -> None:
    unknown = ESTIMATES.of("nonlinear_registration", "new", 10**6)
    measured = [ESTIMATES.of(kind, variant, 10**6) for kind, variant in KINDS if kind == "nonlinear_registration"]
    assert unknown == Estimate(
        mem_bytes=max(m.mem_bytes for m in measured),
        cpu_s=max(m.cpu_s for m in measured),
        thread_overhead=max(m.thread_overhead for m in measured),
    )


def test_an_estimate_says_whether_it_was_measured() -> None:
    assert ESTIMATES.of("lobes", "", 10**6).source is Source.SHIPPED
    assert ESTIMATES.of("brain_mask", "bet", 10**6).source is Source.ASSUMED


def test_a_kind_that_was_not_measured_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        ESTIMATES.of("no_such_step", "", 1)


def test_a_whole_head_at_1_mm_fits_in_8_gib() -> None:
    """The figure that the documentation gives for one scan at a time."""
    voxels = 193 * 229 * 193
    assert max(ESTIMATES.of(kind, variant, voxels).mem_bytes for kind, variant in KINDS) < 8 * GIB


@pytest.mark.parametrize(("threads", "speed_up"), [(1, 1.0), (2, 1.85), (3, 2.59), (4, 3.23)])
def test_threads_help_less_than_their_number(threads: int, speed_up: float) -> None:
    expected = Estimate(mem_bytes=1, cpu_s=100, thread_overhead=0.08)
    assert 100 / expected.wall_s(threads) == pytest.approx(speed_up, abs=0.01)


def test_a_variant_not_measured_with_several_threads_takes_the_worst_of_its_kind() -> None:
    line = shipped_measurements()["kinds"]["linear_registration"]
    assert "thread_overhead" not in line["reference"]
    assert ESTIMATES.of("linear_registration", "reference", 10**6).thread_overhead == line["quick"]["thread_overhead"]


def test_a_kind_not_measured_with_several_threads_gains_nothing_by_them() -> None:
    assert all("thread_overhead" not in line for line in shipped_measurements()["kinds"]["tag_transform"].values())
    needed = ESTIMATES.of("tag_transform", "", 10**6)
    assert needed.thread_overhead == 1
    assert needed.wall_s(8) == needed.wall_s(1)


def test_the_shipped_table_has_the_schema_and_finite_figures() -> None:
    table = shipped_measurements()
    assert table["schema_version"] == SCHEMA_VERSION == 1
    fields = {"mem_bytes", "mem_bytes_per_voxel", "cpu_s", "cpu_s_per_voxel"}
    for variants in table["kinds"].values():
        for line in variants.values():
            assert set(line) >= fields
            assert all(math.isfinite(line[name]) and line[name] >= 0 for name in fields)
            assert 0 < line.get("thread_overhead", 1) <= 1


def record(root: Path, kind: str, *, cpus: int, cpu_s: float, wall_s: float) -> None:
    folder = root / "steps" / "sub-01" / kind
    folder.mkdir(parents=True)
    usage = {"cpus": cpus, "cpu_s": cpu_s, "wall_s": wall_s}
    (folder / "record.json").write_text(json.dumps({"kind": kind, "variant": "v", "usage": usage}))


def test_speed_ups_come_from_two_runs_of_the_same_steps(tmp_path: Path) -> None:
    """Left out: what takes under a second, what was not in both runs, and what came out too good to be the same."""
    one, two = tmp_path / "one", tmp_path / "two"
    for root, cpus in ((one, 1), (two, 2)):
        record(root, "good", cpus=cpus, cpu_s=100.0, wall_s=100.0 if cpus == 1 else 62.5)
        record(root, "worse", cpus=cpus, cpu_s=10.0, wall_s=10.0 * cpus)
        record(root, "short", cpus=cpus, cpu_s=0.9, wall_s=0.5)
        record(root, "other", cpus=cpus, cpu_s=100.0, wall_s=100.0 if cpus == 1 else 40.0)
    record(two, "new", cpus=2, cpu_s=10.0, wall_s=5.0)
    assert list(overheads(one, two)) == [("good", "v", 0.25), ("worse", "v", 1.0)]
