"""Adds to ``tntpipe/profiling/profiles/shipped.json`` how much faster each kind of step is with more threads.

Give the profile (or the journal) of a run with one thread for each step, and that of the same run with several
(``--ants_n_proc``). S(k) is the CPU time with one thread, which is its wall time on a quiet machine, over the wall time
with k; from it follows a in S(k) = k / (1 + a (k - 1)). Steps under a second say nothing and are left out, and so are
those that came out more than k times as fast: the two runs of them did not do the same work.

    python -m tools.measured_speed_up ONE_THREAD_PROFILE SEVERAL_THREADS_PROFILE
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from tntpipe.profiling.profile import DONE, Profile
from tntpipe.profiling.profile_file import read_profile
from tools.measured_table import SAME_COMMAND, TARGET

SMOKE = ("--help",)

LEAST_S = 1.0


def thread_overhead(speed_up: float, threads: int) -> float:
    """a in S(k) = k / (1 + a (k - 1)), at most 1: then nothing is gained.

    >>> thread_overhead(1.6, 2), thread_overhead(0.9, 2)
    (0.25, 1.0)
    """
    return round(min(1.0, (threads / speed_up - 1) / (threads - 1)), 2)


def overheads(one: Profile, several: Profile) -> Iterator[tuple[str, str, float]]:
    """Kind, variant and thread overhead of each step that both runs hold."""
    alone = {use.name: use for use in one.steps if use.outcome == DONE and use.threads == 1}
    for use in several.steps:
        one_s = alone[use.name].cpu_s if use.name in alone else None
        if use.outcome != DONE or use.threads < 2 or one_s is None or one_s < LEAST_S or use.wall_s <= 0:
            continue
        speed_up = one_s / use.wall_s
        if speed_up <= use.threads:
            yield use.kind, use.variant or "", thread_overhead(speed_up, use.threads)


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("one_thread_profile", type=Path)
    parser.add_argument("several_threads_profile", type=Path)
    options = parser.parse_args()
    table = json.loads(TARGET.read_text())
    one, several = read_profile(options.one_thread_profile), read_profile(options.several_threads_profile)
    for kind, variant, overhead in overheads(one, several):
        table["kinds"][kind][variant]["thread_overhead"] = overhead
        if kind in SAME_COMMAND:
            table["kinds"][SAME_COMMAND[kind]][variant]["thread_overhead"] = overhead
        print(f"{kind:<34} {variant:<10} {overhead}")
    TARGET.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
