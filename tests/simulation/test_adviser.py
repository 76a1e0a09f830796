"""The adviser looks ahead on copies, says the same each time, and never keeps a job waiting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

import pytest
from begun_schedules import begun, goes_on
from hypothesis import given, settings
from moldable_cases import Told, cohorts, moldable
from virtual_time import budget, job, one_large_of_each, play, total

from benchmarks.nipype_policy import fixed_cpus, nipype_spans
from benchmarks.wfcommons import TRACES, read_trace
from tntpipe.planning.bounds.lower_bounds import lower_bound
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Ended, Event, Launch, Rule, RuleChosen, Stop
from tntpipe.scheduler.portfolio import PORTFOLIO
from tntpipe.simulation import adviser as adviser_module
from tntpipe.simulation.adviser import Adviser
from tntpipe.simulation.rest_of_run import SLICE_ENDS
from tntpipe.simulation.simulator import SimulatedWorld

rule = settings(max_examples=15, deadline=None, derandomize=True)


@pytest.fixture(scope="module", autouse=True)
def quick_thoughts() -> Iterator[None]:
    """Fewer simulated ends in a round than in real runs; the rules are the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adviser_module, "MOST_ENDS", 300)
        patch.setattr(adviser_module, "ROUND", 0.3)
        yield


@rule
@given(cohorts(failing=True, interrupted=True, most=5))
def test_with_an_adviser_budgets_and_precedence_hold_and_all_is_done(case):
    told = Told(case, Adviser())
    for decision in told.decisions:
        used = total(decision.held.values())
        assert used.fits_in(case.within)
        assert decision.free == case.within - used
        for launch in decision.launched:
            assert decision.succeeded.issuperset(told.jobs[launch.name].follows)
            assert launch.request.cpus in told.choices(launch.name)
    launched = [name for _, name in told.story.starts]
    assert len(launched) == len(set(launched))
    assert told.story.scheduler.finished
    assert told.story.scheduler.free == case.within


@rule
@given(cohorts(most=5))
def test_what_is_advised_is_a_rule_within_its_limits_and_the_same_each_time(case):
    stories = [play(*case, adviser=Adviser()) for _ in range(2)]
    assert stories[0].happenings == stories[1].happenings
    for _, what in stories[0].happenings:
        if isinstance(what, RuleChosen):
            assert 0.5 <= what.rule.slack <= 2
            assert 0.5 <= what.rule.large_factor <= 2
            assert what.rule.fixed_cpus is None or what.rule.fixed_cpus >= 1


@rule
@given(cohorts(estimates="exact", most=5))
def test_with_an_adviser_the_lower_bound_is_not_beaten(case):
    assert lower_bound(case.jobs, case.within).seconds <= play(*case, adviser=Adviser()).makespan_s


@rule
@given(cohorts(failing=True, most=5))
def test_thinking_changes_nothing_of_the_scheduler(case):
    for n_events in (0, 3):
        untouched, now = begun(case, n_events)
        scheduler, _ = begun(case, n_events)
        advice = [list(Adviser().consider(scheduler, now)) for _ in range(2)]
        assert advice[0] == advice[1]
        assert list(goes_on(scheduler, case, now)) == list(goes_on(untouched, case, now))


def wide_jobs(n_scans: int) -> list[Job]:
    """Scans of a short job and one that may have more CPUs."""
    return [
        each
        for scan in map(str, range(n_scans))
        for each in (
            job(f"head{scan}", wall_s=9),
            moldable(f"wide{scan}", f"head{scan}", most=8, wall_s=40 + 7 * int(scan), a=0.1, of=scan),
        )
    ]


class CountingScheduler(Scheduler):
    """Counts what its copies are told."""

    n_told = 0

    def fork(self) -> Scheduler:
        other = super().fork()
        other.__class__ = CountingScheduler
        return other

    def handle(self, events, now):
        CountingScheduler.n_told += 1
        return super().handle(events, now)


@pytest.mark.parametrize("n_scans", [3, 9, 30])
def test_no_slice_of_thinking_is_longer_than_it_says_however_few_jobs_are_left(n_scans):
    scheduler = CountingScheduler(wide_jobs(n_scans), budget(16 if n_scans < 20 else 60))
    scheduler.start(0.0)
    CountingScheduler.n_told, slices = 0, []
    for _ in Adviser().consider(scheduler, 0.0):
        slices.append(CountingScheduler.n_told)
        CountingScheduler.n_told = 0
    assert len(slices) > 3
    assert max(slices) <= SLICE_ENDS + 1


SLICE_S = 0.25


class BusyWorld:
    """A world in which each slice of thinking takes a while, and jobs go on meanwhile."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.clock, self.n_slices = 0.0, 0
        self._jobs = {job.name: job for job in jobs}
        self._ends: list[tuple[float, str]] = []
        self.delays_s: list[float] = []

    def now(self) -> float:
        return self.clock

    def launch(self, action: Launch) -> None:
        heappush(self._ends, (self.clock + self._jobs[action.name].wall_s_at(action.request.cpus), action.name))

    def stop(self, action: Stop) -> None:
        raise AssertionError("nobody interrupts")

    def wait(self, *, block: bool = True) -> Sequence[Event]:
        self.n_slices += not block
        self.clock = max(self.clock, self._ends[0][0]) if block else self.clock + SLICE_S
        events = []
        while self._ends and self._ends[0][0] <= self.clock:
            ended, name = heappop(self._ends)
            self.delays_s.append(self.clock - ended)
            events.append(Ended(name=name, succeeded=True))
        return events


def test_what_happens_while_it_thinks_is_handled_before_it_thinks_on():
    jobs = [*wide_jobs(9), *(job(f"short{n}", wall_s=1) for n in range(8)), job("next", "short0", wall_s=1)]
    world, happenings = BusyWorld(jobs), []
    drive(
        Scheduler(jobs, budget(16), Rule(fixed_cpus=1)),
        world,
        lambda now, what: happenings.append((now, world.n_slices, what)),
        Adviser(),
    )
    assert world.n_slices > 20
    assert max(world.delays_s) <= SLICE_S
    assert RuleChosen in {type(what) for *_, what in happenings}
    ended = next(when for *when, what in happenings if what == Ended(name="short0", succeeded=True))
    assert ended in [when for *when, what in happenings if isinstance(what, Launch) and what.name == "next"]


def test_nothing_is_advised_where_nothing_can_be_chosen():
    scheduler = Scheduler([job("a"), job("b", "a")], budget(4))
    scheduler.start(0.0)
    assert set(Adviser().consider(scheduler, 0.0)) == {None}


def test_the_policy_that_ends_first_leads_from_the_first_decision_on():
    jobs = one_large_of_each(4)
    alone_s = {name: play(jobs, budget(5, gib=8), rule=Rule(policy=name)).makespan_s for name in PORTFOLIO}
    story = play(jobs, budget(5, gib=8), adviser=Adviser())
    assert min(alone_s.values()) < 0.9 * alone_s["longest path first"], "there is something to gain"
    assert story.makespan_s <= min(alone_s.values())
    when, first = story.happenings[0]
    assert (when, type(first)) == (0, RuleChosen) and alone_s[first.rule.policy] == min(alone_s.values())


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.json")), ids=lambda path: path.stem.split("-")[0])
def test_on_public_workflows_no_policy_of_the_portfolio_is_better_by_one_per_cent(path, monkeypatch):
    monkeypatch.undo()  # as much thinking as in real runs
    jobs = read_trace(path)
    times = {one.name: one.wall_s for one in jobs}
    within = Resources(8, 2 * max(one.request.mem_bytes for one in jobs))

    def makespan_s(adviser: Adviser | None = None, policy: str = "") -> float:
        world = SimulatedWorld(times)
        drive(Scheduler(jobs, within, Rule(policy=policy)), world, adviser=adviser)
        return max(span.ended for span in world.trace)

    nipype_s = max(span.ended for span in nipype_spans(jobs, times, within, fixed_cpus(1), 0.001))
    assert makespan_s(Adviser()) <= 1.01 * min(nipype_s, *(makespan_s(policy=name) for name in PORTFOLIO))


def test_a_failure_or_a_retry_has_it_look_ahead_again_soon_but_not_at_once():
    jobs = [job(f"{n:02}", wall_s=100) for n in range(40)]
    scheduler, adviser = Scheduler(jobs, budget(4)), Adviser()
    scheduler.start(0.0)
    list(adviser.consider(scheduler, 0.0))
    assert not list(adviser.consider(scheduler, 50.0)), "a round is a tenth of the 1000 s that are left"
    scheduler.handle([Ended(name="00", succeeded=False)], 20.0)
    assert not list(adviser.consider(scheduler, 20.0))
    assert list(adviser.consider(scheduler, 50.0))


def test_a_better_rule_is_found_and_ends_the_run_earlier():
    jobs = wide_jobs(3)
    alone, advised = (play(jobs, budget(8), rule=Rule(fixed_cpus=1), adviser=who) for who in (None, Adviser()))
    assert alone.makespan_s == pytest.approx(9 + 54)
    assert advised.makespan_s < 45
