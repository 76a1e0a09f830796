"""What the scheduler answers to why a job does not run is so."""

from __future__ import annotations

from hypothesis import given
from moldable_cases import Told, cohorts, moldable, rule
from virtual_time import budget, job

from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.messages import Rule
from tntpipe.scheduler.why import BehindReservation, BehindScans, WaitsForMoreCpus, WaitsForResources


@rule
@given(cohorts(failing=True, moody=True))
def test_every_answer_for_a_ready_job_is_true_and_tells_all(case):
    told = Told(case)
    for decision in told.decisions:
        reserved = decision.reservation
        assert decision.mark.whys.keys() == decision.waiting
        for name, why in decision.mark.whys.items():
            request, is_reserved = told.jobs[name].request, reserved is not None and reserved.name == name
            match why:
                case BehindScans():
                    assert not is_reserved
                case WaitsForResources(short_of=short_of):
                    assert not request.fits_in(decision.free)
                    missing = (reserved.request if is_reserved else request) - decision.free
                    assert short_of == Resources(max(0, missing.cpus), max(0, missing.mem_bytes))
                    assert short_of != Resources(0, 0)
                    assert why.shadow_time == (reserved.shadow_time if is_reserved else None)
                case BehindReservation():
                    assert (why.name, why.shadow_time) == (reserved.name, reserved.shadow_time)
                    assert request.fits_in(decision.free)
                    assert not is_reserved
                    assert not request.fits_in(told.spare(decision, reserved))
                    cpus = min(decision.free.cpus, told.choices(name)[-1])
                    if told.wanted_cpus(name, decision, told.large(decision)) >= cpus:
                        assert decision.now + told.jobs[name].wall_s_at(cpus) > reserved.shadow_time
                case WaitsForMoreCpus():
                    assert why.shadow_time == reserved.shadow_time
                    assert request.fits_in(decision.free)
                    room = decision.free.cpus
                    if not is_reserved:
                        spare = told.spare(decision, reserved)
                        assert request.fits_in(spare)
                        room = min(room, spare.cpus)
                    soon_s, most = told.jobs[name].wall_s_at(min(room, told.choices(name)[-1])), told.choices(name)[-1]
                    assert decision.now + soon_s > reserved.shadow_time + told.jobs[name].wall_s_at(most)
                case _:
                    raise AssertionError(f"{name} is ready, but {why}")


def test_a_job_that_fits_but_ends_earlier_with_more_cpus_says_that_it_waits_for_them():
    """On the one CPU that is free it would end at 8; on four from 1 on, at 3."""
    jobs = [job("now", cpus=3), job("after", "now", wall_s=30), moldable("wide", most=4, wall_s=8, a=0)]
    scheduler = Scheduler(jobs, budget(4), Rule(fixed_cpus=4))
    scheduler.start(0.0)
    assert scheduler.free.cpus == 1
    assert scheduler.why("wide") == WaitsForMoreCpus(shadow_time=1.0)


def test_a_job_like_the_one_that_waits_for_more_cpus_waits_for_them_too():
    """On the one CPU that is free it would delay nobody: four of the eight are left beside the first."""
    jobs = [job("now", cpus=7), job("after", "now", wall_s=30)]
    alike = [moldable(name, most=4, wall_s=8, a=0) for name in ("wide", "wider")]
    scheduler = Scheduler([*jobs, *alike], budget(8), Rule(fixed_cpus=4))
    scheduler.start(0.0)
    assert scheduler.why("wide") == scheduler.why("wider") == WaitsForMoreCpus(shadow_time=1.0)


def test_a_job_that_ends_earlier_behind_the_reserved_one_says_that_it_waits_for_more_cpus():
    """The job ``narrow`` would end at 6 on the CPU that is free; on the three that ``large`` leaves at 1, at 3."""
    jobs = [job("now", cpus=7), job("after", "now", wall_s=30), job("large", cpus=5, wall_s=9)]
    scheduler = Scheduler([*jobs, moldable("narrow", most=3, wall_s=6, a=0)], budget(8), Rule(fixed_cpus=3))
    scheduler.start(0.0)
    assert scheduler.why("large") == WaitsForResources(short_of=Resources(4, 0), shadow_time=1.0)
    assert scheduler.why("narrow") == WaitsForMoreCpus(shadow_time=1.0)
