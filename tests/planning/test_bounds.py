"""The lower bound: terms worked by hand, each where it alone is tight; and no schedule that beats it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import budget, cases, job, play

from tntpipe.formatting import GIB
from tntpipe.planning.bounds.dual_feasible import DualFeasible, Fitted, Rounded, best_functions
from tntpipe.planning.bounds.fitting import fitted
from tntpipe.planning.bounds.lower_bounds import LowerBound, Term, lower_bound
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job

rule = settings(max_examples=100, deadline=None)

UNEVEN_S = (5, 4, 3, 2, 2)
"""On two lanes 5 + 3 and 4 + 2 + 2: 8 s. By pigeonholes 7 s at most: 4 + 3, or 3 + 2 + 2."""


def moldable(
    name: str, *follows: str, wall_s: float, max_cpus: int, overhead: float = 0.5, gib: int = 0, cpus: int = 1
):
    return Job(
        name=name,
        request=Resources(cpus, gib * GIB),
        wall_s=wall_s,
        follows=follows,
        max_cpus=max_cpus,
        thread_overhead=overhead,
    )


def makespan_of(order: Sequence[Job], cpus_of: Mapping[str, int], within: Resources) -> float:
    """Start each job, in this order, as soon as those it follows have ended and it fits until its end."""
    placed: dict[str, tuple[float, float, Resources]] = {}
    for each in order:
        wall_s = each.wall_s_at(cpus_of[each.name])
        request = Resources(cpus_of[each.name], each.request.mem_bytes)
        ready = max((placed[name][1] for name in each.follows if name in placed), default=0.0)
        for start in sorted({ready, *(end for _, end, _ in placed.values() if end > ready)}):
            instants = {start, *(began for began, _, _ in placed.values() if start < began < start + wall_s)}
            if not wall_s or all(
                sum((used for began, end, used in placed.values() if began <= instant < end), request).fits_in(within)
                for instant in instants
            ):
                placed[each.name] = (start, start + wall_s, request)
                break
    return max(end for _, end, _ in placed.values())


@st.composite
def moldable_cases(draw, n_most: int) -> tuple[list[Job], Resources]:
    """Jobs in an order in which they can run, and a budget in which each fits."""
    within = budget(draw(st.integers(1, 8)), draw(st.integers(0, 10)))
    gib = within.mem_bytes // GIB
    jobs: list[Job] = []
    for number in range(draw(st.integers(1, n_most))):
        names = [each.name for each in jobs]
        jobs.append(
            moldable(
                f"j{number}",
                *(draw(st.lists(st.sampled_from([*names, "gone"]), max_size=2, unique=True))),
                wall_s=draw(st.integers(0, 9) | st.floats(0, 9)),
                cpus=draw(st.just(1) | st.integers(1, within.cpus)),
                max_cpus=draw(st.integers(1, 10)),
                overhead=draw(st.sampled_from([0.0, 0.08, 0.5, 1.0])),
                gib=draw(st.integers(0, gib)),
            )
        )
    return jobs, within


def orders_of(jobs: Sequence[Job]) -> list[tuple[Job, ...]]:
    def can_run(order: Sequence[Job]) -> bool:
        names = [each.name for each in order]
        return all(name not in names[rank:] for rank, each in enumerate(order) for name in each.follows)

    return [order for order in itertools.permutations(jobs) if can_run(order)]


def choices_of(each: Job, within: Resources) -> list[int]:
    return [cpus for cpus in each.cpu_choices if cpus <= within.cpus]


def is_bound(found: LowerBound, seconds: float, term: Term) -> bool:
    return found.seconds == pytest.approx(seconds, rel=1e-8) and found.seconds <= seconds and found.term is term


def test_jobs_in_turn_take_their_sum():
    found = lower_bound([job("a", wall_s=2), job("b", "a", wall_s=3), job("c", "b", wall_s=4)], budget(8))
    assert is_bound(found, 9, Term.CRITICAL_PATH)
    assert found.critical_path_s == found.seconds


def test_a_chain_is_as_short_as_the_budget_lets_its_jobs_be():
    jobs = [moldable("a", wall_s=8, max_cpus=8, overhead=0), moldable("b", "a", wall_s=4, max_cpus=1)]
    assert lower_bound(jobs, budget(4)).critical_path_s == pytest.approx(8 / 4 + 4)


def test_cpus_can_be_what_is_short():
    jobs = [job(f"j{rank}", wall_s=wall_s) for rank, wall_s in enumerate(UNEVEN_S)]
    assert is_bound(lower_bound(jobs, budget(2)), 8, Term.CPU_AREA)


def test_memory_can_be_what_is_short():
    jobs = [job(f"j{rank}", wall_s=wall_s, gib=2) for rank, wall_s in enumerate(UNEVEN_S)]
    assert is_bound(lower_bound(jobs, budget(8, 4)), 8, Term.MEMORY_AREA)


def test_what_comes_before_and_after_all_others_is_added():
    middle = [job(f"j{rank}", "first", wall_s=wall_s) for rank, wall_s in enumerate(UNEVEN_S)]
    last = job("last", *(each.name for each in middle), wall_s=7)
    found = lower_bound([job("first", wall_s=10), *middle, last], budget(2))
    assert found.seconds == pytest.approx(10 + 8 + 7)


def test_two_stages_with_a_gate_between_add_up():
    stages = [
        [job(f"{stage}{rank}", *gate, wall_s=5) for rank in range(4)] for stage, gate in (("a", ()), ("b", ("g",)))
    ]
    gate = job("g", *(each.name for each in stages[0]), wall_s=1)
    assert lower_bound([*stages[0], gate, *stages[1]], budget(2)).seconds == pytest.approx(10 + 1 + 10)


def test_of_three_jobs_that_need_two_fifths_of_the_memory_two_run_together():
    found = lower_bound([job(name, gib=4, wall_s=10) for name in "abc"], budget(8, 10))
    assert is_bound(found, 20, Term.MEMORY_SLOTS)
    assert (found.n_jobs, found.n_at_once) == (3, 2)


def test_of_nine_single_cpu_jobs_one_runs_after_another_of_eight_cpus():
    assert is_bound(lower_bound([job(name, wall_s=10) for name in "abcdefghi"], budget(8)), 20, Term.CPU_SLOTS)


def test_jobs_that_take_five_of_eight_cpus_run_in_turn():
    assert is_bound(lower_bound([job(name, cpus=5, wall_s=10) for name in "abc"], budget(8)), 30, Term.CPU_AREA)


def test_sizes_that_combine_badly_are_counted_by_what_fits_beside_them():
    """In 14 GiB 8 + 4 fit, 8 + 3 + 3, 4 + 4 + 4, and 4 + 4 + 3 + 3: blocks of 2/3, 1/3 and 1/6.

    12 s of 8, 24 s of 4 and 12 s of 3 need 8 + 8 + 2 = 18 s: 8 + 4 for 12 s, then 4 + 4 + 3 + 3 for 6 s.
    """
    walls_s = {8: (6, 6), 4: (7, 5, 6, 6), 3: (6, 6)}
    jobs = [job(f"{gib}-{rank}", gib=gib, wall_s=s) for gib, each in walls_s.items() for rank, s in enumerate(each)]
    found = lower_bound(jobs, budget(14, 14))
    assert is_bound(found, 18, Term.MEMORY_AREA)
    assert isinstance(found.memory_function, Fitted)


def test_a_moldable_job_counts_with_the_cpus_at_which_it_counts_least():
    """On one CPU 10 CPU-seconds, on two 2 x 7.5 = 15; two at a time on one CPU each is best."""
    jobs = [moldable(name, wall_s=10, max_cpus=2) for name in "abcd"]
    assert lower_bound(jobs, budget(2)).seconds == pytest.approx(20)


def test_cpus_and_memory_together_can_say_more_than_each_alone():
    """Each job takes 10 s on one CPU or 7.5 s on two, and a third of the memory.

    Shares of 4 CPUs and of memory: 2.5 s and 3.33 s, or 3.75 s and 2.5 s. Each resource alone gives 2.5 s a job. With
    the weight 0.6 on memory both choices give 3 s: two jobs on one CPU beside one on two do 20 jobs in 60 s.
    """
    found = lower_bound([moldable(f"j{rank}", wall_s=10, max_cpus=2, gib=1) for rank in range(20)], budget(4, 3))
    assert found.term is Term.MIXED_AREA
    assert found.memory_weight == pytest.approx(0.6, abs=0.01)
    assert 59.8 < found.seconds <= 60


def test_a_chain_made_short_takes_more_of_the_cpus():
    """Two jobs of 10, 7.5, 6.67 or 6.25 s on 1 to 4 of 4 CPUs: alone 6.25 s, by area 5 s; both on two CPUs 7.5 s."""
    found = lower_bound([moldable(name, wall_s=10, max_cpus=4) for name in "ab"], budget(4))
    assert found.term is Term.ALLOTMENT
    assert 7.45 < found.seconds <= 7.5


def test_jobs_that_ended_before_do_not_count():
    assert lower_bound([job("b", "a", wall_s=3)], budget(1)).seconds == pytest.approx(3)


@pytest.mark.parametrize("jobs", [[], [job("a", wall_s=0)], [job("a", wall_s=0), job("b", "a", gib=1, wall_s=0)]])
def test_nothing_to_do_takes_no_time(jobs):
    assert lower_bound(jobs, budget(1, 1)).seconds == 0


def test_a_budget_without_memory_bounds_jobs_without_memory():
    assert lower_bound([job("a", wall_s=2), job("b", wall_s=2)], budget(1, 0)).seconds == pytest.approx(4)


@pytest.mark.parametrize(
    ("jobs", "fact"),
    [
        ([job("a", cpus=3)], "a asks for 3 CPUs"),
        ([job("a", gib=9)], "9.0 GiB, more than the whole budget"),
        ([job("a"), job("a")], "same name"),
        ([job("a", "b"), job("b", "a")], "cycle"),
    ],
)
def test_jobs_that_cannot_run_have_no_bound(jobs, fact):
    with pytest.raises(ValueError, match=fact):
        lower_bound(jobs, budget(2, 8))


def test_the_bound_says_in_a_sentence_what_it_is():
    middle = [job(f"j{rank}", "first", wall_s=60 * wall_s) for rank, wall_s in enumerate(UNEVEN_S)]
    found = lower_bound([job("first", wall_s=70), *middle], budget(2))
    assert str(found) == "the CPUs: 8:00 of work on 2 CPUs, after 1:10 of what must come first"
    together = lower_bound([job(name, gib=4, wall_s=10) for name in "abc"], budget(8, 10))
    assert str(together) == "the memory: 0:20 for 3 jobs of which 2 fit at once"
    alone = replace(together, n_at_once=1, head_s=1.0, tail_s=2.0)
    assert str(alone) == (
        "the memory: 0:17 for 3 jobs of which 1 fits at once, "
        "after 0:01 of what must come first and before 0:02 of what must come last"
    )


@pytest.mark.parametrize("term", Term)
def test_every_term_has_a_sentence(term):
    assert str(LowerBound(seconds=5, critical_path_s=1, budget=budget(1), term=term, tail_s=2)).count("0:0") >= 1


def test_jobs_that_count_in_one_term_do_not_decide_how_many_others_run_at_once():
    """Three of 5 CPUs run in turn after the first, and three of 1 CPU beside them: 1 + 3 x 10 s."""
    wide = [job(f"w{rank}", "first", cpus=5, gib=3, wall_s=10) for rank in range(3)]
    narrow = [job(f"n{rank}", gib=3, wall_s=10) for rank in range(3)]
    found = lower_bound([job("first", wall_s=1), *wide, *narrow], budget(8, 10))
    assert is_bound(found, 31, Term.CPU_AREA)


@rule
@given(cases())
def test_the_scheduler_does_not_beat_the_bound(case):
    story = play(case.jobs, case.within)
    assert lower_bound(case.jobs, case.within).seconds <= max(when for when, _ in story.happenings)


@settings(max_examples=300, deadline=None)
@given(moldable_cases(n_most=12), st.randoms(use_true_random=False))
def test_no_list_schedule_with_any_cpus_beats_the_bound(case, chance: random.Random):
    jobs, within = case
    found = lower_bound(jobs, within)
    for _ in range(5):
        order, waiting = [], list(jobs)
        while waiting:
            behind = {each.name for each in waiting}
            order.append(chance.choice([each for each in waiting if behind.isdisjoint(each.follows)]))
            waiting.remove(order[-1])
        cpus_of = {each.name: chance.choice(choices_of(each, within)) for each in jobs}
        assert found.seconds <= makespan_of(order, cpus_of, within)


def boxes(
    chance: random.Random, start_s: float, wall_s: float, room: Resources, depth: int
) -> list[tuple[float, float, Resources]]:
    """Cut a box of time, CPUs and memory into smaller ones: a schedule without gaps."""
    way = chance.choice(["time", "room", "room", "whole"][: 4 if depth < 4 else 3])
    if not depth or way == "whole" or (way == "room" and room.cpus < 2):
        return [(start_s, wall_s, room)]
    if way == "time":
        first_s = wall_s * chance.choice([0.5, 0.25, 0.37])
        return boxes(chance, start_s, first_s, room, depth - 1) + boxes(
            chance, start_s + first_s, wall_s - first_s, room, depth - 1
        )
    part = Resources(
        chance.randint(1, room.cpus - 1), chance.choice([room.mem_bytes // 2, chance.randint(0, room.mem_bytes)])
    )
    return boxes(chance, start_s, wall_s, part, depth - 1) + boxes(chance, start_s, wall_s, room - part, depth - 1)


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_schedule_without_gaps_is_not_beaten(chance: random.Random):
    within = Resources(chance.choice([2, 4, 8, 13]), chance.choice([0, 10, 16 * GIB]))
    cut = boxes(chance, 0.0, 100.0, within, chance.randint(1, 7))
    overhead = chance.choice([0.0, 0.08, 0.5])
    jobs: list[Job] = []
    for rank, (start_s, wall_s, room) in enumerate(cut):
        ended = [f"j{other}" for other, (began_s, took_s, _) in enumerate(cut) if began_s + took_s <= start_s]
        fewest = chance.choice([room.cpus, chance.randint(1, room.cpus)])
        shape = Job(name=f"j{rank}", request=Resources(fewest, room.mem_bytes), wall_s=1.0, max_cpus=room.cpus + 2)
        shape = replace(shape, thread_overhead=overhead, follows=tuple(chance.sample(ended, min(len(ended), 3))))
        jobs.append(replace(shape, wall_s=wall_s / shape.wall_s_at(room.cpus)))
    roomier = within + Resources(chance.choice([0, 0, 20]), chance.choice([0, 0, 5]))
    assert lower_bound(jobs, roomier).seconds <= 100


@rule
@given(moldable_cases(n_most=4))
def test_the_best_of_all_schedules_does_not_beat_the_bound(case):
    jobs, within = case
    choices = [choices_of(each, within) for each in jobs]
    kept = [sorted({each[0], each[len(each) // 2], each[-1]}) for each in choices]
    best_s = min(
        makespan_of(order, dict(zip((each.name for each in jobs), cpus, strict=True)), within)
        for cpus in itertools.product(*kept)
        for order in orders_of(jobs)
    )
    assert lower_bound(jobs, within).seconds <= best_s


@st.composite
def functions(draw, capacity: int) -> DualFeasible:
    rounded = Rounded(draw(st.integers(0, 30)))
    seconds_of = draw(st.dictionaries(st.integers(0, capacity), st.floats(0, 100), max_size=20))
    return draw(st.sampled_from([rounded, fitted(seconds_of, capacity, draw(st.integers(1, 8)))]))


@settings(max_examples=1000, deadline=None)
@given(st.data(), st.integers(2, 30) | st.integers(2, 2**40))
def test_sizes_that_fit_together_never_block_more_than_the_whole(data, capacity):
    function = data.draw(functions(capacity))
    free, blocked = capacity, Fraction(0)
    for _ in range(1 if isinstance(function, Fitted) else 12):
        size = data.draw(st.integers(0, free))
        free -= size
        blocked += Fraction(function.of(size, capacity))
    assert blocked <= 1 + Fraction(1, 10**12)


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(2, 40), st.integers(1, 8))
def test_so_many_sizes_at_once_never_block_more_than_fitted(data, capacity, n_at_once):
    seconds_of = data.draw(st.dictionaries(st.integers(0, capacity), st.floats(0, 100), max_size=20))
    function = fitted(seconds_of, capacity, n_at_once)
    free, blocked = capacity, 0.0
    for _ in range(n_at_once):
        size = data.draw(st.integers(0, free) | st.sampled_from([0, *(each for each in seconds_of if each <= free)]))
        free -= size
        blocked += function.of(size, capacity)
    assert blocked <= 1 + 1e-12


def test_the_plain_share_is_always_among_the_functions():
    found = best_functions(lambda function: 2 * function.of(4, 10) + function.of(7, 10))
    assert found == [Rounded(2), Rounded()]
