"""A run as it was, from its events: every attempt at every step, how each scan ended, and what was said.

A fold over the journal of a run that ended, was stopped, was killed, or goes on. Times are seconds since the run began.
Invariants: an attempt does not end before it began; what no event has ended is unfinished and lasts to the last event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from tntpipe.errors import TableError
from tntpipe.journal.events import (
    Notice,
    Outcome,
    RunEnded,
    RunEvent,
    RunStarted,
    ScanEnded,
    ScanOutcome,
    StepAdmitted,
    StepDropped,
    StepEnded,
    StepReady,
    StepRetried,
    StepSampled,
    StepStarted,
    StepsWaiting,
)
from tntpipe.journal.usage import Usage


class Ending(Enum):
    """How an attempt at a step ended."""

    DONE = "done"
    REUSED = "reused"
    FAILED = "failed"
    STOPPED = "stopped"
    RETRIED = "retried"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a step; ``after`` is the step whose end made it ready, or empty.

    It could have begun at ``ready_s``. ``waited_for`` says for what it was last seen waiting, if anybody looked.
    """

    name: str
    scan: str
    kind: str
    variant: str
    voxels: int
    after: str
    number: int
    ready_s: float
    began_s: float
    ended_s: float
    cpus: int
    mem_bytes: int
    expected_s: float
    why: str
    waited_for: str
    ending: Ending
    usage: Usage | None
    message: str
    argv: tuple[str, ...]
    folder: str
    looks: tuple[StepSampled, ...]

    @property
    def wall_s(self) -> float:
        """How long it held its CPUs and its memory."""
        return self.ended_s - self.began_s

    @property
    def ran_s(self) -> float:
        """How long its child ran, without the publication of its results."""
        return min(self.usage.wall_s, self.wall_s) if self.usage else self.wall_s

    @property
    def waited_s(self) -> float:
        """How long it could have run and did not."""
        return max(0.0, self.began_s - self.ready_s)

    @property
    def cpu_s(self) -> float:
        """CPU seconds used; of one that nobody saw ending, as last seen."""
        if self.usage:
            return self.usage.cpu_s
        return self.looks[-1].cpu_s if self.looks else 0.0

    @property
    def peak_bytes(self) -> int:
        """Peak memory; of one that nobody saw ending, the most that was seen."""
        seen = max((look.rss_bytes for look in self.looks), default=0)
        return max(self.usage.peak_bytes, seen) if self.usage else seen


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanEnd:
    """How and when a scan ended."""

    outcome: ScanOutcome
    message: str
    ended_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The whole run; ``attempts`` are in the order in which they ended, ``exit_status`` is None of one without an end.

    ``dropped`` tells for each step that was left out which failed one it follows; ``notices`` are (when, level, text).
    """

    facts: RunStarted
    began_t: float
    end_s: float
    exit_status: int | None
    attempts: tuple[Attempt, ...]
    scans: Mapping[str, ScanEnd]
    dropped: Mapping[str, str]
    notices: tuple[tuple[float, str, str], ...]

    @property
    def last_attempts(self) -> dict[str, Attempt]:
        """For each step that ran the attempt that decided how it ended."""
        return {attempt.name: attempt for attempt in self.attempts}


def history_of(events: Iterable[tuple[float, RunEvent]]) -> History:
    """What happened, from events and when they happened; TableError where none says that the run began."""
    fold = _Fold()
    for t, event in events:
        fold.take(t, event)
    if fold.facts is None:
        raise TableError("The journal has no event.", remedy="Name the journal.jsonl of a run.")
    return fold.history()


_UNKNOWN = Attempt(
    name="",
    scan="",
    kind="",
    variant="",
    voxels=0,
    after="",
    number=1,
    ready_s=0.0,
    began_s=0.0,
    ended_s=0.0,
    cpus=0,
    mem_bytes=0,
    expected_s=0.0,
    why="",
    waited_for="",
    ending=Ending.UNFINISHED,
    usage=None,
    message="",
    argv=(),
    folder="",
    looks=(),
)


@dataclass(slots=True)
class _Fold:
    """``next`` has for each step that did not end what is known of the attempt to come, ``running`` those under way."""

    facts: RunStarted | None = None
    began_t: float = 0.0
    end_s: float = 0.0
    exit_status: int | None = None
    last_done: str = ""
    next: dict[str, Attempt] = field(default_factory=dict)
    running: dict[str, Attempt] = field(default_factory=dict)
    looks: dict[str, list[StepSampled]] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    scans: dict[str, ScanEnd] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    notices: list[tuple[float, str, str]] = field(default_factory=list)

    def take(self, t: float, event: RunEvent) -> None:
        """Take in the next event."""
        if isinstance(event, RunStarted):
            self.facts, self.began_t = event, t
        now = max(self.end_s, t - self.began_t)  # a clock that was set back stands still for us
        self.end_s = now
        match event:
            case StepSampled():
                if event.name in self.running:
                    self.looks[event.name].append(event)
            case StepReady():
                self.next[event.name] = replace(
                    _UNKNOWN,
                    name=event.name,
                    scan=event.scan,
                    kind=event.kind,
                    variant=event.variant,
                    voxels=event.voxels,
                    after=self.last_done,
                    ready_s=now,
                )
            case StepAdmitted():
                self.next[event.name] = replace(
                    self._next(event.name),
                    cpus=event.cpus,
                    mem_bytes=event.mem_bytes,
                    expected_s=event.expected_s,
                    why=event.why,
                )
            case StepStarted():
                self._start(now, event)
            case StepEnded():
                self._end(now, event, Ending(event.outcome.value))
                if event.outcome in (Outcome.DONE, Outcome.REUSED):
                    self.last_done = event.name
            case StepRetried():
                self._retry(now, event)
            case StepDropped():
                self.dropped[event.name] = event.because
            case StepsWaiting():
                for name, why in event.steps.items():
                    self.next[name] = replace(self._next(name), waited_for=why)
            case ScanEnded():
                self.scans[event.scan] = ScanEnd(outcome=event.outcome, message=event.message, ended_s=now)
            case Notice():
                self.notices.append((now, event.level, event.text))
            case RunEnded():
                self.exit_status = event.exit_status

    def _next(self, name: str) -> Attempt:
        return self.next.get(name) or replace(_UNKNOWN, name=name, ready_s=self.end_s)

    def _start(self, now: float, event: StepStarted) -> None:
        self.running[event.name] = replace(
            self._next(event.name),
            scan=event.scan,
            kind=event.kind,
            began_s=now,
            cpus=event.cpus,
            mem_bytes=event.mem_bytes,
        )
        self.next.pop(event.name, None)
        self.looks[event.name] = []

    def _end(self, now: float, event: StepEnded | StepRetried, ending: Ending) -> None:
        """An attempt ended, or the step did without one: it was reused, or could not be started."""
        running = self.running.pop(event.name, None)
        attempt = running or replace(self._next(event.name), began_s=now, cpus=0, mem_bytes=0)
        self.next.pop(event.name, None)
        ended = replace(
            attempt,
            scan=event.scan,
            kind=event.kind,
            ended_s=now,
            ending=ending,
            usage=event.usage,
            message=event.message,
            looks=tuple(self.looks.pop(event.name, ())),
        )
        if isinstance(event, StepEnded):
            ended = replace(ended, argv=event.argv, folder=event.folder)
        self.attempts.append(ended)

    def _retry(self, now: float, event: StepRetried) -> None:
        self._end(now, event, Ending.RETRIED)
        tried = self.attempts[-1]
        self.next[event.name] = replace(
            _UNKNOWN,
            name=tried.name,
            scan=tried.scan,
            kind=tried.kind,
            variant=tried.variant,
            voxels=tried.voxels,
            after=tried.after,
            number=tried.number + 1,
            ready_s=now,
        )

    def history(self) -> History:
        """All of it, with what did not end."""
        assert self.facts is not None
        unfinished = [
            replace(attempt, ended_s=self.end_s, looks=tuple(self.looks[name]))
            for name, attempt in self.running.items()
        ]
        return History(
            facts=self.facts,
            began_t=self.began_t,
            end_s=self.end_s,
            exit_status=self.exit_status,
            attempts=(*self.attempts, *unfinished),
            scans=self.scans,
            dropped=self.dropped,
            notices=tuple(self.notices),
        )
