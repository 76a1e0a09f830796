"""The same steps under several budgets, a row each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tntpipe.formatting import GIB, clock, format_gib
from tntpipe.planning.forecast import Forecast, forecast
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job

HEADER = ("CPUs", "memory", "makespan", "of bound", "first done", "half done", "CPUs busy")


@dataclass(frozen=True, slots=True)
class Answer:
    """How the steps would do under a budget: a forecast, or the words for why they cannot be run."""

    budget: Resources
    outcome: Forecast | str


def what_if(jobs: Sequence[Job], budgets: Iterable[Resources]) -> Iterator[Answer]:
    """An answer for each budget, in turn."""
    for budget in budgets:
        large = [job for job in jobs if not job.request.fits_in(budget)]
        yield Answer(budget, _refusal(large) if large else forecast(jobs, budget))


def _refusal(large: Sequence[Job]) -> str:
    """The step that asks for most, and how many more ask for more than there is."""
    most = max(large, key=lambda job: (job.request.mem_bytes, job.request.cpus))
    tenths = -(-most.request.mem_bytes * 10 // GIB)  # rounded up: who gives what is printed has enough
    needed = Resources(most.request.cpus, tenths * GIB // 10)
    counted = "1 more step does" if len(large) == 2 else f"{len(large) - 1} more steps do"
    others = f", and {counted} not fit" if len(large) > 1 else ""
    return f"too small: {most.name} needs {needed}{others}"


def table(answers: Iterable[Answer]) -> list[str]:
    """The answers as aligned lines."""
    rows: list[tuple[tuple[str, ...], str]] = [(HEADER, "")]
    for answer in answers:
        budget = (str(answer.budget.cpus), format_gib(answer.budget.mem_bytes))
        outcome = answer.outcome
        rows.append((budget, outcome) if isinstance(outcome, str) else ((*budget, *_cells(outcome)), ""))
    widths = [max(len(cells[column]) for cells, _ in rows if column < len(cells)) for column in range(len(HEADER))]
    lines = []
    for cells, words in rows:
        columns = [f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=False)]
        lines.append("  ".join([*columns, words] if words else columns))
    return lines


def _cells(outcome: Forecast) -> tuple[str, ...]:
    n_scans = len(outcome.scan_ends_s)
    first, half = (clock(outcome.seconds_until_done(n)) if n else "-" for n in (min(n_scans, 1), -(-n_scans // 2)))
    busy = f"{outcome.mean_busy_cpus:.1f} ({outcome.mean_busy_cpus / outcome.budget.cpus:.0%})"
    return clock(outcome.makespan_s), f"{outcome.bound_ratio:.2f} x", first, half, busy
