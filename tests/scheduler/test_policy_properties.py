"""The packing function alone, on crowded states that runs reach seldom."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from heapq import heapify

from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import budget, total

from tntpipe.resources import Resources
from tntpipe.scheduler.longest_path_first import pack
from tntpipe.scheduler.molding import Shape
from tntpipe.scheduler.policy import Occupation, Rank, ReadyClass

NOW = 100.0
requests = st.builds(budget, st.just(1) | st.integers(1, 6), st.just(0) | st.integers(1, 6))
rule = settings(max_examples=100, deadline=None)


@dataclass(frozen=True)
class Situation:
    """Nothing has exceeded its estimate, and every ready job fits in what runs and what is free."""

    ready: tuple[ReadyClass, ...]
    running: tuple[Occupation, ...]
    free: Resources

    @property
    def waiting(self) -> dict[str, ReadyClass]:
        return {rank.name: ready_class for ready_class in self.ready for rank in ready_class.heap}

    @property
    def ranks(self) -> dict[str, Rank]:
        return {rank.name: rank for ready_class in self.ready for rank in ready_class.heap}


@st.composite
def situations(draw) -> Situation:
    held = draw(st.lists(st.tuples(st.integers(0, 20), requests), max_size=5))
    running = tuple(sorted(Occupation(NOW + left, f"r{n}", 0.0, held_) for n, (left, held_) in enumerate(held)))
    free = draw(st.builds(budget, st.integers(0, 6), st.integers(0, 6)))
    within = total(occupation.request for occupation in running) + free
    kinds = draw(st.dictionaries(st.tuples(requests, st.integers(0, 40)), st.integers(1, 8), max_size=6))
    levels = iter(draw(st.permutations(range(48))))
    ready = []
    for number, ((request, wall_s), n_jobs) in enumerate(kinds.items()):
        heap = [Rank(-next(levels), -request.mem_bytes, f"j{number}{n}") for n in range(n_jobs)]
        heapify(heap)
        if request.fits_in(within):
            ready.append(ReadyClass(Shape(request, (float(wall_s),)), heap=heap))
    return Situation(tuple(ready), running, free)


@rule
@given(situations())
def test_packing_changes_nothing_that_it_is_given(situation):
    before = deepcopy([(r.shape, r.heap) for r in situation.ready])
    first = pack(situation.ready, situation.running, situation.free, NOW)
    assert [(r.shape, r.heap) for r in situation.ready] == before
    assert pack(situation.ready[::-1], situation.running, situation.free, NOW) == first


@rule
@given(situations())
def test_of_each_class_the_first_are_launched(situation):
    launched = {launch.name for launch in pack(situation.ready, situation.running, situation.free, NOW).launches}
    for ready_class in situation.ready:
        chosen = [rank.name in launched for rank in sorted(ready_class.heap)]
        assert chosen == sorted(chosen, reverse=True)


@rule
@given(situations())
def test_launches_fit_in_what_is_free_and_leave_room_for_the_reserved_job(situation):
    packing = pack(situation.ready, situation.running, situation.free, NOW)
    assert total(launch.request for launch in packing.launches).fits_in(situation.free)
    if packing.reservation is None:
        return
    free_then, waiting = room_at(packing.reservation.shadow_time, situation, packing), situation.waiting
    assert waiting[packing.reservation.name].shape.request.fits_in(free_then)


@rule
@given(situations())
def test_no_job_waits_that_could_start_without_delaying_the_reserved_one(situation):
    packing, waiting = pack(situation.ready, situation.running, situation.free, NOW), situation.waiting
    launched = {launch.name for launch in packing.launches}
    free = situation.free - total(launch.request for launch in packing.launches)
    left = waiting.keys() - launched
    assert (packing.reservation.name if packing.reservation else None) == min(
        left, key=situation.ranks.__getitem__, default=None
    )
    for name in left:
        assert packing.reservation is not None
        spare = room_at(packing.reservation.shadow_time, situation, packing)
        spare -= waiting[packing.reservation.name].shape.request
        ends_in_time = NOW + waiting[name].shape.walls_s[0] <= packing.reservation.shadow_time
        assert not waiting[name].shape.request.fits_in(free) or not (
            ends_in_time or waiting[name].shape.request.fits_in(spare)
        )


def room_at(instant: float, situation: Situation, packing) -> Resources:
    """What should be free by an instant, of all that is free or held now."""
    room = situation.free + total(job.request for job in situation.running if job.ends <= instant)
    waiting = situation.waiting
    late = (launch.request for launch in packing.launches if NOW + waiting[launch.name].shape.walls_s[0] > instant)
    return room - total(late)
