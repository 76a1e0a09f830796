"""Coverage-guided fuzzing of every parser of ours, by atheris: what is read may be refused, never crash.

    python -m tools.fuzz --minutes 10        (once: pip install .[fuzz])

Each parser gets an equal share of the time in a process of its own, with seeds of real files. A crash is any exception
but a TntpipeError and those that the reader documents; the input is kept and named. Says the number of executions of
each parser, and ends with status 1 if anything crashed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import atheris

SMOKE = ("--help",)

with atheris.instrument_imports(include=["tntpipe", "nibabel"]):
    from tools.fuzz_targets import TARGETS


def fuzz_one(name: str, seconds: int, folder: Path) -> None:
    """Fuzz one parser in this process; does not return."""
    target = TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(seed)
    place = folder / "place"
    place.mkdir()
    words = [f"-max_total_time={seconds}", "-print_final_stats=1", "-timeout=20", f"-artifact_prefix={folder}/crash-"]
    atheris.Setup([sys.argv[0], *words, str(corpus)], lambda data: target.feed(data, place))
    atheris.Fuzz()


def fuzz_all(minutes: float) -> Iterator[tuple[str, int, int, str]]:
    """Name of the parser, executions, crashes, and what was said of the crash."""
    seconds = max(1, round(60 * minutes / len(TARGETS)))
    for name in TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            words = [sys.executable, "-m", "tools.fuzz", "--one", name, "--seconds", str(seconds), "--folder", folder]
            ended = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
            found = re.search(r"stat::number_of_executed_units:\s*(\d+)", ended.stderr)
            crash = "" if ended.returncode == 0 else ended.stderr[-3000:]
            if crash:
                for kept in Path(folder).glob("crash-*"):
                    crash += f"\ninput: {kept.read_bytes()[:400]!r}"
            yield name, int(found[1]) if found else 0, int(bool(crash)), crash


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="for all parsers together (default 10)")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        fuzz_one(options.one, options.seconds, options.folder)
    n_crashes = 0
    print(f"{'parser':<22} {'executions':>11} {'crashes':>8}", flush=True)
    for name, n_executions, n_crashed, crash in fuzz_all(options.minutes):
        n_crashes += n_crashed
        print(f"{name:<22} {n_executions:>11,} {n_crashed:>8}", flush=True)
        if crash:
            print(crash, flush=True)
    return 1 if n_crashes else 0


if __name__ == "__main__":
    sys.exit(main())
