"""Chains against resources: where a chain makes its jobs short, they cost more CPU time.

If every chain, the area of CPUs and that of memory are each at most the makespan, so is a weighted mean of them, with
each job at the number of CPUs at which it counts least in it. Good weights are searched as in a game: each chain and
each resource is a player that weighs more the longer the jobs have been in its eyes in the rounds before, when each
job took the CPUs at which it counted least (multiplicative weights). Every round gives a bound.

References
----------
K. Jansen and H. Zhang, J. Comput. Syst. Sci. 78 (2012), 245–259 (the allotment's linear program).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tntpipe.planning.bounds.bound import LowerBound, Term
from tntpipe.planning.bounds.dual_feasible import DualFeasible
from tntpipe.planning.bounds.instance import Instance

MAX_VISITS = 100_000
FEWEST_ROUNDS = 5
MOST_ROUNDS = 50


def allotments(
    instance: Instance, cpu_function: DualFeasible, memory_function: DualFeasible, chain: LowerBound, scale_s: float
) -> Iterator[LowerBound]:
    """The bound of each round; a player ahead by ``scale_s`` in one round weighs e times more in the next."""
    of_cpus = [cpu_function.of(cpus, instance.budget.cpus) for cpus in range(instance.budget.cpus + 1)]
    of_memory = [memory_function.of(shape.mem_bytes, instance.budget.mem_bytes) for shape in instance.shapes]
    n_jobs = len(instance.walls_s)
    seen_s = [0.0] * n_jobs
    cpus_s = memory_s = 0.0
    for _ in range(min(max(MAX_VISITS // n_jobs, FEWEST_ROUNDS), MOST_ROUNDS)):
        chain_level, flow = _soft_chains(instance, [seconds / scale_s for seconds in seen_s])
        levels = [chain_level, cpus_s / scale_s, memory_s / scale_s]
        (path_weight, cpu_weight, memory_weight), _level = _soft_shares(levels)
        costs = [
            [
                (rate, (cpu_weight * of_cpus[cpus] + memory_weight * memory) * rate, of_cpus[cpus] * rate)
                for cpus, rate in shape.rates
            ]
            for shape, memory in zip(instance.shapes, of_memory, strict=True)
        ]
        bound_s = 0.0
        for number, (shape, wall_s) in enumerate(zip(instance.shape_of, instance.walls_s, strict=True)):
            on_path = path_weight * flow[number]
            value, rate, cpu = min([(on_path * rate + cost, rate, cpu) for rate, cost, cpu in costs[shape]])
            bound_s += value * wall_s
            seen_s[number] += rate * wall_s
            cpus_s += cpu * wall_s
            memory_s += of_memory[shape] * rate * wall_s
        yield replace(
            chain,
            seconds=bound_s,
            term=Term.ALLOTMENT,
            path_weight=path_weight,
            memory_weight=memory_weight,
            cpu_function=cpu_function,
            memory_function=memory_function,
        )


def _soft_chains(instance: Instance, lengths: Sequence[float]) -> tuple[float, list[float]]:
    """How long the chains are, and a unit of flow along them, more along the longer ones."""
    before = instance.before
    last = [number for number, followers in enumerate(instance.after) if not followers]
    levels = [0.0] * len(lengths)
    shares: list[list[float]] = [[]] * len(lengths)
    for number, predecessors in enumerate(before):
        if predecessors:
            shares[number], levels[number] = _soft_shares([levels[other] for other in predecessors])
        levels[number] += lengths[number]
    ends, level = _soft_shares([levels[number] for number in last])
    flow = [0.0] * len(lengths)
    for number, share in zip(last, ends, strict=True):
        flow[number] = share
    for number in reversed(range(len(lengths))):
        for other, share in zip(before[number], shares[number], strict=True):
            flow[other] += flow[number] * share
    return level - math.log(len(last)), flow


def _soft_shares(levels: Sequence[float]) -> tuple[list[float], float]:
    """Shares with the sum 1, each larger by e for each 1 that its level is higher; and the level of all together."""
    if len(levels) == 1:
        return [1.0], levels[0]
    highest = max(levels)
    powers = [math.exp(level - highest) for level in levels]
    total = sum(powers)
    return [power / total for power in powers], highest + math.log(total)
