"""Why steps wait, in words, from a real scheduler's answers."""

from __future__ import annotations

import pytest

from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.run.wait_reasons import in_words, waiting_steps
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Ended
from tntpipe.scheduler.why import (
    BehindReservation,
    BehindScans,
    Dropped,
    WaitsForJobs,
    WaitsForMoreCpus,
    WaitsForResources,
    Why,
)


def job(name: str, *follows: str, cpus: int = 1, gib: int = 1, wall_s: float = 60.0) -> Job:
    return Job(name=name, request=Resources(cpus, gib * GIB), wall_s=wall_s, follows=follows, group=name.split("/")[0])


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (WaitsForJobs(names=("a", "b")), "follows a, b"),
        (WaitsForJobs(names=("a", "b", "c", "d", "e")), "follows a, b, c and 2 more"),
        (WaitsForResources(short_of=Resources(1, 0)), "waits for 1 more CPU"),
        (WaitsForResources(short_of=Resources(0, 3 * GIB)), "waits for 3.0 GiB more of memory"),
        (
            WaitsForResources(short_of=Resources(2, GIB), shadow_time=3700.0),
            "waits for 2 more CPUs and 1.0 GiB more of memory; reserved, expected in 1:00:00",
        ),
        (
            WaitsForMoreCpus(shadow_time=130.0),
            "would end later if it started now: waits for more CPUs, free in 0:30",
        ),
        (BehindReservation(name="s/syn", shadow_time=130.0), "would delay s/syn, which should start in 0:30"),
        (BehindReservation(name="s/syn", shadow_time=50.0), "would delay s/syn, which should start in 0:00"),
        (BehindScans(n_under_way=8), "waits for its scan's turn: 8 scans are under way"),
        (Dropped(because="s/n4"), "will not run, because s/n4 failed"),
    ],
)
def test_each_reason_has_its_words(why: Why, words: str) -> None:
    assert in_words(why, 100.0) == words


def test_the_head_of_the_queue_is_told_in_the_order_in_which_it_would_start() -> None:
    jobs = [job("s1/a", wall_s=60), job("s1/large", gib=6, wall_s=50), job("s1/small", wall_s=40), job("s1/b", "s1/a")]
    scheduler = Scheduler(jobs, Resources(1, 8 * GIB))
    scheduler.start(0.0)
    assert dict(waiting_steps(scheduler, 0.0, 5)) == {
        "s1/large": "waits for 1 more CPU; reserved, expected in 1:00",
        "s1/small": "waits for 1 more CPU",
    }
    assert [name for name, _ in waiting_steps(scheduler, 0.0, 1)] == ["s1/large"]
    scheduler.handle([Ended(name="s1/a", succeeded=True)], 60.0)
    assert [name for name, _ in waiting_steps(scheduler, 60.0, 5)] == ["s1/large", "s1/small"]


def test_scans_that_wait_for_their_turn_come_last_and_say_so() -> None:
    jobs = [job(f"s{number}/{name}", gib=0) for number in range(9) for name in ("a", "b")]
    scheduler = Scheduler(jobs, Resources(2, 8 * GIB))
    scheduler.start(0.0)
    told = dict(waiting_steps(scheduler, 0.0, 50))
    assert len(told) == 16
    assert list(told)[:2] == ["s1/a", "s1/b"]
    assert all("scan's turn: 2 scans" in why for why in list(told.values())[2:])
