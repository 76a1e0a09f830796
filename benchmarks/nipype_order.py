"""Checks ``nipype_policy`` against nipype itself: both should start the same jobs in the same order at the same polls.

Twelve children that only sleep, with mixed requests, some of which follow others. Each takes an odd number of seconds,
so that at nipype's poll of 2 s it ends a whole second before it is seen, more than nipype spends on a node.

    python -m benchmarks.nipype_order      (needs nipype: pip install .[benchmark])
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from benchmarks.nipype_policy import POLL_S, fixed_cpus, nipype_spans
from benchmarks.sleeping_child import TIMES_NAME
from tntpipe.formatting import MIB
from tntpipe.resources import Resources
from tntpipe.scheduler.job import Job

SMOKE = ("--model_only",)

BUDGET = Resources(4, 1000 * MIB)

# name, CPUs, MiB, seconds, follows
ROWS = (
    ("wide", 4, 100, 1, ()),
    ("a", 1, 600, 3, ()),
    ("b", 2, 300, 1, ()),
    ("c", 1, 500, 1, ()),
    ("after_a", 1, 200, 1, ("a",)),
    ("d", 1, 100, 5, ()),
    ("after_b", 3, 100, 3, ("b",)),
    ("after_b_c", 1, 300, 1, ("c", "b")),
    ("e", 2, 0, 1, ()),
    ("exact", 1, 400, 1, ()),
    ("whole", 4, 1000, 1, ("d",)),
    ("last", 1, 50, 1, ("after_b", "after_a", "whole")),
)


def order_jobs() -> tuple[Job, ...]:
    """The rows as jobs."""
    return tuple(
        Job(name=name, request=Resources(cpus, mib * MIB), wall_s=float(wall_s), follows=follows)
        for name, cpus, mib, wall_s, follows in ROWS
    )


def main() -> int:
    """Compare; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model_only", action="store_true", help="print what the model does, without nipype")
    options = parser.parse_args()
    jobs = order_jobs()
    spans = nipype_spans(jobs, {job.name: job.wall_s for job in jobs}, BUDGET, fixed_cpus(1))
    if options.model_only:
        print(*(f"{span.began:6.1f} {span.name}" for span in spans), sep="\n")
        return 0
    if not find_spec("nipype"):
        print("nipype is not installed here: pip install .[benchmark]", file=sys.stderr)
        return 2
    from benchmarks.nipype_nodes import node_name, run_nodes

    child = (sys.executable, str(Path(__file__).with_name("sleeping_child.py")))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        real = run_nodes(jobs, {job.name: (*child, "0", str(job.wall_s)) for job in jobs}, root, BUDGET, POLL_S)
        began = {name: float((root / "jobs" / node_name(name) / TIMES_NAME).read_text().split()[0]) for name in real}
    first = min(began.values())
    print("| model | s | nipype | s |\n|---|---|---|---|")
    for span, name in zip(spans, real, strict=True):
        print(f"| {span.name} | {span.began:.1f} | {name} | {began[name] - first:.1f} |")
    same_order = tuple(span.name for span in spans) == real
    same_polls = all(abs(began[span.name] - first - span.began) < POLL_S / 2 for span in spans)
    print(f"\nsame order: {same_order}, same polls: {same_polls}")
    return 0 if same_order and same_polls else 1


if __name__ == "__main__":
    raise SystemExit(main())
