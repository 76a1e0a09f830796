"""What a lower bound is, and the sentence in which it says why no schedule is shorter."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tntpipe.formatting import duration, format_gib
from tntpipe.planning.bounds.dual_feasible import SHARE, DualFeasible
from tntpipe.resources import Resources

ROUNDING = 1 - 1e-9
"""Sums of a million doubles are exact to 1e-10; the bound stays below what is exact."""

LEAST_TOLD_S = 0.5
"""What would be told as 0:00 is left out of the sentence."""


class Term(Enum):
    """What it is that no schedule can avoid."""

    CRITICAL_PATH = "the longest chain"
    CPU_AREA = "the CPUs"
    MEMORY_AREA = "the memory"
    MIXED_AREA = "CPUs and memory"
    CPU_SLOTS = "the CPUs in turn"
    MEMORY_SLOTS = "the memory in turn"
    ALLOTMENT = "chains, CPUs and memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class LowerBound:
    """Seconds that every schedule takes, and the term that says so.

    ``head_s`` and ``tail_s`` pass before and after the jobs that the term counts. The weights of paths, memory and CPUs
    have the sum 1; the functions say what of a share counts. Of the ``n_jobs`` counted ``n_at_once`` can run together.
    """

    seconds: float
    critical_path_s: float
    budget: Resources
    term: Term = Term.CRITICAL_PATH
    head_s: float = 0.0
    tail_s: float = 0.0
    path_weight: float = 0.0
    memory_weight: float = 0.0
    cpu_function: DualFeasible | None = None
    memory_function: DualFeasible | None = None
    n_jobs: int = 0
    n_at_once: int = 0

    def __str__(self) -> str:
        cpus = "1 CPU" if self.budget.cpus == 1 else f"{self.budget.cpus} CPUs"
        memory = format_gib(self.budget.mem_bytes)
        fit = "1 fits" if self.n_at_once == 1 else f"{self.n_at_once} fit"
        middle = duration(self.seconds - self.head_s - self.tail_s)
        match self.term:
            case Term.CRITICAL_PATH:
                fact = f"the longest chain: {middle} of jobs in turn, each with as many CPUs as it can use"
            case Term.CPU_AREA:
                fact = f"the CPUs: {middle} of work on {cpus}{self._blocked}"
            case Term.MEMORY_AREA:
                fact = f"the memory: {middle} of work in {memory}{self._blocked}"
            case Term.MIXED_AREA:
                fact = f"CPUs and memory: {middle} of work on {cpus} and in {memory} together{self._blocked}"
            case Term.CPU_SLOTS:
                fact = f"the CPUs: {middle} for {self.n_jobs} jobs of which {fit} at once"
            case Term.MEMORY_SLOTS:
                fact = f"the memory: {middle} for {self.n_jobs} jobs of which {fit} at once"
            case Term.ALLOTMENT:
                fact = f"chains, CPUs and memory: {middle}, as jobs made shorter by more CPUs take more CPU time"
        return fact + self._around

    @property
    def _blocked(self) -> str:
        plain = {self.cpu_function, self.memory_function} <= {SHARE, None}
        return "" if plain else ", counting what jobs leave that no other can use"

    @property
    def _around(self) -> str:
        before = [f"after {duration(self.head_s)} of what must come first"] if self.head_s >= LEAST_TOLD_S else []
        behind = [f"before {duration(self.tail_s)} of what must come last"] if self.tail_s >= LEAST_TOLD_S else []
        return ", " + " and ".join(before + behind) if before or behind else ""
