"""Whether a recorded run goes on: the lock on its journal says so, or what this host knows of its
process, or else how old its last line is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from tntpipe.errors import ExitStatus
from tntpipe.formatting import duration
from tntpipe.journal.run_state import RunState

SILENT_S = 180.0
"""A run writes something at least once a minute; one that wrote nothing for so long may be dead."""

CLOCK_SLACK_S = 5.0
"""When a process began is told by another clock than the journal's; the two may differ by so much."""

GOES_ON = "re-run the same command to resume"


class Life(str, Enum):
    """How it is with a run."""

    RUNNING = "running"
    ENDED = "ended"
    DIED = "died"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Sight:
    """How it is with a run, and how that is known."""

    life: Life
    how: str


def sight_of(
    state: RunState,
    *,
    host: str,
    process_began: Callable[[int], float | None],
    last_word: float,
    now: float,
    is_held: bool | None = None,
) -> Sight:
    """How it is with a run, seen from ``host``.

    ``is_held`` says whether a process holds the lock on its journal, as a run does while it lives: numbers of processes
    and names of hosts mean nothing beyond a container. ``process_began`` tells when the process of that number on this
    host began, None where there is none: one that began after the run did is another. ``last_word`` is when the run
    last wrote to its files.
    """
    age = f"last update {duration(max(0.0, now - last_word))} ago"
    if state.exit_status is not None:
        stopped = state.exit_status in (ExitStatus.HANGUP, ExitStatus.INTERRUPTED, ExitStatus.TERMINATED)
        how = f"was stopped: {GOES_ON}" if stopped else "ended"
        return Sight(Life.ENDED, f"it {how} (exit status {int(state.exit_status)})")
    if state.facts is None:
        return Sight(Life.SILENT, f"its journal is empty; {age}")
    there, pid = state.facts.host.get("name", "an unknown host"), state.facts.pid
    if is_held:
        return Sight(Life.RUNNING, f"it holds its journal, as process {pid} of {there}; {age}")
    if there != host:
        seen = f"its process, {pid}, is on {there} and cannot be seen from {host}; {age}"
        return Sight(Life.RUNNING if now - last_word < SILENT_S else Life.SILENT, seen)
    if is_held is False and now - last_word > CLOCK_SLACK_S:
        return Sight(Life.DIED, f"nobody holds its journal any more (process {pid} of this host did), {age}: {GOES_ON}")
    began = process_began(pid)
    if began is None:
        return Sight(Life.DIED, f"process {pid} of this host is gone, {age}: {GOES_ON}")
    if began > state.started + CLOCK_SLACK_S:
        return Sight(Life.DIED, f"what is process {pid} of this host now began after the run, {age}: {GOES_ON}")
    return Sight(Life.RUNNING, f"process {pid} of this host; {age}")
