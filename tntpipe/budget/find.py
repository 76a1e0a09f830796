"""The budget of a run: the smallest limit of all, or what the user says, and what to tell of it.

The user's figure stands, also above what was detected: it may be known better (memory that is about to be freed), or
wanted (more steps than CPUs). The budget then carries a warning with both figures and what follows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tntpipe.budget import cgroups
from tntpipe.budget.batch import find_grants
from tntpipe.budget.limit import Limit, ascending
from tntpipe.errors import BudgetError
from tntpipe.formatting import GIB, counted, format_gib
from tntpipe.resources import Resources

RESERVE = 0.07
"""Of the memory that is available: left to the run itself, the page cache and whatever else grows meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a run may use, why, and every limit that was detected, smallest first."""

    cpus: Limit
    mem: Limit
    cpu_limits: tuple[Limit, ...] = ()
    mem_limits: tuple[Limit, ...] = ()
    warnings: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def resources(self) -> Resources:
        return Resources(self.cpus.amount, self.mem.amount)

    @property
    def others(self) -> tuple[str, ...]:
        """The limits that did not win, in words."""
        cpus = (
            f"{counted(limit.amount, 'CPU')} ({limit.source})" for limit in self.cpu_limits if limit is not self.cpus
        )
        mem = (f"{format_gib(limit.amount)} ({limit.source})" for limit in self.mem_limits if limit is not self.mem)
        return (*cpus, *mem)

    def __str__(self) -> str:
        cpus = _because(self.cpus, self.cpu_limits)
        mem = _because(self.mem, self.mem_limits)
        return f"{counted(self.cpus.amount, 'CPU')} ({cpus}), {format_gib(self.mem.amount)} of memory ({mem})"


def find_budget(
    n_proc: int | None,
    memory_gb: float | None,
    root: Path = Path("/"),
    environment: Mapping[str, str] = os.environ,
) -> Budget:
    """The budget of a run; ``root`` holds ``proc`` and ``sys``.

    Raises
    ------
    BudgetError
        Neither the user nor anything else says how much memory there is.
    """
    groups, grants = cgroups.find_groups(root), find_grants(environment)
    cpu_limits = ascending([*_machine_cpus(), *cgroups.cpu_limits(groups), *grants.cpus])
    mem_limits = ascending([*_machine_memory(root), *cgroups.memory_limits(groups), *grants.mem])
    warnings = []
    if n_proc is None:
        cpus = cpu_limits[0]
    else:
        cpus = Limit(amount=n_proc, source="--n_proc", claim="--n_proc allows")
        if n_proc > cpu_limits[0].amount:
            warnings.append(_too_many_cpus(n_proc, cpu_limits[0]))
    if memory_gb is not None:
        mem = Limit(amount=int(memory_gb * GIB), source="--memory_gb", claim="--memory_gb allows")
        if mem_limits and mem.amount > mem_limits[0].amount:
            warnings.append(_too_much_memory(memory_gb, mem_limits[0]))
    elif mem_limits:
        mem = ascending(map(_without_reserve, mem_limits))[0]
    else:
        raise BudgetError("This system does not say how much memory is available.", remedy="Give --memory_gb.")
    return Budget(
        cpus=cpus,
        mem=mem,
        cpu_limits=cpu_limits,
        mem_limits=mem_limits,
        warnings=tuple(warnings),
        notices=grants.notices,
    )


def _without_reserve(limit: Limit) -> Limit:
    """What a run takes of a limit if nobody tells it how much."""
    if not limit.shared:
        return limit
    amount = int(limit.amount * (1 - RESERVE))
    return replace(limit, amount=amount, source=f"{1 - RESERVE:.0%} of {limit.source}")


def _machine_cpus() -> Iterator[Limit]:
    n_cpus = os.cpu_count() or 1
    yield Limit(amount=n_cpus, source="all of the machine", claim="the machine has", aside=f"the machine has {n_cpus}")
    if hasattr(os, "sched_getaffinity"):
        source = "the CPU affinity of this process"
        yield Limit(amount=len(os.sched_getaffinity(0)), source=source, claim=f"{source} allows")


def _machine_memory(root: Path) -> Iterator[Limit]:
    """The memory that is available, or, where the system does not tell that, all that the machine has."""
    excess = "the kernel may kill them"
    n_bytes = _available_bytes(root / "proc/meminfo")
    if n_bytes is not None:
        yield Limit(
            amount=n_bytes,
            source="the memory that is available now",
            claim="the machine has available",
            excess=excess,
            aside=f"{format_gib(n_bytes)} are available",
            shared=True,
        )
        return
    try:
        n_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return
    if n_bytes > 0:
        aside = f"the machine has {format_gib(n_bytes)}"
        yield Limit(amount=n_bytes, source="all of the machine", claim="the machine has", excess=excess, aside=aside)


def _available_bytes(meminfo: Path) -> int | None:
    try:
        words = meminfo.read_text().split()
        return int(words[words.index("MemAvailable:") + 1]) * 1024
    except (OSError, ValueError, IndexError):
        return None


def _too_many_cpus(n_proc: int, limit: Limit) -> str:
    n, there = limit.amount, counted(limit.amount, "CPU")
    return (
        f"--n_proc {n_proc} is more than the {there} that {limit.claim}: {n_proc} CPUs' worth of steps will run at "
        f"a time and share {there}, so each will take up to {n_proc / n:.1f} times as long."
    )


def _too_much_memory(memory_gb: float, limit: Limit) -> str:
    there = format_gib(limit.amount)
    return (
        f"--memory_gb {memory_gb:g} is more than the {there} that {limit.claim}: steps will be started up to "
        f"{memory_gb:g} GiB, and {limit.excess} when they really use more than {there}."
    )


def _because(winner: Limit, limits: tuple[Limit, ...]) -> str:
    """Who set the winner, and what is worth saying of the others."""
    return "; ".join([winner.source, *(limit.aside for limit in limits if limit.aside and limit is not winner)])
