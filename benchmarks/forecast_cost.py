"""What foreseeing the end of a run costs: CPU time, memory, and the longest stretch at which it thinks.

One forecast at the beginning of a cohort, whose jobs all have one thread given or choose their threads. A job that ends
while the forecaster thinks waits for the end of a slice.

    python -m benchmarks.forecast_cost [--scans 10 200 2000 12500]
"""

from __future__ import annotations

import argparse
import gc
import tracemalloc
from itertools import pairwise
from time import thread_time

from benchmarks.cohorts import cohort_jobs
from tntpipe.formatting import GIB
from tntpipe.resources import Resources
from tntpipe.scheduler.core import Scheduler
from tntpipe.simulation.forecaster import Forecaster

SMOKE = ("--scans", "2")

BUDGET = Resources(40, 188 * GIB)


def begun(n_scans: int, threads: int | None) -> Scheduler:
    scheduler = Scheduler(cohort_jobs(n_scans, second_registration=False, fixed_cpus=threads), BUDGET)
    scheduler.start(0.0)
    return scheduler


def main() -> None:
    """Print a line for each size of cohort."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, nargs="+", default=[10, 200, 2000, 12500])
    print("| scans | jobs | threads | CPU s | slices | longest slice, ms | of the run | most memory, MB | after, MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    for n_scans in parser.parse_args().scans:
        for threads in (1, None):
            print(measured(n_scans, threads), flush=True)


def measured(n_scans: int, threads: int | None) -> str:
    """A line of the table; memory is traced in a second forecast, which that slows."""
    scheduler = begun(n_scans, threads)
    n_jobs = sum(1 for _ in scheduler.unfinished())
    gc.collect()
    gc.disable()  # as a run does for what it made before it began
    told: list[float] = []
    instants = [thread_time()]
    for _ in Forecaster(told.append).consider(scheduler, 0.0):
        instants.append(thread_time())
    instants.append(thread_time())
    gc.enable()
    longest_ms = 1000 * max(after - before for before, after in pairwise(instants))
    cpu_s = instants[-1] - instants[0]
    gc.collect()
    tracemalloc.start()
    for _ in Forecaster(told.append).consider(scheduler, 0.0):
        pass
    gc.collect()
    after, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (
        f"| {n_scans} | {n_jobs} | {threads or 'chosen'} | {cpu_s:.2f} | {len(instants) - 1} | {longest_ms:.1f} "
        f"| {cpu_s / told[0]:.4%} | {most / 1e6:.1f} | {after / 1e6:.1f} |"
    )


if __name__ == "__main__":
    main()
