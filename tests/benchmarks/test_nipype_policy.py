"""nipype's policy: cases worked by hand, and a transcription of its loop that steps every poll."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.nipype_policy import fixed_cpus, nipype_spans, topological_order
from tntpipe.formatting import GIB, MIB
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job


def job(name: str, *follows: str, cpus: int = 1, mib: int = 0, wall_s: float = 1.0, max_cpus: int = 1) -> Job:
    request = Resources(cpus, mib * MIB)
    return Job(name=name, request=request, wall_s=wall_s, follows=follows, max_cpus=max_cpus, thread_overhead=0.5)


def starts(jobs, cpus=2, mib=1000, poll_s=2.0, k=1, **options) -> list[tuple[float, str]]:
    durations = {job.name: job.wall_s for job in jobs}
    spans = nipype_spans(jobs, durations, Resources(cpus, mib * MIB), fixed_cpus(k), poll_s, **options)
    return [(span.began, span.name) for span in spans]


def test_an_end_is_seen_at_the_next_poll():
    assert starts([job("a", wall_s=2.5), job("b", "a")]) == [(0, "a"), (4, "b")]


def test_an_end_at_a_poll_is_seen_by_it():
    assert starts([job("a", wall_s=2), job("b", "a")]) == [(0, "a"), (2, "b")]


def test_a_job_that_takes_no_time_is_seen_one_poll_later():
    assert starts([job("a", wall_s=0), job("b", "a")]) == [(0, "a"), (2, "b")]


def test_polls_at_which_nothing_has_ended_change_nothing():
    assert starts([job("a", wall_s=1e6), job("b", "a")], poll_s=0.5) == [(0, "a"), (1e6, "b")]


def test_what_does_not_fit_is_passed_by_and_nothing_is_reserved_for_it():
    jobs = [job("a", wall_s=3), job("wide", cpus=2), job("b", wall_s=5), job("c", wall_s=3)]
    assert starts(jobs) == [(0, "a"), (0, "b"), (4, "c"), (8, "wide")]


def test_breadth_comes_before_depth():
    jobs = [job("a1"), job("a2", "a1"), job("b1"), job("b2", "b1")]
    assert starts(jobs, cpus=1) == [(0, "a1"), (2, "b1"), (4, "a2"), (6, "b2")]


def test_the_sort_goes_by_generations_and_within_one_by_who_made_a_job_ready():
    jobs = [job("z"), job("y"), job("late", "z", "y2"), job("y2", "y"), job("z2", "z"), job("z1", "z")]
    assert [job.name for job in topological_order(jobs)] == ["z", "y", "z2", "z1", "y2", "late"]


def test_memory_is_declared_and_sums_are_exact():
    jobs = [job("a", mib=400), job("b", mib=601), job("c", mib=600)]
    assert starts(jobs, cpus=3) == [(0, "a"), (0, "c"), (2, "b")]


def test_a_pass_does_not_begin_with_less_than_a_hundredth_of_a_gb_free():
    jobs = [job("a", mib=995, wall_s=3), job("b", wall_s=1), job("c"), job("d", mib=995)]
    assert starts(jobs, cpus=2) == [(0, "a"), (0, "b"), (4, "c"), (4, "d")]
    jobs[0] = job("a", mib=980, wall_s=3)
    assert starts(jobs, cpus=2) == [(0, "a"), (0, "b"), (2, "c"), (4, "d")]


def test_a_job_larger_than_the_total_is_an_error_or_counts_as_the_total():
    jobs = [job("huge", cpus=5, mib=5000, wall_s=1), job("b")]
    with pytest.raises(RuntimeError, match="Insufficient"):
        starts(jobs)
    assert starts(jobs, raise_insufficient=False) == [(0, "huge"), (2, "b")]


def test_a_total_of_less_than_a_hundredth_of_a_gb_never_starts_anything():
    with pytest.raises(RuntimeError, match="for ever"):
        starts([job("a")], mib=10)


def test_a_moldable_job_gets_the_fixed_number_and_is_faster_by_its_speed_up():
    jobs = [job("a", wall_s=4, max_cpus=4), job("b", wall_s=4), job("c", "a")]
    assert starts(jobs, cpus=3, k=2) == [(0, "a"), (0, "b"), (4, "c")]  # 4 s * (1 + 0.5) / 2 = 3 s
    spans = nipype_spans(jobs[:1], {"a": 8.0}, Resources(4, GIB), fixed_cpus(2))
    assert (spans[0].ended, spans[0].request.cpus) == (6.0, 2)


def test_a_number_of_cpus_that_a_job_cannot_be_given_is_refused():
    with pytest.raises(ValueError, match="cannot be given 3"):
        nipype_spans([job("a")], {"a": 1.0}, Resources(4, GIB), lambda job: 3)


def by_every_poll(jobs, durations, budget) -> list[tuple[float, str]]:
    """The loop as nipype has it, at a poll of 1 s: all polls, all ready jobs, sums in GB."""
    order = topological_order(jobs)
    done: set[str] = set()
    started: dict[str, int] = {}
    poll = 0
    while len(done) < len(order):
        done |= {name for name, began in started.items() if began < poll and began + durations[name] <= poll}
        held = [job.request for job in order if job.name in started and job.name not in done]
        free_gb = budget.mem_bytes / GIB
        for request in held:
            free_gb -= request.mem_bytes / GIB
        free_cpus = budget.cpus - sum(request.cpus for request in held)
        ready = [job for job in order if job.name not in started and done.issuperset(job.follows)]
        for job in ready if free_gb >= 0.01 and free_cpus else []:
            if job.request.cpus <= free_cpus and job.request.mem_bytes / GIB <= free_gb:
                free_cpus -= job.request.cpus
                free_gb -= job.request.mem_bytes / GIB
                started[job.name] = poll
        poll += 1
    return [(float(began), name) for name, began in started.items()]


@st.composite
def random_jobs(draw) -> tuple[list[Job], dict[str, float]]:
    names = draw(st.permutations([f"j{number}" for number in range(draw(st.integers(1, 14)))]))
    jobs = [
        job(
            name,
            *draw(st.lists(st.sampled_from(names[:number]), max_size=3) if number else st.just([])),
            cpus=draw(st.integers(1, 4)),
            mib=draw(st.sampled_from((0, 5, 100, 333, 500, 990, 1000))),
        )
        for number, name in enumerate(names)
    ]
    listed = draw(st.permutations(jobs))
    return listed, {name: draw(st.integers(0, 12)) / 2 for name in names}


@given(random_jobs())
def test_jumping_over_empty_polls_starts_the_same_jobs_at_the_same_polls(case):
    jobs, durations = case
    budget = Resources(4, 1000 * MIB)
    spans = nipype_spans(jobs, durations, budget, fixed_cpus(1), 1.0)
    assert [(span.began, span.name) for span in spans] == by_every_poll(jobs, durations, budget)
