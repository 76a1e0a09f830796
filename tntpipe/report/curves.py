"""CPUs and memory over a run: what was reserved and what was really used, in equal parts of its time.

CPUs are means over a part, exact as far as looks tell when CPU time was used: their sum over the run is the CPU time
itself. Memory is the largest sum at any instant of a part. Both are of the steps; what tntpipe itself uses is not here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tntpipe.journal.history import Attempt, History

MOST_PARTS = 2000
LEAST_PART_S = 0.05

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Each of the parts lasts ``part_s``, from the beginning of the run on."""

    part_s: float
    reserved_cpus: tuple[float, ...]
    busy_cpus: tuple[float, ...]
    reserved_bytes: tuple[int, ...]
    held_bytes: tuple[int, ...]


def curves_of(history: History) -> Curves:
    """The curves of a run, in 2000 parts at most."""
    n_parts = min(MOST_PARTS, max(1, math.ceil(history.end_s / LEAST_PART_S)))
    part_s = max(history.end_s, LEAST_PART_S) / n_parts
    attempts = [attempt for attempt in history.attempts if attempt.wall_s > 0]
    reserved = ((a.began_s, a.ended_s, a.cpus) for a in attempts)
    requested = ((a.began_s, a.ended_s, a.mem_bytes) for a in attempts)
    busy = (span for attempt in attempts for span in busy_spans(attempt))
    held = (span for attempt in attempts for span in held_spans(attempt))
    return Curves(
        part_s=part_s,
        reserved_cpus=_rounded(in_parts(reserved, n_parts, part_s)[0]),
        busy_cpus=_rounded(in_parts(busy, n_parts, part_s)[0]),
        reserved_bytes=tuple(map(round, in_parts(requested, n_parts, part_s)[1])),
        held_bytes=tuple(map(round, in_parts(held, n_parts, part_s)[1])),
    )


def _rounded(values: _Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values.round(2))


def busy_spans(attempt: Attempt) -> Iterator[tuple[float, float, float]]:
    """From when to when, and how many CPUs were busy: between looks the CPU time between them, spread evenly."""
    seen = [(0.0, 0.0), *((look.age_s, look.cpu_s) for look in attempt.looks)]
    if attempt.usage:
        seen.append((attempt.ran_s, attempt.cpu_s))
    for (age_s, cpu_s), (next_age_s, next_cpu_s) in pairwise(seen):
        if next_age_s > age_s and next_cpu_s > cpu_s:
            began_s = attempt.began_s + age_s
            yield began_s, attempt.began_s + next_age_s, (next_cpu_s - cpu_s) / (next_age_s - age_s)


def held_spans(attempt: Attempt) -> Iterator[tuple[float, float, float]]:
    """From when to when, and how many bytes were held: the larger of two looks between them.

    One that nobody looked at held its peak for all of its time.
    """
    if not attempt.looks:
        yield attempt.began_s, attempt.ended_s, attempt.peak_bytes
        return
    first, last = attempt.looks[0], attempt.looks[-1]
    yield attempt.began_s, attempt.began_s + first.age_s, first.rss_bytes
    for look, following in pairwise(attempt.looks):
        began_s, ended_s = attempt.began_s + look.age_s, attempt.began_s + following.age_s
        yield began_s, ended_s, max(look.rss_bytes, following.rss_bytes)
    yield attempt.began_s + last.age_s, attempt.ended_s, last.rss_bytes


def in_parts(spans: Iterable[tuple[float, float, float]], n_parts: int, part_s: float) -> tuple[_Floats, _Floats]:
    """The mean and the maximum, in each of the parts, of the sum of levels that last from one instant to another.

    >>> means, maxima = in_parts([(1, 3, 4)], 2, 2)
    >>> means.tolist(), maxima.tolist()
    ([2.0, 2.0], [4.0, 4.0])
    """
    table = np.array([span for span in spans if span[1] > span[0]], dtype=np.float64).reshape(-1, 3)
    edges = np.arange(n_parts + 1) * part_s
    instants, place = np.unique(np.concatenate((table[:, 0], table[:, 1], edges)), return_inverse=True)
    changes = np.bincount(place, np.concatenate((table[:, 2], -table[:, 2], np.zeros(n_parts + 1))))
    levels = np.maximum(np.cumsum(changes), 0)  # from each instant to the next; sums of doubles end a little off 0
    areas = np.concatenate(([0.0], np.cumsum(levels[:-1] * np.diff(instants))))
    first = np.searchsorted(instants, edges)
    means = np.diff(areas[first]) / part_s
    return means, np.maximum.reduceat(levels, first[:-1])
