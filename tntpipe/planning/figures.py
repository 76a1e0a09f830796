"""The figures of a forecast as lines of text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from tntpipe.formatting import clock, counted, format_gib
from tntpipe.planning.forecast import Forecast
from tntpipe.planning.rows import printable

LABEL_WIDTH = 13
N_LEADERS = 3


def figures(forecast: Forecast, width: int) -> list[str]:
    """What a person wants to know before the run, a label and a text each, no line wider than asked."""
    budget, bound = forecast.budget, forecast.bound
    n_scans = len(forecast.scan_ends_s)
    lines = [
        ("makespan", f"{clock(forecast.makespan_s)} (hours, minutes, seconds)"),
        ("lower bound", f"{clock(bound.seconds)} (the run takes {forecast.bound_ratio:.2f} times that), by {bound}"),
        ("memory", f"{format_gib(forecast.peak_mem_bytes)} reserved at most, of {format_gib(budget.mem_bytes)}"),
        ("CPUs", f"{forecast.mean_busy_cpus:.1f} of {budget.cpus} busy on average"),
        ("CPU time", f"{forecast.cpu_s / 3600:.1f} hours"),
    ]
    if forecast.leaders:
        lines.append(("policy", _leaders(forecast)))
    if forecast.alone_s:
        lines.append(("alone", _alone(forecast)))
    if n_scans == 1:
        lines.append(("scans done", f"the only one after {clock(forecast.seconds_until_done(1))}"))
    elif n_scans:
        first, half, last = (clock(forecast.seconds_until_done(n)) for n in (1, -(-n_scans // 2), n_scans))
        lines.append(("scans done", f"the first after {first}, half after {half}, all after {last}"))
    return [line for label, text in lines for line in labelled(label, text, width)]


def _leaders(forecast: Forecast) -> str:
    """The policies that lead, one after the other."""
    (_, first), *later = forecast.leaders
    shown = [first, *(f"from {clock(began_s)} on {name}" for began_s, name in later[:N_LEADERS])]
    if len(later) > N_LEADERS:
        shown.append(f"and {counted(len(later) - N_LEADERS, 'change')} more")
    return ", ".join(shown)


def _alone(forecast: Forecast) -> str:
    """When the best and the worst policy would end without the others."""
    by_end: dict[str, list[str]] = {}
    for name, ends_s in sorted(forecast.alone_s.items(), key=lambda item: item[1]):
        by_end.setdefault(clock(ends_s), []).append(name)
    (best_end, best), *others = by_end.items()
    if not others:
        return f"each policy by itself ends after {best_end}"
    worst_end, worst = others[-1]
    return (
        f"the best policy by itself ends after {best_end} ({_or_more(best)}), the worst after {worst_end} "
        f"({_or_more(worst)})"
    )


def _or_more(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}, and {len(names) - 1} more"


def labelled(label: str, text: str, width: int) -> list[str]:
    """A label and its text, in as many lines as it takes; only a word that is wider than a line sticks out."""
    indent = " " * LABEL_WIDTH
    first = f"{label:<{LABEL_WIDTH}}"
    return textwrap.wrap(
        printable(text), max(width, 2 * LABEL_WIDTH), initial_indent=first, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
