"""What a run teaches of the steps still to come: by hand, and on a simulated cohort whose estimates are wrong."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from benchmarks.memory_world import MemoryWorld
from tntpipe.executors.learner import STEP_BYTES, Learner, Learnt
from tntpipe.formatting import GIB, MIB
from tntpipe.profiling.memory_rule import PAD_BYTES
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Ended, Event, Grown, Reestimated, Requeued, Used

BUDGET = Resources(4, 64 * GIB)
VOXELS = 7_000_000


def jobs_of_a_kind(n: int, gib: float = 4, wall_s: float = 100) -> list[Job]:
    request = Resources(1, int(gib * GIB))
    return [Job(name=f"s{number:02}/syn", request=request, wall_s=wall_s, kind="syn") for number in range(n)]


class Classroom:
    """A learner and its scheduler, with the first jobs running."""

    def __init__(
        self, jobs: list[Job], fixed: tuple[str, ...] = (), fixed_times: tuple[str, ...] | None = None
    ) -> None:
        self.told: list[Learnt] = []
        self.scheduler = Scheduler(jobs, BUDGET)
        self.scheduler.start(0)
        sizes = {job.name: ("reference", VOXELS) for job in jobs}
        self.learner = Learner(jobs, sizes, BUDGET, fixed=fixed, fixed_times=fixed_times, tell=self.told.append)

    def hears(self, *events: Event, now: float = 100) -> dict[str, Job]:
        """The jobs that are corrected after these events."""
        corrected = list(self.learner.learn(events, self.scheduler, now))
        self.scheduler.handle([*events, *corrected], now)
        return {job.name: job for event in corrected for job in event.jobs}


def ended(name: str, gib: float, wall_s: float = 100, cpus: int = 1) -> Ended:
    return Ended(name=name, succeeded=True, used=Used(wall_s=wall_s, cpus=cpus, peak_bytes=int(gib * GIB)))


def rounded(n_bytes: float) -> int:
    return -int(-n_bytes // STEP_BYTES) * STEP_BYTES


def test_one_peak_above_what_was_expected_raises_the_others_at_once() -> None:
    room = Classroom(jobs_of_a_kind(6, gib=1))
    corrected = room.hears(ended("s00/syn", gib=4))
    assert corrected["s05/syn"].request.mem_bytes == rounded(4 * GIB * 1.5 + PAD_BYTES)
    assert [(learnt.kind, learnt.n) for learnt in room.told] == [("syn", 1)]


def test_low_peaks_lower_the_requests_only_when_there_are_three() -> None:
    room = Classroom(jobs_of_a_kind(8, gib=8))
    assert not room.hears(ended("s00/syn", gib=2)) and not room.hears(ended("s01/syn", gib=2), now=200)
    corrected = room.hears(ended("s02/syn", gib=2), now=300)
    assert corrected["s07/syn"].request.mem_bytes == rounded(2 * GIB * 1.2 + PAD_BYTES)


def test_times_are_learnt_once_as_many_have_ended_as_still_run_with_the_prior_as_two_and_a_half() -> None:
    room = Classroom(jobs_of_a_kind(12, gib=4))
    assert not room.hears(ended("s00/syn", gib=2, wall_s=200)), "three others still run"
    assert not room.hears(ended("s01/syn", gib=2, wall_s=200), now=200)
    corrected = room.hears(ended("s02/syn", gib=2, wall_s=200), ended("s03/syn", gib=2, wall_s=200), now=300)
    assert corrected["s11/syn"].wall_s == pytest.approx(100 * (2.5 + 4 * 2) / 6.5, rel=0.02)


def test_a_time_with_several_cpus_is_compared_with_what_was_expected_with_as_many() -> None:
    jobs = [replace(job, max_cpus=4, thread_overhead=0.0) for job in jobs_of_a_kind(2, gib=4)]
    room = Classroom(jobs)
    room.hears(ended("s00/syn", gib=4, wall_s=50, cpus=2))
    assert room.learner._kinds["syn", "reference"].learning.time_ratio == 1.0


def test_what_a_running_step_takes_is_given_to_the_others_of_its_kind() -> None:
    room = Classroom(jobs_of_a_kind(6, gib=1))
    assert room.hears(Grown(name="s00/syn", mem_bytes=3 * GIB), now=1)["s05/syn"].request.mem_bytes >= 3 * GIB


def test_a_step_that_is_run_again_keeps_what_it_was_promised() -> None:
    room = Classroom(jobs_of_a_kind(6, gib=2))
    assert room.hears(Requeued(name="s00/syn", mem_bytes=16 * GIB), now=1) == {}
    corrected = room.hears(*(ended(f"s0{number}/syn", gib=1) for number in (1, 2, 3)))
    assert "s00/syn" not in corrected and corrected["s05/syn"].request.mem_bytes < 2 * GIB


def test_a_resource_files_figures_stand_unless_more_was_seen() -> None:
    jobs = jobs_of_a_kind(6, gib=4)
    room = Classroom(jobs, fixed=tuple(job.name for job in jobs))
    assert room.hears(*(ended(f"s0{number}/syn", gib=1, wall_s=900) for number in range(4))) == {}
    other = Classroom(jobs, fixed=tuple(job.name for job in jobs))
    assert other.hears(ended("s00/syn", gib=6))["s05/syn"].request.mem_bytes == 6 * GIB


def test_a_resource_files_request_is_given_as_it_stands_and_a_time_that_it_leaves_open_is_learnt() -> None:
    jobs = jobs_of_a_kind(6, gib=4.001)
    room = Classroom(jobs, fixed=tuple(job.name for job in jobs), fixed_times=())
    corrected = room.hears(*(ended(f"s0{number}/syn", gib=1, wall_s=900) for number in range(4)))
    assert corrected["s05/syn"].request == jobs[5].request
    assert corrected["s05/syn"].wall_s > 200


def test_no_request_is_above_the_budget() -> None:
    room = Classroom(jobs_of_a_kind(6, gib=4))
    assert room.hears(ended("s00/syn", gib=60))["s05/syn"].request.mem_bytes == BUDGET.mem_bytes


def test_failures_and_steps_that_did_not_run_teach_nothing() -> None:
    room = Classroom(jobs_of_a_kind(6))
    assert room.hears(Ended(name="s00/syn", succeeded=True), Ended(name="s01/syn", succeeded=False)) == {}


def cohort(n_scans: int, rng: random.Random) -> tuple[list[Job], dict[str, int], dict[str, float]]:
    """Scans of four steps with the sizes of real ones; what they really need, by up to 30 % unlike, and take."""
    jobs, peaks, times = [], {}, {}
    for number in range(n_scans):
        before: tuple[str, ...] = ()
        for kind, gib, wall_s, max_cpus in (
            ("n4", 0.6, 70, 4),
            ("linear", 0.8, 240, 8),
            ("syn", 3.7, 3600, 8),
            ("stats", 0.5, 4, 1),
        ):
            name = f"sub-{number:02}/{kind}"
            overhead = 0.08 if max_cpus > 1 else 0.0
            jobs.append(
                Job(
                    name=name,
                    request=Resources(1, int(gib * GIB)),
                    wall_s=wall_s,
                    follows=before,
                    group=f"sub-{number:02}",
                    kind=kind,
                    max_cpus=max_cpus,
                    thread_overhead=overhead,
                )
            )
            peaks[name], times[name] = int(gib * GIB * rng.uniform(0.7, 1.3)), wall_s * rng.uniform(0.8, 1.2)
            before = (name,)
    return jobs, peaks, times


def simulated(jobs: list[Job], peaks: dict[str, int], times: dict[str, float], within: Resources) -> MemoryWorld:
    world = MemoryWorld(times, peaks, jobs, within)
    drive(Scheduler(jobs, within), world, teacher=Learner(jobs, {job.name: ("", VOXELS) for job in jobs}, within))
    return world


@pytest.mark.parametrize("wrong", [0.5, 1.5], ids=["half", "half as much again"])
def test_a_first_run_with_wrong_estimates_loses_no_step_and_little_time(wrong: float) -> None:
    """Beside the run that knew what each kind needs: its largest peak, and its mean time."""
    within = Resources(16, 64 * GIB)
    jobs, peaks, times = cohort(40, random.Random(5))
    largest = {kind: max(peaks[job.name] for job in jobs if job.kind == kind) for kind in {job.kind for job in jobs}}
    knew = [replace(job, request=Resources(1, largest[job.kind])) for job in jobs]
    informed = MemoryWorld(times, peaks, knew, within)
    drive(Scheduler(knew, within), informed)
    prior = [
        replace(job, request=Resources(1, int(job.request.mem_bytes * wrong)), wall_s=job.wall_s * wrong)
        for job in jobs
    ]
    world = simulated(prior, peaks, times, within)
    assert {span.name for span in world.trace if span.succeeded} == peaks.keys()
    assert not any(death.given_up for death in world.deaths) and world.most_used_bytes <= within.mem_bytes
    assert world.now() <= 1.05 * informed.now()


def test_an_enforced_limit_kills_and_the_step_comes_through_with_more() -> None:
    within = Resources(2, 16 * GIB)
    jobs = [Job(name="s/a", request=Resources(1, 1 * GIB), wall_s=10, kind="a")]
    world = MemoryWorld({"s/a": 10.0}, {"s/a": 3 * GIB}, jobs, within, enforced=True)
    drive(Scheduler(jobs, within), world, teacher=Learner(jobs, {"s/a": ("", 1)}, within))
    assert [death.request_bytes for death in world.deaths] == [1 * GIB]
    assert world.trace[-1].succeeded and world.trace[-1].request.mem_bytes == int(3 * GIB * 1.25)


def test_reestimates_carry_whole_jobs() -> None:
    """The scheduler refuses others; see there."""
    jobs = jobs_of_a_kind(3, gib=1)
    learner = Learner(jobs, {job.name: ("", 1) for job in jobs}, BUDGET)
    scheduler = Scheduler(jobs, BUDGET)
    scheduler.start(0)
    (event,) = learner.learn([ended("s00/syn", gib=4)], scheduler, 5)
    assert isinstance(event, Reestimated)
    assert {replace(job, request=jobs[0].request, wall_s=100.0) for job in event.jobs} == set(jobs[1:])
    assert all(job.request.mem_bytes % (32 * MIB) == 0 for job in event.jobs)
