"""What is reserved at every instant, from when each step begins and ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tntpipe.resources import Resources


@dataclass(frozen=True, slots=True)
class Load:
    """What is held from ``since_s`` to the next load."""

    since_s: float
    held: Resources


def load_over_time(spans: Iterable[tuple[float, float, Resources]]) -> tuple[Load, ...]:
    """The loads of spans (began, ended, request), one for each instant at which anything changes; the last is nothing.

    What ends at an instant is gone when what begins then is there.

    >>> [(load.since_s, load.held.cpus) for load in load_over_time([(0, 2, Resources(1, 0)), (1, 2, Resources(3, 0))])]
    [(0, 1), (1, 4), (2, 0)]
    """
    changes: dict[float, list[int]] = {}
    for began_s, ended_s, request in spans:
        for instant_s, sign in ((began_s, 1), (ended_s, -1)):
            change = changes.setdefault(instant_s, [0, 0])
            change[0] += sign * request.cpus
            change[1] += sign * request.mem_bytes
    loads: list[Load] = []
    cpus = mem_bytes = 0
    for instant_s in sorted(changes):
        cpus += changes[instant_s][0]
        mem_bytes += changes[instant_s][1]
        loads.append(Load(instant_s, Resources(cpus, mem_bytes)))
    return tuple(loads)


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the equal parts into which the time is cut: CPUs on average, memory at its highest."""

    mean_cpus: float
    peak_mem_bytes: int


def load_in_slots(loads: Sequence[Load], end_s: float, n_slots: int) -> list[Slot]:
    """The loads from 0 to ``end_s`` in so many equal parts.

    >>> load_in_slots([Load(0, Resources(2, 5)), Load(3, Resources(0, 0))], 4, 2)
    [Slot(mean_cpus=2.0, peak_mem_bytes=5), Slot(mean_cpus=1.0, peak_mem_bytes=5)]
    """
    cpu_s, peaks = [0.0] * n_slots, [0] * n_slots
    slot_s = end_s / n_slots
    for load, following in zip(loads, [*loads[1:], None], strict=True):
        until_s = following.since_s if following else end_s
        for slot, seconds in overlaps(load.since_s, until_s, slot_s, n_slots):
            cpu_s[slot] += load.held.cpus * seconds
            peaks[slot] = max(peaks[slot], load.held.mem_bytes)
    return [Slot(busy_s / slot_s, peak) for busy_s, peak in zip(cpu_s, peaks, strict=True)]


def overlaps(began_s: float, ended_s: float, slot_s: float, n_slots: int) -> Iterable[tuple[int, float]]:
    """The slots that an interval touches, and for how many seconds each.

    >>> list(overlaps(1, 4, 2, 3))
    [(0, 1), (1, 2)]
    """
    for slot in range(min(int(began_s / slot_s), n_slots - 1), n_slots):
        seconds = min(ended_s, (slot + 1) * slot_s) - max(began_s, slot * slot_s)
        if seconds > 0:
            yield slot, seconds
        if (slot + 1) * slot_s >= ended_s:
            return
