"""A forecast as a picture: what runs when, and below it the CPUs and the memory that are reserved.

Where there are few scans each has a row; where there are many, each CPU has one, or, where there are even more of
these, each scan has a thin one. Matplotlib is imported when a picture is drawn, because that takes a while.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tntpipe.errors import OutputError, UsageError
from tntpipe.files import replaced_atomically
from tntpipe.formatting import GIB, OTHER_COLOUR, clock, counted, duration, format_gib, kind_colour
from tntpipe.planning.forecast import Forecast, StepSpan
from tntpipe.planning.lanes import Placed, in_lanes
from tntpipe.planning.load import load_over_time
from tntpipe.planning.rows import main_kinds, scan_rows
from tntpipe.planning.ticks import ticks_s

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg", ".pdf")

MOST_COLOURED = 6
"""So many kinds of step, those that take most CPU time, are told apart."""

CPU_COLOUR, MEMORY_COLOUR, LIMIT_COLOUR, BOUND_COLOUR = "#4477AA", "#AA7744", "#000000", "#B00020"

WIDTH_IN = 11.0
LEAST_ROWS_IN, MOST_ROWS_IN = 1.2, 7.0
ROW_IN = 0.36
LOAD_IN = 1.1
ABOVE_IN, BELOW_IN, BETWEEN_IN = 1.0, 0.55, 0.22
DOTS_PER_INCH = 110

HOUR_S = 3600

MOST_SCAN_ROWS = 60
MOST_CPU_ROWS = 128
LEAST_SIZED_IN = 0.25
"""In rows from this height on, a bar is as high as it has CPUs; in lower ones this could not be told."""

LEAST_PART = 0.01
"""Steps shorter than this part of the run claim no place of their own: those beside them are drawn over them."""

LEAST_SEPARATED_IN = 0.06
LEAST_LABEL_IN = 0.145
MOST_LABEL = 30


def check_ending(path: Path) -> None:
    """Refuse a name from which no kind of picture follows.

    Raises
    ------
    UsageError
        The ending is none of a picture's.
    """
    if path.suffix not in ENDINGS:
        raise UsageError(
            f"A plan cannot be drawn as {path.name}.",
            remedy=f"End the name in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}.",
        )


def write_picture(forecast: Forecast, path: Path) -> None:
    """Draw the forecast into a file, as its ending says.

    Raises
    ------
    UsageError, OutputError
        The ending is none of a picture's, or the file cannot be written.
    """
    check_ending(path)
    import matplotlib

    settings = {**matplotlib.rcParamsDefault, "svg.hashsalt": "tntpipe", "font.size": 9, "text.parse_math": False}
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix, {})
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the font lacks is drawn as a box
        matplotlib.rcParams.update({name: value for name, value in settings.items() if name != "backend"})
        figure = draw(forecast)
        try:
            with replaced_atomically(path) as temporary:
                figure.savefig(temporary, format=path.suffix[1:], dpi=DOTS_PER_INCH, metadata=metadata)
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}.", remedy="Name another file.") from error


@dataclass(frozen=True, slots=True)
class _Bar:
    """A step in a row that is counted from the top; it fills the row between two parts of its height."""

    span: StepSpan
    row: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Bars:
    """The upper part of the picture; without labels the rows have a title together."""

    bars: Sequence[_Bar]
    n_rows: int
    labels: Sequence[str]
    title: str


def draw(forecast: Forecast) -> Figure:
    """The figure."""
    from matplotlib.figure import Figure

    bars = _bars_of(forecast)
    rows_in = min(max(bars.n_rows * ROW_IN, LEAST_ROWS_IN), MOST_ROWS_IN)
    height_in = ABOVE_IN + rows_in + 2 * (BETWEEN_IN + LOAD_IN) + BELOW_IN
    figure = Figure(figsize=(WIDTH_IN, height_in))
    left_in = 0.75 + 0.075 * max((len(label) for label in bars.labels), default=0)
    right_in = 0.35

    def part(bottom_in: float, part_in: float) -> Axes:
        wide_in = WIDTH_IN - left_in - right_in
        rectangle = (left_in / WIDTH_IN, bottom_in / height_in, wide_in / WIDTH_IN, part_in / height_in)
        return figure.add_axes(rectangle)

    upper = part(BELOW_IN + 2 * (LOAD_IN + BETWEEN_IN), rows_in)
    middle, lower = part(BELOW_IN + LOAD_IN + BETWEEN_IN, LOAD_IN), part(BELOW_IN, LOAD_IN)
    _draw_bars(upper, bars, forecast, rows_in / bars.n_rows)
    _draw_loads(middle, lower, forecast)
    for axes in (upper, middle, lower):
        _draw_time(axes, forecast, labelled=axes is lower)
    _draw_title(figure, upper, forecast, left_in / WIDTH_IN, height_in)
    return figure


def _bars_of(forecast: Forecast) -> _Bars:
    rows = scan_rows(forecast)
    if len(rows) > MOST_SCAN_ROWS and forecast.peak_cpus <= MOST_CPU_ROWS:
        return _bars_by_cpu(forecast)
    n_rows = max(len(rows), 1)
    row_in = min(ROW_IN, MOST_ROWS_IN / n_rows)
    least_s = LEAST_PART * forecast.makespan_s
    sized = row_in >= LEAST_SIZED_IN
    long = [in_lanes([s for s in row.spans if s.ended_s - s.began_s >= least_s], one_each=not sized) for row in rows]
    short = [in_lanes([s for s in row.spans if s.ended_s - s.began_s < least_s]) if sized else () for row in rows]
    most = max(map(_n_lanes, long), default=1)
    bars = []
    for number, row in enumerate(rows):
        n_lanes = most if sized else _n_lanes(long[number])
        if not sized:
            bars += [_Bar(s, number, 0.0, 1.0) for s in row.spans if s.ended_s - s.began_s < least_s]
        for item in (*short[number], *long[number]):
            low, high = (min(lane / n_lanes, 1.0) for lane in (item.lane, item.lane + item.n_lanes))
            bars.append(_Bar(item.span, number, low, high))
    labels = [_short(row.label) for row in rows] if row_in >= LEAST_LABEL_IN else []
    return _Bars(bars, n_rows, labels, f"{n_rows} scans, as they begin")


def _bars_by_cpu(forecast: Forecast) -> _Bars:
    bars = [
        _Bar(item.span, lane, 0.0, 1.0)
        for item in in_lanes(forecast.spans)
        for lane in range(item.lane, item.lane + item.n_lanes)
    ]
    return _Bars(bars, forecast.peak_cpus, (), f"{forecast.peak_cpus} CPUs")


def _n_lanes(placed: Sequence[Placed]) -> int:
    return max((item.lane + item.n_lanes for item in placed), default=1)


def _short(label: str) -> str:
    return label if len(label) <= MOST_LABEL else f"{label[: MOST_LABEL // 2]}…{label[-(MOST_LABEL // 2 - 1) :]}"


def _draw_bars(axes: Axes, bars: _Bars, forecast: Forecast, row_in: float) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Patch

    kinds = main_kinds(forecast, MOST_COLOURED)
    colours = {kind: kind_colour(kind) for kind in kinds}
    thin = row_in < LEAST_SEPARATED_IN
    gap = 0.0 if thin else 0.12
    for row in range(0, bars.n_rows if bars.labels else 0, 2):
        axes.axhspan(row, row + 1, color="#F4F4F4", linewidth=0, zorder=0)
    boxes = [_box(bar, gap) for bar in bars.bars]
    faces = [colours.get(bar.span.kind, OTHER_COLOUR) for bar in bars.bars]
    least_s = LEAST_PART * forecast.makespan_s
    long = [bar.span.ended_s - bar.span.began_s >= least_s for bar in bars.bars]
    edges = ["white" if is_long and not thin else face for is_long, face in zip(long, faces, strict=True)]
    axes.add_collection(PolyCollection(boxes, facecolors=faces, edgecolors=edges, linewidths=0.3, zorder=2))
    axes.set_ylim(bars.n_rows, 0)
    axes.set_yticks([row + 0.5 for row in range(len(bars.labels))], bars.labels)
    axes.tick_params(axis="y", length=0)
    if not bars.labels:
        axes.set_ylabel(bars.title)
    names = [kind.replace("_", " ") for kind in kinds]
    patches = [Patch(color=colours[kind], label=name) for kind, name in zip(kinds, names, strict=True)]
    if {span.kind for span in forecast.spans} - set(kinds):
        patches.append(Patch(color=OTHER_COLOUR, label="other steps"))
    if patches:
        axes.legend(
            handles=patches, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(patches), frameon=False,
            borderaxespad=0.2, handlelength=1.2, columnspacing=1.4,
        )  # fmt: skip


def _box(bar: _Bar, gap: float) -> list[tuple[float, float]]:
    floor = bar.row + 1 - gap / 2
    bottom, top = floor - bar.low * (1 - gap), floor - bar.high * (1 - gap)
    began_s, ended_s = bar.span.began_s, bar.span.ended_s
    return [(began_s, top), (ended_s, top), (ended_s, bottom), (began_s, bottom)]


def _draw_loads(middle: Axes, lower: Axes, forecast: Forecast) -> None:
    from matplotlib.ticker import MaxNLocator

    loads = load_over_time((span.began_s, span.ended_s, span.request) for span in forecast.spans)
    instants = [load.since_s for load in loads]
    budget = forecast.budget
    parts = (
        (middle, "CPUs", CPU_COLOUR, [float(load.held.cpus) for load in loads], float(budget.cpus), f"{budget.cpus}"),
        (
            lower,
            "memory [GiB]",
            MEMORY_COLOUR,
            [load.held.mem_bytes / GIB for load in loads],
            budget.mem_bytes / GIB,
            format_gib(budget.mem_bytes),
        ),
    )
    for axes, title, colour, amounts, limit, words in parts:
        axes.fill_between(instants, amounts, step="post", color=colour, alpha=0.85, linewidth=0)
        axes.axhline(limit, color=LIMIT_COLOUR, linewidth=1, linestyle="--")
        axes.annotate(
            f"budget {words}", (0, limit), (4, 2), xycoords=axes.get_yaxis_transform(), textcoords="offset points",
            va="bottom",
        )  # fmt: skip
        axes.set_ylim(0, limit * 1.28)
        axes.set_ylabel(title)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))


def _draw_time(axes: Axes, forecast: Forecast, *, labelled: bool) -> None:
    end_s = forecast.makespan_s or 1.0
    ticks = ticks_s(end_s, 11)
    axes.set_xlim(0, end_s * 1.005)
    axes.set_xticks(ticks, _instants(ticks, end_s) if labelled else [])
    axes.grid(axis="x", color="#D0D0D0", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.axvline(forecast.bound.seconds, color=BOUND_COLOUR, linewidth=1.2, linestyle=":")
    if labelled:
        axes.set_xlabel(f"time since the beginning [{'minutes:seconds' if end_s < HOUR_S else 'hours:minutes'}]")


def _instants(ticks: Sequence[int], end_s: float) -> list[str]:
    """Minutes and seconds in a run of less than an hour, else hours and minutes."""
    if end_s < HOUR_S:
        return [duration(tick) for tick in ticks]
    return [clock(tick) if tick % 60 else clock(tick)[:-3] for tick in ticks]


def _draw_title(figure: Figure, upper: Axes, forecast: Forecast, left: float, height_in: float) -> None:
    from matplotlib.lines import Line2D

    n_scans = len(forecast.scan_ends_s)
    scans = counted(n_scans, "scan")
    title = f"{scans} on {forecast.budget}: done after {clock(forecast.makespan_s)}"
    bound = (
        f"no schedule ends before {clock(forecast.bound.seconds)}; this one takes {forecast.bound_ratio:.2f} times that"
    )
    figure.text(left, 1 - 0.30 / height_in, title, fontsize=13, fontweight="bold", va="center")
    line = Line2D([], [], color=BOUND_COLOUR, linewidth=1.2, linestyle=":", label=bound)
    figure.legend(
        handles=[line], loc="center left", bbox_to_anchor=(left, 1 - 0.56 / height_in), frameon=False, borderpad=0,
        borderaxespad=0, handlelength=1.8,
    )  # fmt: skip
