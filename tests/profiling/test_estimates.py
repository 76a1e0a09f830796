"""What a step is expected to need: the shipped figures, their margins, and how they grow."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from whole_graphs import graph_of, model

from tntpipe.formatting import GIB
from tntpipe.pipeline.method import BrainExtraction, Method
from tntpipe.profiling.estimates import (
    LARGEST_KIND,
    LARGEST_KINDS,
    MEMORY_MARGIN,
    MEMORY_PAD_BYTES,
    SCHEMA_VERSION,
    STEP_BYTES,
    Estimate,
    Estimates,
    Source,
    shipped_measurements,
)
from tntpipe.profiling.profile import Profile, StepUse
from tntpipe.profiling.resource_file import ResourceFile, StepResources
from tntpipe.steps.registration import PRESETS
from tools.measured_speed_up import overheads
from tools.measured_table import lines, put

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


VOXELS = 7_000_000
SHIPPED = ESTIMATES.of("nonlinear_registration", "quick", VOXELS)


def with_file(**figures: Any) -> Estimates:
    """Estimates with a resource file that speaks of one kind."""
    step = StepResources(**figures)
    return Estimates(ResourceFile(path=Path("res.json"), steps={"nonlinear_registration": step}))


def nonlinear(run: str = "quick", at: int = VOXELS, **figures: Any) -> Estimate:
    return with_file(**figures).of("nonlinear_registration", run, at)


def test_a_resource_file_goes_before_the_shipped_figures() -> None:
    found = nonlinear(mem=5, time=77, ncpu=2)
    assert (found.mem_bytes, found.cpu_s, found.cpus) == (5 * GIB, 77, 2)
    assert (found.source, found.time_source) == (Source.FILE, Source.FILE)


def test_what_a_resource_file_leaves_open_is_shipped() -> None:
    assert with_file(mem=5).of("lobes", "", VOXELS) == ESTIMATES.of("lobes", "", VOXELS)
    memory_only, time_only = nonlinear(mem=5, time=None), nonlinear(time=77)
    assert memory_only == replace(SHIPPED, mem_bytes=5 * GIB, source=Source.FILE)
    assert time_only == replace(SHIPPED, cpu_s=77, time_source=Source.FILE)
    assert nonlinear(mem=5, time=0.0) == memory_only


def test_a_plain_figure_is_taken_as_it_stands_whatever_the_scan() -> None:
    assert {nonlinear(mem=5.3, at=voxels).mem_bytes for voxels in (1, 10**6, 10**8)} == {math.ceil(5.3 * GIB)}


def test_a_time_of_other_parameters_is_not_taken() -> None:
    assert nonlinear(mem=5, time=77, variant="debug", thread_overhead=0.5).time_source is Source.SHIPPED
    assert nonlinear("quick", mem=5, time=77, variant="reference").cpu_s == SHIPPED.cpu_s
    assert nonlinear("quick", time=77, variant="quick", thread_overhead=0.5).thread_overhead == 0.5


def seen_at(voxels: int, **figures: Any) -> Estimates:
    """The same with a profile of scans of that size behind it."""
    return with_file(voxels=voxels, **figures)


def test_a_time_grows_with_the_scan_as_the_shipped_one_does() -> None:
    ratio = ESTIMATES.of("nonlinear_registration", "quick", 2 * VOXELS).cpu_s / SHIPPED.cpu_s
    found = seen_at(VOXELS, time=100, variant="quick").of("nonlinear_registration", "quick", 2 * VOXELS)
    assert found.cpu_s == pytest.approx(100 * ratio, rel=0.05)
    assert nonlinear(time=100, at=2 * VOXELS).cpu_s == 100


def test_memory_of_a_larger_scan_than_was_profiled_grows_as_the_shipped_one_does() -> None:
    """Of a smaller one it stays what it was: a few peaks say nothing of how it falls."""
    known = seen_at(VOXELS, mem=3.0)
    larger = ESTIMATES.of("nonlinear_registration", "quick", 2 * VOXELS).mem_bytes / SHIPPED.mem_bytes
    found = known.of("nonlinear_registration", "quick", 2 * VOXELS)
    assert found.mem_bytes == pytest.approx(3 * GIB * larger, abs=STEP_BYTES)
    assert known.of("nonlinear_registration", "quick", VOXELS // 2).mem_bytes == 3 * GIB


def test_memory_that_follows_a_line_does_so_in_whole_steps() -> None:
    known = seen_at(VOXELS, mem=3.0, mem_bytes_per_voxel=300.0, mem_least=0.3)
    found = known.of("nonlinear_registration", "quick", VOXELS // 2).mem_bytes
    assert 3 * GIB - 300 * VOXELS // 2 <= found < 3 * GIB - 300 * VOXELS // 2 + STEP_BYTES
    assert found % STEP_BYTES == 0


def test_memory_of_cheaper_parameters_is_raised_as_the_shipped_one_is_and_never_lowered() -> None:
    reference = ESTIMATES.of("nonlinear_registration", "reference", VOXELS).mem_bytes / SHIPPED.mem_bytes
    assert reference > 1.3
    raised = nonlinear("reference", mem=3.0, variant="quick")
    assert raised.mem_bytes == pytest.approx(3 * GIB * reference, abs=STEP_BYTES)
    assert nonlinear("quick", mem=3.0, variant="reference").mem_bytes == 3 * GIB
    assert nonlinear("reference", mem=3.0, variant="debug").mem_bytes == 3 * GIB


@pytest.mark.parametrize(
    ("program", "taken_for"),
    [
        ("antsApplyTransforms", "subcortex"),
        ("N4BiasFieldCorrection", "bias_field"),
        ("imaging", "segmentation"),
        ("new", LARGEST_KIND),
    ],
)
def test_a_kind_that_was_not_measured_is_guessed_from_its_program(program: str, taken_for: str) -> None:
    guess = ESTIMATES.of("no_such_step", "", 7_000_000, program)
    assert (guess.source, guess.time_source) == (Source.GUESSED, Source.GUESSED)
    assert ESTIMATES.taken_for("no_such_step", program) == taken_for
    known = ESTIMATES.of(taken_for, "", 7_000_000)
    assert replace(guess, source=known.source, time_source=known.time_source) == known


def test_a_program_is_guessed_from_steps_of_its_own() -> None:
    method = Method(preset=PRESETS["reference"], subcortical=True, brain_extraction=BrainExtraction.BET)
    programs = {(step.program, step.kind) for priors in (True, False) for step in graph_of(method, priors=priors)}
    assert LARGEST_KINDS.items() <= programs


def test_a_resource_file_goes_before_a_guess() -> None:
    step = StepResources(mem=1.5, time=7.0, ncpu=1)
    known = Estimates(ResourceFile(path=Path("res.json"), steps={"no_such_step": step}))
    found = known.of("no_such_step", "", 7_000_000, "imaging")
    assert (found.mem_bytes, found.cpu_s, found.source) == (1.5 * GIB, 7.0, Source.FILE)


def test_a_guess_is_no_less_than_any_measured_step_of_the_program_needs_at_1_mm() -> None:
    methods = [
        Method(preset=preset, subcortical=True, intracranial_volume=True, brain_extraction=BrainExtraction.BET)
        for preset in PRESETS.values()
    ]
    graphs = [graph_of(method, priors=p, subcortical_model=model("Other")) for method in methods for p in (True, False)]
    for step in (step for graph in graphs for step in graph):
        guess = ESTIMATES.of("no_such_step", step.variant, 7_000_000, step.program)
        known = ESTIMATES.of(step.kind, step.variant, 7_000_000)
        assert known.mem_bytes <= guess.mem_bytes or known.source is Source.ASSUMED, step.kind


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
    assert table["schema_version"] == SCHEMA_VERSION == 2
    assert all(when["host"] for when in table["measured"].values())
    fields = {"mem_bytes", "mem_bytes_per_voxel", "cpu_s", "cpu_s_per_voxel"}
    for variants in table["kinds"].values():
        for line in variants.values():
            assert set(line) >= fields
            assert all(math.isfinite(line[name]) and line[name] >= 0 for name in fields)
            assert 0 < line.get("thread_overhead", 1) <= 1
            assert line["n"] == 0 or (line["voxels"] and line["date"] in table["measured"])


def ran(kind: str, *, threads: int = 1, cpu_s: float = 1.0, wall_s: float = 1.0, **figures: Any) -> StepUse:
    return StepUse(
        **({"name": f"sub-01/{kind}", "peak_bytes": 1, "outcome": "done", "variant": "v"} | figures),
        kind=kind,
        threads=threads,
        cpu_s=cpu_s,
        wall_s=wall_s,
    )


def test_speed_ups_come_from_two_runs_of_the_same_steps() -> None:
    """Left out: what takes under a second, what was not in both runs, and what came out too good to be the same."""

    def run(threads: int, *more: StepUse) -> Profile:
        steps = (
            ran("good", threads=threads, cpu_s=100.0, wall_s=100.0 if threads == 1 else 62.5),
            ran("worse", threads=threads, cpu_s=10.0, wall_s=10.0 * threads),
            ran("short", threads=threads, cpu_s=0.9, wall_s=0.5),
            ran("other", threads=threads, cpu_s=100.0, wall_s=100.0 if threads == 1 else 40.0),
        )
        return Profile(steps=(*steps, *more), entries=())

    two = run(2, ran("new", threads=2, cpu_s=10.0, wall_s=5.0), ran("failed", threads=2, cpu_s=9.0, outcome="failed"))
    assert list(overheads(run(1), two)) == [("good", "v", 0.25), ("worse", "v", 1.0)]


def test_a_line_of_the_table_lies_above_all_that_was_measured() -> None:
    """And tells of how many steps of what sizes it is."""
    steps = tuple(
        ran("lobes", voxels=voxels, peak_bytes=peak, cpu_s=cpu_s)
        for voxels, peak, cpu_s in ((100, 1000, 2.0), (100, 1200, 2.5), (300, 2000, 4.0))
    )
    other = ran("lobes", voxels=500, peak_bytes=10**9, threads=4)
    ((kind, variant, line),) = lines([Profile(steps=(*steps, other), entries=())], "2026-01-02")
    assert (kind, variant, line["n"], line["voxels"], line["date"]) == ("lobes", "v", 3, [100, 300], "2026-01-02")
    for use in steps:
        assert line["mem_bytes"] + line["mem_bytes_per_voxel"] * use.voxels >= use.peak_bytes - 1
        assert line["cpu_s"] + line["cpu_s_per_voxel"] * use.voxels >= (use.cpu_s or 0) - 0.01


def test_a_line_gives_way_only_to_one_of_scans_as_large() -> None:
    table: dict[str, Any] = {"kinds": {"lobes": {"v": {"voxels": [100, 300], "n": 9, "thread_overhead": 0.2}}}}
    assert not put(table, "lobes", "v", {"voxels": [100], "n": 1})
    assert put(table, "lobes", "v", {"voxels": [300], "n": 1})
    assert table["kinds"]["lobes"]["v"] == {"voxels": [300], "n": 1, "thread_overhead": 0.2}
