"""What a machine does about memory: keeps the children within the budget, and runs again what died for want of it.

The rules are pure and stand in :mod:`watchdog`, :mod:`retries` and :mod:`memory_death`; here they meet real children.
It starts nothing: what is to be run again is for the scheduler to hear.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tntpipe.executors.children import send
from tntpipe.executors.memory.death import OomKills, why_it_died
from tntpipe.executors.memory.retries import Retries, Shortage
from tntpipe.executors.memory.watchdog import Held, Watchdog
from tntpipe.executors.running import Running
from tntpipe.formatting import MIB
from tntpipe.journal.events import Notice, RetryCause, RunEvent
from tntpipe.journal.usage import Usage
from tntpipe.profiling.monitor import Monitor
from tntpipe.scheduler.messages import Event, Grown, MemoryPressed

GROWTH_BYTES = 32 * MIB
"""The scheduler is told of a child that uses more than it was told before, in steps of so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDeath:
    """A step ran out of memory: it is given ``mem_bytes`` the next time, or is given up where that is None."""

    cause: RetryCause
    message: str
    n_tries: int
    mem_bytes: int | None


class MemoryGuard:
    """Guards a budget of ``mem_bytes``; the scheduler ``hears`` what children take, people what ``emit`` is given."""

    def __init__(
        self, mem_bytes: int, monitor: Monitor, hears: Callable[[Event], None], emit: Callable[[RunEvent], None]
    ) -> None:
        self._monitor, self._hears, self._emit = monitor, hears, emit
        self._watchdog, self._retries, self._oom_kills = Watchdog(mem_bytes), Retries(mem_bytes), OomKills()
        self._pressed = False

    def watch(self, by_pid: Mapping[int, Running], now: float) -> None:
        """Judge the children as they were last seen; what is too much is stopped at once."""
        self._oom_kills.look(now)
        seen = {
            running.step.name: (running, real_bytes)
            for pid, real_bytes in self._monitor.memory_now().items()
            if (running := by_pid.get(pid)) is not None
        }
        verdict = self._watchdog.look(_held(running, real_bytes) for running, real_bytes in seen.values())
        self._monitor.hurry(verdict.hurry)
        for child in verdict.stop:
            running, _ = seen[child.name]
            running.stopped_for_memory = True
            send(running.child, signal.SIGKILL)  # memory does not wait
        for child in verdict.grown:
            running, _ = seen[child.name]
            if not running.stopped_for_memory and child.real_bytes > running.told_bytes + GROWTH_BYTES:
                running.told_bytes = child.real_bytes
                self._hears(Grown(name=child.name, mem_bytes=child.real_bytes))
        if verdict.pressed != self._pressed:
            self._pressed = verdict.pressed
            self._hears(MemoryPressed(pressed=verdict.pressed))
            text = "nothing more starts: the steps really use nearly all of the memory budget"
            self._emit(Notice(text=text if verdict.pressed else "memory is released, steps start again"))

    def death_of(self, running: Running, usage: Usage, log_lines: Sequence[str], now: float) -> MemoryDeath | None:
        """What becomes of a child that ended without success; None where it did not run out of memory."""
        request_bytes = running.launch.request.mem_bytes
        cause, why = RetryCause.STOPPED_FOR_MEMORY, "all steps together used more than the budget"
        if not running.stopped_for_memory:
            found = why_it_died(
                usage.exit_code,
                "\n".join(log_lines),
                peak_bytes=usage.peak_bytes,
                request_bytes=request_bytes,
                kernel_killed=self._oom_kills.have_just_risen(now),
            )
            if found is None:
                return None
            cause, why = RetryCause.OUT_OF_MEMORY, found
        shortage = Shortage(name=running.step.name, request_bytes=request_bytes, seen_bytes=usage.peak_bytes)
        mem_bytes = self._retries.next_bytes(shortage, counts=cause is RetryCause.OUT_OF_MEMORY)
        message = f"{cause.value}: {why}"
        if mem_bytes is None:
            message = f"out of memory: {why}; {self._retries.given_up(shortage)}"
        n_tries = self._retries.n_tries(running.step.name)
        return MemoryDeath(cause=cause, message=message, n_tries=n_tries, mem_bytes=mem_bytes)


def _held(running: Running, real_bytes: int) -> Held:
    return Held(
        name=running.step.name,
        request_bytes=running.told_bytes,
        real_bytes=real_bytes,
        since=running.since,
        moldable=running.step.moldable,
        stopping=running.stopping or running.stopped_for_memory,
    )
