"""The journal and the report of a large run: how long they take to write, how large they are, and how soon the page is
there and zooms in a real browser.

The run is made up (made_up_run.py): 200 scans with two registrations, some 26 steps each, 40 CPUs and 188 GiB. The
bars: the page is below 6 MB and is drawn within 3 s of being asked for, in Chromium without a screen.

    python -m benchmarks.report_page [--scans 200]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from benchmarks.made_up_run import made_up_run
from tntpipe.formatting import GIB
from tntpipe.journal.events import StepEnded
from tntpipe.journal.history import history_of
from tntpipe.journal.reader import read_journal
from tntpipe.journal.writer import JOURNAL_NAME, Journal
from tntpipe.report.write import PAGE_NAME, TRACE_NAME, make_report, write_report
from tntpipe.resources import Resources

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from browser import CHROMIUM, DRIVER, chromium

SMOKE = ("--scans", "4")

PAGE_BAR_MB = 6.0
LOAD_BAR_S = 3.0
N_LOADS = 5
ZOOM = """
const chart = timeline.chart, took = [];
for (let i = 0; i < 30; i++) {
    const began = performance.now();
    view.set(2 * i, 2 * i + 40);
    chart.getZr().flush();
    took.push(performance.now() - began);
}
return took;
"""
DRAWN = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=200, help="how many scans the run has (default 200)")
    n_scans = parser.parse_args().scans
    unlucky = {"n_failing": min(4, n_scans // 4), "n_out_of_memory": min(6, n_scans // 4)}
    events = made_up_run(n_scans, Resources(40, 188 * GIB), second_registration=True, **unlucky)
    n_steps = sum(isinstance(event, StepEnded) for _, event in events)
    print(f"{n_scans} scans, {n_steps} steps, {len(events)} events")
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder) / "run-20261118-120000"
        began = process_time()
        journal = Journal(run_dir / JOURNAL_NAME)
        for t, event in events:
            journal.record(t, event)
        journal.close()
        size = (run_dir / JOURNAL_NAME).stat().st_size
        print(f"journal: {size / 1e6:.1f} MB, {size / n_steps / 1000:.2f} KB a step; "
              f"writing {1e6 * (process_time() - began) / len(events):.0f} us of CPU an event")  # fmt: skip
        measure_report(run_dir)
        if CHROMIUM is None or DRIVER is None:
            print("no Chromium with its driver on PATH: the page is not loaded")
        else:
            measure_browser(run_dir / PAGE_NAME, Path(folder) / "profile")


def measure_report(run_dir: Path) -> None:
    """How long each part takes, in CPU seconds, and how large the files are."""
    began = process_time()
    history = history_of(read_journal(run_dir / JOURNAL_NAME))
    read_s = process_time() - began
    began = process_time()
    make_report(history, run_dir)
    make_s = process_time() - began
    write_report(run_dir)
    page_mb, trace_mb = ((run_dir / name).stat().st_size / 1e6 for name in (PAGE_NAME, TRACE_NAME))
    print(f"report: {read_s:.2f} CPU-seconds to read the journal, {make_s:.2f} to make page and trace")
    print(f"page: {page_mb:.2f} MB (bar {PAGE_BAR_MB:.0f}: {'met' if page_mb < PAGE_BAR_MB else 'MISSED'}); "
          f"trace: {trace_mb:.2f} MB")  # fmt: skip


def measure_browser(page: Path, profile: Path) -> None:
    """How soon the page is drawn, each time anew, and how long a step of zooming takes."""
    with chromium(profile) as driver:
        asked_s, ready_ms, drawn_ms = [], [], []
        for _ in range(N_LOADS):
            driver.get("about:blank")
            began = perf_counter()
            driver.get(page.as_uri())
            drawn_ms.append(driver.execute_async_script(DRAWN))
            asked_s.append(perf_counter() - began)
            ready_ms.append(float(driver.execute_script("return document.documentElement.dataset.ready")))
        zoom_ms = driver.execute_script(ZOOM)
        worst_s = max(asked_s)
        verdict = "met" if worst_s < LOAD_BAR_S else "MISSED"
        print(f"load: drawn {worst_s:.2f} s after it was asked for at worst (bar {LOAD_BAR_S:.0f}: {verdict}), "
              f"{median(asked_s):.2f} s in the median of {N_LOADS}")  # fmt: skip
        print(f"by the page's clock: scripts end at {median(ready_ms):.0f} ms, drawn at {median(drawn_ms):.0f} ms")
        print(f"zoom: {median(zoom_ms):.0f} ms a step in the median, {max(zoom_ms):.0f} ms at most, all three charts")
        print(f"{driver.capabilities['browserName']} {driver.capabilities['browserVersion']}")


if __name__ == "__main__":
    main()
