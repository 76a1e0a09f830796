"""Tables of figures: what a column holds, which bars a row has to meet, and how both are written.

A cell is the median over heads and, in brackets, the worst one: the farthest from what a perfect method would have.
What is missing makes a row of its own, and a row that lacks a head has not met its bars.
"""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Figures = dict[str, dict[str, list[float]]]
"""Of a table: values by row and column, and the number of heads."""

FORMS = {
    "dice": (1.0, "{:.3f}"), "ratio": (1.0, "{:.3f}"), "r": (1.0, "{:.3f}"), "age r": (0.0, "{:+.2f}"),
    "percent": (0.0, "{:+.1f}"), "off": (0.0, "{:.1f}"), "cm3": (0.0, "{:.1f}"), "s": (0.0, "{:.0f}"),
    "count": (0.0, "{:.0f}"),
}  # fmt: skip
"""Of each kind of figure: the value without error, and how one is written."""


LONGEST_REASON = 250
"""Characters of why a case is missing; the rest is in the run's log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One figure of a table; ``name`` heads it."""

    name: str
    kind: str

    def worst(self, values: Sequence[float]) -> float:
        best = FORMS[self.kind][0]
        return max(values, key=lambda value: abs(value - best))

    def written(self, values: Sequence[float]) -> str:
        """Median and worst."""
        if not values:
            return "–"
        form = FORMS[self.kind][1]
        middle = form.format(statistics.median(values))
        return middle if len(values) == 1 else f"{middle} ({form.format(self.worst(values))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What a figure has to be: ``least``, or within so much of ``about``; of the median, or of the worst head."""

    column: str
    least: float | None = None
    within: float | None = None
    about: float = 0.0
    of: str = "median"

    @property
    def limit(self) -> str:
        """The bar without the name of its figure."""
        if self.least is not None:
            limit = f"≥ {self.least:g}"
        else:
            limit = f"{self.about:g} ± {self.within:g}" if self.about else f"± {self.within:g}"
        return f"{limit}{' worst' if self.of == 'worst' else ''}"

    def is_met(self, column: Column, values: Sequence[float]) -> bool:
        if not values:
            return False
        value = statistics.median(values) if self.of == "median" else column.worst(values)
        return value >= self.least if self.least is not None else abs(value - self.about) <= (self.within or 0) + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A condition: how many heads it has and should have, the values of each column, and its bars."""

    name: str
    n_heads: int
    n_wanted: int
    values: Mapping[str, Sequence[float]]
    bars: tuple[Bar, ...] = ()
    worst_is: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of the same columns; ``missing`` says which cases have no figures, and why."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    missing: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    after: str = ""

    def markdown(self, before: Figures) -> str:
        """The table; under a row what ``before`` has of it."""
        has_bars = any(row.bars for row in self.rows)
        has_worst = any(row.worst_is for row in self.rows)
        head = ["", "heads", *(column.name for column in self.columns)]
        head += ["worst is"] * has_worst + ["bar", "met"] * has_bars
        lines = [_line(head), _line(["---"] * len(head))]
        for row in self.rows:
            cells = [column.written(row.values.get(column.name, ())) for column in self.columns]
            count = f"{row.n_heads}" if row.n_heads == row.n_wanted else f"{row.n_heads} of {row.n_wanted}"
            verdict = [self.limits(row), self.verdict(row)] if has_bars else []
            lines.append(_line([row.name, count, *cells, *[row.worst_is] * has_worst, *verdict]))
            if row.name in before:
                earlier = before[row.name]
                cells = [column.written(earlier.get(column.name, ())) for column in self.columns]
                n_heads = f"{earlier['heads'][0]:.0f}"
                lines.append(_line(["*before*", n_heads, *cells] + [""] * (len(head) - 2 - len(cells))))
        for name, why in self.missing.items():
            lines.append(
                _line(
                    [f"{name}: missing", "0", textwrap.shorten(why, LONGEST_REASON, placeholder=" …")]
                    + [""] * (len(head) - 3)
                )
            )
        return "\n".join(
            [f"### {self.title}\n", *([self.note + "\n"] if self.note else []), *lines, self.after]
        ).rstrip()

    def limits(self, row: Row) -> str:
        """A row's bars; figures that share one stand together, and a table's only figure needs no name."""
        named: dict[str, list[str]] = {}
        for bar in row.bars:
            named.setdefault(bar.limit, []).append(bar.column)
        is_plain = len(self.columns) == 1
        return "; ".join(limit if is_plain else f"{', '.join(names)} {limit}" for limit, names in named.items())

    def verdict(self, row: Row) -> str:
        """Whether a row meets its bars, and which it misses."""
        if not row.bars:
            return ""
        columns = {column.name: column for column in self.columns}
        missed = [bar.column for bar in row.bars if not bar.is_met(columns[bar.column], row.values.get(bar.column, ()))]
        n_lost = row.n_wanted - row.n_heads
        said = [*(dict.fromkeys(missed) if len(columns) > 1 else ()), *([f"{n_lost} missing"] if n_lost else [])]
        return ": ".join(filter(None, ["**no**", ", ".join(said)])) if missed or n_lost else "yes"

    def figures(self) -> Figures:
        """All values by row and column, to be compared with later."""
        return {
            row.name: {"heads": [row.n_heads], **{name: list(values) for name, values in row.values.items()}}
            for row in self.rows
        }


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.replace('|', '/').split()) for cell in cells)} |"
