"""The run as plain lines, for logs and for terminals that cannot draw: a pure function from an event to a line or
none."""

from __future__ import annotations

from tntpipe.formatting import counted, duration, format_gib
from tntpipe.journal.events import (
    KindLearnt,
    Notice,
    Outcome,
    RunEvent,
    RunStarted,
    ScanEnded,
    ScanOutcome,
    StepDropped,
    StepEnded,
    StepRetried,
    StepStarted,
)
from tntpipe.journal.usage import Usage
from tntpipe.resources import Resources

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def line_of(event: RunEvent) -> tuple[str, str] | None:
    """The level and the text of an event, None for one that needs no line."""
    match event:
        case RunStarted():
            n_scans, n_steps = sum(bool(scan) for scan in event.scans), sum(event.scans.values())
            left = n_steps - sum(event.reused.values())
            return "INFO", f"{counted(n_scans, 'scan')}, {n_steps} steps, {left} of them to run; {event.ants}"
        case StepStarted():
            return "DEBUG", f"{event.name} started ({Resources(event.cpus, event.mem_bytes)})"
        case StepEnded():
            return _ended(event)
        case StepRetried():
            again = f"retrying with {format_gib(event.mem_bytes)}"
            return "WARNING", f"{event.name} {event.message}; {again}{_used(event.usage)}"
        case KindLearnt():
            asks = (
                f"asks for at most {format_gib(event.mem_bytes)}, takes {event.time_ratio:.2f} times the first estimate"
            )
            return "DEBUG", f"{event.kind}, after {counted(event.n, 'step')}: {asks}"
        case StepDropped():
            return "DEBUG", f"{event.name} left out, because {event.because} failed"
        case ScanEnded():
            bad = event.outcome in (ScanOutcome.FAILED, ScanOutcome.REFUSED)
            return "ERROR" if bad else "INFO", f"{event.scan}: {event.outcome.value} {event.message}".rstrip()
        case Notice():
            return event.level, event.text
    return None


def _ended(event: StepEnded) -> tuple[str, str]:
    if event.outcome is Outcome.REUSED:
        return "INFO", f"{event.name} reused: its inputs turned out to be the same"
    used = _used(event.usage)
    if event.outcome is Outcome.FAILED:
        return "ERROR", f"{event.name} failed: {event.message}{used}"
    return "INFO", f"{event.name} {event.outcome.value}{used}"


def _used(usage: Usage | None) -> str:
    if usage is None:
        return ""
    cpu_s = f"{usage.cpu_s:.{0 if usage.cpu_s >= 10 else 1}f}"
    return f" ({duration(usage.wall_s)}, {cpu_s} CPU-seconds, {format_gib(usage.peak_bytes)})"
