"""Whom the watchdog calls grown, when it calls memory pressed, and whom it stops."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from tntpipe.executors.memory.watchdog import PRESSED_AT, Held, Watchdog


def child(name: str, real: int, *, request: int = 100, since: float = 0, moldable: bool = True, stopping: bool = False):
    return Held(name=name, request_bytes=request, real_bytes=real, since=since, moldable=moldable, stopping=stopping)


def names(children: Iterable[Held]) -> list[str]:
    return [held.name for held in children]


def test_children_within_their_requests_and_far_from_the_budget_are_left_alone() -> None:
    verdict = Watchdog(1000).look([child("a", 100), child("b", 50)])
    assert (verdict.pressed, verdict.hurry, verdict.grown, verdict.stop) == (False, False, (), ())


def test_a_child_above_its_request_is_told_of_and_all_are_looked_at_more_often() -> None:
    verdict = Watchdog(1000).look([child("a", 101), child("b", 50)])
    assert names(verdict.grown) == ["a"] and verdict.hurry and not verdict.stop


def test_nothing_starts_from_95_per_cent_of_the_budget_until_less_than_90_are_used() -> None:
    watchdog = Watchdog(1000)
    pressed = [watchdog.look([child("a", used, request=2000)]).pressed for used in (940, 950, 940, 900, 899, 940)]
    assert pressed == [False, True, True, True, False, False]


def test_the_youngest_moldable_child_is_stopped_and_no_more_than_needed() -> None:
    children = [child("old", 400, since=1), child("young", 400, since=2), child("fixed", 400, since=3, moldable=False)]
    assert names(Watchdog(1000).look(children).stop) == ["young"]
    assert names(Watchdog(500).look(children).stop) == ["young", "old"]


def test_where_no_child_is_moldable_the_youngest_is_stopped() -> None:
    children = [child("old", 600, since=1, moldable=False), child("young", 600, since=2, moldable=False)]
    assert names(Watchdog(1000).look(children).stop) == ["young"]


def test_a_child_that_is_being_stopped_costs_no_second_one() -> None:
    children = [child("old", 600, since=1), child("young", 600, since=2, stopping=True)]
    verdict = Watchdog(1000).look(children)
    assert verdict.stop == () and not verdict.pressed


@given(
    st.integers(1, 1000),
    st.lists(st.builds(child, st.uuids().map(str), st.integers(0, 800), since=st.floats(0, 9)), max_size=8),
)
def test_what_is_left_is_within_the_budget_and_one_more_would_not_be(budget: int, children: list[Held]) -> None:
    verdict = Watchdog(budget).look(children)
    left = sum(held.real_bytes for held in children if held not in verdict.stop)
    assert left <= budget
    if verdict.stop:
        assert left + verdict.stop[-1].real_bytes > budget and verdict.pressed
    assert verdict.pressed == (sum(held.real_bytes for held in children) >= PRESSED_AT * budget)
