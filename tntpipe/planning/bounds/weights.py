"""Ways to weigh resources: means of a function of the share of CPUs and one of the share of memory.

At every instant the running jobs have weights with a sum of at most 1, so that their weighted areas bound the time.
Which ways are tried is a guess, made on a sample of the jobs; it cannot make a bound wrong, only weak.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from tntpipe.planning.bounds.dual_feasible import SHARE, DualFeasible, best_functions, spread
from tntpipe.planning.bounds.fitting import fitted
from tntpipe.planning.bounds.instance import Instance, Shape
from tntpipe.resources import Resources

N_SAMPLED = 256
N_MEMORY_SIZES = 128
N_GOLDEN_STEPS = 14
GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Weights:
    """The mean of two functions, with ``memory_weight`` on that of memory and the rest on that of CPUs."""

    budget: Resources
    cpu_function: DualFeasible
    memory_function: DualFeasible
    memory_weight: float

    def areas(self, shapes: Iterable[Shape]) -> list[float]:
        """For each shape the weighted area of a job of one second, with the CPUs at which it counts least."""
        n_cpus, mem_bytes = self.budget.cpus, self.budget.mem_bytes
        of_cpus = [(1 - self.memory_weight) * self.cpu_function.of(cpus, n_cpus) for cpus in range(n_cpus + 1)]
        areas = []
        for shape in shapes:
            of_memory = self.memory_weight * self.memory_function.of(shape.mem_bytes, mem_bytes)
            areas.append(min([(of_cpus[cpus] + of_memory) * rate for cpus, rate in shape.rates]))
        return areas


def ways_to_weigh(instance: Instance) -> list[Weights]:
    """Ways under which the jobs have much area: by CPUs alone, by memory alone, and by both; the best of each first."""
    budget = instance.budget
    sample, walls_s = _sample(instance)

    def area_s(weights: Weights) -> float:
        return sum([area * wall_s for area, wall_s in zip(weights.areas(sample), walls_s, strict=True)])

    def cpu_weights(function: DualFeasible) -> Weights:
        return Weights(budget, function, SHARE, 0.0)

    of_cpus = best_functions(lambda function: area_s(cpu_weights(function)))
    of_memory = _memory_functions(instance)
    ways = [cpu_weights(function) for function in of_cpus]
    ways += [Weights(budget, SHARE, function, 1.0) for function in of_memory]
    if any(len(shape.rates) > 1 for shape in sample):
        ways.append(_best_mean(Weights(budget, of_cpus[0], of_memory[0], 0.5), area_s))
    return ways


def _memory_functions(instance: Instance) -> list[DualFeasible]:
    """Functions of the share of memory, the best first; a bounded number of sizes is enough to rank them by."""
    capacity = instance.budget.mem_bytes
    sizes = spread([shape.mem_bytes for shape in instance.shapes], N_MEMORY_SIZES)
    seconds_of: defaultdict[int, float] = defaultdict(float)
    for shape, wall_s in zip(instance.shapes, instance.walls_of_shapes_s(), strict=True):
        seconds_of[sizes[bisect_right(sizes, shape.mem_bytes) - 1]] += wall_s * shape.rates[-1][1]

    def area_s(function: DualFeasible) -> float:
        return sum([function.of(size, capacity) * seconds for size, seconds in seconds_of.items()])

    n_at_once = instance.budget.cpus // min(shape.rates[0][0] for shape in instance.shapes)
    functions = dict.fromkeys([*best_functions(area_s), fitted(seconds_of, capacity, n_at_once)])
    return sorted(functions, key=area_s, reverse=True)


def _sample(instance: Instance) -> tuple[list[Shape], list[float]]:
    """A bounded number of shapes, each with the seconds of those that are like it."""
    ranked = sorted(
        zip(instance.shapes, instance.walls_of_shapes_s(), strict=True),
        key=lambda each: (each[0].rates, each[0].mem_bytes),
    )
    n_alike = math.ceil(len(ranked) / N_SAMPLED)
    groups = [ranked[first : first + n_alike] for first in range(0, len(ranked), n_alike)]
    return [group[0][0] for group in groups], [sum(wall_s for _, wall_s in group) for group in groups]


def _best_mean(weights: Weights, area_s: Callable[[Weights], float]) -> Weights:
    """Search the weight of memory with the most area, which is concave in it, by golden section."""
    low, high = 0.0, 1.0
    inner = [replace(weights, memory_weight=1 - GOLDEN), replace(weights, memory_weight=GOLDEN)]
    values = [area_s(weights) for weights in inner]
    for _ in range(N_GOLDEN_STEPS):
        if values[0] < values[1]:
            low = inner[0].memory_weight
            inner = [inner[1], replace(weights, memory_weight=low + GOLDEN * (high - low))]
            values = [values[1], area_s(inner[1])]
        else:
            high = inner[1].memory_weight
            inner = [replace(weights, memory_weight=high - GOLDEN * (high - low)), inner[0]]
            values = [area_s(inner[0]), values[0]]
    return inner[values[0] < values[1]]
