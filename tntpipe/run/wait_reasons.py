"""Why steps wait, in words: what the scheduler answers as data, told as a line of text."""

from __future__ import annotations

from collections.abc import Iterator

from tntpipe.formatting import counted, duration, format_gib
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.scheduler.why import (
    BehindReservation,
    BehindScans,
    Dropped,
    Finished,
    NotStarted,
    Running,
    Stopped,
    WaitsForJobs,
    WaitsForMoreCpus,
    WaitsForPressure,
    WaitsForResources,
    Why,
)

N_NAMES = 3


def waiting_steps(scheduler: Scheduler, now: float, n_most: int) -> Iterator[tuple[str, str]]:
    """Yield the first ready steps that wait, in the order in which they would start, and why, at an instant."""
    for name in scheduler.queue(n_most):
        yield name, in_words(scheduler.why(name), now)


def in_words(why: Why, now: float) -> str:
    """Tell a reason in words; ``now`` is on the scheduler's clock.

    >>> in_words(WaitsForResources(short_of=Resources(2, 0), shadow_time=130.0), 10.0)
    'waits for 2 more CPUs; reserved, expected in 2:00'
    """
    match why:
        case NotStarted():
            return "the run has not begun"
        case WaitsForJobs():
            more = f" and {len(why.names) - N_NAMES} more" if len(why.names) > N_NAMES else ""
            return f"follows {', '.join(why.names[:N_NAMES])}{more}"
        case WaitsForResources():
            reserved = "" if why.shadow_time is None else f"; reserved, expected in {_time_to(why.shadow_time, now)}"
            return f"waits for {_amount(why.short_of)}{reserved}"
        case WaitsForMoreCpus():
            return f"would end later if it started now: waits for more CPUs, free in {_time_to(why.shadow_time, now)}"
        case BehindReservation():
            return f"would delay {why.name}, which should start in {_time_to(why.shadow_time, now)}"
        case WaitsForPressure():
            return "waits until running steps release memory: what they really use is near the budget"
        case BehindScans():
            return f"waits for its scan's turn: {why.n_under_way} scans are under way"
        case Running():
            return f"runs, since {duration(now - why.since)}"
        case Finished():
            return "is done" if why.succeeded else "has failed"
        case Dropped():
            return f"will not run, because {why.because} failed"
        case Stopped():
            return "was stopped with the run"


def _amount(short_of: Resources) -> str:
    parts = []
    if short_of.cpus:
        parts.append(counted(short_of.cpus, "more CPU"))
    if short_of.mem_bytes:
        parts.append(f"{format_gib(short_of.mem_bytes)} more of memory")
    return " and ".join(parts) or "its turn"


def _time_to(instant: float, now: float) -> str:
    return duration(max(0.0, instant - now))
