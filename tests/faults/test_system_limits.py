"""Limits of open files and of processes: what cannot be started fails in words, and the rest goes on."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from fake_ants import Place, write_programs, write_scans
from processes import Steps, run_steps

N_STEPS = 30
STEPS: Steps = [((f"s/{number}", "echo > out; exec sleep 1"), {}) for number in range(N_STEPS)]

AS_SOMEBODY = (
    *("setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", "--bounding-set=-sys_resource,-sys_admin"),
    *("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"),
)
"""Root's processes are not counted: as a user without a name, who may read what root may."""


def outcomes(ended: dict[str, list[str]]) -> Counter[str]:
    return Counter(outcome for outcome, _ in ended.values())


def test_steps_beyond_the_limit_of_open_files_fail_and_a_later_run_does_those_alone(tmp_path: Path) -> None:
    limited = run_steps(tmp_path, STEPS, cpus=N_STEPS, prefix=("prlimit", "--nofile=24"))
    assert outcomes(limited).keys() == {"done", "failed"}
    said = {message for outcome, message in limited.values() if outcome == "failed"}
    assert all("Too many open files. Raise the limit of open files (ulimit -n), or let fewer" in text for text in said)
    again = run_steps(tmp_path, STEPS, cpus=N_STEPS)
    assert outcomes(again) == {"done": outcomes(limited)["failed"], "reused": outcomes(limited)["done"]}


def test_steps_beyond_the_limit_of_processes_fail_and_a_later_run_does_those_alone(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("processes of one user are limited together: it takes root to become a user with no others")
    tmp_path.chmod(0o777)
    prefix = ("prlimit", "--nproc=20", *AS_SOMEBODY)
    limited = run_steps(tmp_path, STEPS, cpus=N_STEPS, prefix=prefix)
    assert outcomes(limited).keys() == {"done", "failed"}
    said = {message for outcome, message in limited.values() if outcome == "failed"}
    assert all("Raise the limit of processes (ulimit -u), or let fewer steps run at a time" in text for text in said)
    again = run_steps(tmp_path, STEPS, cpus=N_STEPS, prefix=AS_SOMEBODY)
    assert outcomes(again) == {"done": outcomes(limited)["failed"], "reused": outcomes(limited)["done"]}


def test_no_room_for_a_thread_before_the_run_is_no_bug(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("processes of one user are limited together: it takes root to become a user with no others")
    tmp_path.chmod(0o777)
    write_scans(tmp_path / "bids", "01")
    write_programs(tmp_path / "ants", "exit 3")
    place = Place(tmp_path)
    run = place.start(prefix=("prlimit", "--nproc=1", *AS_SOMEBODY))
    assert run.status() == 74
    assert run.said.startswith("tntpipe: ") and "Raise the limit of processes (ulimit -u)" in run.said
    place.close()


def test_a_command_with_64_open_files_at_most_runs_as_any_other(tmp_path: Path) -> None:
    write_scans(tmp_path / "bids", "01", "02")
    write_programs(tmp_path / "ants", "exit 3")
    place = Place(tmp_path)
    run = place.start("--n_proc", "16", prefix=("prlimit", "--nofile=64"))
    assert run.status() == 1
    assert "bias_field failed: exit status 3" in run.said and "open files" not in run.said
    place.close()
