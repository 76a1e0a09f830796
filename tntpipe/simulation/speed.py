"""How much longer steps take on this machine, now, than was estimated elsewhere.

The learner corrects the kinds of steps of which some have ended; until it has, what the other kinds took is the best
guess: a machine that is slow, or shared with others, is so for all of them. Only the forecast uses it.
"""

from __future__ import annotations

from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.messages import Action, Ended, Event, Reestimated

PRIOR_S = 60.0
"""So many seconds that were as expected are counted in: a few short steps say little."""

WIDEST = 20.0
"""No step counts as more times longer, or shorter, than expected."""


class Speed:
    """Follows one run; ``note`` hears of an event before the scheduler takes it in."""

    def __init__(self) -> None:
        self._taken_s = self._expected_s = PRIOR_S
        self._learnt: set[str] = set()

    def note(self, happened: Event | Action, scheduler: Scheduler) -> None:
        """Take note of what a step took, or that its kind is not to be guessed at any more."""
        match happened:
            case Ended(succeeded=True, used=used) if used is not None:
                kind, expected_s = scheduler.job(happened.name).kind, scheduler.expected_s(happened.name)
                if kind not in self._learnt:
                    self._taken_s += min(max(used.wall_s, expected_s / WIDEST), expected_s * WIDEST)
                    self._expected_s += expected_s
            case Reestimated():
                self._learnt |= {job.kind for job in happened.jobs if job.wall_s != scheduler.job(job.name).wall_s}

    @property
    def factor(self) -> float:
        """How many times longer than expected steps took, to two digits."""
        return float(f"{self._taken_s / self._expected_s:.2g}")

    def factor_of(self, kind: str) -> float:
        """The same for a kind of step: 1 once its own steps have taught what they take."""
        return 1.0 if kind in self._learnt else self.factor
