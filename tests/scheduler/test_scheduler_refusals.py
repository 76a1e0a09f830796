"""What the scheduler refuses before anything starts, and in which words."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import budget, job

from tntpipe.errors import BudgetError, GraphError
from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.job import Job


def refusal(error, jobs, within) -> str:
    with pytest.raises(error) as caught:
        Scheduler(jobs, within)
    return str(caught.value)


def test_a_request_above_the_budget_is_refused_with_both_figures():
    assert refusal(BudgetError, [job("n4", cpus=4, gib=3), job("small")], budget(2, gib=8)) == (
        "n4 asks for 4 CPUs, 3.0 GiB, more than the whole budget of 2 CPUs, 8.0 GiB. "
        "Give the run at least 4 CPUs, 8.0 GiB."
    )


def test_a_request_as_large_as_the_budget_is_accepted():
    assert [action.name for action in Scheduler([job("all", cpus=2, gib=8)], budget(2, gib=8)).start(0.0)] == ["all"]


def test_one_message_tells_all_requests_above_the_budget():
    jobs = [job("wide", cpus=3), job("fat", gib=9), *(job(f"scan{n}", gib=20) for n in range(5))]
    message = refusal(BudgetError, jobs, budget(2, gib=8))
    assert "wide asks for 3 CPUs, 0.0 GiB" in message
    assert "fat asks for 1 CPU, 9.0 GiB" in message
    assert "scan0, scan1, scan2 and 2 more ask each for 1 CPU, 20.0 GiB" in message
    assert message.endswith("Give the run at least 3 CPUs, 20.0 GiB.")


def test_giving_what_the_refusal_asks_for_is_enough_although_it_is_rounded():
    fat = Job(name="fat", request=Resources(1, 8 * GIB + 1), wall_s=1)
    message = refusal(BudgetError, [fat], Resources(1, 8 * GIB))
    assert "asks for 1 CPU, 8.1 GiB, more than the whole budget of 1 CPU, 8.0 GiB" in message
    Scheduler([fat], Resources(1, int(8.1 * GIB)))


def test_a_repeated_name_is_refused():
    assert "2 jobs have the name a." in refusal(GraphError, [job("a"), job("b"), job("a")], budget(1))


def test_an_unknown_predecessor_is_refused():
    assert "b follows ghost, not in this run." in refusal(GraphError, [job("a"), job("b", "a", "ghost")], budget(1))


@pytest.mark.parametrize(
    ("jobs", "cycle"),
    [
        ([job("a", "a")], "a → a"),
        ([job("a", "c"), job("b", "a"), job("c", "b")], "a → b → c → a"),
        ([job("out", "a"), job("first"), job("a", "first", "b"), job("b", "a")], "a → b → a"),
    ],
)
def test_a_cycle_is_refused_by_the_names_on_it(jobs, cycle):
    assert f"Each of these comes before the next: {cycle}." in refusal(GraphError, jobs, budget(1))


def test_one_message_tells_every_kind_of_problem():
    jobs = [
        job("a", "b"),
        job("b", "a"),
        job("c", "d"),
        job("d", "c"),
        job("e"),
        job("e"),
        job("f", "x"),
        job("g", cpus=9),
    ]
    message = refusal(GraphError, jobs, budget(2))
    for part in (
        "a → b → a",
        "c → d → c",
        "2 jobs have the name e",
        "f follows x",
        "g asks for 9 CPUs",
        "at least 9 CPUs",
    ):
        assert part in message


@settings(deadline=None)
@given(st.integers(1, 8).flatmap(lambda n: st.lists(st.tuples(st.integers(1, n), st.integers(1, n)), max_size=14)))
def test_a_cycle_is_told_exactly_if_there_is_one(edges):
    """And what is told is one: each of its names follows the one before it."""
    names = {f"j{end}" for edge in edges for end in edge}
    follows = {name: tuple(f"j{before}" for before, after in edges if f"j{after}" == name) for name in names}
    reached: set[str] = set()
    while True:
        more = {name for name in names if reached.issuperset(follows[name])}
        if more == reached:
            break
        reached = more
    jobs = [job(name, *follows[name]) for name in sorted(names)]
    if reached == names:
        Scheduler(jobs, budget(1))
        return
    told = [line for line in refusal(GraphError, jobs, budget(1)).splitlines() if "comes before" in line]
    assert told
    for line in told:
        cycle = line.removeprefix("Each of these comes before the next: ").split(".")[0].split(" → ")
        assert cycle[0] == cycle[-1]
        assert all(before in follows[after] for before, after in pairwise(cycle))


@pytest.mark.parametrize("wall_s", [-1, math.inf, math.nan])
def test_an_estimate_that_is_no_duration_is_refused(wall_s):
    with pytest.raises(ValueError, match="an estimate is finite and not negative"):
        job("a", wall_s=wall_s)


@pytest.mark.parametrize("request_", [Resources(0, 0), Resources(1, -1)])
def test_a_request_for_no_cpu_or_for_negative_memory_is_refused(request_):
    with pytest.raises(ValueError, match="needs at least one CPU and no negative memory"):
        Job(name="a", request=request_, wall_s=1)
