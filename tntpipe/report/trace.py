"""The run in Chrome's trace event format, which Perfetto and chrome://tracing show.

Each scan is a process whose threads are the lanes of steps that ran at a time; one more process has the CPUs as
threads, and one the counters. Spans are complete events (``X``): those of one thread never overlap. Times are in
microseconds.

References
----------
"Trace Event Format", Google, the JSON object format.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tntpipe.planning.rows import printable

RUN_PID, CPUS_PID, FIRST_SCAN_PID = 1, 2, 3
MIB_TO_BYTES = 2**20

TraceEvent = dict[str, Any]


def trace_of(data: Mapping[str, Any], notices: Sequence[tuple[float, str, str]]) -> dict[str, Any]:
    """The trace of a run from what its charts are drawn from, and what was said."""
    return {
        "traceEvents": [
            *_names(data),
            *_steps_by_scan(data),
            *_steps_by_cpu(data),
            *_counters(data),
            *_instants(notices),
        ],
        "displayTimeUnit": "ms",
        "otherData": {"made by": "tntpipe", "began_t": data["began_t"]},
    }


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _names(data: Mapping[str, Any]) -> Iterator[TraceEvent]:
    """What processes and threads are called, and in which order they are shown."""
    processes = {RUN_PID: "run", CPUS_PID: "CPUs"} | dict(enumerate(data["scans"], FIRST_SCAN_PID))
    for pid, name in processes.items():
        yield {"ph": "M", "pid": pid, "tid": 0, "name": "process_name", "args": {"name": name}}
        yield {"ph": "M", "pid": pid, "tid": 0, "name": "process_sort_index", "args": {"sort_index": pid}}
    n_cores = max((first + n for _, first, n in data["cores"]), default=0)
    threads = [(CPUS_PID, core, f"CPU {core + 1}") for core in range(n_cores)]
    threads += [
        (pid, lane, f"lane {lane + 1}")
        for pid, n_lanes in enumerate(data["n_lanes"], FIRST_SCAN_PID)
        for lane in range(n_lanes)
    ]
    for pid, tid, name in threads:
        yield {"ph": "M", "pid": pid, "tid": tid + 1, "name": "thread_name", "args": {"name": name}}


def _steps_by_scan(data: Mapping[str, Any]) -> Iterator[TraceEvent]:
    steps = data["steps"]
    for number, (scan, lane) in enumerate(zip(steps["scan"], steps["lane"], strict=True)):
        yield _span(data, number, FIRST_SCAN_PID + scan, lane + 1, _args(data, number))


def _steps_by_cpu(data: Mapping[str, Any]) -> Iterator[TraceEvent]:
    for number, first, n_cores in data["cores"]:
        args = {"scan": data["scans"][data["steps"]["scan"][number]]}
        for core in range(first, first + n_cores):
            yield _span(data, number, CPUS_PID, core + 1, args)


def _span(data: Mapping[str, Any], number: int, pid: int, tid: int, args: Mapping[str, Any]) -> TraceEvent:
    steps = data["steps"]
    began, ended = _us(steps["began"][number]), _us(steps["ended"][number])
    return {
        "ph": "X",
        "name": data["kinds"][steps["kind"][number]],
        "cat": data["words"][steps["ending"][number]],
        "ts": began,
        "dur": ended - began,
        "pid": pid,
        "tid": tid,
        "args": args,
    }


def _args(data: Mapping[str, Any], number: int) -> dict[str, Any]:
    """What is told of a span that is chosen."""
    steps, words = data["steps"], data["words"]
    told = {
        "attempt": steps["try"][number],
        "ending": words[steps["ending"][number]],
        "message": words[steps["message"][number]],
        "waited_s": round(steps["began"][number] - steps["ready"][number], 2),
        "waited for": words[steps["waited_for"][number]],
        "started because": words[steps["why"][number]],
        "cpus": steps["cpus"][number],
        "cpu_s": steps["cpu_s"][number],
        "expected_s": steps["expected"][number],
        "request_bytes": steps["mem_mib"][number] * MIB_TO_BYTES,
        "peak_bytes": steps["peak_mib"][number] * MIB_TO_BYTES,
    }
    return {name: value for name, value in told.items() if value != ""}


def _counters(data: Mapping[str, Any]) -> Iterator[TraceEvent]:
    curves = data["curves"]
    for part in range(len(curves["busy_cpus"])):
        ts = _us(part * curves["part_s"])
        cpus = {"reserved": curves["reserved_cpus"][part], "busy": curves["busy_cpus"][part]}
        mib = {"reserved": curves["reserved_mib"][part], "held": curves["held_mib"][part]}
        for name, args in (("CPUs", cpus), ("memory (MiB)", mib)):
            yield {"ph": "C", "name": name, "ts": ts, "pid": RUN_PID, "tid": 0, "args": args}
    for name in ("CPUs", "memory (MiB)"):
        series = ("reserved", "busy") if name == "CPUs" else ("reserved", "held")
        end = _us(data["end_s"])
        yield {"ph": "C", "name": name, "ts": end, "pid": RUN_PID, "tid": 0, "args": dict.fromkeys(series, 0)}


def _instants(notices: Sequence[tuple[float, str, str]]) -> Iterator[TraceEvent]:
    """What was said, as marks over the whole trace."""
    for now, level, text in notices:
        if level != "DEBUG":
            mark = {"ph": "i", "s": "g", "name": printable(text), "cat": level, "ts": _us(now)}
            yield mark | {"pid": RUN_PID, "tid": 0}
