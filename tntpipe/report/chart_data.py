"""What the page's charts are drawn from, as plain values: columns of numbers, since the page carries them all.

Times are seconds since the run began, memory is MiB. A step is a number, its place in every column; a scan is the
number of its row. Names are made printable, and are nothing but text to whatever draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tntpipe.formatting import MIB, kind_colour
from tntpipe.journal.history import Attempt, History
from tntpipe.planning.forecast import StepSpan
from tntpipe.planning.lanes import in_lanes
from tntpipe.planning.rows import printable
from tntpipe.report.curves import Curves
from tntpipe.report.scans import ScanRow
from tntpipe.resources import Resources

MOST_COLOURED = 8
"""So many kinds of step, those that used most CPU time, have colours."""


def chart_data(history: History, scans: Sequence[ScanRow], curves: Curves, main_kinds: Sequence[str]) -> dict[str, Any]:
    """All of it; the kinds with colours come first."""
    rows = [row for row in scans if row.attempts]
    steps = [(number, attempt) for number, row in enumerate(rows) for attempt in row.attempts]
    coloured = list(dict.fromkeys(main_kinds))[:MOST_COLOURED]
    kinds = list(dict.fromkeys([*coloured, *(attempt.kind for _, attempt in steps)]))
    lanes = [[lane for _, lane, _ in sorted(_placed(row.attempts, one_each=True))] for row in rows]
    words = _Words()
    columns = _columns([attempt for _, attempt in steps], kinds, words)
    return {
        "began_t": history.began_t,
        "end_s": _s(history.end_s),
        "cpus": history.facts.cpus,
        "mem_mib": round(history.facts.mem_bytes / MIB),
        "kinds": [printable(kind) for kind in kinds],
        "n_coloured": len(coloured),
        "colours": [kind_colour(kind) for kind in coloured],
        "scans": [printable(row.label) for row in rows],
        "n_lanes": [1 + max(of_row) for of_row in lanes],
        "waits": [
            [number, _s(began_s), _s(ended_s)] for number, row in enumerate(rows) for began_s, ended_s in row.waits
        ],
        "steps": {
            "scan": [number for number, _ in steps],
            "lane": [lane for of_row in lanes for lane in of_row],
            **columns,
        },
        "cores": [[number, core, n] for number, core, n in _placed([attempt for _, attempt in steps]) if n],
        "curves": {
            "part_s": curves.part_s,
            "reserved_cpus": curves.reserved_cpus,
            "busy_cpus": curves.busy_cpus,
            "reserved_mib": [round(n / MIB) for n in curves.reserved_bytes],
            "held_mib": [round(n / MIB) for n in curves.held_bytes],
        },
        "words": list(words.numbers),
    }


class _Words:
    """Texts that many steps share, each with a number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.numbers.setdefault(printable(text), len(self.numbers))


def _columns(attempts: Sequence[Attempt], kinds: Sequence[str], words: _Words) -> dict[str, list[Any]]:
    number_of = {kind: number for number, kind in enumerate(kinds)}
    return {
        "kind": [number_of[attempt.kind] for attempt in attempts],
        "ready": [_s(attempt.ready_s) for attempt in attempts],
        "began": [_s(attempt.began_s) for attempt in attempts],
        "ended": [_s(attempt.ended_s) for attempt in attempts],
        "expected": [_s(attempt.expected_s) for attempt in attempts],
        "cpus": [attempt.cpus for attempt in attempts],
        "cpu_s": [_s(attempt.cpu_s) for attempt in attempts],
        "mem_mib": [round(attempt.mem_bytes / MIB) for attempt in attempts],
        "peak_mib": [round(attempt.peak_bytes / MIB) for attempt in attempts],
        "try": [attempt.number for attempt in attempts],
        "ending": [words.number(attempt.ending.value) for attempt in attempts],
        "why": [words.number(attempt.why) for attempt in attempts],
        "waited_for": [words.number(attempt.waited_for) for attempt in attempts],
        "message": [words.number(attempt.message) for attempt in attempts],
    }


def _placed(attempts: Sequence[Attempt], *, one_each: bool = False) -> list[tuple[int, int, int]]:
    """Number, first lane and number of lanes of each attempt, in order of their beginnings; some in several pieces."""
    order = sorted(range(len(attempts)), key=lambda number: (attempts[number].began_s, attempts[number].ended_s))
    spans = [_span(attempts[number]) for number in order]
    number_of = {id(span): number for span, number in zip(spans, order, strict=True)}
    return [(number_of[id(p.span)], p.lane, p.n_lanes) for p in in_lanes(spans, one_each=one_each)]


def _span(attempt: Attempt) -> StepSpan:
    return StepSpan(
        name=attempt.name,
        scan=attempt.scan,
        kind=attempt.kind,
        request=Resources(attempt.cpus, attempt.mem_bytes),
        began_s=attempt.began_s,
        ended_s=attempt.ended_s,
    )


def _s(seconds: float) -> float:
    """To the hundredth, as an integer where it is one: half the page is such numbers."""
    rounded = round(seconds, 2)
    return int(rounded) if rounded == int(rounded) else rounded
