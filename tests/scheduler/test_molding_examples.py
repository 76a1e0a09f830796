"""How CPUs are lent and turns are taken, told as who starts when with how many CPUs."""

from __future__ import annotations

from dataclasses import replace

from moldable_cases import moldable
from virtual_time import budget, job, play

from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.messages import Ended, Rule, RuleChosen
from tntpipe.scheduler.why import WaitsForMoreCpus


def test_one_scan_alone_gets_as_many_cpus_as_help():
    jobs = [moldable("syn", most=4, wall_s=100, a=0.08), moldable("seg", "syn", most=2, wall_s=50)]
    assert play(jobs, budget(8)).starts_with_cpus == [(0, "syn", 4), (31, "seg", 2)]


def test_a_long_queue_gets_one_cpu_each():
    jobs = [moldable(f"syn{n}", most=4, wall_s=10, a=0.1, of=str(n)) for n in range(8)]
    assert play(jobs, budget(4)).starts_with_cpus == [
        *((0, f"syn{n}", 1) for n in range(4)),
        *((10, f"syn{n}", 1) for n in range(4, 8)),
    ]


def test_a_long_queue_gets_one_cpu_each_even_where_more_cpus_cost_nothing():
    jobs = [moldable(f"syn{n}", most=4, wall_s=10, a=0.0) for n in range(8)]
    assert [cpus for _, _, cpus in play(jobs, budget(4)).starts_with_cpus] == [1] * 8


def test_the_last_of_a_queue_gets_the_cpus_that_nobody_else_can_use():
    jobs = [moldable(f"syn{n}", most=4, wall_s=10, a=0.1) for n in range(5)]
    assert play(jobs, budget(4)).starts_with_cpus == [*((0, f"syn{n}", 1) for n in range(4)), (10, "syn4", 4)]


def test_where_memory_is_short_the_large_jobs_share_the_cpus():
    """Two fit in the memory, so that each gets half of the CPUs."""
    jobs = [moldable(f"syn{n}", most=8, wall_s=10, a=0.1, gib=4, of=str(n)) for n in range(6)]
    assert play(jobs, budget(8, gib=8)).starts_with_cpus == [
        *((0, "syn0", 4), (0, "syn1", 4)),
        *((3.25, "syn2", 4), (3.25, "syn3", 4)),
        *((6.5, "syn4", 4), (6.5, "syn5", 4)),
    ]


def test_what_ends_a_scan_goes_before_what_begins_the_next():
    jobs = [each for scan in "abcd" for each in (job(f"{scan}1", wall_s=40), job(f"{scan}2", f"{scan}1", wall_s=1))]
    assert play(jobs, budget(1)).starts == [
        *((0, "a1"), (40, "b1"), (80, "c1"), (120, "d1")),
        *((160, "a2"), (161, "b2"), (162, "c2"), (163, "d2")),
    ]
    in_scans = [replace(each, group=each.name[0]) for each in jobs]
    assert play(in_scans, budget(1)).starts == [
        *((0, "a1"), (40, "a2"), (41, "b1"), (81, "b2")),
        *((82, "c1"), (122, "c2"), (123, "d1"), (163, "d2")),
    ]


def test_a_job_waits_for_two_cpus_if_it_ends_earlier_than_with_one_now():
    """On the CPU that is free it would end at 10; on two from 1 on, at 6."""
    first = [job("now", cpus=3), job("after", "now", wall_s=30)]
    wide = moldable("wide", most=2, wall_s=10, a=0)
    starts = play([*first, wide], budget(4), rule=Rule(fixed_cpus=2)).starts_with_cpus
    assert starts == [(0, "now", 3), (1, "after", 1), (1, "wide", 2)]


def test_a_job_starts_with_one_cpu_if_it_would_end_later_by_waiting_for_two():
    """On the CPU that is free it ends at 10; on two from 8 on it would at 13."""
    first = [job("now", cpus=3, wall_s=8), job("after", "now", wall_s=30)]
    wide = moldable("wide", most=2, wall_s=10, a=0)
    starts = play([*first, wide], budget(4), rule=Rule(fixed_cpus=2)).starts_with_cpus
    assert starts == [(0, "now", 3), (0, "wide", 1), (8, "after", 1)]


def test_a_job_beside_the_reservation_gets_no_more_cpus_than_that_leaves():
    """Four CPUs are free and it wants them, but from 10 on the reserved job leaves only two."""
    first = [job("now", cpus=4, wall_s=10), job("after_now", "now", cpus=2, wall_s=200)]
    large = [job("large", cpus=6, wall_s=9), job("after_large", "large", wall_s=150)]
    beside = moldable("beside", most=4, wall_s=100, a=0.9)
    starts = play([*first, *large, beside], budget(8), rule=Rule(fixed_cpus=4)).starts_with_cpus
    assert starts[:2] == [(0, "now", 4), (0, "beside", 2)]


def test_cpus_for_which_no_job_is_ready_are_lent_if_the_rule_says_so():
    jobs = [moldable(f"syn{n}", most=4, wall_s=10, a=0.1) for n in range(3)]
    kept, lent = (play(jobs, budget(8), rule=Rule(slack=2, widen=widen)).starts_with_cpus for widen in (False, True))
    assert [cpus for _, _, cpus in kept] == [2, 2, 2]
    assert [cpus for _, _, cpus in lent] == [3, 3, 2]


def test_a_rule_that_is_chosen_holds_for_what_starts_from_then_on():
    jobs = [moldable(f"syn{n}", most=4, wall_s=10, a=0.1) for n in range(8)]
    scheduler = Scheduler(jobs, budget(4))
    scheduler.start(0.0)
    scheduler.handle([RuleChosen(rule=Rule(fixed_cpus=3))], 1.0)
    actions = scheduler.handle([Ended(name=f"syn{n}", succeeded=True) for n in range(4)], 10.0)
    assert [(action.name, action.request.cpus) for action in actions] == [("syn4", 3)]
    assert scheduler.why("syn5") == WaitsForMoreCpus(shadow_time=14.0)


def test_a_job_that_may_have_more_cpus_takes_just_its_estimate_with_its_fewest():
    assert moldable("a", cpus=2, most=4, wall_s=60, a=0.08).wall_s_at(2) == 60


def test_a_rule_chosen_when_nothing_is_left_to_choose_keeps_the_horizon():
    jobs = [moldable("wide", most=4, wall_s=40, a=0.1), job("b", "wide", wall_s=1)]
    scheduler = Scheduler(jobs, budget(4))
    scheduler.start(0.0)
    before = scheduler.guidance
    scheduler.handle([RuleChosen(rule=Rule(fixed_cpus=2))], 1.0)
    assert scheduler.guidance == replace(before, rule=Rule(fixed_cpus=2))
