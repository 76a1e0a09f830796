"""Draws the pictures of ``docs/scheduling.md`` and prints every figure that it quotes: runs on a simulated clock.

Run by hand from the repository's root (needs matplotlib)::

    python -m tools.scheduling_pictures docs/pictures

The scheduler is the real one and the scans are those of ``benchmarks/cohorts.py``. Steps take what is estimated, except
where looking ahead is judged: there they take up to a fifth more or less than the scheduler believes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from benchmarks.cohorts import cohort_jobs, true_times
from benchmarks.wfcommons import TRACES, copies, read_trace
from tntpipe.formatting import GIB, clock
from tntpipe.planning.bounds.lower_bounds import lower_bound
from tntpipe.planning.forecast import Forecast, StepSpan
from tntpipe.planning.lanes import in_lanes
from tntpipe.planning.load import load_over_time
from tntpipe.planning.ticks import ticks_s
from tntpipe.resources import Resources
from tntpipe.scheduler.core import DEFAULT_RULE, Scheduler
from tntpipe.scheduler.drive import drive
from tntpipe.scheduler.job import Job
from tntpipe.scheduler.messages import Action, Ended, Event, Launch, LaunchReason, Rule
from tntpipe.scheduler.portfolio import PORTFOLIO
from tntpipe.simulation.adviser import Adviser
from tntpipe.simulation.simulator import SimulatedWorld, Span

SMOKE = ("--help",)

BLUE, ORANGE, GREEN, PURPLE, SKY, GREY = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#8C8C8C"
"""M. Okabe and K. Ito's palette, which the colour-blind can tell apart: https://jfly.uni-koeln.de/color/."""

LOOK_AHEAD_SEED = 3
"""Of the three draws of true times, the one in which looking ahead gains most; the page gives all three."""

PORTFOLIO_TRACE = "bwa-chameleon-small-001"

KIND_COLOURS = {
    "nonlinear_registration": BLUE,
    "linear_registration": ORANGE,
    "bias_field": PURPLE,
    "brain_registration": GREEN,
}
WIDTH_IN = 9.0
DOTS_PER_INCH = 110
MINUTE_S = 60.0

PART_GIB = 2
TINY_BUDGET = Resources(4, 4 * PART_GIB * GIB)
SMALL_MINUTES = (40, 35, 30, 25, 25, 25, 20, 20, 20, 20, 15, 15, 15, 15, 10, 10, 5)
"""The small steps of the tiny case: 2 GiB each, beside one scan with a step of 6 GiB."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path, help="the folder for the pictures")
    pictures = parser.parse_args().pictures
    tell_speed_up()
    draw_reservation(pictures / "scheduling-reservation.png")
    draw_threads(pictures / "scheduling-threads.png", 8, Resources(16, 64 * GIB))
    draw_threads(pictures / "scheduling-memory.png", 12, Resources(8, 16 * GIB))
    draw_turns(pictures / "scheduling-turns.png", 80, Resources(8, 64 * GIB))
    tell_turns(200, Resources(16, 64 * GIB))
    draw_look_ahead(pictures / "scheduling-look-ahead.png", 10, Resources(8, 64 * GIB))
    judge_look_ahead()
    draw_portfolio(pictures / "scheduling-portfolio.png")


def draw_reservation(path: Path) -> None:
    """The tiny case, by first fit and with the reservation: rows are parts of the memory."""
    jobs = tiny_case()
    reasons: dict[str, LaunchReason] = {}

    def observe(_now: float, happened: Event | Action) -> None:
        if isinstance(happened, Launch):
            reasons[happened.name] = happened.reason

    world = SimulatedWorld({job.name: job.wall_s for job in jobs})
    drive(Scheduler(jobs, TINY_BUDGET), world, observe)
    traces = {"without a reservation": first_fit(jobs, TINY_BUDGET), "with the reservation": world.trace}
    end_s = max(span.ended for trace in traces.values() for span in trace)
    figure, panels = stacked([1.7, 1.7], below_in=0.85)
    for axes, (title, trace) in zip(panels, traces.items(), strict=True):
        by_name = {span.name: span for span in trace}
        large, ended_s = by_name["large step"], max(span.ended for span in trace)
        waited_s = large.began - by_name["before"].ended
        told = f"the large step waits {waited_s / 60:.0f} minutes; all is done after {ended_s / 60:.0f} minutes"
        print(f"reservation: {title}: {told}")
        title_of(axes, title, told)
        for item in in_lanes([in_parts(span) for span in sorted(trace, key=lambda s: (s.began, s.began - s.ended))]):
            span = item.span
            backfilled = title.startswith("with the") and reasons[span.name] is not LaunchReason.IN_ORDER
            colour = SKY if backfilled else BLUE if span.name.startswith("small") else ORANGE
            label = "" if span.name.startswith("small") else span.name
            bar(axes, item.lane, item.n_lanes, (span.began_s, span.ended_s), colour, label, end_s)
        axes.set_ylabel("memory, GiB")
        axes.set_yticks([0, 2, 4], ["0", "4", "8"])
        axes.set_ylim(0, 4)
        time_axis(axes, end_s, [minutes * MINUTE_S for minutes in range(0, 151, 30)], lambda s: f"{s / 60:.0f} min")
    colours = {
        "steps of the scan that needs much memory": ORANGE,
        "small steps of others": BLUE,
        "small steps let in around the reservation": SKY,
    }
    save(figure, path, colours)


def tiny_case() -> list[Job]:
    """One scan with a step of 6 GiB between two of 2 GiB, and many small steps, within 8 GiB."""

    def job(name: str, n_parts: int, minutes: float, *follows: str) -> Job:
        request = Resources(1, n_parts * PART_GIB * GIB)
        return Job(name=name, request=request, wall_s=minutes * MINUTE_S, follows=follows)

    small = [job(f"small {number:02}", 1, minutes) for number, minutes in enumerate(SMALL_MINUTES)]
    return [job("before", 1, 10), job("large step", 3, 60, "before"), job("next step", 1, 30, "large step"), *small]


def first_fit(jobs: Sequence[Job], budget: Resources) -> tuple[Span, ...]:
    """What the scheduler would do without reservations: in its order, whatever fits starts."""
    world = SimulatedWorld({job.name: job.wall_s for job in jobs})
    chain_s: dict[str, float] = {}
    for job in reversed(jobs):  # each stands before those that follow it
        chain_s[job.name] = job.wall_s + max(
            (chain_s[other.name] for other in jobs if job.name in other.follows), default=0
        )
    waiting = sorted(jobs, key=lambda job: (-chain_s[job.name], job.name))
    requests = {job.name: job.request for job in jobs}
    done: set[str] = set()
    free = budget
    while True:
        for job in tuple(waiting):
            if done.issuperset(job.follows) and job.request.fits_in(free):
                waiting.remove(job)
                free -= job.request
                world.launch(Launch(name=job.name, request=job.request, reason=LaunchReason.IN_ORDER))
        if free == budget:
            return world.trace
        for event in world.wait():
            assert isinstance(event, Ended)
            done.add(event.name)
            free += requests[event.name]


def in_parts(span: Span) -> StepSpan:
    """The span with as many CPUs as it has parts of the memory, so that lanes are parts."""
    n_parts = span.request.mem_bytes // (PART_GIB * GIB)
    return StepSpan(
        name=span.name, scan="", kind="", request=Resources(n_parts, 0), began_s=span.began, ended_s=span.ended
    )


def draw_threads(path: Path, n_scans: int, budget: Resources) -> None:
    """The same scans with one thread for each step, and with those that the scheduler chooses: a row for each CPU."""
    runs = {}
    for title, fixed in (("one thread for each step", 1), ("threads chosen by the scheduler", None)):
        jobs = cohort_jobs(n_scans, second_registration=False, fixed_cpus=fixed)
        runs[title] = simulate(jobs, budget, adviser=Adviser())
        tell(f"threads, {n_scans} scans on {budget}: {title}", runs[title])
    one, chosen = runs.values()
    print(f"  {one.makespan_s / chosen.makespan_s:.2f} times as fast")
    draw_runs(path, runs, budget, with_memory=one.peak_mem_bytes > 0.8 * budget.mem_bytes)


def draw_look_ahead(path: Path, n_scans: int, budget: Resources) -> None:
    """The same scans by the first rule alone, and looking ahead."""
    jobs = cohort_jobs(n_scans, second_registration=False)
    times = true_times(jobs, seed=LOOK_AHEAD_SEED)
    runs = {
        "without looking ahead": simulate(jobs, budget, times=times),
        "looking ahead": simulate(jobs, budget, times=times, adviser=Adviser()),
    }
    for title, run in runs.items():
        tell(f"{title}, {n_scans} scans on {budget}", run)
    draw_runs(path, runs, budget, with_memory=False)


def draw_runs(path: Path, runs: dict[str, Forecast], budget: Resources, *, with_memory: bool) -> None:
    """Runs on the same budget below each other, a row for each CPU."""
    end_s = max(run.makespan_s for run in runs.values())
    figure, panels = stacked([0.14 * budget.cpus + 0.5, *([0.55] if with_memory else [])] * 2, below_in=0.85)
    charts, memories = (panels[::2], panels[1::2]) if with_memory else (panels, [])
    for axes, (title, run) in zip(charts, runs.items(), strict=True):
        title_of(axes, title, f"{clock(run.makespan_s)}; {run.mean_busy_cpus:.1f} of {budget.cpus} CPUs busy")
        for item in in_lanes(run.spans):
            span = item.span
            colour = KIND_COLOURS.get(span.kind, GREY)
            label = f"{int(span.scan.split('-')[1])}" if span.kind == "nonlinear_registration" else ""
            bar(axes, item.lane, item.n_lanes, (span.began_s, span.ended_s), colour, label, end_s)
        axes.set_ylabel(f"{budget.cpus} CPUs")
        axes.set_yticks([])
        axes.set_ylim(0, budget.cpus)
        time_axis(axes, end_s, ticks_s(end_s, 8), clock)
    for axes, run in zip(memories, runs.values(), strict=False):
        loads = load_over_time((span.began_s, span.ended_s, span.request) for span in run.spans)
        held_gib = [load.held.mem_bytes / GIB for load in loads]
        axes.fill_between([load.since_s for load in loads], held_gib, step="post", color="#AA7744", linewidth=0)
        axes.set_ylabel("GiB")
        axes.set_yticks([0, budget.mem_bytes // GIB])
        axes.set_ylim(0, budget.mem_bytes / GIB)
        time_axis(axes, end_s, ticks_s(end_s, 8), clock)
    kinds = {kind.replace("_", " "): colour for kind, colour in KIND_COLOURS.items()}
    memory = {"memory reserved": "#AA7744"} if with_memory else {}
    save(figure, path, {**kinds, "other steps": GREY, **memory})


def draw_portfolio(path: Path) -> None:
    """Eight copies of a public workflow in which one task takes half of the memory, under one policy and the best."""
    trace = read_trace(TRACES / f"{PORTFOLIO_TRACE}.json")
    budget = Resources(8, 2 * max(job.request.mem_bytes for job in trace))
    jobs = [replace(job, group="") for job in copies(trace, 8)]
    alone = {name: simulate(jobs, budget, rule=Rule(policy=name)) for name in PORTFOLIO}
    for name, run in alone.items():
        print(f"portfolio: {name} alone: {clock(run.makespan_s)}")
    runs = {
        "longest path first": alone["longest path first"],
        "chosen by playing": simulate(jobs, budget, adviser=Adviser()),
    }
    end_s = max(run.makespan_s for run in runs.values())
    figure, panels = stacked([1.5, 1.5], below_in=0.85)
    for axes, (title, run) in zip(panels, runs.items(), strict=True):
        told = f"{clock(run.makespan_s)}, {run.makespan_s / run.bound.seconds:.2f} times the lower bound"
        print(f"portfolio: {title}: {told}")
        title_of(axes, title, f"{told}; {run.mean_busy_cpus:.1f} of 8 CPUs busy")
        for item in in_lanes(run.spans):
            colour = ORANGE if item.span.request.mem_bytes > budget.mem_bytes / 4 else BLUE
            span_s = (item.span.began_s, item.span.ended_s)
            bar(axes, item.lane, item.n_lanes, span_s, colour, "", end_s)
        axes.set_ylabel("8 CPUs")
        axes.set_yticks([])
        axes.set_ylim(0, budget.cpus)
        time_axis(axes, end_s, ticks_s(end_s, 8), clock)
    save(figure, path, {"takes half of the memory, and the others follow it": ORANGE, "other tasks": BLUE})


def draw_turns(path: Path, n_scans: int, budget: Resources) -> None:
    """How many scans are done over time, in turn and all at a time."""
    jobs = cohort_jobs(n_scans, second_registration=False)
    runs = {
        "all scans at a time": simulate([replace(job, group="") for job in jobs], budget, groups_of=jobs),
        "scans in turn (tntpipe)": simulate(jobs, budget),
    }
    for title, run in runs.items():
        tell(f"{title}, {n_scans} scans on {budget}", run)
    figure, (axes,) = stacked([2.6], below_in=0.4, above_in=0.2)
    end_s = max(run.makespan_s for run in runs.values())
    for (title, run), colour, dashes in zip(runs.items(), (ORANGE, BLUE), ("--", "-"), strict=True):
        ends_s = [0.0, *run.scan_ends_s.values()]
        axes.step(ends_s, range(n_scans + 1), where="post", color=colour, linestyle=dashes, linewidth=2.4, label=title)
    axes.legend(loc="upper left", frameon=False)
    axes.set_ylabel("scans done")
    axes.set_ylim(0, n_scans * 1.03)
    time_axis(axes, end_s * 1.01, ticks_s(end_s, 8), clock)
    figure.savefig(path, dpi=DOTS_PER_INCH)


def tell_turns(n_scans: int, budget: Resources) -> None:
    """Print when scans are done where memory is a little short."""
    tell(
        f"scans in turn, {n_scans} scans on {budget}", simulate(cohort_jobs(n_scans, second_registration=False), budget)
    )


def judge_look_ahead() -> None:
    """Print what looking ahead gains and costs where times are up to a fifth off, which the scheduler does not know."""
    for n_scans, budget in (
        (10, Resources(8, 64 * GIB)),
        (10, Resources(16, 64 * GIB)),
        (12, Resources(16, 64 * GIB)),
        (12, Resources(8, 16 * GIB)),
        (20, Resources(16, 64 * GIB)),
        (40, Resources(16, 64 * GIB)),
    ):
        jobs = cohort_jobs(n_scans, second_registration=False)
        gains, cpu_s = [], 0.0
        for seed in (1, 2, 3):
            times = true_times(jobs, seed)
            plain = simulate(jobs, budget, times=times)
            began = time.process_time()
            advised = simulate(jobs, budget, times=times, adviser=Adviser())
            cpu_s = max(cpu_s, time.process_time() - began)
            gains.append(1 - advised.makespan_s / plain.makespan_s)
        told = ", ".join(f"{gain:+.1%}" for gain in gains)
        print(
            f"looking ahead, {n_scans} scans on {budget}: the run is shorter by {told}; at most {cpu_s:.1f} CPU seconds"
        )


def simulate(
    jobs: Sequence[Job],
    budget: Resources,
    *,
    times: dict[str, float] | None = None,
    adviser: Adviser | None = None,
    rule: Rule = DEFAULT_RULE,
    groups_of: Iterable[Job] | None = None,
) -> Forecast:
    """A run of the real scheduler; ``groups_of`` says whose scan a job serves where the scheduler is not told."""
    by_name = {job.name: job for job in groups_of or jobs}
    world = SimulatedWorld(times or {job.name: job.wall_s for job in jobs}, jobs=jobs)
    drive(Scheduler(jobs, budget, rule), world, adviser=adviser)
    spans = [
        StepSpan(
            name=span.name,
            scan=by_name[span.name].group,
            kind=by_name[span.name].kind,
            request=span.request,
            began_s=span.began,
            ended_s=span.ended,
        )
        for span in world.trace
    ]
    return Forecast.of(spans, budget, lower_bound(jobs, budget))


def tell(title: str, run: Forecast) -> None:
    """Print what the page quotes of a run."""
    n_scans = len(run.scan_ends_s)
    done = {number: clock(run.seconds_until_done(number)) for number in (1, -(-n_scans // 10), n_scans // 2, n_scans)}
    hours = f"{run.cpu_s / 3600:.1f} CPU hours"
    print(f"{title}: {clock(run.makespan_s)}, {run.mean_busy_cpus:.1f} CPUs busy, {hours}; so many scans done: {done}")


def tell_speed_up() -> None:
    """Print how much faster the largest step is with more threads, and its memory."""
    jobs = cohort_jobs(1, second_registration=False)
    job = max(jobs, key=lambda job: job.wall_s)
    ratios = ", ".join(f"{cpus}: {job.wall_s / job.wall_s_at(cpus):.1f}" for cpus in (2, 4, 8))
    print(f"{job.kind}: {clock(job.wall_s)} with {job.request}; times as fast with so many threads: {ratios}")


@dataclass(frozen=True, slots=True)
class Margins:
    """Inches beside the charts."""

    left: float = 0.75
    right: float = 0.3
    between: float = 0.62
    before_strip: float = 0.3


def stacked(heights_in: Sequence[float], *, below_in: float, above_in: float = 0.4) -> tuple[Figure, list[Axes]]:
    """A figure with charts of these heights below each other; a low one belongs to the one above it."""
    margins = Margins()
    gaps = [margins.before_strip if height < 1 else margins.between for height in heights_in[1:]]
    height_in = above_in + sum(heights_in) + sum(gaps) + below_in
    figure = Figure(figsize=(WIDTH_IN, height_in))
    panels, top_in = [], height_in - above_in
    for height, gap in zip(heights_in, [*gaps, 0.0], strict=True):
        wide = (WIDTH_IN - margins.left - margins.right) / WIDTH_IN
        panels.append(
            figure.add_axes((margins.left / WIDTH_IN, (top_in - height) / height_in, wide, height / height_in))
        )
        top_in -= height + gap
    return figure, panels


def title_of(axes: Axes, title: str, told: str) -> None:
    """What a chart shows, on the left, and its figures, on the right."""
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.set_title(told, loc="right", fontsize=10)


def bar(
    axes: Axes, lane: int, n_lanes: int, times_s: tuple[float, float], colour: str, label: str, end_s: float
) -> None:
    """A step; its label where there is room."""
    began_s, ended_s = times_s
    edge = 0.8 if ended_s - began_s > 0.01 * end_s else 0.0
    axes.barh(lane + n_lanes / 2, ended_s - began_s, n_lanes, began_s, color=colour, edgecolor="white", linewidth=edge)
    if label and ended_s - began_s > 0.0095 * len(label) * end_s:
        at = ((began_s + ended_s) / 2, lane + n_lanes / 2)
        dark = colour in (ORANGE, SKY)
        axes.text(*at, label, ha="center", va="center", fontsize=8, color="black" if dark else "white", clip_on=True)


def time_axis(axes: Axes, end_s: float, at_s: Sequence[float], told: Callable[[float], str]) -> None:
    axes.set_xticks(at_s, [told(instant_s) for instant_s in at_s])
    axes.set_xlim(0, end_s)
    axes.tick_params(labelsize=9)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def save(figure: Figure, path: Path, colours: dict[str, str]) -> None:
    """Write the figure with what its colours mean below it."""
    patches = [Patch(color=colour, label=label) for label, colour in colours.items()]
    figure.legend(handles=patches, loc="lower center", ncols=min(len(patches), 3), frameon=False, fontsize=9)
    figure.savefig(path, dpi=DOTS_PER_INCH)


if __name__ == "__main__":
    main()
