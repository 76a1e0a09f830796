"""A run in which everything happens that can, as events."""

from __future__ import annotations

from tntpipe.formatting import GIB
from tntpipe.journal.events import (
    KindLearnt,
    Notice,
    Outcome,
    RetryCause,
    RunEnded,
    RunEvent,
    RunForecast,
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

USAGE = Usage(wall_s=61.0, cpu_s=60.4, peak_bytes=GIB)
FAILED = StepEnded(
    name="s/a", scan="s", kind="a", outcome=Outcome.FAILED, usage=USAGE, message="exit status 3", argv=("sh", "a b")
)
STORY: tuple[RunEvent, ...] = (
    RunStarted(
        command=("tntpipe", "/data/b\udce9", "out"),
        version="1",
        ants="ANTs 2.5",
        host={"name": "node", "cpus": 8, "mem_bytes": 16 * GIB},
        pid=1,
        cpus=4,
        mem_bytes=8 * GIB,
        budget="4 CPUs (--n_proc), 8.0 GiB (--memory_gb)",
        scans={"": 1, "s": 3, "t": 2},
        reused={"t": 2},
        settings={},
        folders={"dataset": "/data", "output": "/out", "work": "/out/work"},
    ),
    Notice(text="budget: ä"),
    ScanEnded(scan="t", outcome=ScanOutcome.SKIPPED, message="everything was there already"),
    ScanEnded(scan="u", outcome=ScanOutcome.REFUSED, message="is empty"),
    StepEnded(name="m/x", scan="", kind="x", outcome=Outcome.REUSED),
    StepStarted(name="s/a", scan="s", kind="a", cpus=2, mem_bytes=GIB, pid=7),
    StepStarted(name="s/c", scan="s", kind="c", cpus=1, mem_bytes=GIB, pid=8),
    StepSampled(name="s/a", age_s=2, cpu_s=1.5, cpus=0.75, rss_bytes=5, vms_bytes=9),
    StepSampled(name="ended before", age_s=1, cpu_s=1, cpus=1, rss_bytes=1, vms_bytes=1),
    FAILED,
    StepDropped(name="s/b", scan="s", because="s/a"),
    StepEnded(name="s/c", scan="s", kind="c", outcome=Outcome.STOPPED, usage=USAGE),
    ScanEnded(scan="s", outcome=ScanOutcome.FAILED, message="a failed: exit status 3"),
    StepReady(name="s/d", scan="s", kind="d", variant="quick", voxels=1000),
    StepAdmitted(name="s/d", cpus=1, mem_bytes=GIB, expected_s=12.5, why="in order"),
    StepRetried(
        name="s/d",
        scan="s",
        kind="d",
        cause=RetryCause.OUT_OF_MEMORY,
        n_tries=1,
        mem_bytes=2 * GIB,
        usage=USAGE,
        message="ran out of memory",
    ),
    KindLearnt(kind="d", variant="quick", n=3, mem_bytes=2 * GIB, time_ratio=1.2),
    RunForecast(seconds_left=100.0),
    StepsWaiting(steps={"s/d": "waits for 1.0 GiB more of memory"}),
    RunEnded(exit_status=1, scans={"s": "failed", "t": "skipped", "u": "refused"}),
)
