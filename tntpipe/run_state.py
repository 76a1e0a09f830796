"""Where a run stands, as a fold over its events. Draws nothing and reads no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tntpipe.events import (
    Notice,
    Outcome,
    RunEnded,
    RunEvent,
    RunStarted,
    ScanEnded,
    ScanOutcome,
    StepDropped,
    StepEnded,
    StepRetried,
    StepSampled,
    StepStarted,
    StepsWaiting,
)

N_RECENT = 6


@dataclass(slots=True)
class ScanState:
    """One scan: how many of its steps there are and are over, and how it ended."""

    n_steps: int
    n_over: int = 0
    n_running: int = 0
    outcome: ScanOutcome | None = None
    message: str = ""


@dataclass(slots=True)
class RunningStep:
    """One running step, with what was last seen of it."""

    name: str
    scan: str
    kind: str
    since: float
    cpus: int
    mem_bytes: int
    rss_bytes: int = 0
    cpu_s: float = 0.0


@dataclass(slots=True)
class RunState:
    """The whole run; apply every event once, in order."""

    started: float = 0.0
    cpus: int = 0
    mem_bytes: int = 0
    ants: str = ""
    scans: dict[str, ScanState] = field(default_factory=dict)
    running: dict[str, RunningStep] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    recent: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=N_RECENT))
    n_steps: int = 0
    n_over: int = 0
    exit_status: int | None = None

    def apply(self, t: float, event: RunEvent) -> None:
        """Take in an event that happened at ``t``."""
        match event:
            case RunStarted():
                self._start(t, event)
            case StepStarted():
                self.running[event.name] = RunningStep(
                    event.name, event.scan, event.kind, t, event.cpus, event.mem_bytes
                )
                if event.scan in self.scans:
                    self.scans[event.scan].n_running += 1
            case StepSampled():
                if event.name in self.running:
                    self.running[event.name].rss_bytes = event.rss_bytes
                    self.running[event.name].cpu_s = event.cpu_s
            case StepEnded():
                self._end(t, event)
            case StepRetried():
                self._leave(event.name, event.scan)
                self.recent.append((t, f"{event.name} is run again: {event.message}"))
            case StepDropped():
                self._over(event.scan)
            case StepsWaiting():
                self.waiting = dict(event.steps)
            case ScanEnded():
                scan = self.scans.setdefault(event.scan, ScanState(0))
                scan.outcome, scan.message = event.outcome, event.message
                self.recent.append((t, f"{event.scan}: {event.outcome.value} {event.message}".rstrip()))
            case Notice():
                self.recent.append((t, event.text))
            case RunEnded():
                self.exit_status = event.exit_status

    def _start(self, t: float, event: RunStarted) -> None:
        self.started, self.ants = t, event.ants
        self.cpus, self.mem_bytes = event.cpus, event.mem_bytes
        for scan, n_steps in event.scans.items():
            if scan:
                self.scans[scan] = ScanState(n_steps, event.reused.get(scan, 0))
        self.n_steps = sum(event.scans.values())
        self.n_over = sum(event.reused.values())

    def _end(self, t: float, event: StepEnded) -> None:
        self._leave(event.name, event.scan)
        if event.outcome is not Outcome.STOPPED:
            self._over(event.scan)
        if event.outcome is Outcome.FAILED:
            self.recent.append((t, f"{event.name} failed: {event.message}"))

    def _leave(self, name: str, scan: str) -> None:
        if self.running.pop(name, None) and scan in self.scans:
            self.scans[scan].n_running -= 1

    def _over(self, scan: str) -> None:
        self.n_over += 1
        if scan in self.scans:
            self.scans[scan].n_over += 1

    def n_scans(self, *outcomes: ScanOutcome) -> int:
        """How many scans ended in one of these ways."""
        return sum(scan.outcome in outcomes for scan in self.scans.values())
