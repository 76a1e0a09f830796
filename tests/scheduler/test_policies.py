"""The seam for policies: every policy keeps the scheduler's rules, and the page that shows how to write one runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import Case, Moody, budget, cases, job

from benchmarks.nipype_policy import fixed_cpus, nipype_spans
from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.first_fit import FirstFit
from tntpipe.scheduler.job import Job, State
from tntpipe.scheduler.longest_path_first import LongestPathFirst
from tntpipe.scheduler.messages import Reestimated, Rule, RuleChosen
from tntpipe.scheduler.policy import Policy
from tntpipe.scheduler.portfolio import PORTFOLIO
from tntpipe.simulation.simulator import SimulatedWorld, Span

PAGE = Path(__file__).resolve().parents[2] / "docs/policies.md"
POLICIES: tuple[Policy, ...] = (LongestPathFirst(scans_in_turn=False), *PORTFOLIO.values())


def examples() -> list[str]:
    """The page's pieces of code, a third policy and how it is compared."""
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)
    return ["\n".join(line[4:] for line in text.splitlines() if line.startswith("    ")) for text in sections[-2:]]


def played(
    jobs: Sequence[Job],
    within: Resources,
    policy: Policy,
    failures: Sequence[str] = (),
    leaders: Sequence[str] = (),
) -> tuple[Span, ...]:
    """The run under a policy, or from each decision on under the next of the ``leaders``."""
    world = SimulatedWorld({job.name: job.wall_s for job in jobs}, failures)
    moods = Moody(Rule(policy=name) for name in leaders)
    drive(Scheduler(jobs, within, policy=policy), world, adviser=moods)
    return world.trace


def test_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": __name__}
    for code in examples():
        exec(code, names)
    ratios = dict(re.findall(r"^(\w+) +(\d\.\d{3}) x the bound$", capsys.readouterr().out, re.M))
    assert list(ratios) == ["LongestPathFirst", "FirstFit", "SmallestMemoryFirst"]
    assert 1.0 <= float(ratios["LongestPathFirst"]) < float(ratios["FirstFit"])


def third() -> Policy:
    names: dict[str, Any] = {"__name__": __name__}
    exec(examples()[0], names)
    policy: Policy = names["SmallestMemoryFirst"]()
    return policy


@settings(deadline=None)
@given(
    cases(estimates="true", failing=True),
    st.sampled_from([*POLICIES, third()]),
    st.lists(st.sampled_from(["", *PORTFOLIO]), max_size=8),
)
def test_whatever_policy_leads_the_rules_hold(case: Case, policy: Policy, leaders: list[str]) -> None:
    trace = played(case.jobs, case.within, policy, tuple(case.failures), leaders)
    by_name = {span.name: span for span in trace}
    for one in case.jobs:
        if one.name in by_name:
            assert all(by_name[name].succeeded for name in one.follows)
            assert all(by_name[name].ended <= by_name[one.name].began for name in one.follows)
        else:
            assert any(name not in by_name or not by_name[name].succeeded for name in one.follows), "left out, unasked"
    for instant in {span.began for span in trace}:
        held = [span.request for span in trace if span.began <= instant < span.ended]
        assert sum(request.cpus for request in held) <= case.within.cpus
        assert sum(request.mem_bytes for request in held) <= case.within.mem_bytes


def test_first_fit_passes_by_what_does_not_fit_and_reserves_nothing_for_it() -> None:
    jobs = [job("a", wall_s=3), job("b", cpus=2), job("c", wall_s=5), job("d", wall_s=3)]
    starts = sorted((span.began, span.name) for span in played(jobs, budget(2), FirstFit()))
    assert starts == [(0, "a"), (0, "c"), (3, "d"), (6, "b")]


def test_longest_path_first_holds_room_for_what_does_not_fit() -> None:
    jobs = [job("a", wall_s=9), job("b", cpus=2, wall_s=8), job("c", wall_s=5), job("d", wall_s=9.5)]
    starts = sorted((span.began, span.name) for span in played(jobs, budget(2), LongestPathFirst()))
    assert starts == [(0, "a"), (0, "d"), (9.5, "b"), (17.5, "c")]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4), st.integers(1, 9), st.data()), min_size=1, max_size=12),
    st.integers(3, 6),
)
def test_first_fit_is_nipypes_order_where_all_ends_lie_on_its_polls(
    drawn: list[tuple[int, int, int, Any]], cpus: int
) -> None:
    """With one more GiB than can be asked for, so that its stop below 0.01 GB never matters."""
    jobs: list[Job] = []
    for number, (wide, gib, wall_s, data) in enumerate(drawn):
        names = [one.name for one in jobs]
        follows = data.draw(st.lists(st.sampled_from(names), max_size=2, unique=True)) if names else []
        jobs.append(job(f"j{number:02}", *follows, cpus=wide, gib=gib, wall_s=wall_s))
    within = Resources(cpus, 4 * cpus * GIB + GIB)
    durations = {one.name: one.wall_s for one in jobs}
    wanted = nipype_spans(jobs, durations, within, lambda one: one.request.cpus, 1.0)
    assert fixed_cpus(1)(jobs[0]) == jobs[0].request.cpus
    trace = played(jobs, within, FirstFit())
    assert sorted((span.began, span.name) for span in trace) == sorted((span.began, span.name) for span in wanted)


def test_forks_and_corrections_keep_the_policy() -> None:
    jobs = [job("a", wall_s=1), job("b", wall_s=9), job("c", wall_s=5)]
    scheduler = Scheduler(jobs, budget(1), policy=FirstFit())
    fork = scheduler.fork()
    assert [action.name for action in fork.start(0)] == ["a"], "the longest path would begin with b"
    scheduler.handle([Reestimated(jobs=(job("c", wall_s=99), job("b", wall_s=1, gib=2)))], 0)
    assert scheduler.state("a") is State.RUNNING and scheduler.queue(2) == ("b", "c")


def test_jobs_of_much_memory_leave_half_of_it_to_others_where_one_runs_at_a_time() -> None:
    jobs = [job("a", gib=4, wall_s=9), job("b", gib=4, wall_s=9), job("c", gib=1, wall_s=5), job("d", gib=1, wall_s=4)]
    within = budget(4, gib=8)
    together, in_turn = (
        sorted((span.began, span.name) for span in played(jobs, within, LongestPathFirst(large_share=share)))
        for share in (1.0, 0.5)
    )
    assert together == [(0, "a"), (0, "b"), (9, "c"), (9, "d")]
    assert in_turn == [(0, "a"), (0, "c"), (0, "d"), (9, "b")]


def test_a_job_of_more_than_half_the_memory_runs_all_the_same_where_one_runs_at_a_time() -> None:
    jobs = [job("a", gib=6, wall_s=9), job("b", gib=6, wall_s=9)]
    trace = played(jobs, budget(4, gib=8), LongestPathFirst(large_share=0.5))
    assert [span.began for span in trace] == [0, 9]


def test_another_policy_leads_from_the_moment_that_it_is_chosen_and_forks_follow_it() -> None:
    jobs = [job("a", wall_s=1), job("b", wall_s=9), job("c", wall_s=5), job("d", gib=9, wall_s=2)]
    scheduler = Scheduler(jobs, budget(1))
    assert [action.name for action in scheduler.start(0)] == ["b"]
    scheduler.handle([RuleChosen(rule=Rule(policy="first fit in topological order"))], 1)
    assert scheduler.queue(3) == scheduler.fork().queue(3) == ("a", "c", "d")
    scheduler.handle([RuleChosen(rule=Rule(policy="most memory first"))], 2)
    assert scheduler.queue(3) == scheduler.fork().queue(3) == ("d", "c", "a")
    scheduler.handle([RuleChosen(rule=Rule())], 3)
    assert scheduler.queue(3) == ("c", "d", "a")
