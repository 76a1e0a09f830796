"""Dual feasible functions: how much of a budget a job blocks, when what it leaves is too small to be of use.

A function f on [0, 1] is dual feasible if sizes that fit together, with a sum of at most 1, have values whose sum is at
most 1. The weighted area of jobs under such a function is a lower bound wherever the plain area is one, and can be much
larger: of jobs that need 0.4 of the memory two run at once, so that each blocks one half.

It knows sizes and capacities, in whole bytes or CPUs, so that no rounding can make a job block too much.

References
----------
S. P. Fekete and J. Schepers, "New classes of fast lower bounds for bin packing problems", Math. Program. 91 (2001)
11–31. P. C. Gilmore and R. E. Gomory, "A linear programming approach to the cutting-stock problem", Oper. Res. 9 (1961)
849–859.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

Number = TypeVar("Number", int, float)

MAX_PARTS = 20
N_THRESHOLDS = 12
N_COMPOSED = 3
N_FITTED_SIZES = 12
MOST_FITTED_AT_ONCE = 4
MAX_COMBINATIONS = 1500
MAX_PIVOTS = 100


@dataclass(frozen=True, slots=True)
class Rounded:
    """Below ``least`` nothing counts, above capacity - ``least`` all; between, the share in steps of 1 / ``parts``.

    These are U^(ε) with ε = ``least`` / capacity, then u^(p) with p = ``parts``. Without either it is the plain share.

    >>> Rounded(parts=2).of(4, 10), Rounded(least=3).of(8, 10), Rounded().of(4, 10)
    (0.5, 1.0, 0.4)
    """

    least: int = 0
    parts: int = 0

    def of(self, size: int, capacity: int) -> float:
        """What a job of that size blocks, as a share of the whole."""
        if not size or size < self.least:
            return 0.0
        if size > capacity - self.least:
            return 1.0
        n_parts, rest = divmod((self.parts + 1) * size, capacity)
        return n_parts / self.parts if rest and self.parts else size / capacity

    def __str__(self) -> str:
        counted = "in shares" if not self.parts else f"in steps of 1/{self.parts}"
        return counted if not self.least else f"{counted}, above a threshold"


@dataclass(frozen=True, slots=True)
class Slotted:
    """The capacity as so many slots of size ``least``: up to a half a job blocks one, a larger one all that it spoils.

    This is the third family, φ^(ε), with ε = ``least`` / capacity, which is at most 1/2.

    >>> Slotted(3).of(3, 10) == Slotted(3).of(5, 10) == 1 / 3, Slotted(3).of(8, 10)
    (True, 1.0)
    """

    least: int

    def of(self, size: int, capacity: int) -> float:
        """What a job of that size blocks, as a share of the whole."""
        n_slots = capacity // self.least
        if 2 * size > capacity:
            return (n_slots - (capacity - size) // self.least) / n_slots
        return 1 / n_slots if size >= self.least else 0.0

    def __str__(self) -> str:
        return "in slots"


@dataclass(frozen=True, slots=True)
class Fitted:
    """Blocks that suit given sizes: of these the largest that a size reaches decides; below all, ``rest`` of the share.

    It is dual feasible because ``fitted`` has tried every combination of ``sizes`` that fits.
    """

    sizes: tuple[int, ...]
    blocks: tuple[float, ...]
    rest: float

    def of(self, size: int, capacity: int) -> float:
        """What a job of that size blocks, as a share of the whole."""
        rank = bisect_right(self.sizes, size)
        return self.blocks[rank - 1] if rank else self.rest * size / capacity if size else 0.0

    def __str__(self) -> str:
        return "by what fits beside it"


DualFeasible = Rounded | Slotted | Fitted
SHARE = Rounded()


def best_functions(
    sizes: Collection[int], capacity: int, area_s: Callable[[DualFeasible], float], n_best: int
) -> list[DualFeasible]:
    """The functions under which jobs of these sizes have the largest areas, best first, and the plain share."""
    if not any(sizes):
        return [SHARE]
    areas_s: dict[DualFeasible, float] = {function: area_s(function) for function in candidates(sizes, capacity)}
    ranked = sorted(areas_s, key=lambda function: -areas_s[function])
    thresholds = [function.least for function in ranked if isinstance(function, Rounded) and function.least][
        :N_COMPOSED
    ]
    for least in thresholds:
        for parts in range(1, MAX_PARTS + 1):
            areas_s[Rounded(least, parts)] = area_s(Rounded(least, parts))
    distinct = {area: function for function, area in reversed(areas_s.items())}
    best = [distinct[area] for area in sorted(distinct, reverse=True)[:n_best]]
    return best if SHARE in best else [*best, SHARE]


def candidates(sizes: Collection[int], capacity: int) -> Iterator[DualFeasible]:
    """A bounded number of functions whose steps lie at these sizes."""
    small = spread([size for size in sizes if 0 < 2 * size <= capacity], N_THRESHOLDS)
    large = spread([capacity - size + 1 for size in sizes if 2 * size > capacity + 1], N_THRESHOLDS)
    yield SHARE
    for parts in sorted({*range(1, MAX_PARTS + 1), *(capacity // size for size in small)}):
        yield Rounded(parts=parts)
    for least in sorted({*small, *large}):
        yield Rounded(least)
        yield Slotted(least)


def spread(values: Iterable[Number], n_most: int) -> list[Number]:
    """Distinct values, sorted; of more than ``n_most``, as many at even ranks, the first and the last among them."""
    distinct = sorted(set(values))
    if len(distinct) <= n_most:
        return distinct
    return [distinct[rank * (len(distinct) - 1) // (n_most - 1)] for rank in range(n_most)]


def fitted(seconds_of: Mapping[int, float], capacity: int, n_at_once: int) -> Fitted:
    """The best function for jobs that take so many seconds for each size, if small differences in size do not count.

    This is the dual of Gilmore and Gomory's linear program, which fills time with combinations of sizes that fit.
    """
    large = {size: seconds for size, seconds in seconds_of.items() if size * (MOST_FITTED_AT_ONCE + 1) > capacity}
    rest = sum(size / capacity * seconds for size, seconds in seconds_of.items() if size and size not in large)
    for n_sizes in range(N_FITTED_SIZES, 0, -2):
        classes = _merged(large, n_sizes)
        sizes = tuple(classes)
        combinations = list(_combinations(sizes, capacity, n_at_once))
        if len(combinations) <= MAX_COMBINATIONS:
            break
    rows = [[*map(float, counts), free / capacity] for counts, free in combinations]
    solution = _largest([*classes.values(), rest], rows)
    total = max(sum(count * weight for count, weight in zip(row, solution, strict=True)) for row in rows)
    scaled = [weight / max(total, 1.0) for weight in solution]
    return Fitted(sizes, tuple(scaled[:-1]), scaled[-1])


def _merged(seconds_of: Mapping[int, float], n_sizes: int) -> dict[int, float]:
    """Round sizes down to fewer, each time where the least area is lost."""
    classes = sorted(seconds_of.items())
    while len(classes) > n_sizes:
        lost = [(size - below) * seconds for (below, _), (size, seconds) in pairwise(classes)]
        rank = lost.index(min(lost))
        (below, seconds), (_, more_seconds) = classes[rank : rank + 2]
        classes[rank : rank + 2] = [(below, seconds + more_seconds)]
    return dict(classes)


def _combinations(sizes: Sequence[int], capacity: int, n_most: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """How many of each size fit together, in every way, and the capacity that is left."""
    if not sizes:
        yield (), capacity
        return
    for count in range(min(capacity // sizes[0], n_most) + 1):
        for counts, free in _combinations(sizes[1:], capacity - count * sizes[0], n_most - count):
            yield (count, *counts), free


def _largest(gains: Sequence[float], rows: Sequence[Sequence[float]]) -> list[float]:
    """Non-negative weights with the largest gain such that no row sums to more than 1: Dantzig's simplex method."""
    n_weights = len(gains)
    table = [[*row, 1.0] for row in rows]
    costs = [*(-gain / max(*gains, 1e-300) for gain in gains), 0.0]
    outside, inside = list(range(n_weights)), list(range(n_weights, n_weights + len(rows)))
    for _ in range(MAX_PIVOTS):
        column = min(range(n_weights), key=costs.__getitem__)
        ratios = [(row[-1] / row[column], rank) for rank, row in enumerate(table) if row[column] > 1e-9]
        if costs[column] > -1e-9 or not ratios:
            break
        pivot_rank = min(ratios)[1]
        pivot = table[pivot_rank][column]
        pivot_row = [value / pivot for value in table[pivot_rank]]
        for row in (*table, costs):
            factor = row[column]
            if factor:
                row[:] = [value - factor * change for value, change in zip(row, pivot_row, strict=True)]
                row[column] = -factor / pivot
        pivot_row[column] = 1 / pivot
        table[pivot_rank] = pivot_row
        outside[column], inside[pivot_rank] = inside[pivot_rank], outside[column]
    values = {variable: row[-1] for variable, row in zip(inside, table, strict=True)}
    return [max(values.get(variable, 0.0), 0.0) for variable in range(n_weights)]
