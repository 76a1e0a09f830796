"""The reference's rule, by numbers worked by hand from its description."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tntpipe.profiling.profile import Entry, Profile, StepUse
from tntpipe.profiling.profile_file import read_profile
from tntpipe.profiling.reference_rule import reference_conclusions
from tntpipe.profiling.resource_file import ResourceFile, StepResources, write_resource_file


def profile(*steps: tuple[str, list[tuple[float, float, float]]], variant: str = "") -> Profile:
    """Steps by participant, with looks: time, GiB, per cent of one CPU."""
    return Profile(
        steps=tuple(
            StepUse(
                name=f"{sub}/lobes", kind="lobes", outcome="done", wall_s=looks[-1][0], peak_bytes=1, variant=variant
            )
            for sub, looks in steps
        ),
        entries=tuple(
            Entry(name=f"{sub}/lobes", time=100 + t, rss_gib=gib, vms_gib=9.0, cpu_percent=cpus)
            for sub, looks in steps
            for t, gib, cpus in looks
        ),
    )


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param(
            [(0, 0.5, 0), (1, 1.25, 98), (2, 0.75, 101), (3.5, 0.5, 60)],
            StepResources(ncpu=2, cpumax=101, mem=1.25, time=3.5),
            id="largest of each, and CPUs rounded up",
        ),
        pytest.param(
            [(0, 0.5, 0), (1, 0.5, 100), (2, 0.5, 100)],
            StepResources(ncpu=1, cpumax=100, mem=0.5, time=2),
            id="a whole number of CPUs stays",
        ),
        pytest.param(
            [(0, 0.5, 0), (0.5, 0.5, 350)],
            StepResources(ncpu=1, cpumax=350, mem=0.5, time=0.5),
            id="under a second it is one CPU",
        ),
        pytest.param(
            [(0, 0.5, 0), (1, 0.5, 80), (1.05, 2.0, 900), (2, 0.5, 90)],
            StepResources(ncpu=1, cpumax=90, mem=2.0, time=2),
            id="a look right after another says nothing of CPUs",
        ),
        pytest.param([(0, 0.5, 0)], StepResources(ncpu=1, cpumax=0, mem=0.5, time=0), id="a single look"),
    ],
)
def test_the_figures_of_one_step(looks: list[tuple[float, float, float]], expected: StepResources) -> None:
    assert reference_conclusions([profile(("sub-01", looks))]) == {"lobes": expected}


def test_the_participant_is_cut_and_the_largest_of_each_figure_kept() -> None:
    found = reference_conclusions(
        [profile(("sub-01", [(0, 2.0, 0), (4, 1.0, 50)]), ("sub-02", [(0, 0.5, 0), (2, 1.0, 250)]))]
    )
    assert found == {"lobes": StepResources(ncpu=3, cpumax=250, mem=2.0, time=4)}


def test_several_profiles_are_as_one() -> None:
    one, other = profile(("sub-01", [(0, 2.0, 0), (4, 1.0, 50)])), profile(("sub-01", [(0, 3.0, 0), (1, 1.0, 50)]))
    assert reference_conclusions([one, other])["lobes"] == StepResources(ncpu=1, cpumax=50, mem=3.0, time=4)


def test_a_time_of_one_iteration_a_level_is_left_open() -> None:
    found = reference_conclusions([profile(("sub-01", [(0, 2.0, 0), (4, 1.0, 50)]), variant="debug")])
    assert found["lobes"].time is None and found["lobes"].mem == 2.0


def test_the_file_has_the_four_figures_and_nothing_else(tmp_path: Path) -> None:
    steps = reference_conclusions([profile(("sub-01", [(0, 0.5, 0), (1, 1.25, 98)]))])
    write_resource_file(ResourceFile(path=tmp_path / "res.json", steps=steps))
    assert json.loads((tmp_path / "res.json").read_text()) == {
        "lobes": {"ncpu": 1, "cpumax": 98, "mem": 1.25, "time": 1}
    }


def test_nipypes_own_arrays_will_do(tmp_path: Path) -> None:
    looks = [("wf.sub-01.lobes", 0.0, 0.5, 10), ("wf.sub-01.lobes", 2.0, 1.5, 120), ("wf.sub-02.lobes", 0.0, 1.0, 0)]
    columns = dict(zip(("name", "time", "rss_GiB", "cpus"), map(list, zip(*looks, strict=True)), strict=True))
    (tmp_path / "resource_monitor.json").write_text(json.dumps(columns))
    found = reference_conclusions([read_profile(tmp_path / "resource_monitor.json", {"lobes"})])
    assert found == {"lobes": StepResources(ncpu=2, cpumax=120, mem=1.5, time=2)}
