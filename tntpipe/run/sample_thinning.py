"""Which looks at a running step go to the journal: so many that the curve is there, so few that long steps stay small.

A look is kept once the step is a tenth older than at the one before, at the latest after half a minute, and whenever
its memory has passed the largest that was kept by a twentieth.
"""

from __future__ import annotations

from tntpipe.journal.events import StepSampled

AGE_FACTOR = 1.1
LONGEST_S = 30.0
MEMORY_FACTOR = 1.05


class Thinning:
    """Remembers the last look that was kept of each running step."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, int]] = {}

    def keeps(self, sample: StepSampled) -> bool:
        """Whether this look is one to keep; a younger look than the last one is of another try, and is."""
        age_s, largest_bytes = self._kept.get(sample.name, (0.0, 0))
        if sample.age_s < age_s:
            age_s, largest_bytes = 0.0, 0
        is_due = sample.age_s >= min(age_s * AGE_FACTOR, age_s + LONGEST_S)
        if is_due or sample.rss_bytes > largest_bytes * MEMORY_FACTOR:
            self._kept[sample.name] = sample.age_s, max(largest_bytes, sample.rss_bytes)
            return True
        return False

    def forget(self, name: str) -> None:
        """A step has ended: nothing of it is remembered."""
        self._kept.pop(name, None)
