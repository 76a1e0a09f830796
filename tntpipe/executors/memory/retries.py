"""What a step that ran out of memory is given the next time, and when it is given up.

A pure rule: it knows how often each step has died, and neither processes nor the scheduler. Invariant: what is given
next is always more than before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tntpipe.formatting import format_gib

MOST_RETRIES = 2
REQUEST_FACTOR = 2.0
OBSERVED_FACTOR = 1.25
"""The next request is so many times the last one, or so many times what was seen, whichever is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A step that wanted more memory than it could have: its request, and the most that was seen of it."""

    name: str
    request_bytes: int
    seen_bytes: int


class Retries:
    """Counts the deaths of each step of a run within a budget of ``budget_bytes``."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._n_deaths: Counter[str] = Counter()

    def n_tries(self, name: str) -> int:
        """How often the step has run out of memory."""
        return self._n_deaths[name]

    def next_bytes(self, shortage: Shortage, *, counts: bool = True) -> int | None:
        """The next request after a death; None when the step is given up.

        One that was stopped for the sake of others (``counts`` is false) is given up only if it had the whole budget.
        """
        if counts:
            self._n_deaths[shortage.name] += 1
        if shortage.request_bytes >= self._budget_bytes or self._n_deaths[shortage.name] > MOST_RETRIES:
            return None
        wanted = max(REQUEST_FACTOR * shortage.request_bytes, OBSERVED_FACTOR * shortage.seen_bytes)
        return min(int(wanted), self._budget_bytes)

    def given_up(self, shortage: Shortage) -> str:
        """Why the step is not run again: the figures and the remedy."""
        budget = format_gib(self._budget_bytes)
        figures = f"it asked for {format_gib(shortage.request_bytes)}, {format_gib(shortage.seen_bytes)} were seen"
        if shortage.request_bytes >= self._budget_bytes:
            return f"it needs more than the whole budget of {budget} ({figures}): give the run more with --memory_gb"
        return (
            f"it ran out of memory {self._n_deaths[shortage.name]} times ({figures}, the budget is {budget}): "
            "give the run more with --memory_gb, or the step more with --resource_input_file"
        )
