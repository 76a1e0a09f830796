"""The child of the benchmark, and its run under tntpipe, on a small scale."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.real_children import BUDGET, COMMANDS, lower_bound_s, make_jobs, measure, tntpipe
from benchmarks.sleeping_child import TIMES_NAME
from tntpipe.formatting import MIB
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children tell their age from /proc")


def test_a_child_touches_its_memory_and_lives_for_its_time(tmp_path):
    child = subprocess.Popen((*COMMANDS["child"], str(100 * MIB), "0.5"), cwd=tmp_path)
    _, status, account = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    began, ended = (float(instant) for instant in (tmp_path / TIMES_NAME).read_text().split())
    assert child.returncode == 0
    assert ended - began >= 0.5
    assert account.ru_maxrss * 1024 > 100 * MIB


def test_a_chain_takes_at_least_its_bound():
    jobs = (
        Job(name="s/a", request=Resources(1, MIB), wall_s=0.2, group="s", kind="a"),
        Job(name="s/b", request=Resources(1, MIB), wall_s=0.2, follows=("s/a",), group="s", kind="b"),
    )
    makespan_s, call_s = measure(tntpipe, jobs, {"s/a": 0.2, "s/b": 0.2})
    assert 0.39 <= makespan_s <= call_s + 0.02


def test_the_bound_of_the_benchmark_is_at_least_the_area_of_its_cpus():
    jobs, durations = make_jobs()
    cpu_s = sum(durations[job.name] * job.request.cpus for job in jobs)
    assert lower_bound_s(jobs, durations) >= 0.999 * cpu_s / BUDGET.cpus
