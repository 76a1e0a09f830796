"""A forecast as a text picture: who runs when, and the CPUs and the memory that are in use, in a given width.

Each character is an equal part of the time. In the row of a scan it says which kind of step has most of its CPU time
there; in the rows below, how much of the budget is in use: CPUs on average, memory at its highest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tntpipe.formatting import clock, format_gib
from tntpipe.planning.forecast import Forecast
from tntpipe.planning.load import load_in_slots, load_over_time, overlaps
from tntpipe.planning.rows import Row, grouped, main_kinds, scan_rows
from tntpipe.planning.ticks import ticks_s

MAIN_MARKS = "█▓▒"
OTHER_MARK = "░"
WAITING_MARK = "·"
LEVELS = " ▁▂▃▄▅▆▇█"

MOST_ROWS = 20
MOST_LABEL = 28
LEAST_CHART = 8
TICK_DISTANCE = 12


def gantt_text(forecast: Forecast, width: int) -> list[str]:
    """The lines of the picture, none wider than asked (30 characters at least); none where nothing is to be done."""
    if not forecast.makespan_s:
        return []
    rows = grouped(scan_rows(forecast), MOST_ROWS)
    kinds = main_kinds(forecast, len(MAIN_MARKS))
    marks = dict(zip(kinds, MAIN_MARKS, strict=False))
    budget = forecast.budget
    ends = [clock(row.ended_s) for row in rows]
    of_cpus, of_memory = f"of {budget.cpus}", f"of {format_gib(budget.mem_bytes)}"
    right = max(map(len, [*ends, of_cpus, of_memory]))
    left = min(max(len(row.label) for row in [*rows, Row("memory", ())]), MOST_LABEL, width - right - 2 - LEAST_CHART)
    n_slots = width - left - right - 2
    slot_s = forecast.makespan_s / n_slots

    def line(label: str, chart: str, end: str) -> str:
        return f"{_short(label, left):<{left}} {chart:<{n_slots}} {end:>{right}}"

    lines = [line("", "", "done")]
    charts = [_cells(row, marks, slot_s, n_slots) for row in rows]
    lines += [line(row.label, chart, end) for row, chart, end in zip(rows, charts, ends, strict=True)]
    loads = load_over_time((span.began_s, span.ended_s, span.request) for span in forecast.spans)
    slots = load_in_slots(loads, forecast.makespan_s, n_slots)
    cpus = "".join(_level(slot.mean_cpus / budget.cpus) for slot in slots)
    memory = "".join(_level(slot.peak_mem_bytes / max(budget.mem_bytes, 1)) for slot in slots)
    lines += ["", line("CPUs", cpus, of_cpus), line("memory", memory, of_memory)]
    axis, labels = _axis(forecast.makespan_s, n_slots)
    lines += [f"{'':{left}} {axis}", f"{'':{left}} {labels}"]
    meanings = {mark: kind.replace("_", " ") for kind, mark in marks.items()}
    meanings |= {OTHER_MARK: "other steps", WAITING_MARK: "waits"}
    lines += _wrapped([f"{mark} {text}" for mark, text in meanings.items() if any(mark in c for c in charts)], width)
    return [line.rstrip() for line in lines]


def _cells(row: Row, marks: Mapping[str, str], slot_s: float, n_slots: int) -> str:
    cpu_s: list[dict[str, float]] = [defaultdict(float) for _ in range(n_slots)]
    for span in row.spans:
        for slot, seconds in overlaps(span.began_s, span.ended_s, slot_s, n_slots):
            cpu_s[slot][marks.get(span.kind, OTHER_MARK)] += seconds * span.request.cpus
    first, last = int(row.began_s / slot_s), row.ended_s / slot_s
    idle = [WAITING_MARK if first <= slot < last else " " for slot in range(n_slots)]
    return "".join(
        max(of_mark, key=of_mark.__getitem__) if of_mark else none for of_mark, none in zip(cpu_s, idle, strict=True)
    )


def _level(share: float) -> str:
    """A block as high as the share; anything at all is seen."""
    eighths = min(round(share * 8), 8)
    return LEVELS[max(eighths, 1) if share > 0 else 0]


def _axis(end_s: float, n_slots: int) -> tuple[str, str]:
    """A line with ticks, and the times below them, at the right end a little to the left."""
    line, labels = ["─"] * n_slots, ""
    for tick_s in ticks_s(end_s, max(n_slots // TICK_DISTANCE, 2)):
        slot = min(int(tick_s / end_s * n_slots), n_slots - 1)
        line[slot] = "┴" if tick_s else "└"
        text = clock(tick_s)
        start = max(min(slot, n_slots - len(text)), 0)
        if not labels or start > len(labels):
            labels = f"{labels:<{start}}{text}"
    return "".join(line), labels


def _short(label: str, width: int) -> str:
    """The label, its middle left out where it is too long: scans of one person differ at the end."""
    if len(label) <= width:
        return label
    head = (width - 1) // 2
    return f"{label[:head]}…{label[len(label) - (width - 1 - head) :]}"


def _wrapped(parts: Sequence[str], width: int) -> list[str]:
    lines = [""]
    for part in parts:
        joined = f"{lines[-1]}   {part}" if lines[-1] else part
        if len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(part[:width])
    return [line for line in lines if line]
