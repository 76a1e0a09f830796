"""What a step that ran out of memory is given next, worked out by hand."""

from __future__ import annotations

from tntpipe.executors.memory.retries import Retries, Shortage
from tntpipe.formatting import GIB


def short(request: float, seen: float, name: str = "a") -> Shortage:
    return Shortage(name=name, request_bytes=int(request * GIB), seen_bytes=int(seen * GIB))


def test_the_next_request_is_twice_the_last_or_a_quarter_above_what_was_seen() -> None:
    assert Retries(64 * GIB).next_bytes(short(2, 1)) == 4 * GIB
    assert Retries(64 * GIB).next_bytes(short(2, 8)) == 10 * GIB


def test_nothing_is_given_above_the_budget_and_who_had_it_is_given_up() -> None:
    retries = Retries(5 * GIB)
    assert retries.next_bytes(short(3, 3)) == 5 * GIB
    assert retries.next_bytes(short(5, 5)) is None
    said = retries.given_up(short(5, 4.9))
    assert "more than the whole budget of 5.0 GiB" in said and "4.9 GiB were seen" in said and "--memory_gb" in said


def test_a_step_dies_three_times_and_no_more() -> None:
    retries = Retries(640 * GIB)
    assert [retries.next_bytes(short(1, 1)) is None for _ in range(3)] == [False, False, True]
    assert retries.n_tries("a") == 3 and "ran out of memory 3 times" in retries.given_up(short(1, 1))
    assert retries.next_bytes(short(1, 1, "b")) is not None, "each step has its own count"


def test_being_stopped_for_the_sake_of_others_is_not_held_against_a_step() -> None:
    retries = Retries(640 * GIB)
    assert all(retries.next_bytes(short(1, 1), counts=False) for _ in range(9))
    assert retries.n_tries("a") == 0
