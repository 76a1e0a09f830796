"""How good the scheduler's choices are, and how quickly it makes them: writes the tables of docs/benchmarks.md.

Everything runs on a simulated clock, in one process; all but CPU times is the same each time. What is compared is told
in ``cohort_policies.py``, ``trace_policies.py`` and ``scheduler_throughput.py``.

    python -m benchmarks.scheduling            (some 15 minutes; writes between the markers in docs/benchmarks.md)
    python -m benchmarks.scheduling --quick    (under a minute; prints, writes nothing)
    python -m benchmarks.scheduling --parts speed
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from benchmarks.cohort_policies import BUDGETS_GIB, Case, cases
from benchmarks.scheduler_throughput import N_RUNS, SIZES, LiveDecisions, Throughput, live_decisions, throughputs
from benchmarks.trace_policies import VERSUS_BEST_BAR, TraceCase, trace_cases
from tntpipe import __version__
from tntpipe.formatting import GIB
from tntpipe.resources import Resources

SMOKE = ("--help",)

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"

SEEDS = (11, 12, 13)
"""The rules were tuned on others, 1 to 4."""

TRACE_SEEDS = tuple(range(11, 14))

N_SCANS = (8, 40, 100, 200)
N_SEEDS = {100: 2, 200: 1}
"""Where three would take too long."""

LIVE_BUDGETS = (Resources(40, 188 * GIB), Resources(200, 2000 * GIB))
DECISIONS_BAR = 50_000
P99_BAR_S = 1e-3

T = TypeVar("T")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a little of each part; print it and write nothing")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="only these parts")
    parser.add_argument("--scans", nargs="+", type=int, default=N_SCANS, help="cohorts of so many scans only; print")
    args = parser.parse_args()
    is_whole = not args.quick and tuple(args.scans) == N_SCANS
    for part in args.parts:
        began, load = time.monotonic(), os.getloadavg()[0]
        lines = list(PARTS[part](args.quick, args.scans))
        load_after = os.getloadavg()[0]
        git = ("git", "-C", str(PAGE.parent), "describe", "--always", "--dirty", "--exclude=*")
        version = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or __version__
        stamp = (
            f"`python -m benchmarks.scheduling{' --quick' if args.quick else ''} --parts {part}`, {version}: "
            f"{date.today().isoformat()}, {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, "
            f"Python {platform.python_version()}, load {load:.1f} at the start and {load_after:.1f} at the end, "
            f"{(time.monotonic() - began) / 60:.1f} minutes."
        )
        text = "\n".join((stamp, "", *lines))
        print(text, end="\n\n", flush=True)
        if is_whole:
            _write(part, text)
    return 0


def _speed(quick: bool, _scans: Sequence[int]) -> Iterator[str]:
    sizes, n_live, budgets = (SIZES[:3], 20, LIVE_BUDGETS[:1]) if quick else (SIZES, 200, LIVE_BUDGETS)
    yield from _throughput_lines(list(_told(throughputs(sizes), "throughput")))
    yield ""
    yield from _live_lines(list(_told(live_decisions(n_live, budgets, SEEDS[0]), "live")), n_live)


def _traces(quick: bool, _scans: Sequence[int]) -> Iterator[str]:
    seeds = TRACE_SEEDS[:1] if quick else TRACE_SEEDS
    yield from _trace_lines(list(_told(trace_cases(seeds), "traces")), seeds)


def _cohorts(quick: bool, scans: Sequence[int]) -> Iterator[str]:
    seeds, n_scans, budgets = SEEDS, scans, BUDGETS_GIB
    if quick:
        seeds, n_scans, budgets = SEEDS[:1], scans[:1], ((2, 8), (8, 16), (40, 188))
    ran = _told(cases(n_scans, budgets, lambda n: seeds[: N_SEEDS.get(n, len(seeds))]), "cohort")
    done = []
    for case in ran:
        print(" | ".join(_cohort_row(case)), file=sys.stderr, flush=True)
        done.append(case)
    yield from _cohort_lines(done, seeds)


PARTS = {"cohorts": _cohorts, "traces": _traces, "speed": _speed}


def _told(items: Iterable[T], what: str) -> Iterator[T]:
    """Say how far it is, on standard error."""
    began = time.monotonic()
    for number, item in enumerate(items, start=1):
        print(f"{what} {number}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        yield item


def _write(part: str, text: str) -> None:
    """Put the text between the markers of its part of the page."""
    begin, end = (f"<!-- scheduling, {part}: {word} -->" for word in ("begin", "end"))
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(begin)
    _, after = rest.split(end)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _met(met: bool) -> str:
    return "met" if met else "**missed**"


def _cohort_lines(cohorts: Sequence[Case], seeds: Sequence[int]) -> Iterator[str]:
    n_cases, n_met = len(cohorts), sum(all(met for _, met in case.bars) for case in cohorts)
    fewer = "; ".join(f"{n} scans: {', '.join(map(str, seeds[:k]))}" for n, k in N_SEEDS.items() if k < len(seeds))
    yield (
        f"**Cohorts** (+: with the second registration), makespan / lower bound, means over the seeds "
        f"{', '.join(map(str, seeds))}{f' ({fewer})' if fewer else ''}. Bars are met in {n_met} of {n_cases} cases."
    )
    yield ""
    heads = ("CPUs / GiB", "scans", "critical paths of work", "ours", "ours, not looking ahead", "ours, k = 1")
    heads += ("ours, best fixed k", "nipype's policy", "adviser, CPU s", "first tenth done at", "bar")
    yield from _table(heads, map(_cohort_row, cohorts))


def _cohort_row(case: Case) -> tuple[str, ...]:
    return (
        f"{case.cpus} / {case.mem_gib}",
        f"{case.n_scans}{' +' if case.second_registration else ''}",
        f"{case.mean(lambda outcome: outcome.n_paths):.1f}",
        f"{case.mean(lambda outcome: outcome.ours):.3f}",
        f"{case.mean(lambda outcome: outcome.without_looking_ahead):.3f}",
        f"{case.mean(lambda outcome: outcome.one_cpu):.3f}",
        f"{case.mean(lambda outcome: outcome.best_fixed):.3f} (k = {case.best_cpus})",
        f"{case.mean(lambda outcome: outcome.nipype):.3f}",
        f"{case.mean(lambda outcome: outcome.adviser_cpu_s):.1f}",
        f"{case.mean(lambda outcome: outcome.first_tenth):.0%}",
        "; ".join(f"{bar}: {_met(met)}" for bar, met in case.bars),
    )


def _trace_lines(traces: Sequence[TraceCase], seeds: Sequence[int]) -> Iterator[str]:
    yield (
        "**Seven WfCommons traces**, 8 CPUs, geometric means of makespan / lower bound; memory tight: twice the "
        "largest task's, for one copy and for eight; wrong estimates: lognormal, sigma 0.3; unlike: each task of each "
        f"copy has a true time of its own, ±20 %; seeds {seeds[0]} to {seeds[-1]}."
    )
    yield ""
    heads = ("memory", "copies", "ours, times known", "ours, estimates wrong", "copies in turn, known")
    heads += ("copies in turn, wrong", "longest path first alone", "nipype's policy, poll 2 s", "poll 0.01 s")
    heads += ("the best alone of each trace", "ours / the best alone, worst trace", "bars: known; wrong; worst")
    yield from _table(heads, map(_trace_row, traces))


def _trace_row(case: TraceCase) -> tuple[str, ...]:
    in_turn = [f"{ratio:.3f}" if ratio is not None else "" for ratio in (case.known_in_turn, case.wrong_in_turn)]
    return (
        "tight" if case.tight else "free",
        f"{case.n_copies}{'' if case.alike else ', unlike'}",
        f"{case.known:.3f}",
        f"{case.wrong:.3f}",
        *in_turn,
        f"{case.longest_path:.3f}",
        f"{case.nipype:.3f}",
        f"{case.nipype_short_poll:.3f}",
        f"{case.best_alone:.3f}",
        f"{case.worst_versus_best:.3f}",
        f"{case.bar:.3f}: {_met(case.known <= case.bar)}; {_met(case.wrong <= case.bar)}; "
        f"{VERSUS_BEST_BAR:.2f}: {_met(case.worst_versus_best <= VERSUS_BEST_BAR)}",
    )


def _throughput_lines(grown: Sequence[Throughput]) -> Iterator[str]:
    least, most = grown[0], grown[-1]
    n_times = most.n_jobs / least.n_jobs
    yield (
        f"**Decisions a CPU second**, 25 kinds of job, none moldable, 40 CPUs, 188 GiB; of {N_RUNS} runs the fastest: "
        f"{n_times:.0f} times as many jobs take {most.total_s / least.total_s:.0f} times as long."
    )
    yield ""
    heads = (
        "jobs",
        "set up, s",
        "decisions a CPU second",
        f"slowest of {N_RUNS} runs",
        "median, µs",
        "99th percentile, µs",
        f"bar {DECISIONS_BAR}",
    )
    yield from _table(
        heads,
        (
            (
                f"{run.n_jobs}",
                f"{run.setup_s:.2f}",
                f"{run.per_second:.0f}",
                f"{run.slowest_per_second:.0f}",
                f"{run.quantile_s(0.5) * 1e6:.0f}",
                f"{run.quantile_s(0.99) * 1e6:.0f}",
                _met(run.per_second >= DECISIONS_BAR),
            )
            for run in grown
        ),
    )


def _live_lines(live: Sequence[LiveDecisions], n_scans: int) -> Iterator[str]:
    yield (
        f"**Decisions with {n_scans} scans** and the second registration, CPU time, looking ahead aside; and the "
        "longest that the adviser thinks at a stretch, which is how late a decision may be because of it."
    )
    yield ""
    heads = ("budget", "most scans running at once", "median, µs", "99th percentile, µs", "over 1 ms", "longest, ms")
    heads += ("adviser's 99th percentile, ms", "adviser's longest slice, ms", "bar: 99th percentile below 1 ms")
    yield from _table(
        heads,
        (
            (
                str(run.budget),
                f"{run.most_live}",
                f"{run.quantile_s(0.5) * 1e6:.0f}",
                f"{run.quantile_s(0.99) * 1e6:.0f}",
                f"{sum(s > P99_BAR_S for s in run.decisions_s) / len(run.decisions_s):.1%}",
                f"{run.decisions_s[-1] * 1e3:.1f}",
                f"{run.slices_s[int(len(run.slices_s) * 0.99)] * 1e3:.1f}",
                f"{run.slices_s[-1] * 1e3:.1f}",
                _met(run.quantile_s(0.99) < P99_BAR_S),
            )
            for run in live
        ),
    )


if __name__ == "__main__":
    raise SystemExit(main())
