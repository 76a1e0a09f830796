"""Plays the rest of a run on a fork of its scheduler, in slices: the simulation behind advice and forecasts.

Nothing fails in it, every job takes what its estimate says (times a factor, where one is given), and one that runs for
longer than it was expected to goes on for as long as the policy expects. All that ends at one instant is told at once,
as a world does. The scheduler that is played is used up; its caller hands in a fork.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from heapq import heapify, heappop, heappush

from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.messages import Ended, Event, Launch
from tntpipe.scheduler.policy import OVERRUN_FACTOR

SLICE_ENDS = 32
"""Simulated ends of jobs in one slice."""


def end_of(
    fork: Scheduler, now: float, factor: Callable[[str], float], events: Sequence[Event] = ()
) -> Generator[None, None, float]:
    """Tell the scheduler ``events`` and play to the end of the run; when that is. Yields after each slice."""
    ends = []
    for held in fork.running:
        expected = held.ends + (factor(held.name) - 1) * (held.ends - held.since)
        ends.append((expected if expected >= now else held.since + OVERRUN_FACTOR * (now - held.since), held.name))
    heapify(ends)
    actions = fork.handle(events, now)
    n_ends = 0
    while not fork.finished:
        for action in actions:
            if isinstance(action, Launch):
                job = fork.job(action.name)
                heappush(ends, (now + job.scaled(job.wall_s * factor(job.name), action.request.cpus), job.name))
        now = ends[0][0]
        ended = []
        while ends and ends[0][0] == now:
            ended.append(Ended(name=heappop(ends)[1], succeeded=True))
        actions = fork.handle(ended, now)
        n_ends += len(ended)
        if n_ends >= SLICE_ENDS or fork.finished:
            n_ends = 0
            yield
    return now
