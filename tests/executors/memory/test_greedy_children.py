"""Real children that take more memory than they asked for: the machine survives, and every step completes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tntpipe
from tntpipe.formatting import MIB

PROGRAM = Path(__file__).with_name("greedy_run.py")
ROOT = Path(tntpipe.__file__).parents[1]
CGROUPS = Path("/sys/fs/cgroup")


def run(folder: Path, *numbers: int, cgroup: Path | None = None) -> dict[str, Any]:
    words = [sys.executable, str(PROGRAM), str(folder), *map(str, numbers), *([str(cgroup)] if cgroup else [])]
    ended = subprocess.run(
        words,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        timeout=120,
        check=True,
    )
    said: dict[str, Any] = json.loads(ended.stdout)
    return said


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """A control group with a limit of 400 MiB, of either version."""
    is_v2 = (CGROUPS / "cgroup.controllers").exists()
    folder = (CGROUPS if is_v2 else CGROUPS / "memory") / f"tntpipe-test-{os.getpid()}"
    try:
        folder.mkdir()
        if is_v2:
            (folder / "memory.max").write_text(str(400 * MIB))
            (folder / "memory.swap.max").write_text("0")
        else:
            (folder / "memory.limit_in_bytes").write_text(str(400 * MIB))
    except OSError as error:
        if folder.exists():
            folder.rmdir()
        pytest.skip(f"no control group can be made here: {error}")
    yield folder
    folder.rmdir()


def oom_kills(cgroup: Path) -> int:
    name = "memory.events" if (cgroup / "memory.events").exists() else "memory.oom_control"
    words = dict(line.split() for line in (cgroup / name).read_text().splitlines())
    return int(words["oom_kill"])


def test_eight_children_that_take_three_times_their_request_all_complete(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; x = bytearray(2**27); time.sleep(99)"])
    try:
        said = run(tmp_path, 8, 96, 32, 400)
        assert bystander.poll() is None, "nothing else is killed"
    finally:
        bystander.kill()
        bystander.wait()
    assert list(said["outcomes"].values()) == ["done"] * 8
    assert said["retried"] and {cause for _, cause, _ in said["retried"]} == {
        "stopped, so that the machine keeps memory"
    }
    assert said["most_used_mib"] < 600, "eight would take 840"


def test_with_the_watchdog_on_the_limit_of_a_control_group_the_kernel_kills_nobody(
    tmp_path: Path, cgroup: Path
) -> None:
    said = run(tmp_path, 8, 96, 32, 300, cgroup=cgroup)
    assert list(said["outcomes"].values()) == ["done"] * 8
    assert oom_kills(cgroup) == 0


def test_children_that_the_kernel_kills_are_run_again_with_more_and_complete(tmp_path: Path, cgroup: Path) -> None:
    """The budget lies: it is more than the control group admits."""
    said = run(tmp_path, 4, 120, 200, 900, cgroup=cgroup)
    assert oom_kills(cgroup) > 0 and len(said["retried"]) >= 1
    assert all("the kernel killed it because memory ran out" in message for _, _, message in said["retried"])
    assert list(said["outcomes"].values()) == ["done"] * 4


def test_a_child_that_needs_more_than_the_whole_budget_fails_with_the_figures(tmp_path: Path) -> None:
    said = run(tmp_path, 1, 300, 64, 128)
    assert list(said["outcomes"].values()) == ["failed"]
    assert "more than the whole budget of 0.12 GiB" in said["messages"][0] and "--memory_gb" in said["messages"][0]
