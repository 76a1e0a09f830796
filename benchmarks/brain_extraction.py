"""How far the built-in brain mask depends on how a head was scanned.

Each head is varied in ways whose effect on the true mask is known exactly, and the package's own steps, up to the
refined mask, run on every variation. The truth is the mask that the same steps give the unvaried head, carried through
the known transform: so the figures say how steady the extraction is, and not how good.

    python -m benchmarks.brain_extraction [SCAN ...] [--only PART ...] [--model FOLDER] [--work FOLDER]

Without SCAN, the two heads of the example dataset. One thread; about a minute for each variation of a 2 mm head.
"""

from __future__ import annotations

import argparse
import math
import resource
import subprocess
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np

from benchmarks.head_variations import VARIATIONS, Image
from tntpipe.bids.scan import Scan
from tntpipe.executors.children import environment
from tntpipe.pipeline.build import ScanSteps, Subject, TissueClasses
from tntpipe.pipeline.method import Method
from tntpipe.pipeline.model import built_in_model, read_model_folder
from tntpipe.pipeline.model_steps import PreparedModel, prepare_model
from tntpipe.pipeline.preprocessing import preprocess
from tntpipe.programs.find import find_programs
from tntpipe.steps.registration import PRESETS
from tntpipe.steps.step import Step

SMOKE = ("--help",)

EXAMPLE = Path(__file__).parents[1] / "tntpipe/data/example/bids"
METHOD = Method(preset=PRESETS["quick"])


def run(step: Step, work: Path, commands: dict[str, tuple[str, ...]]) -> float:
    """Run one step in the work folder; its CPU seconds."""
    folder = work / step.name
    (folder / "in").mkdir(parents=True, exist_ok=True)
    for item in step.inputs:
        link = folder / item.word
        link.unlink(missing_ok=True)
        link.symlink_to(item.source if isinstance(item.source, Path) else work / item.source)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with (folder / "log").open("wb") as log:
        words = step.argv(commands)
        subprocess.run(words, cwd=folder, env=environment(1), stdout=log, stderr=log, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def brain_mask(scan: Image, key: str, model: PreparedModel, work: Path, commands: dict) -> tuple[Image, float]:
    """The refined mask of a scan and the CPU seconds of all its steps."""
    path = work / f"sub-{key}_T1w.nii.gz"
    nib.save(scan, path)
    size = float(np.mean(scan.header.get_zooms()))
    subject = Subject(scan=Scan(path, (("subject", key),)), voxels=math.prod(scan.shape), voxel_mm=size)
    build = ScanSteps(subject=subject, model=model, method=METHOD, tissues=TissueClasses(names={1: "CSF"}))
    preprocess(build)
    wanted = [step for step in build.steps if step.kind != "brain"]
    seconds = sum(run(step, work, commands) for step in wanted)
    return nib.load(work / wanted[-1].product("brain_mask.nii.gz")), seconds


def row(head: str, name: str, found: Image, truth: Image, cpu_s: float) -> str:
    a, b = np.asarray(found.dataobj) > 0, np.asarray(truth.dataobj) > 0
    dice, litres = 2 * (a & b).sum() / (a.sum() + b.sum()), a.sum() * abs(np.linalg.det(found.affine[:3, :3])) / 1e6
    return f"| {head} | {name} | {dice:.3f} | {a.sum() / b.sum():.3f} | {litres:.2f} | {cpu_s:.0f} |"


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", nargs="*", type=Path, default=sorted(EXAMPLE.glob("sub-*/anat/*_T1w.nii.gz")))
    parser.add_argument("--only", nargs="*", help="only variations named like this; none without a word")
    parser.add_argument("--model", type=Path, help="model folder (default: the built-in one)")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "brain_extraction")
    options = parser.parse_args()
    model = prepare_model(read_model_folder(options.model) if options.model else built_in_model(), "model", 0, METHOD)
    commands = dict(find_programs(bet=False).commands)
    for step in model.steps:
        if step.kind in ("model_T1w", "model_brain_mask"):
            run(step, options.work, commands)
    print("| head | variation | Dice | volume ratio | litres | CPU s |\n|---|---|---|---|---|---|", flush=True)
    for path in options.scans:
        head = path.name.split("_")[0].split(".")[0].removeprefix("sub-")
        scan = nib.as_closest_canonical(nib.load(path))
        mask, seconds = brain_mask(scan, f"{head}0", model, options.work, commands)
        print(row(head, "as it is", mask, mask, seconds), flush=True)
        for number, (name, vary) in enumerate(VARIATIONS.items(), start=1):
            if options.only is None or any(part in name for part in options.only):
                varied, truth = vary((scan, mask))
                nib.save(truth, options.work / f"{head}{number}_truth.nii.gz")
                found, seconds = brain_mask(varied, f"{head}{number}", model, options.work, commands)
                print(row(head, name, found, truth, seconds), flush=True)


if __name__ == "__main__":
    main()
