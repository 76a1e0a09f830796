"""What profiles say of a kind of step, by hand-worked numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tntpipe.formatting import GIB, MIB
from tntpipe.profiling.compatibility import mixtures
from tntpipe.profiling.conclusions import conclusions, never_ended
from tntpipe.profiling.profile import Profile, StepUse
from tntpipe.profiling.resource_file import StepResources


def use(number: int = 1, **figures: Any) -> StepUse:
    plain: dict[str, Any] = {
        "name": f"sub-{number:02}/lobes",
        "kind": "lobes",
        "outcome": "done",
        "variant": "quick",
        "voxels": 1000,
        "wall_s": 10.0,
        "cpu_s": 10.0,
        "max_cpus": 1.0,
        "peak_bytes": GIB,
    }
    return StepUse(**(plain | figures))


def concluded(*uses: StepUse) -> StepResources:
    return conclusions([Profile(steps=uses, entries=())], as_voxels)["lobes"]


def as_voxels(_kind: str, _variant: str, voxels: int, other: int) -> float:
    return other / voxels if voxels and other else 1.0


def peaks(gibs: Iterable[float]) -> list[StepUse]:
    return [use(n, peak_bytes=int(gib * GIB)) for n, gib in enumerate(gibs)]


@pytest.mark.parametrize(
    ("gibs", "request_gib"),
    [
        ([1.0], 1.5),
        ([1.0, 0.5], 1.35),
        ([1.0] * 3, 1.2),
        ([1.0] * 7, 1.2),
        ([1.0] * 8, 1.1),
        ([1.0, 2.0], 2.7),
    ],
)
def test_memory_is_the_largest_peak_padded_by_how_few_there_are(gibs: list[float], request_gib: float) -> None:
    found = concluded(*peaks(gibs))
    assert found.mem == pytest.approx(request_gib + 1 / 16, abs=0.001)
    assert (found.n, found.peak, found.mem_bytes_per_voxel) == (len(gibs), max(gibs), None)


def test_memory_that_grows_with_voxels_is_a_line() -> None:
    """From eight steps on: 0.5 GiB and 1 MiB a voxel, times 1.1, and 64 MB."""
    found = concluded(*(use(n, voxels=100 * n, peak_bytes=GIB // 2 + 100 * n * MIB) for n in range(1, 9)))
    assert found.mem_bytes_per_voxel == pytest.approx(1.1 * MIB, rel=1e-6)
    assert found.voxels == 800 and found.correlation == 1.0
    assert found.mem_bytes(800) == pytest.approx(1.1 * (GIB / 2 + 800 * MIB) + 64 * MIB, rel=1e-3)
    assert found.mem_bytes(300) == pytest.approx(1.1 * (GIB / 2 + 300 * MIB) + 64 * MIB, rel=2e-3)
    assert found.mem_bytes(1) == pytest.approx(1.1 * GIB / 2 + 65 * MIB, rel=2e-3)
    assert found.mem_bytes(8000) == pytest.approx(1.5 * (found.mem_bytes(800) or 0), rel=1e-6)


@example([(1, 1)] * 6 + [(1, 79620397), (87232, 184000131)])
@given(st.lists(st.tuples(st.integers(1, 10**7), st.integers(1, 16 * GIB)), min_size=1, max_size=30))
def test_no_step_of_the_profile_would_be_given_less_than_it_used(seen: list[tuple[int, int]]) -> None:
    found = concluded(*(use(n, voxels=voxels, peak_bytes=peak) for n, (voxels, peak) in enumerate(seen)))
    for voxels, peak in seen:
        assert (found.mem_bytes(voxels) or 0) >= peak


def test_a_step_that_ran_out_of_memory_counts_with_what_it_had() -> None:
    found = concluded(use(1), use(2, outcome="failed", peak_bytes=4 * GIB))
    assert found.mem == pytest.approx(4 * 1.5 + 1 / 16, abs=0.001) and found.n == 1


def test_a_kind_of_which_no_step_ended_well_is_left_out_and_named() -> None:
    profile = Profile(steps=(use(outcome="stopped"), use(kind="ok")), entries=())
    assert list(conclusions([profile], as_voxels)) == ["ok"]
    assert never_ended([profile]) == ["lobes"]


def test_time_is_the_mean_of_cpu_seconds_brought_to_the_largest_scan() -> None:
    """CPU seconds: on a machine that others use too, wall time says little of the step."""
    found = concluded(use(1, voxels=1000, cpu_s=8.0, wall_s=30.0), use(2, voxels=2000, cpu_s=12.0, wall_s=30.0))
    assert found.time == (2 * 8 + 12) / 2 and found.n_time == 2 and found.voxels == 2000


def test_one_iteration_a_level_says_nothing_of_time() -> None:
    found = concluded(use(1, variant="debug"), use(2, variant="debug"))
    assert found.time is None and found.n_time == 0 and found.mem is not None and found.variant == "debug"
    mixed = concluded(use(1, variant="debug", cpu_s=1.0), use(2, variant="quick", cpu_s=50.0))
    assert mixed.time == 50.0 and mixed.variant == "quick" and mixed.n == 2


def test_of_several_parameters_the_costliest_give_the_time() -> None:
    found = concluded(use(1, variant="quick", cpu_s=10.0), use(2, variant="reference", cpu_s=90.0))
    assert (found.time, found.variant, found.n) == (90.0, "reference", 2)


def test_cpus_are_those_kept_busy_all_the_time_not_those_of_a_moment() -> None:
    assert concluded(use(max_cpus=3.2)).ncpu == 1
    assert concluded(use(max_cpus=3.2)).cpumax == 320.0
    assert concluded(use(cpu_s=10.9)).ncpu == 1
    assert concluded(use(cpu_s=15.0)).ncpu == 2
    assert concluded(use(1), use(2, threads=2, cpu_s=19.0)).ncpu == 1


def test_speed_up_is_the_median_over_steps_with_several_threads() -> None:
    """10 s with one thread; 10/2 · 1.2 = 6 s with two is a = 0.2."""
    several = [use(n, threads=2, wall_s=wall_s) for n, wall_s in ((1, 6.0), (2, 6.0), (3, 9.0))]
    found = concluded(use(4), *several)
    assert found.thread_overhead == 0.2 and found.n_speed_up == 3


@pytest.mark.parametrize(
    "uses",
    [
        [use(1), use(2, threads=2, wall_s=6.0)],
        [use(n, threads=2, wall_s=6.0) for n in range(9)],
        [use(1, cpu_s=0.5), *(use(n, threads=2, wall_s=0.3, cpu_s=0.5) for n in range(9))],
    ],
    ids=["few", "none with one thread", "too short"],
)
def test_speed_up_is_left_open_where_little_is_known(uses: list[StepUse]) -> None:
    assert concluded(*uses).thread_overhead is None


def test_a_speed_up_is_never_beyond_what_the_model_knows() -> None:
    for wall_s, overhead in ((1.0, 0.0), (50.0, 1.0)):
        found = concluded(use(9), *(use(n, threads=4, wall_s=wall_s) for n in range(3)))
        assert found.thread_overhead == overhead


def test_a_profile_without_cpu_seconds_gives_wall_time_and_no_cpus() -> None:
    found = concluded(use(cpu_s=None, max_cpus=None, variant=None, voxels=0, wall_s=7.0))
    assert (found.time, found.ncpu, found.cpumax, found.voxels, found.variant) == (7.0, None, None, None, None)


def test_a_single_look_has_no_duration_and_gives_no_time() -> None:
    assert concluded(use(cpu_s=None, wall_s=0.0)).time is None


def profile(preset: str = "quick", **host: Any) -> Profile:
    known = {"cpus": 8, "mem_bytes": 16 * GIB, "machine": "x86_64", "ants": "ANTs 2.5 (native: /opt)", "name": "node"}
    return Profile(steps=(), entries=(), host=known | host, run={"settings": {"preset": preset}})


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (profile(cpus=4), "of 2 machines"),
        (profile(mem_bytes=32 * GIB), "of 2 machines"),
        (profile(ants="ANTs 2.6"), "of 2 machines"),
        (profile(processor="EPYC"), "EPYC"),
        (Profile(steps=(), entries=()), "a machine that it does not tell"),
        (profile(preset="debug"), "different registrations .*knows memory, but no time"),
        (profile(preset="reference"), "different registrations"),
    ],
)
def test_profiles_that_do_not_belong_together_are_named(other: Profile, message: str) -> None:
    (told,) = mixtures({"a.json": profile(), "b.json": other})
    assert re.search(message, told)
    assert "a.json" in told and "b.json" in told


def test_another_container_on_the_same_machine_is_the_same_machine() -> None:
    other = profile(name="f3a", mem_bytes=16 * GIB - MIB, ants="ANTs 2.5 (native: /elsewhere)")
    assert list(mixtures({"a": profile(), "b": other})) == []
