"""The trace, against what the description of the trace event format says of each kind of event."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from recorded_runs import ToldRun, eventful_run, used

from tntpipe.journal.events import Notice
from tntpipe.report.trace import CPUS_PID, FIRST_SCAN_PID, RUN_PID
from tntpipe.report.write import make_report

FIELDS = {
    "X": {"name", "cat", "ph", "ts", "dur", "pid", "tid", "args"},
    "C": {"name", "ph", "ts", "pid", "tid", "args"},
    "M": {"name", "ph", "pid", "tid", "args"},
    "i": {"name", "cat", "ph", "ts", "pid", "tid", "s"},
}
"""Of complete events, counters, metadata and instants."""

METADATA = {"process_name": str, "thread_name": str, "process_sort_index": int}


@pytest.fixture(scope="module")
def trace() -> dict[str, Any]:
    run = eventful_run().tell(31, Notice(text="by the way")).tell(31, Notice(text="psst", level="DEBUG"))
    loaded: dict[str, Any] = json.loads(make_report(run.history(), Path("/runs/run-1")).trace)
    return loaded


def spans(trace: dict[str, Any], *pids: int) -> list[dict[str, Any]]:
    return [event for event in trace["traceEvents"] if event["ph"] == "X" and (not pids or event["pid"] in pids)]


def test_the_trace_is_the_formats_json_object(trace: dict[str, Any]) -> None:
    assert set(trace) == {"traceEvents", "displayTimeUnit", "otherData"}
    assert trace["displayTimeUnit"] in ("ms", "ns")


def test_every_event_has_the_fields_of_its_phase_and_integers_where_they_belong(trace: dict[str, Any]) -> None:
    for event in trace["traceEvents"]:
        assert set(event) == FIELDS[event["ph"]], event
        assert all(
            isinstance(event[name], int) and event[name] >= 0 for name in ("pid", "tid", "ts", "dur") if name in event
        )
        assert event["name"]


def test_metadata_names_every_process_and_thread_that_has_spans(trace: dict[str, Any]) -> None:
    named: dict[str, set[tuple[int, ...]]] = defaultdict(set)
    for event in trace["traceEvents"]:
        if event["ph"] == "M":
            (value,) = event["args"].values()
            assert isinstance(value, METADATA[event["name"]])
            named[event["name"]].add((event["pid"], event["tid"]))
    assert {(span["pid"], span["tid"]) for span in spans(trace)} <= named["thread_name"]
    assert {(span["pid"], 0) for span in spans(trace)} <= named["process_name"]


def test_spans_of_one_thread_never_overlap(trace: dict[str, Any]) -> None:
    by_thread = defaultdict(list)
    for span in spans(trace):
        by_thread[span["pid"], span["tid"]].append((span["ts"], span["ts"] + span["dur"]))
    for thread in by_thread.values():
        ordered = sorted(thread)
        assert all(before[1] <= after[0] for before, after in pairwise(ordered))


def test_a_scan_is_a_process_and_its_attempts_are_spans(trace: dict[str, Any]) -> None:
    names = {e["pid"]: e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "process_name"}
    assert names == {RUN_PID: "run", CPUS_PID: "CPUs", FIRST_SCAN_PID: "s", FIRST_SCAN_PID + 1: "t"}
    told = [(s["name"], s["ts"], s["dur"], s["cat"]) for s in spans(trace, FIRST_SCAN_PID)]
    assert told == [
        ("a", 0, 10_000_000, "done"),
        ("b", 12_000_000, 2_000_000, "retried"),
        ("b", 15_000_000, 5_000_000, "done"),
        ("c", 20_000_000, 2_000_000, "failed"),
    ]


def test_a_step_has_a_span_on_each_of_its_cpus(trace: dict[str, Any]) -> None:
    on_cpus = [(span["name"], span["tid"]) for span in spans(trace, CPUS_PID)]
    assert sorted(on_cpus) == [("a", 1), ("a", 1), ("a", 2), ("b", 2), ("b", 2), ("c", 2)]


def test_the_counters_are_numbers_and_end_at_nothing(trace: dict[str, Any]) -> None:
    counters = [event for event in trace["traceEvents"] if event["ph"] == "C"]
    assert {event["name"] for event in counters} == {"CPUs", "memory (MiB)"}
    assert all(isinstance(value, (int, float)) for event in counters for value in event["args"].values())
    assert [set(event["args"].values()) for event in counters[-2:]] == [{0}, {0}]


def test_what_was_said_is_marked_where_it_is_no_detail(trace: dict[str, Any]) -> None:
    marks = [(event["name"], event["ts"], event["s"]) for event in trace["traceEvents"] if event["ph"] == "i"]
    assert marks == [("by the way", 31_000_000, "g")]


def test_the_trace_of_a_run_without_a_step_is_one_too() -> None:
    trace = json.loads(make_report(ToldRun().run_end(1).history(), Path("/runs/run-1")).trace)
    assert spans(trace) == []


def test_names_that_are_not_text_are_written_so_that_they_can_be_read() -> None:
    run = ToldRun().ready(0, "s\udce9/a").start(0, "s\udce9/a").end(1, "s\udce9/a", usage=used(1, 1, 1))
    report = make_report(run.history(), Path("/runs/run-1"))
    assert "s\\\\udce9" in report.trace
    report.trace.encode()
    report.page.encode()
