"""Adds to ``tntpipe/profiling/measured.json`` how much faster each kind of step is with more threads.

Give the work folder of a run with one thread for each step, and that of the same run with several (``--ants_n_proc``).
S(k) is the CPU time with one thread, which is its wall time on a quiet machine, over the wall time with k; from it
follows a in S(k) = k / (1 + a (k - 1)). Steps under a second say nothing and are left out, and so are those that came
out more than k times as fast: the two runs of them did not do the same work.

    python -m tools.measured_speed_up ONE_THREAD_WORK_DIR SEVERAL_THREADS_WORK_DIR
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from tools.measured_table import SECOND_REGISTRATION, TARGET

LEAST_S = 1.0


def thread_overhead(speed_up: float, threads: int) -> float:
    """a in S(k) = k / (1 + a (k - 1)), at most 1: then nothing is gained.

    >>> thread_overhead(1.6, 2), thread_overhead(0.9, 2)
    (0.25, 1.0)
    """
    return round(min(1.0, (threads / speed_up - 1) / (threads - 1)), 2)


def overheads(one_dir: Path, several_dir: Path) -> Iterator[tuple[str, str, float]]:
    """Kind, variant and thread overhead of each step that both runs hold."""
    for path in sorted(several_dir.glob("steps/*/*/record.json")):
        other = one_dir / path.relative_to(several_dir)
        if not other.exists():
            continue
        several, one = json.loads(path.read_text()), json.loads(other.read_text())
        threads, one_s = several["usage"]["cpus"], one["usage"]["cpu_s"]
        if one["usage"]["cpus"] != 1 or threads < 2 or one_s < LEAST_S:
            continue
        speed_up = one_s / several["usage"]["wall_s"]
        if speed_up <= threads:
            yield several["kind"], several["variant"], thread_overhead(speed_up, threads)


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("one_thread_work_dir", type=Path)
    parser.add_argument("several_threads_work_dir", type=Path)
    options = parser.parse_args()
    table = json.loads(TARGET.read_text())
    for kind, variant, overhead in overheads(options.one_thread_work_dir, options.several_threads_work_dir):
        table["kinds"][kind][variant]["thread_overhead"] = overhead
        if kind in SECOND_REGISTRATION:
            table["kinds"][f"subcortical_{kind}"][variant]["thread_overhead"] = overhead
        print(f"{kind:<28} {variant:<10} {overhead}")
    TARGET.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
