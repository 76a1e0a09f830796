"""The budget: the smallest limit wins, the user's figure stands, and what is said of both."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from fake_machine import BY_DEFAULT_BYTES, FakeMachine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tntpipe.budget.find import find_budget
from tntpipe.errors import BudgetError
from tntpipe.formatting import GIB, MIB
from tntpipe.resources import Resources

figures = st.integers(1, 64)
given_or_not = st.none() | figures
rule = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def refuse(_name: str) -> int:
    raise ValueError("unrecognized configuration name")


def test_without_limits_it_is_the_machine_and_the_available_memory(machine: FakeMachine) -> None:
    budget = machine.budget()
    assert budget.resources == Resources(16, BY_DEFAULT_BYTES)
    assert str(budget) == (
        "16 CPUs (all of the machine), "
        "29.8 GiB of memory (93% of the memory that is available now; 32.0 GiB are available)"
    )
    assert budget.warnings == () and budget.notices == ()


def test_the_affinity_limits(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {3})
    budget = machine.budget()
    assert budget.cpus.amount == 1
    assert str(budget).startswith("1 CPU (the CPU affinity of this process; the machine has 16), ")


def test_a_system_without_affinity_has_the_cpus_of_the_machine(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    assert machine.budget().cpus.amount == 16


def test_the_log_says_which_limit_won_and_the_verbose_log_the_others(machine: FakeMachine) -> None:
    machine.environment["SLURM_CPUS_PER_TASK"] = "8"
    machine.groups("0::/x")
    machine.limit("x", cpu__max="1200000 100000", memory__max=29 * GIB)
    budget = machine.budget()
    assert str(budget) == (
        "8 CPUs (SLURM_CPUS_PER_TASK; the machine has 16), "
        "29.0 GiB of memory (the memory limit of cgroup /x; 32.0 GiB are available)"
    )
    assert budget.others == (
        "12 CPUs (the CPU quota of cgroup /x)",
        "16 CPUs (all of the machine)",
        "16 CPUs (the CPU affinity of this process)",
        "32.0 GiB (the memory that is available now)",
    )


def test_what_the_user_says_below_the_limits_is_used_and_nothing_is_said(machine: FakeMachine) -> None:
    budget = machine.budget(3, 1.5)
    assert budget.resources == Resources(3, 3 * GIB // 2)
    assert budget.warnings == ()
    assert str(budget) == (
        "3 CPUs (--n_proc; the machine has 16), 1.5 GiB of memory (--memory_gb; 32.0 GiB are available)"
    )


def test_exactly_what_there_is_needs_no_warning(machine: FakeMachine) -> None:
    assert machine.budget(16, 32).warnings == ()


def test_more_cpus_than_there_are_are_used_with_a_warning(machine: FakeMachine) -> None:
    machine.environment["SLURM_CPUS_PER_TASK"] = "8"
    budget = machine.budget(n_proc=16)
    assert budget.cpus.amount == 16
    assert budget.warnings == (
        "--n_proc 16 is more than the 8 CPUs that SLURM_CPUS_PER_TASK grants: 16 CPUs' worth of steps will run at a "
        "time and share 8 CPUs, so each will take up to 2.0 times as long.",
    )


def test_more_memory_than_there_is_is_used_with_a_warning(machine: FakeMachine) -> None:
    machine.groups("0::/x")
    machine.limit("x", memory__max=int(31.2 * GIB))
    budget = machine.budget(memory_gb=64)
    assert budget.mem.amount == 64 * GIB
    assert budget.warnings == (
        "--memory_gb 64 is more than the 31.2 GiB that cgroup /x allows: steps will be started up to 64 GiB, "
        "and the kernel may kill them when they really use more than 31.2 GiB.",
    )


@pytest.mark.parametrize(
    ("prepare", "clause"),
    [
        (lambda _machine: None, "the 32.0 GiB that the machine has available: "),
        (
            lambda machine: machine.limit("", memory__max=9 * GIB, memory__current=GIB),
            "the 8.0 GiB that cgroup / allows beside the 1.0 GiB in use: ",
        ),
        (lambda machine: machine.limit("", memory__high=GIB), "and the kernel will slow them down when "),
        (
            lambda machine: machine.environment.update(SLURM_MEM_PER_NODE="2048"),
            "the 2.0 GiB that SLURM_MEM_PER_NODE grants: steps will be started up to 64 GiB, and the batch system may ",
        ),
    ],
    ids=["available", "partly used", "high", "Slurm"],
)
def test_the_warning_says_who_set_the_limit_and_what_follows(
    machine: FakeMachine, prepare: Callable[[FakeMachine], None], clause: str
) -> None:
    machine.groups("0::/")
    prepare(machine)
    (warning,) = machine.budget(memory_gb=64).warnings
    assert clause in warning


@pytest.mark.parametrize(("n_proc", "words"), [(17, "up to 1.1 times"), (64, "up to 4.0 times")])
def test_the_warning_says_how_much_longer_steps_take(machine: FakeMachine, n_proc: int, words: str) -> None:
    (warning,) = machine.budget(n_proc=n_proc).warnings
    assert "the 16 CPUs that the machine has" in warning and words in warning


@rule
@given(
    by_task=given_or_not,
    slots=given_or_not,
    quota=given_or_not,
    limit_gib=given_or_not,
    slurm_gib=given_or_not,
    used_gib=st.integers(0, 64),
)
def test_the_smallest_of_all_limits_wins(
    machine: FakeMachine,
    by_task: int | None,
    slots: int | None,
    quota: int | None,
    limit_gib: int | None,
    slurm_gib: int | None,
    used_gib: int,
) -> None:
    machine.groups("0::/job")
    quota_text = "max 1000" if quota is None else f"{quota * 1000} 1000"
    memory_text = "max" if limit_gib is None else str(limit_gib * GIB)
    machine.limit("job", cpu__max=quota_text, memory__max=memory_text, memory__current=used_gib * GIB)
    variables = {
        "SLURM_CPUS_PER_TASK": by_task,
        "NSLOTS": slots,
        "SLURM_MEM_PER_NODE": slurm_gib and slurm_gib * GIB // MIB,
    }
    machine.environment = {name: str(figure) for name, figure in variables.items() if figure is not None}
    budget = machine.budget()
    assert budget.cpus.amount == min(figure for figure in (16, by_task, slots, quota) if figure is not None)
    left_gib = None if limit_gib is None else max(0, limit_gib - used_gib)
    known = [figure * GIB for figure in (left_gib, slurm_gib) if figure is not None]
    assert budget.mem.amount == min([BY_DEFAULT_BYTES, *known])
    assert budget.cpu_limits[0] is budget.cpus
    for limits in (budget.cpu_limits, budget.mem_limits):
        amounts = [limit.amount for limit in limits]
        assert amounts == sorted(amounts)


@rule
@given(n_proc=figures, memory_gb=figures, by_task=figures, slurm_gib=figures)
def test_the_users_figure_always_stands_and_warns_just_above_the_smallest(
    machine: FakeMachine, n_proc: int, memory_gb: int, by_task: int, slurm_gib: int
) -> None:
    machine.environment = {"SLURM_CPUS_PER_TASK": str(by_task), "SLURM_MEM_PER_NODE": str(slurm_gib * GIB // MIB)}
    budget = machine.budget(n_proc, memory_gb)
    assert budget.resources == Resources(n_proc, memory_gb * GIB)
    warned = [warning.split()[0] for warning in budget.warnings]
    assert ("--n_proc" in warned) == (n_proc > min(16, by_task))
    assert ("--memory_gb" in warned) == (memory_gb > min(32, slurm_gib))


def test_without_meminfo_it_is_the_memory_of_the_machine(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine.root / "proc/meminfo").unlink()
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1024**2, "SC_PAGE_SIZE": 4096}.__getitem__)
    budget = machine.budget()
    assert budget.mem.amount == 4 * GIB
    assert str(budget).endswith("4.0 GiB of memory (all of the machine)")


@pytest.mark.parametrize("text", ["", "MemTotal: 1 kB\n", "MemAvailable:", "MemAvailable: much kB\n"])
def test_a_system_that_does_not_say_its_memory_needs_to_be_told(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    machine.write("proc/meminfo", text)
    monkeypatch.setattr(os, "sysconf", refuse)
    with pytest.raises(BudgetError, match="--memory_gb"):
        machine.budget()
    budget = machine.budget(None, 2)
    assert budget.mem.amount == 2 * GIB and budget.warnings == ()


def test_the_real_machine_has_a_budget() -> None:
    assert Resources(1, 1).fits_in(find_budget(None, None).resources)
