"""Weighted areas: the jobs that start no earlier than some instant, and after which more must come, have it between.

Every pair of a head and a tail gives such a set of jobs: their area, with that head and that tail, is a bound.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from tntpipe.planning.bounds.bound import LowerBound, Term
from tntpipe.planning.bounds.dual_feasible import spread
from tntpipe.planning.bounds.instance import Instance, Levels
from tntpipe.planning.bounds.weights import Weights

N_THRESHOLDS = 64
TERMS = {0.0: Term.CPU_AREA, 1.0: Term.MEMORY_AREA}


def weighted_areas(
    instance: Instance, levels: Levels, areas_by_way: Mapping[Weights, Sequence[float]], chain: LowerBound
) -> Iterator[LowerBound]:
    """For each way to weigh, the best of the bounds between heads and tails."""
    cells = _Cells.of(instance, levels)
    for way, areas in areas_by_way.items():
        seconds, head_s, tail_s = cells.best_corner(areas)
        yield replace(
            chain,
            seconds=seconds,
            term=TERMS.get(way.memory_weight, Term.MIXED_AREA),
            head_s=head_s,
            tail_s=tail_s,
            memory_weight=way.memory_weight,
            cpu_function=way.cpu_function if way.memory_weight < 1 else None,
            memory_function=way.memory_function if way.memory_weight > 0 else None,
        )


@dataclass(frozen=True, slots=True)
class _Cells:
    """Seconds by head, tail and shape, where heads and tails are rounded down to a bounded number of thresholds."""

    heads_s: Sequence[float]
    tails_s: Sequence[float]
    walls_s: Mapping[tuple[int, int, int], float]

    @classmethod
    def of(cls, instance: Instance, levels: Levels) -> _Cells:
        heads_s, tails_s = spread(levels.heads_s, N_THRESHOLDS), spread(levels.tails_s, N_THRESHOLDS)
        walls_s: defaultdict[tuple[int, int, int], float] = defaultdict(float)
        for shape, wall_s, head_s, tail_s in zip(
            instance.shape_of, instance.walls_s, levels.heads_s, levels.tails_s, strict=True
        ):
            walls_s[bisect_right(heads_s, head_s) - 1, bisect_right(tails_s, tail_s) - 1, shape] += wall_s
        return cls(heads_s, tails_s, walls_s)

    def best_corner(self, areas: Sequence[float]) -> tuple[float, float, float]:
        """The largest sum of a head, a tail, and the area of the jobs beyond both; that head; and that tail."""
        rows = [[0.0] * len(self.tails_s) for _ in self.heads_s]
        for (row, column, shape), wall_s in self.walls_s.items():
            rows[row][column] += areas[shape] * wall_s
        best = (0.0, 0.0, 0.0)
        beyond_s = [0.0] * len(self.tails_s)
        for head_s, row_s in zip(reversed(self.heads_s), reversed(rows), strict=True):
            suffix_s = list(accumulate(reversed(row_s)))[::-1]
            beyond_s = [further_s + here_s for further_s, here_s in zip(beyond_s, suffix_s, strict=True)]
            for tail_s, area_s in zip(self.tails_s, beyond_s, strict=True):
                if area_s > 0:
                    best = max(best, (head_s + area_s + tail_s, head_s, tail_s))
        return best
