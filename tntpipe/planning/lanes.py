"""Puts steps that run at a time side by side: each gets lanes of its own while it runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tntpipe.planning.forecast import StepSpan


@dataclass(frozen=True, slots=True)
class Placed:
    """A step on neighbouring lanes, from ``lane`` upwards; in several pieces where no such lanes were free."""

    span: StepSpan
    lane: int
    n_lanes: int


def in_lanes(spans: Iterable[StepSpan], *, one_each: bool = False) -> list[Placed]:
    """The steps on the lowest lanes that are free, as many as they have CPUs, or one each; in the order given."""
    free_at_s: list[float] = []
    placed: list[Placed] = []
    for span in spans:
        n_lanes = 1 if one_each else span.request.cpus
        free = [lane for lane, instant_s in enumerate(free_at_s) if instant_s <= span.began_s]
        free += range(len(free_at_s), len(free_at_s) + n_lanes - len(free))
        for first, count in _pieces(free, n_lanes):
            free_at_s += [0.0] * (first + count - len(free_at_s))
            free_at_s[first : first + count] = [span.ended_s] * count
            placed.append(Placed(span, first, count))
    return placed


def _pieces(free: list[int], n_lanes: int) -> list[tuple[int, int]]:
    """So many of the free lanes, as first lane and count: in one piece where there is one, else the lowest."""
    runs: list[tuple[int, int]] = []
    for lane in free:
        if runs and lane == sum(runs[-1]):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((lane, 1))
    whole = [(first, n_lanes) for first, count in runs if count >= n_lanes]
    if whole:
        return whole[:1]
    pieces = []
    for first, count in runs:
        taken = min(count, n_lanes)
        if taken:
            pieces.append((first, taken))
        n_lanes -= taken
    return pieces
