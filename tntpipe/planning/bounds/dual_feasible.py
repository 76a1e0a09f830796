"""Dual feasible functions: how much of a budget a job blocks, when what it leaves is too small to be of use.

A function f on [0, 1] is dual feasible if sizes that fit together, with a sum of at most 1, have values whose sum is at
most 1. The weighted area of jobs under such a function is a lower bound wherever the plain area is one, and can be much
larger: of jobs that need 0.4 of the memory two run at once, so that each blocks one half.

It knows sizes and capacities, in whole bytes or CPUs, so that no rounding can make a job block too much.

References
----------
S. P. Fekete and J. Schepers, "New classes of fast lower bounds for bin packing problems", Math. Program. 91 (2001)
11–31.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

Number = TypeVar("Number", int, float)

MAX_PARTS = 20
"""Of jobs so small that more than 20 fit, what is left beside them is at most 1 / 21."""


@dataclass(frozen=True, slots=True)
class Rounded:
    """The share in steps of 1 / ``parts``, which are u^(p) with p = ``parts``; without them it is the plain share.

    >>> Rounded(2).of(4, 10), Rounded(2).of(3, 10), Rounded().of(4, 10)
    (0.5, 0.0, 0.4)
    """

    parts: int = 0

    def of(self, size: int, capacity: int) -> float:
        """What a job of that size blocks, as a share of the whole."""
        if not size:
            return 0.0
        n_parts, rest = divmod((self.parts + 1) * size, capacity)
        return n_parts / self.parts if rest and self.parts else size / capacity


@dataclass(frozen=True, slots=True)
class Fitted:
    """Blocks that suit given sizes: of these the largest that a size reaches decides; below all, ``rest`` of the share.

    It is dual feasible if every combination of ``sizes`` that fits blocks at most what it leaves for the rest.
    """

    sizes: tuple[int, ...]
    blocks: tuple[float, ...]
    rest: float

    def of(self, size: int, capacity: int) -> float:
        """What a job of that size blocks, as a share of the whole."""
        rank = bisect_right(self.sizes, size)
        return self.blocks[rank - 1] if rank else self.rest * size / capacity if size else 0.0


DualFeasible = Rounded | Fitted
SHARE = Rounded()


def best_functions(area_s: Callable[[DualFeasible], float]) -> list[DualFeasible]:
    """The function in steps under which the jobs have the largest area, if that is more; and the plain share."""
    best = max((SHARE, *map(Rounded, range(1, MAX_PARTS + 1))), key=area_s)
    return [SHARE] if best == SHARE else [best, SHARE]


def spread(values: Iterable[Number], n_most: int) -> list[Number]:
    """Distinct values, sorted; of more than ``n_most``, as many at even ranks, the first and the last among them."""
    distinct = sorted(set(values))
    if len(distinct) <= n_most:
        return distinct
    return [distinct[rank * (len(distinct) - 1) // (n_most - 1)] for rank in range(n_most)]
