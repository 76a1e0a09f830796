"""Grants of batch systems, by the variables that they set."""

from __future__ import annotations

import pytest
from fake_machine import BY_DEFAULT_BYTES, FakeMachine
from hypothesis import given
from hypothesis import strategies as st

from tntpipe.budget.batch import find_grants
from tntpipe.formatting import GIB, MIB

node_counts = st.lists(st.tuples(st.integers(1, 256), st.integers(1, 5)), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("variables", "cpus", "source"),
    [
        ({"SLURM_CPUS_PER_TASK": "4", "SLURM_CPUS_ON_NODE": "12"}, 4, "SLURM_CPUS_PER_TASK"),
        ({"SLURM_CPUS_ON_NODE": "12", "SLURM_JOB_CPUS_PER_NODE": "16"}, 12, "SLURM_CPUS_ON_NODE"),
        ({"SLURM_JOB_CPUS_PER_NODE": "6"}, 6, "SLURM_JOB_CPUS_PER_NODE"),
        ({"PBS_NCPUS": "3", "NCPUS": "1", "PBS_JOBID": "7"}, 3, "PBS_NCPUS"),
        ({"PBS_NUM_PPN": "8", "PBS_NP": "16"}, 8, "PBS_NUM_PPN"),
        ({"NCPUS": "5", "PBS_JOBID": "7.host"}, 5, "NCPUS"),
        ({"PBS_NP": "9"}, 9, "PBS_NP"),
        ({"NSLOTS": "2"}, 2, "NSLOTS"),
        ({"LSB_DJOB_NUMPROC": "7", "LSB_MAX_NUM_PROCESSORS": "9"}, 7, "LSB_DJOB_NUMPROC"),
        ({"LSB_MAX_NUM_PROCESSORS": "9"}, 9, "LSB_MAX_NUM_PROCESSORS"),
        ({"SLURM_CPUS_PER_TASK": " 4\n"}, 4, "SLURM_CPUS_PER_TASK"),
    ],
)
def test_the_most_exact_variable_of_a_system_is_its_grant(
    machine: FakeMachine, variables: dict[str, str], cpus: int, source: str
) -> None:
    machine.environment = variables
    budget = machine.budget()
    assert (budget.cpus.amount, budget.cpus.source) == (cpus, source)
    assert budget.notices == ()


def test_the_smallest_of_several_systems_wins(machine: FakeMachine) -> None:
    machine.environment = {"NSLOTS": "6", "SLURM_CPUS_PER_TASK": "8"}
    budget = machine.budget()
    assert [(limit.amount, limit.source) for limit in budget.cpu_limits[:2]] == [
        (6, "NSLOTS"),
        (8, "SLURM_CPUS_PER_TASK"),
    ]


def test_ncpus_outside_a_pbs_job_is_not_a_grant(machine: FakeMachine) -> None:
    machine.environment = {"NCPUS": "2"}
    assert machine.budget().cpus.amount == 16


@pytest.mark.parametrize(
    ("text", "node", "cpus"),
    [
        ("16", None, 16),
        ("72(x2),36", None, 72),
        ("72(x2),36", "0", 72),
        ("72(x2),36", "1", 72),
        ("72(x2),36", "2", 36),
        ("16(x2),8", "9", 8),
        ("4,8(x3),2", "3", 8),
        ("4,8", "x", 4),
    ],
)
def test_of_slurms_nodes_ours_counts(text: str, node: str | None, cpus: int) -> None:
    variables = {"SLURM_JOB_CPUS_PER_NODE": text} | ({} if node is None else {"SLURM_NODEID": node})
    (limit,) = find_grants(variables).cpus
    assert limit.amount == cpus


@given(node_counts, st.data())
def test_slurms_short_form_says_what_the_long_one_says(counts: list[tuple[int, int]], data: st.DataObject) -> None:
    by_node = [cpus for cpus, n_nodes in counts for _ in range(n_nodes)]
    text = ",".join(str(cpus) if n_nodes == 1 else f"{cpus}(x{n_nodes})" for cpus, n_nodes in counts)
    node = data.draw(st.integers(0, len(by_node) - 1))
    (limit,) = find_grants({"SLURM_JOB_CPUS_PER_NODE": text, "SLURM_NODEID": str(node)}).cpus
    assert limit.amount == by_node[node]


@pytest.mark.parametrize(
    ("variables", "n_bytes", "source"),
    [
        ({"SLURM_MEM_PER_NODE": "2048"}, 2 * GIB, "SLURM_MEM_PER_NODE"),
        ({"SLURM_MEM_PER_NODE": "3G"}, 3 * GIB, "SLURM_MEM_PER_NODE"),
        (
            {"SLURM_MEM_PER_CPU": "512", "SLURM_CPUS_ON_NODE": "8"},
            4 * GIB,
            "SLURM_MEM_PER_CPU times the 8 of SLURM_CPUS_ON_NODE",
        ),
        ({"PBS_RESC_MEM": str(5 * GIB)}, 5 * GIB, "PBS_RESC_MEM"),
        ({"PBS_RESC_MEM": "900mb"}, 900 * MIB, "PBS_RESC_MEM"),
        ({"PBS_RESC_MEM": "16GB"}, 16 * GIB, "PBS_RESC_MEM"),
        ({"PBS_RESC_MEM": "2147483648b"}, 2 * GIB, "PBS_RESC_MEM"),
    ],
)
def test_granted_memory_limits(machine: FakeMachine, variables: dict[str, str], n_bytes: int, source: str) -> None:
    machine.environment = variables
    budget = machine.budget()
    assert (budget.mem.amount, budget.mem.source) == (n_bytes, source)


def test_slurms_zero_is_all_the_memory(machine: FakeMachine) -> None:
    machine.environment = {"SLURM_MEM_PER_NODE": "0"}
    budget = machine.budget()
    assert budget.mem.amount == BY_DEFAULT_BYTES and budget.notices == ()


def test_memory_by_cpu_needs_the_cpus(machine: FakeMachine) -> None:
    machine.environment = {"SLURM_MEM_PER_CPU": "512"}
    budget = machine.budget()
    assert budget.mem.amount == BY_DEFAULT_BYTES
    assert "SLURM_MEM_PER_CPU" in budget.notices[0]


@pytest.mark.parametrize("text", ["many", "-4", "4.5", "0", "٤", "4 4", "9" * 5000, "16(x2),8"])
def test_a_number_of_cpus_that_cannot_be_read_is_ignored_by_name(machine: FakeMachine, text: str) -> None:
    machine.environment = {"NSLOTS": text}
    budget = machine.budget()
    assert budget.cpus.amount == 16
    assert budget.notices == (f"NSLOTS is {text!r}, which is no number of CPUs: it is ignored",)


@pytest.mark.parametrize("text", ["16(x)", "16(x2", "(x2)", "16,,8", "0(x2)", "x"])
def test_a_list_of_nodes_that_cannot_be_read_is_ignored_by_name(text: str) -> None:
    grants = find_grants({"SLURM_JOB_CPUS_PER_NODE": text})
    assert grants.cpus == () and "SLURM_JOB_CPUS_PER_NODE" in grants.notices[0] and text in grants.notices[0]


@pytest.mark.parametrize("name", ["SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU", "PBS_RESC_MEM"])
@pytest.mark.parametrize("text", ["much", "-1", "4xb", "100mw"])
def test_an_amount_of_memory_that_cannot_be_read_is_ignored_by_name(name: str, text: str) -> None:
    grants = find_grants({name: text})
    assert grants.mem == ()
    assert grants.notices == (f"{name} is {text!r}, which is no amount of memory: it is ignored",)


def test_after_a_variable_that_cannot_be_read_the_next_one_counts(machine: FakeMachine) -> None:
    machine.environment = {"SLURM_CPUS_PER_TASK": "x", "SLURM_CPUS_ON_NODE": "3"}
    budget = machine.budget()
    assert budget.cpus.amount == 3 and len(budget.notices) == 1


def test_an_empty_variable_is_none(machine: FakeMachine) -> None:
    machine.environment = {"NSLOTS": "", "SLURM_MEM_PER_NODE": " "}
    assert machine.budget().notices == ()


@given(st.dictionaries(st.sampled_from(["SLURM_JOB_CPUS_PER_NODE", "NSLOTS", "PBS_RESC_MEM"]), st.text(max_size=30)))
def test_no_text_breaks_the_reading(variables: dict[str, str]) -> None:
    grants = find_grants(variables)
    assert all(limit.amount > 0 for limit in (*grants.cpus, *grants.mem))
