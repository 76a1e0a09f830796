"""How much shorter the run could have been: a bound from below, and the chain of steps that ended last.

The bound is that of the steps that came to their own end, each with the CPUs and memory it was given and the time that
its process took, in any order. Of what must come first only that is known which the journal tells: the step whose end
made another ready.
"""

from __future__ import annotations

from dataclasses import dataclass

from tntpipe.journal.history import Attempt, Ending, History
from tntpipe.planning.bounds.lower_bounds import LowerBound, lower_bound
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job

RAN = (Ending.DONE, Ending.FAILED)
"""The endings of steps that took the time that they take."""


def bound_of(history: History) -> LowerBound | None:
    """The bound; None where no step ran, or where they held more than the budget was."""
    ran = {name: attempt for name, attempt in history.last_attempts.items() if _counts(attempt)}
    jobs = [
        Job(
            name=attempt.name,
            request=Resources(attempt.cpus, attempt.mem_bytes),
            wall_s=attempt.ran_s,
            follows=(attempt.after,) if attempt.after in ran else (),
        )
        for attempt in ran.values()
    ]
    try:
        return lower_bound(jobs, Resources(history.facts.cpus, history.facts.mem_bytes)) if jobs else None
    except ValueError:
        return None


def _counts(attempt: Attempt) -> bool:
    return attempt.ending in RAN and attempt.cpus > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Attempts each of which could begin when the one before it ended; the last one ended last of all."""

    attempts: tuple[Attempt, ...]

    @property
    def running_s(self) -> float:
        """How long its attempts ran."""
        return sum(attempt.wall_s for attempt in self.attempts)

    @property
    def waiting_s(self) -> float:
        """How long they could have run and waited, for CPUs, for memory, or for their scan's turn."""
        return sum(attempt.waited_s for attempt in self.attempts)


def last_chain(history: History) -> Chain:
    """The chain that decided when the run ended: shorter than it no run with these waits could be."""
    by_step: dict[str, list[Attempt]] = {}
    for attempt in history.attempts:
        by_step.setdefault(attempt.name, []).append(attempt)
    chain: list[Attempt] = []
    name = max(history.attempts, key=lambda attempt: attempt.ended_s).name if history.attempts else ""
    while name in by_step:
        tries = by_step.pop(name)
        chain += reversed(tries)
        name = tries[0].after
    return Chain(attempts=tuple(reversed(chain)))
