"""How a run stands, as plain values (what ``status --json`` prints and ``logs/status.json`` holds) and as text.

Times are seconds since the epoch (``_t``) or seconds (``_s``); memory is in bytes, CPU use in mean busy CPUs.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tntpipe.formatting import counted, duration, format_gib
from tntpipe.journal.events import ScanOutcome
from tntpipe.journal.run_state import BAD, Failure, RunningStep, RunState
from tntpipe.status.liveness import Life, Sight
from tntpipe.store.step_logs import StepLogs, log_tail

SCHEMA_VERSION = 1
N_FAILURES = 50
N_TAIL_LINES = 10
"""So many failures are told, the last ones, each with so many lines of its log."""


def status_of(state: RunState, sight: Sight, run_dir: Path, now: float) -> dict[str, Any]:
    """How the run whose folder is ``run_dir`` stands at ``now``."""
    facts, logs = state.facts, StepLogs(run_dir)
    until = state.last_t if sight.life in (Life.ENDED, Life.DIED) else now
    return {
        "schema_version": SCHEMA_VERSION,
        "t": round(now, 3),
        "run": run_dir.name,
        "state": sight.life.value,
        "seen": sight.how,
        "exit_status": state.exit_status,
        "version": facts.version if facts else None,
        "ants": facts.ants if facts else None,
        "command": list(facts.command) if facts else [],
        "host": dict(facts.host) if facts else {},
        "pid": facts.pid if facts else None,
        "folders": dict(state.folders),
        "began_t": state.started,
        "last_event_t": state.last_t,
        "elapsed_s": round(max(0.0, until - state.started), 1) if facts else 0.0,
        "left_s": _left_s(state, sight, now),
        "scans": {
            "all": len(state.scans),
            "done": state.n_scans(ScanOutcome.DONE),
            "skipped": state.n_scans(ScanOutcome.SKIPPED),
            "failed": state.n_scans(*BAD),
            "unfinished": state.n_scans(ScanOutcome.STOPPED),
            "under_way": len(state.under_way),
            "to_come": state.n_scans_to_come(),
        },
        "steps": {
            "all": state.n_steps,
            "over": state.n_over,
            "running": len(state.running),
            "run_again": state.n_retried,
        },
        "budget": {"cpus": state.cpus, "mem_bytes": state.mem_bytes},
        "reserved": {"cpus": state.reserved_cpus, "mem_bytes": state.reserved_bytes},
        "used": {
            "cpus": round(state.busy_cpus, 3),
            "mem_bytes": state.rss_bytes,
            "peak_mem_bytes": state.peak_rss_bytes,
        },
        "running": [_running(step, logs, until) for step in state.running.values()],
        "waiting": dict(state.waiting),
        "n_failures": len(state.failures),
        "failures": [_failure(failure, logs) for failure in state.failures[-N_FAILURES:]],
        "logs": {
            "run": str(run_dir / "run.log"),
            "steps": str(run_dir / "steps"),
            "journal": str(run_dir / "journal.jsonl"),
        },
    }


def _left_s(state: RunState, sight: Sight, now: float) -> float | None:
    left_s = state.seconds_left(now) if sight.life in (Life.RUNNING, Life.SILENT) else None
    return None if left_s is None else round(left_s, 1)


def _running(step: RunningStep, logs: StepLogs, now: float) -> dict[str, Any]:
    return {
        "name": step.name,
        "scan": step.scan,
        "kind": step.kind,
        "pid": step.pid,
        "began_t": step.since,
        "elapsed_s": round(max(0.0, now - step.since), 1),
        "expected_s": step.expected_s,
        "cpus": step.cpus,
        "busy_cpus": step.busy_cpus,
        "cpu_s": step.cpu_s,
        "request_bytes": step.mem_bytes,
        "rss_bytes": step.rss_bytes,
        "peak_bytes": step.peak_bytes,
        "log": str(logs.path(step.name)),
    }


def _failure(failure: Failure, logs: StepLogs) -> dict[str, Any]:
    log = logs.path(failure.name) if failure.kind else None
    return {
        "t": failure.t,
        "name": failure.name,
        "kind": failure.kind,
        "message": failure.message,
        "log": None if log is None else str(log),
        "last_lines": [] if log is None else log_tail(log, N_TAIL_LINES),
    }


def heartbeat(state: RunState, now: float) -> str:
    """How a run stands, in one line.

    >>> heartbeat(RunState(n_steps=40, n_over=7, expected_end=3600.0), 0.0)
    '0 steps running, 7 of 40 done, 0 of 0 scans; about 1:00:00 left; memory: 0.0 GiB used, 0.0 GiB reserved of 0.0 GiB'
    """
    left_s = state.seconds_left(now)
    left = "" if left_s is None else f"; about {duration(left_s)} left"
    failed = f", {state.n_scans(*BAD)} failed" if state.n_scans(*BAD) else ""
    used = f"{format_gib(state.rss_bytes)} used, {format_gib(state.reserved_bytes)} reserved"
    n_done = state.n_scans(ScanOutcome.DONE, ScanOutcome.SKIPPED)
    return (
        f"{counted(len(state.running), 'step')} running, {state.n_over} of {state.n_steps} done, "
        f"{n_done} of {counted(len(state.scans), 'scan')}{failed}{left}; "
        f"memory: {used} of {format_gib(state.mem_bytes)}"
    )


def status_lines(status: Mapping[str, Any]) -> Iterator[str]:
    """A status as text, a line at a time."""
    yield f"{status['run']}: {status['state']} {_time_of(status)}"
    yield f"  {status['seen']}"
    yield f"  command  {' '.join(status['command'])}"
    counts = status["scans"]
    told = [f"{counts[name]} {name.replace('_', ' ')}" for name in counts if name != "all" and counts[name]]
    yield f"  scans    {counts['all']}: {', '.join(told) or 'none'}"
    again = f"; {counted(status['steps']['run_again'], 'attempt')} retried" * bool(status["steps"]["run_again"])
    yield f"  steps    {status['steps']['over']} of {status['steps']['all']} ended{again}"
    budget, reserved, used = status["budget"], status["reserved"], status["used"]
    if status["running"]:
        yield f"  CPUs     {reserved['cpus']} of {budget['cpus']} reserved, {used['cpus']:.1f} busy"
        yield (
            f"  memory   {format_gib(reserved['mem_bytes'])} of {format_gib(budget['mem_bytes'])} reserved, "
            f"{format_gib(used['mem_bytes'])} used"
        )
    for title, lines in (("running", map(_running_line, status["running"])), ("waits", _waiting_lines(status))):
        yield from _section(title, lines)
    yield from _section("failed", _failure_lines(status))
    yield f"log    {status['logs']['run']}"
    yield f"steps  {status['logs']['steps']}/<scan>/<step>.txt"


def _time_of(status: Mapping[str, Any]) -> str:
    if status["state"] != Life.RUNNING.value:
        return f"after {duration(status['elapsed_s'])}"
    left_s = status["left_s"]
    if left_s is None:
        return f"for {duration(status['elapsed_s'])}"
    end = datetime.datetime.fromtimestamp(status["t"] + left_s).strftime("%a %H:%M")
    return f"for {duration(status['elapsed_s'])}; should end in {duration(left_s)} ({end})"


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if not number:
            yield title
        yield f"  {line}"


def _running_line(step: Mapping[str, Any]) -> str:
    expected = f" of about {duration(step['expected_s'])}" if step["expected_s"] else ""
    cpus = f"{counted(step['cpus'], 'CPU')} ({step['busy_cpus']:.1f} busy)"
    memory = f"{format_gib(step['rss_bytes'])} of {format_gib(step['request_bytes'])}"
    return f"{step['name']}  {duration(step['elapsed_s'])}{expected}, {cpus}, {memory}"


def _waiting_lines(status: Mapping[str, Any]) -> Iterator[str]:
    for name, why in status["waiting"].items():
        yield f"{name}  {why}"


def _failure_lines(status: Mapping[str, Any]) -> Iterator[str]:
    n_left_out = status["n_failures"] - len(status["failures"])
    if n_left_out:
        yield f"({n_left_out} earlier ones are in the run's log)"
    for failure in status["failures"]:
        yield f"{failure['name']}  {failure['message']}"
        if failure["log"]:
            yield f"  log  {failure['log']}"
        yield from (f"  | {line}" for line in failure["last_lines"])
