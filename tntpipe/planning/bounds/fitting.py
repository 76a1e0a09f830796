"""The dual feasible function that suits jobs of given sizes best: what each blocks beside all that fits beside it.

Time is filled with combinations of sizes that fit together. That is a linear program; its dual gives each size a price
so that no combination costs more than 1, and the prices are what the sizes block. Every combination is tried, so that
the function is dual feasible whatever the solver's rounding.

References
----------
P. C. Gilmore and R. E. Gomory, "A linear programming approach to the cutting-stock problem", Oper. Res. 9 (1961)
849–859.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from tntpipe.planning.bounds.dual_feasible import SHARE, DualFeasible, Fitted

N_FITTED_SIZES = 10
"""With at most four at once these have 1001 combinations."""
MOST_FITTED_AT_ONCE = 4


def fitted(seconds_of: Mapping[int, float], capacity: int, n_at_once: int) -> DualFeasible:
    """The best function for jobs that take so many seconds for each size, if small differences in size do not count.

    It is dual feasible where never more than ``n_at_once`` jobs run together. Sizes of which more than four fit count
    by their share; if there are no others, it is the plain share.
    """
    large = {size: seconds for size, seconds in seconds_of.items() if size * (MOST_FITTED_AT_ONCE + 1) > capacity}
    if not large:
        return SHARE
    small_s = sum(size / capacity * seconds for size, seconds in seconds_of.items() if size not in large)
    classes = _merged(large)
    combinations = _combinations(tuple(classes), capacity, n_at_once)
    rows = [[*map(float, counts), free / capacity] for counts, free in combinations]
    prices = _largest([*classes.values(), small_s], rows)
    dearest = max(sum(count * price for count, price in zip(row, prices, strict=True)) for row in rows)
    *blocks, rest = (price / max(dearest, 1.0) for price in prices)
    return Fitted(tuple(classes), tuple(blocks), rest)


def _merged(seconds_of: Mapping[int, float]) -> dict[int, float]:
    """Round sizes down to a few, each time where the least area is lost."""
    classes = sorted(seconds_of.items())
    while len(classes) > N_FITTED_SIZES:
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
    """Non-negative weights with the largest gain such that no row sums to more than 1."""
    from scipy.optimize import linprog  # some 0.2 s, which not every plan needs

    found = linprog([-gain for gain in gains], A_ub=rows, b_ub=[1.0] * len(rows))
    return [max(float(price), 0.0) for price in found.x]
