"""What nipype's resource monitor leaves, as a profile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tntpipe.formatting import GIB
from tntpipe.profiling.nipype_profile import CPUS_REMARK, kind_of
from tntpipe.profiling.profile import Profile
from tntpipe.profiling.profile_file import read_profile


def monitored(tmp_path: Path, *looks: tuple[str, float, float], **more: list[Any]) -> Profile:
    """The profile of looks: node, time, GiB."""
    content: dict[str, list[Any]] = {
        "name": [name for name, _, _ in looks],
        "time": [t for _, t, _ in looks],
        "rss_GiB": [rss for _, _, rss in looks],
        "vms_GiB": [9.0] * len(looks),
        "cpus": [31.0] * len(looks),
        "interface": ["Registration"] * len(looks),
    }
    path = tmp_path / "resource_monitor.json"
    path.write_text(json.dumps(content | more))
    return read_profile(path, {"lobes"})


def test_memory_and_time_are_taken_and_cpus_are_not(tmp_path: Path) -> None:
    profile = monitored(tmp_path, ("wf.sub-01.n4", 10.0, 0.5), ("wf.sub-01.n4", 12.5, 1.5), ("wf.sub-01.n4", 14.0, 1.0))
    (use,) = profile.steps
    assert (use.kind, use.wall_s, use.peak_bytes, use.voxels) == ("n4", 4.0, round(1.5 * GIB), 0)
    assert use.cpu_s is None and use.max_cpus is None
    assert CPUS_REMARK in profile.remarks
    assert profile.machine == profile.preset == ""


def test_a_look_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    """A run that is given again appends all that its nodes left."""
    looks = [("wf.n4", 10.0, 0.5), ("wf.n4", 11.0, 0.75)]
    profile = monitored(tmp_path, *looks, *looks)
    assert len(profile.entries) == 2 and len(profile.steps) == 1
    assert "of its looks 2 were there twice and count once" in profile.remarks


def test_an_execution_on_another_day_is_another_one(tmp_path: Path) -> None:
    looks = [("wf.n4", 10.0, 0.5), ("wf.n4", 40.0, 0.5), ("wf.n4", 9000.0, 1.0), ("wf.n4", 9001.0, 1.0)]
    assert [use.wall_s for use in monitored(tmp_path, *looks).steps] == [30.0, 1.0]


def test_the_nodes_of_an_iterated_node_are_several(tmp_path: Path) -> None:
    looks = [("wf.n4", 10.0, 0.5), ("wf.n4", 10.0, 1.0), ("wf.n4", 12.0, 0.5), ("wf.n4", 13.0, 1.0)]
    profile = monitored(tmp_path, *looks, mapnode=[0, 1, 0, 1])
    assert [(use.wall_s, use.peak_bytes) for use in profile.steps] == [(2.0, GIB // 2), (3.0, GIB)]


def test_arrays_without_vms_and_cpus_will_do(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(json.dumps({"name": ["a"], "time": [1], "rss_GiB": [2]}))
    assert read_profile(tmp_path / "p.json").steps[0].peak_bytes == 2 * GIB


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lobes", "lobes"),
        ("sub-01/lobes", "lobes"),
        ("wf.sub-01_ses-1_run-2.preproc.n4", "preproc.n4"),
        ("wf._sub_01.n4", "n4"),
        ("wf.deep.deeper.lobes", "lobes"),
        ("wf.subcortical.n4", "subcortical.n4"),
        ("sub-01", "sub-01"),
    ],
)
def test_a_node_is_called_what_is_left_without_workflow_and_participant(name: str, kind: str) -> None:
    assert kind_of(name, {"lobes"}) == kind
