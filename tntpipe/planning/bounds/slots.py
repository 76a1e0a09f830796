"""Pigeonholes: of jobs of which at most n run together, the n·k + 1 longest hold k + 1 that run in turn."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from tntpipe.planning.bounds.bound import LowerBound, Term
from tntpipe.planning.bounds.dual_feasible import spread
from tntpipe.planning.bounds.instance import Instance, Levels

MAX_VISITS = 1_500_000
N_CLASSES = 12
N_THRESHOLDS = 64


def pigeonholes(instance: Instance, levels: Levels, chain: LowerBound) -> Iterator[LowerBound]:
    """For some numbers of slots, by CPUs and by memory, the bound for the jobs that fill one slot or more."""
    shapes = [instance.shapes[number] for number in instance.shape_of]
    for term, capacity, sizes in (
        (Term.CPU_SLOTS, instance.budget.cpus, [shape.rates[0][0] for shape in shapes]),
        (Term.MEMORY_SLOTS, instance.budget.mem_bytes, [shape.mem_bytes for shape in shapes]),
    ):
        longest_first = sorted(
            zip(instance.shortest_s, sizes, levels.heads_s, levels.tails_s, strict=True), reverse=True
        )
        n_classes = min(max(MAX_VISITS // (10 * len(sizes)), 2), N_CLASSES)
        for n_slots in spread([capacity // size for size in sizes if size], n_classes):
            members = [
                (wall_s, head_s, tail_s)
                for wall_s, size, head_s, tail_s in longest_first
                if size * (n_slots + 1) > capacity
            ]
            if len(members) > n_slots:
                seconds, head_s, tail_s, n_jobs = _in_turn_s(members, n_slots)
                yield replace(
                    chain,
                    seconds=seconds,
                    term=term,
                    head_s=head_s,
                    tail_s=tail_s,
                    n_jobs=n_jobs,
                    n_at_once=n_slots,
                )


def _in_turn_s(longest_first: Sequence[tuple[float, float, float]], n_slots: int) -> tuple[float, float, float, int]:
    """The bound for jobs given as wall time, head and tail; its head and tail; and the number of jobs beyond both."""
    n_thresholds = math.isqrt(MAX_VISITS // (len(longest_first) * N_CLASSES))
    n_thresholds = min(max(n_thresholds, 2), N_THRESHOLDS)
    best = (0.0, 0.0, 0.0, 0)
    for least_head_s in spread([head_s for _, head_s, _ in longest_first], n_thresholds):
        late = [(wall_s, tail_s) for wall_s, head_s, tail_s in longest_first if head_s >= least_head_s]
        for least_tail_s in spread([tail_s for _, tail_s in late], n_thresholds):
            sums_s = [0.0, *accumulate([wall_s for wall_s, tail_s in late if tail_s >= least_tail_s])]
            n_jobs = len(sums_s) - 1
            if n_jobs <= n_slots:
                break
            in_turn_s = max(
                sums_s[n_slots * turn + 1] - sums_s[n_slots * turn - turn]
                for turn in range(1, (n_jobs - 1) // n_slots + 1)
            )
            best = max(best, (least_head_s + in_turn_s + least_tail_s, least_head_s, least_tail_s, n_jobs))
    return best
