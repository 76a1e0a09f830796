"""Where a run stands, as a fold over its events. Draws nothing and reads no clock; a step that is over leaves no trace.

The same events give the same state, whether they happen now or were recorded. All counts are kept as events come, so
that asking costs the same for one scan and for a thousand.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tntpipe.journal.events import (
    Notice,
    Outcome,
    RunEnded,
    RunEvent,
    RunForecast,
    RunStarted,
    ScanEnded,
    ScanOutcome,
    StepAdmitted,
    StepDropped,
    StepEnded,
    StepRetried,
    StepSampled,
    StepStarted,
    StepsWaiting,
)
from tntpipe.journal.text import LEVELS, line_of

N_RECENT = 60
GOOD = (ScanOutcome.DONE, ScanOutcome.SKIPPED)
BAD = (ScanOutcome.FAILED, ScanOutcome.REFUSED)


@dataclass(slots=True)
class RunningStep:
    """One running step, with what was last seen of it; ``expected_s`` is 0 where nobody said how long it takes."""

    name: str
    scan: str
    kind: str
    since: float
    cpus: int
    mem_bytes: int
    pid: int = 0
    expected_s: float = 0.0
    busy_cpus: float = 0.0
    cpu_s: float = 0.0
    rss_bytes: int = 0
    peak_bytes: int = 0


@dataclass(slots=True)
class ScanState:
    """One scan: how many of its steps there are and are over, which run, how it ended, and what is doubtful of it.

    Of those that are over ``n_lost`` failed, or were dropped because of one that did.
    """

    n_steps: int
    n_over: int = 0
    n_lost: int = 0
    running: dict[str, RunningStep] = field(default_factory=dict)
    outcome: ScanOutcome | None = None
    message: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A step that failed, and where its log was left; or a scan that was refused, without kind and folder."""

    t: float
    name: str
    kind: str
    message: str
    folder: str = ""


@dataclass(slots=True)
class RunState:
    """The whole run; apply every event once, in order. ``lowest`` is the level from which lines count as recent."""

    lowest: str = "INFO"
    facts: RunStarted | None = None
    started: float = 0.0
    last_t: float = 0.0
    ended: float | None = None
    exit_status: int | None = None
    expected_end: float | None = None
    scans: dict[str, ScanState] = field(default_factory=dict)
    under_way: dict[str, ScanState] = field(default_factory=dict)
    running: dict[str, RunningStep] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    recent: deque[tuple[float, str, str]] = field(default_factory=lambda: deque(maxlen=N_RECENT))
    n_steps: int = 0
    n_over: int = 0
    n_failed: int = 0
    n_dropped: int = 0
    n_retried: int = 0
    peak_rss_bytes: int = 0
    _outcomes: Counter[ScanOutcome] = field(default_factory=Counter)
    _expected_s: dict[str, float] = field(default_factory=dict)

    @property
    def cpus(self) -> int:
        """CPUs of the budget."""
        return self.facts.cpus if self.facts else 0

    @property
    def mem_bytes(self) -> int:
        """Memory of the budget."""
        return self.facts.mem_bytes if self.facts else 0

    @property
    def folders(self) -> Mapping[str, Any]:
        """The dataset, the output and the work folder."""
        return self.facts.folders if self.facts else {}

    @property
    def reserved_cpus(self) -> int:
        """CPUs that running steps may use."""
        return sum(step.cpus for step in self.running.values())

    @property
    def reserved_bytes(self) -> int:
        """Memory that running steps asked for."""
        return sum(step.mem_bytes for step in self.running.values())

    @property
    def busy_cpus(self) -> float:
        """CPUs that running steps really use."""
        return sum(step.busy_cpus for step in self.running.values())

    @property
    def rss_bytes(self) -> int:
        """Memory that running steps really hold."""
        return sum(step.rss_bytes for step in self.running.values())

    def n_scans(self, *outcomes: ScanOutcome) -> int:
        """How many scans ended in one of these ways."""
        return sum(self._outcomes[outcome] for outcome in outcomes)

    def n_scans_to_come(self) -> int:
        """How many scans nothing was done for yet."""
        return len(self.scans) - self._outcomes.total() - len(self.under_way)

    def seconds_left(self, now: float) -> float | None:
        """Until the end that was last foreseen; 0 when that is past, None when none was or the run is over."""
        if self.expected_end is None or self.exit_status is not None:
            return None
        return max(0.0, self.expected_end - now)

    def apply(self, t: float, event: RunEvent) -> None:
        """Take in an event that happened at ``t``."""
        self.last_t = max(self.last_t, t)
        match event:
            case RunStarted():
                self._start(t, event)
            case StepAdmitted():
                self._expected_s[event.name] = event.expected_s
            case StepStarted():
                self._begin(t, event)
            case StepSampled():
                self._sample(event)
            case StepEnded():
                self._end(t, event)
            case StepRetried():
                self.n_retried += 1
                self._leave(event.name, event.scan)
            case StepDropped():
                self.n_dropped += 1
                self._over(event.scan, is_lost=True)
            case StepsWaiting():
                self.waiting = dict(event.steps)
            case RunForecast():
                self.expected_end = t + event.seconds_left
            case ScanEnded():
                self._end_scan(t, event)
            case Notice() if event.scan and event.level == "WARNING":
                scan = self.scans.setdefault(event.scan, ScanState(0))
                scan.warnings = (*scan.warnings, event.text)
            case RunEnded():
                self.ended, self.exit_status, self.waiting = t, event.exit_status, {}
        line = line_of(event)
        if line is not None and LEVELS.index(line[0]) >= LEVELS.index(self.lowest):
            self.recent.append((t, *line))

    def _start(self, t: float, event: RunStarted) -> None:
        self.started, self.facts = t, event
        for scan, n_steps in event.scans.items():
            if scan:
                self.scans[scan] = ScanState(n_steps, event.reused.get(scan, 0))
        self.n_steps = sum(event.scans.values())
        self.n_over = sum(event.reused.values())

    def _begin(self, t: float, event: StepStarted) -> None:
        step = self.running[event.name] = RunningStep(
            event.name, event.scan, event.kind, t, event.cpus, event.mem_bytes, event.pid
        )
        step.expected_s = self._expected_s.pop(event.name, 0.0)
        scan = self.scans.get(event.scan)
        if scan is not None:
            scan.running[event.name] = step
            self.under_way[event.scan] = scan
        self.waiting.pop(event.name, None)

    def _sample(self, event: StepSampled) -> None:
        step = self.running.get(event.name)
        if step is not None:
            step.rss_bytes, step.cpu_s, step.busy_cpus = event.rss_bytes, event.cpu_s, event.cpus
            step.peak_bytes = max(step.peak_bytes, event.rss_bytes)
            self.peak_rss_bytes = max(self.peak_rss_bytes, self.rss_bytes)

    def _end(self, t: float, event: StepEnded) -> None:
        self._leave(event.name, event.scan)
        self._expected_s.pop(event.name, None)
        if event.outcome is not Outcome.STOPPED:
            self._over(event.scan, is_lost=event.outcome is Outcome.FAILED)
        if event.outcome is Outcome.FAILED:
            self.n_failed += 1
            self.failures.append(
                Failure(t=t, name=event.name, kind=event.kind, message=event.message, folder=event.folder)
            )

    def _leave(self, name: str, scan: str) -> None:
        self.running.pop(name, None)
        if scan in self.scans:
            self.scans[scan].running.pop(name, None)

    def _over(self, scan: str, *, is_lost: bool) -> None:
        self.n_over += 1
        if scan in self.scans:
            self.scans[scan].n_over += 1
            self.scans[scan].n_lost += is_lost

    def _end_scan(self, t: float, event: ScanEnded) -> None:
        scan = self.scans.setdefault(event.scan, ScanState(0))
        scan.outcome, scan.message = event.outcome, event.message
        self._outcomes[event.outcome] += 1
        self.under_way.pop(event.scan, None)
        if event.outcome is ScanOutcome.REFUSED:
            self.failures.append(Failure(t=t, name=event.scan, kind="", message=f"refused: {event.message}"))
