"""How far the monitor's figures are from the use of programs that know their own.

The programs and the loop that watches them are those of the tests, ``tests/profiling``. CPU seconds are compared with
the programs' own count, memory with what they hold by construction, so other work on the machine changes neither.

    python -m benchmarks.monitor_accuracy [--runs 7] [--only WORDS ...]     (all of them: some 3 minutes)
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from watching import Watched, program

from tntpipe.processes import parent_death

SMOKE = ("--runs", "1", "--only", "20 MB")

NATIVE = parent_death.command(sys.executable)
BARS = {"cpu_s": 0.02, "peak_bytes": 0.05, "read_bytes": 0.05, "written_bytes": 0.05}
WORDS = {"cpu_s": "CPU", "peak_bytes": "peak memory", "read_bytes": "bytes read", "written_bytes": "bytes written"}


@dataclass(frozen=True)
class Case:
    words: str
    run: Callable[[], Watched]
    figures: tuple[str, ...]


CASES = (
    Case("1 busy thread, 3 CPU s", lambda: program("burner", 1, 3), ("cpu_s",)),
    Case("2 busy threads of a grandchild, 3 CPU s", lambda: program("grandchild_burner", 2, 3), ("cpu_s",)),
    Case("100 grandchildren of 20 ms", lambda: program("short_lived", 100, 0.02, 0), ("cpu_s",)),
    Case(
        "daemon that ends first", lambda: program("daemon", 2, 200, 0.2, 0.8, through=NATIVE), ("cpu_s", "peak_bytes")
    ),
    Case(
        "daemon that outlives the child",
        lambda: program("daemon", 2, 200, 0.8, 0.2, through=NATIVE),
        ("cpu_s", "peak_bytes"),
    ),
    Case("300 MB for 0.3 s", lambda: program("hold", 300, 0.3), ("peak_bytes",)),
    Case("1 GB for 0.1 s", lambda: program("hold", 1000, 0.1, 0.3), ("peak_bytes",)),
    Case("1 GB for 0.1 s in a grandchild", lambda: program("grandchild_hold", 1000, 0.1, 0.3), ("peak_bytes",)),
    Case("1 GB given back at once, then the end", lambda: program("hold", 1000, 0, 0), ("peak_bytes",)),
    Case("5 grandchildren, 400 MB, unseen", lambda: program("short_lived", 5, 0, 400), ("peak_bytes",)),
    Case("3 grandchildren of 100 MB", lambda: program("tree", 3, 100, 0.5), ("peak_bytes",)),
    Case("4 forks that share 300 MB", lambda: program("shared", 4, 300, 0.5), ("peak_bytes",)),
    Case("20 MB written, read 3 times", lambda: program("copy", 20, 3, 0), ("read_bytes", "written_bytes")),
)

LIMITS = (
    Case("grandchild of 3 CPU s that nobody waits for", lambda: program("unwaited", 3, 0.5), ("cpu_s",)),
    Case(
        "daemon of a child that adopts no orphans", lambda: program("daemon", 2, 200, 0.2, 0.3), ("cpu_s", "peak_bytes")
    ),
    Case("3 grandchildren of 100 MB, for 10 ms", lambda: program("tree", 3, 100, 0.01), ("peak_bytes",)),
)
"""Where the page on figures says that they can be wrong."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", nargs="+", default=[""], help="only programs whose description has these words")
    options = parser.parse_args()
    runs = options.runs
    print(f"{runs} runs each, load {os.getloadavg()[0]:.1f}\n")
    print("| program | figure | known | measured / known: median | least and most | bar |\n|---|---|---|---|---|---|")
    for case in named(CASES, options.only):
        for figure, known, ratios in measured(case, runs):
            met = "met" if max(abs(ratio - 1) for ratio in ratios) <= BARS[figure] else "**missed**"
            print(f"{row(case, figure, known, ratios)} {BARS[figure]:.0%}: {met} |", flush=True)
    print("\n| program | figure | known | measured / known: median | least and most |\n|---|---|---|---|---|")
    for case in named(LIMITS, options.only):
        for figure, known, ratios in measured(case, runs):
            print(row(case, figure, known, ratios), flush=True)


def named(cases: Iterable[Case], words: Iterable[str]) -> list[Case]:
    """Those whose description has one of the words."""
    return [case for case in cases if any(word in case.words for word in words)]


def measured(case: Case, runs: int) -> Iterator[tuple[str, float, list[float]]]:
    """Each figure's median known value, and the ratios of what was measured to what was known."""
    seen = [case.run() for _ in range(runs)]
    for figure in case.figures:
        known = statistics.median(one.known[figure] for one in seen)
        yield figure, known, [getattr(one.usage, figure) / one.known[figure] for one in seen]


def row(case: Case, figure: str, known: float, ratios: list[float]) -> str:
    size = f"{known:.2f} s" if figure == "cpu_s" else f"{known / 1e6:.0f} MB"
    middle, spread = f"{statistics.median(ratios):.4f}", f"{min(ratios):.4f}–{max(ratios):.4f}"
    return f"| {case.words} | {WORDS[figure]} | {size} | {middle} | {spread} |"


if __name__ == "__main__":
    main()
