"""Measures how far tntpipe's volumes are from the truth, and writes the tables of ``docs/accuracy.md``.

    python -m benchmarks.accuracy HEADS WORK [--registration quick] [--only coil,pairs] [--quick]

HEADS is the folder of heads with known truth, or with another program's labels (below). WORK gets the dataset, the
derivatives of each preset (``WORK/out-PRESET``), and all figures as ``WORK/figures.json``. What is done is not done
again; another version of tntpipe wants another WORK. Each section is written by itself, so that another section or
preset can follow later; with ``--quick`` or ``--heads`` the page is ``WORK/accuracy.md`` unless it is named. A scan
that fails costs its row only. HEADS holds, as far as it is there:

    labels/labels-NN.nii.gz, t1-intensities.tsv       whole-head label maps and what a T1w shows of each label
    coil-raw-2mm.nii.gz, coil-norm-2mm.nii.gz         one acquisition, two coil corrections
    prisma, defaced-0p7mm, uih, thick-sagittal, fruit .nii.gz
    ixi/T1w, ixi/dlmuse, ixi/participants.tsv         adults, DLMUSE's labels, age, icv_mm3, brain_mm3
"""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import tntpipe
from benchmarks import (
    accuracy_coil,
    accuracy_ixi,
    accuracy_others,
    accuracy_pairs,
    accuracy_sizes,
    accuracy_synthetic,
)
from benchmarks.accuracy_cases import Case, Choice, write_dataset
from benchmarks.accuracy_page import write_section
from benchmarks.accuracy_run import ROOT, Results, fates, run
from benchmarks.accuracy_scans import REFERENCE
from benchmarks.accuracy_tables import Figures

SMOKE = ("--help",)

SECTIONS: dict[str, tuple[str, ModuleType]] = {
    "synthetic": ("Synthetic heads", accuracy_synthetic),
    "coil": ("One acquisition, two coil corrections", accuracy_coil),
    "pairs": ("Heads beside themselves", accuracy_pairs),
    "sizes": ("One head, several sizes of voxels", accuracy_sizes),
    "ixi": ("Adults of all ages", accuracy_ixi),
    "others": ("Other scanners", accuracy_others),
}
"""By name: heading, and the module with its ``cases`` and ``tables``."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heads_folder", metavar="HEADS", type=Path)
    parser.add_argument("work", metavar="WORK", type=Path)
    parser.add_argument("--registration", default="quick", help="preset (default: %(default)s)")
    parser.add_argument("--only", type=_words, default=tuple(SECTIONS), help=f"of {','.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="few heads and conditions")
    parser.add_argument("--heads", type=_words, default=(), help="only these, such as 04,18,IXI033,prisma")
    parser.add_argument("--s1", type=Path, help="raw.nii.gz of head S1 (filestore/db/S1/anatomicals of pycortex 1.4.0)")
    parser.add_argument("--n_proc", type=int, help="CPUs of the run")
    parser.add_argument("--ants_n_proc", type=int, help="threads of a step")
    parser.add_argument("--no_run", action="store_true", help="score what the newest run left")
    parser.add_argument("--before", type=Path, help="figures.json of an earlier WORK, to stand under those of this one")
    parser.add_argument("--pictures", metavar="FOLDER", type=Path, help="draw real heads and two synthetic ones there")
    parser.add_argument("--page", type=Path, help="default: docs/accuracy.md")
    options = parser.parse_args()
    unknown = set(options.only) - set(SECTIONS)
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    if not options.heads_folder.is_dir():
        parser.error(f"{options.heads_folder} is not there: it has to hold the heads to measure on")
    return options


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(",") if word)


def main() -> None:
    """Make the dataset, run, score, write."""
    options = arguments()
    choice = Choice(folder=options.heads_folder, quick=options.quick, heads=options.heads, s1=options.s1)
    wanted = {name: SECTIONS[name][1].cases(choice) for name in SECTIONS if name in options.only}
    for name in [name for name, cases in wanted.items() if not cases]:
        print(f"section {name}: {options.heads_folder} has no head for it, or none was chosen; its tables stay")
        del wanted[name]
    cases = {case.participant: case for found in wanted.values() for case in found}
    if not cases:
        raise SystemExit("nothing to measure")
    out = options.work / f"out-{options.registration}"
    missing = write_dataset(options.work / "bids", cases.values())
    threads = [f"--{name}={value}" for name in ("n_proc", "ants_n_proc") if (value := getattr(options, name))]
    there = sorted(cases.keys() - missing.keys())
    if there and not options.no_run:
        run(options.work / "bids", out, there, ["--registration", options.registration, *threads])
    results = Results(out, fates(out, cases.values(), missing))
    page = options.page or (options.work if options.quick or options.heads else ROOT / "docs") / "accuracy.md"
    for name in wanted:
        write_tables(name, choice, results, options, page)
    print(f"written: {page}")
    if options.pictures:
        from benchmarks.accuracy_pictures import draw_cases  # matplotlib, which nothing else here needs

        draw_cases(to_draw(wanted), results, options.pictures)


def write_tables(name: str, choice: Choice, results: Results, options: argparse.Namespace, page: Path) -> None:
    """Score one section; put it into the page, and its figures into the file of figures."""
    heading, module = SECTIONS[name]
    preset = options.registration
    tables = module.tables(choice, results)
    earlier = read_figures(options.before).get(preset, {}).get(name, {}) if options.before else {}
    made = f"tntpipe {tntpipe.__version__}, `--registration {preset}`, {choice.words}, {datetime.date.today()}."
    parts = [f"## {heading}: {preset}", made, *(table.markdown(earlier.get(table.title, {})) for table in tables)]
    write_section(page, f"{name} {preset}", "\n\n".join(parts))
    path = options.work / "figures.json"
    figures = read_figures(path) if path.is_file() else {}
    figures.setdefault(preset, {})[name] = {table.title: table.figures() for table in tables}
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def to_draw(wanted: Mapping[str, Sequence[Case]]) -> list[Case]:
    """Heads of other scanners, those that pairs are made of, and two synthetic ones as they are mostly scanned."""
    plain = [case for name in ("others", "pairs", "coil") for case in wanted.get(name, ()) if not case.condition]
    synthetic = [case for case in wanted.get("synthetic", ()) if case.condition == REFERENCE.short]
    return list({case.participant: case for case in (*plain, *synthetic[:2])}.values())


def read_figures(path: Path) -> dict[str, dict[str, dict[str, Figures]]]:
    """By preset, section and title of the table."""
    found: dict[str, dict[str, dict[str, Figures]]] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
