"""Traces as jobs: a small one written by hand, and the five in the repository against their README."""

from __future__ import annotations

import json

import pytest

from benchmarks.wfcommons import TRACES, copies, read_trace
from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.job import Job


def test_specification_and_execution_are_joined_by_id(tmp_path):
    specified = [
        {"id": "a_1", "name": "a_ID01", "parents": [], "children": ["b_2", "c_3"]},
        {"id": "b_2", "name": "b", "parents": ["a_1"], "children": []},
        {"id": "c_3", "name": "c", "parents": ["a_1"], "children": []},
    ]
    executed = [
        {"id": "b_2", "runtimeInSeconds": 0.0, "avgCPU": 350.0, "memoryInBytes": 0},
        {"id": "a_1", "runtimeInSeconds": 7.5, "coreCount": 3, "memoryInBytes": 1000},
    ]
    workflow = {"specification": {"tasks": specified}, "execution": {"tasks": executed}}
    path = tmp_path / "trace.json"
    path.write_text(json.dumps({"schemaVersion": "1.5", "workflow": workflow}))
    assert read_trace(path) == (
        Job(name="a_1", request=Resources(3, 1000), wall_s=7.5, kind="a"),
        Job(name="b_2", request=Resources(1, 0), wall_s=0.05, follows=("a_1",), kind="b"),
        Job(name="c_3", request=Resources(1, 0), wall_s=0.05, follows=("a_1",), kind="c"),
    )


@pytest.mark.parametrize(
    ("name", "n_tasks", "n_with_memory", "max_gib"),
    [
        ("bacass-dirt02-001", 11, 11, 1.04),
        ("rnaseq-dirt02-001", 197, 193, 2.23),
        ("blast-chameleon-large-001", 103, 103, 1.17),
        ("srasearch-chameleon-20a-001", 42, 42, 0.38),
        ("montage-chameleon-2mass-01d-001", 103, 103, 0.13),
        ("bwa-chameleon-small-001", 104, 104, 0.14),
        ("taxprofiler-dirt02-001", 127, 124, 3.00),
    ],
)
def test_the_traces_are_what_their_readme_says(name, n_tasks, n_with_memory, max_gib):
    jobs = read_trace(TRACES / f"{name}.json")
    assert len(jobs) == n_tasks
    assert sum(job.request.mem_bytes > 0 for job in jobs) == n_with_memory
    assert max(job.request.mem_bytes for job in jobs) / GIB == pytest.approx(max_gib, abs=0.005)
    assert {job.request.cpus for job in jobs} == {1}
    Scheduler(jobs, Resources(1, 4 * GIB))


def test_copies_follow_only_their_own():
    jobs = (
        Job(name="a", request=Resources(1, 5), wall_s=1.0),
        Job(name="b", request=Resources(2, 0), wall_s=2.0, follows=("a",)),
    )
    made = copies(jobs, 2)
    assert [(job.name, job.follows, job.group) for job in made] == [
        ("000/a", (), "000"),
        ("000/b", ("000/a",), "000"),
        ("001/a", (), "001"),
        ("001/b", ("001/a",), "001"),
    ]
    assert made[3].request == Resources(2, 0)
