"""The policies among which a run chooses by playing them, each by the name that people are told.

No order is the best for all: where memory is scarce, whoever holds it must not idle, and critical paths in seconds say
nothing of that. What each is good for was measured on public workflows and on cohorts (``docs/scheduling.md``).
"""

from __future__ import annotations

from collections.abc import Mapping

from tntpipe.scheduler.first_fit import FirstFit
from tntpipe.scheduler.longest_path_first import LongestPathFirst
from tntpipe.scheduler.policy import Policy

HALF = 0.5

PORTFOLIO: Mapping[str, Policy] = {
    "longest path first": LongestPathFirst(),
    "most memory first": LongestPathFirst(weighs_memory=True),
    "longest path first with one large job at a time": LongestPathFirst(large_share=HALF),
    "most memory first with one large job at a time": LongestPathFirst(weighs_memory=True, large_share=HALF),
    "longest path first without a reservation": LongestPathFirst(reserves=False),
    "most memory first without a reservation": LongestPathFirst(weighs_memory=True, reserves=False),
    "first fit in topological order": FirstFit(),
}
"""Order and packing only: whether scans are begun in turn stays as the scheduler's own policy has it."""
