"""Small runs as their events, told line by line: made by hand, so that every figure can be worked by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tntpipe.formatting import GIB
from tntpipe.journal.events import (
    Outcome,
    RetryCause,
    RunEnded,
    RunEvent,
    RunStarted,
    ScanEnded,
    ScanOutcome,
    StepAdmitted,
    StepEnded,
    StepReady,
    StepRetried,
    StepSampled,
    StepStarted,
)
from tntpipe.journal.history import History, history_of
from tntpipe.journal.usage import Usage

BEGAN_T = 1000.0


def run_started(cpus: int = 2, gib: int = 8, **changed: Any) -> RunStarted:
    """The beginning of a run with a budget."""
    values: dict[str, Any] = {
        "command": ("tntpipe", "bids", "out", "participant"),
        "version": "0.1.0",
        "ants": "ANTs 2.5.1 (native: /opt/ants)",
        "host": {"name": "node", "cpus": 8, "mem_bytes": 16 * GIB, "python": "3.11"},
        "pid": 1,
        "cpus": cpus,
        "mem_bytes": gib * GIB,
        "budget": f"{cpus} CPUs, {gib} GiB",
        "scans": {"": 0, "s": 3, "t": 1},
        "reused": {},
        "settings": {"preset": "quick", "brain_extraction": "template", "model": "MNI", "subcortical": True},
        "folders": {"dataset": "/data", "output": "/out", "work": "/out/work"},
    }
    return RunStarted(**values | changed)


@dataclass
class ToldRun:
    """Events with their times; each method tells what happens at an instant, in seconds since the run began."""

    started: RunStarted = field(default_factory=run_started)
    events: list[tuple[float, RunEvent]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tell(0.0, self.started)

    def tell(self, at_s: float, event: RunEvent) -> ToldRun:
        self.events.append((BEGAN_T + at_s, event))
        return self

    def ready(self, at_s: float, *names: str, variant: str = "") -> ToldRun:
        for name in names:
            scan, kind = name.split("/")
            self.tell(at_s, StepReady(name=name, scan=scan, kind=kind, variant=variant, voxels=1))
        return self

    def start(self, at_s: float, name: str, cpus: int = 1, gib: float = 1.0, expected_s: float = 10.0) -> ToldRun:
        scan, kind = name.split("/")
        mem_bytes = round(gib * GIB)
        self.tell(at_s, StepAdmitted(name=name, cpus=cpus, mem_bytes=mem_bytes, expected_s=expected_s, why="in order"))
        return self.tell(at_s, StepStarted(name=name, scan=scan, kind=kind, cpus=cpus, mem_bytes=mem_bytes, pid=2))

    def look(self, at_s: float, name: str, age_s: float, cpu_s: float, gib: float) -> ToldRun:
        rss_bytes = round(gib * GIB)
        return self.tell(
            at_s, StepSampled(name=name, age_s=age_s, cpu_s=cpu_s, cpus=0.0, rss_bytes=rss_bytes, vms_bytes=0)
        )

    def end(
        self, at_s: float, name: str, outcome: Outcome = Outcome.DONE, usage: Usage | None = None, **said: Any
    ) -> ToldRun:
        scan, kind = name.split("/")
        return self.tell(at_s, StepEnded(name=name, scan=scan, kind=kind, outcome=outcome, usage=usage, **said))

    def retry(self, at_s: float, name: str, usage: Usage) -> ToldRun:
        scan, kind = name.split("/")
        return self.tell(
            at_s,
            StepRetried(
                name=name,
                scan=scan,
                kind=kind,
                cause=RetryCause.OUT_OF_MEMORY,
                n_tries=1,
                mem_bytes=2 * GIB,
                usage=usage,
                message="was killed: out of memory",
            ),
        )

    def scan_end(self, at_s: float, scan: str, outcome: ScanOutcome, message: str = "") -> ToldRun:
        return self.tell(at_s, ScanEnded(scan=scan, outcome=outcome, message=message))

    def run_end(self, at_s: float, exit_status: int = 0) -> ToldRun:
        return self.tell(at_s, RunEnded(exit_status=exit_status, scans={}))

    def history(self) -> History:
        return history_of(self.events)

    def __iter__(self) -> Iterator[tuple[float, RunEvent]]:
        return iter(self.events)


def used(wall_s: float, cpu_s: float, gib: float) -> Usage:
    """The use that an ended attempt tells."""
    return Usage(wall_s=wall_s, cpu_s=cpu_s, peak_bytes=round(gib * GIB))


def eventful_run() -> ToldRun:
    """Two CPUs, 8 GiB. Scan s: a (0 to 10, two CPUs), b fails out of memory and is run again (12 to 14, 15 to 20),
    c (20 to 22) fails. Scan t: a (10 to 30) is stopped with the run."""
    run = ToldRun().ready(0, "s/a", "t/a")
    run.start(0, "s/a", cpus=2, gib=2).look(5, "s/a", 5, 4.0, 1.0).end(10, "s/a", usage=used(9.5, 12.0, 1.5))
    run.ready(10, "s/b").start(10, "t/a", gib=1).start(12, "s/b", gib=1, expected_s=4)
    run.retry(14, "s/b", used(2, 1.0, 1.0)).start(15, "s/b", gib=2, expected_s=4).end(
        20, "s/b", usage=used(5, 5.0, 1.9)
    )
    run.ready(20, "s/c").start(20, "s/c", gib=4)
    run.end(
        22, "s/c", Outcome.FAILED, used(2, 0.5, 0.5), message="exit status 3", argv=("do", "a b"), folder="/nowhere"
    )
    run.scan_end(22, "s", ScanOutcome.FAILED, "c failed: exit status 3")
    run.end(30, "t/a", Outcome.STOPPED, used(20, 18.0, 0.4)).scan_end(30, "t", ScanOutcome.STOPPED)
    return run.run_end(30, 130)
