"""Nothing that a run has started outlives it, whoever is killed and whatever session it hides in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from processes import is_alive, number_in, sentinel_of, start_run, until

from tntpipe.processes.leftovers import OWNER_VARIABLE, end_processes

FORKS = "sleep 300 & echo $! > {folder}/same_group; setsid sleep 300 & echo $! > {folder}/session; wait"
"""A child with a child in its own process group and another in a session of its own."""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run of one such step."""
    process = start_run(tmp_path, FORKS.format(folder=tmp_path))
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def grandchildren(run: subprocess.Popen[bytes], tmp_path: Path) -> list[int]:
    return [number_in(tmp_path / name) for name in ("same_group", "session")]


def none_is_alive(pids: list[int]) -> bool:
    return not any(map(is_alive, pids))


def test_grandchildren_die_when_the_run_is_killed(run: subprocess.Popen[bytes], grandchildren: list[int]) -> None:
    sentinel = sentinel_of(run)
    run.kill()
    run.wait()
    until(lambda: none_is_alive([*grandchildren, sentinel.pid]), limit_s=10)


def test_a_run_whose_sentinel_is_killed_has_another(run: subprocess.Popen[bytes], grandchildren: list[int]) -> None:
    first = sentinel_of(run)
    first.kill()
    until(lambda: not first.is_running())
    second = sentinel_of(run)
    assert second.pid != first.pid and all(map(is_alive, grandchildren))
    run.kill()
    until(lambda: none_is_alive([*grandchildren, second.pid]), limit_s=10)


def test_what_outlives_run_and_sentinel_is_ended_by_the_next_run(
    run: subprocess.Popen[bytes], grandchildren: list[int], tmp_path: Path
) -> None:
    sentinel = sentinel_of(run)
    os.kill(run.pid, signal.SIGSTOP)  # so that it starts no other
    sentinel.kill()
    run.kill()
    run.wait()
    assert is_alive(grandchildren[1])
    assert start_run(tmp_path, "echo > out").wait(30) == 0
    until(lambda: none_is_alive(grandchildren), limit_s=1)


def test_grandchildren_die_when_the_child_is_killed(
    run: subprocess.Popen[bytes], grandchildren: list[int], tmp_path: Path
) -> None:
    child = psutil.Process(grandchildren[0]).parent()
    assert child is not None and child.ppid() == run.pid
    child.kill()
    until(lambda: none_is_alive(grandchildren), limit_s=10)


def test_the_sentinel_does_not_mind_a_terminal(run: subprocess.Popen[bytes], grandchildren: list[int]) -> None:
    sentinel = sentinel_of(run)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
        until(lambda number=number: ignores(sentinel.pid, number))
        os.kill(sentinel.pid, number)
    time.sleep(0.1)
    assert sentinel.status() == "sleeping" and os.getsid(sentinel.pid) == sentinel.pid


def ignores(pid: int, number: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(mask, 16) & 1 << number - 1)


def test_a_run_that_ends_leaves_nothing_running(tmp_path: Path) -> None:
    text = f"setsid sleep 300 & echo $! > {tmp_path}/session; echo made > out"
    run = start_run(tmp_path, text)
    assert run.wait(30) == 0
    assert not is_alive(number_in(tmp_path / "session"))


def test_only_the_processes_of_the_run_or_step_that_is_named_are_ended() -> None:
    words = [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(300)"]
    processes = {
        owner: subprocess.Popen(words, env=os.environ | {OWNER_VARIABLE: owner}, stdout=subprocess.PIPE)
        for owner in ("run/a", "run/b", "run2/a")
    }
    for process in processes.values():
        assert process.stdout is not None and process.stdout.readline() == b"1\n"
        process.stdout.close()
    assert end_processes(["run/a", "no run"]) == 1
    assert processes["run/a"].wait(10) == -signal.SIGKILL
    assert processes["run/b"].poll() is None
    assert end_processes(["run"]) == 1
    assert processes["run/b"].wait(10) == -signal.SIGKILL
    assert processes["run2/a"].poll() is None
    for process in processes.values():
        process.kill()
        process.wait()
