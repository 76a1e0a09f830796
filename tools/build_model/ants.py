"""Runs ANTs' own programs from the antspyx wheel's extension module, in a child process.

The child loads only that extension, so that a crash in ANTs ends the child and not the build. One thread and a fixed
seed: the same packages give the same model.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence

Call = tuple[str, list[str]]
"""A program's name and its argument list."""

_CHILD = """
import importlib.machinery, importlib.util, json, pathlib, sys
folder = pathlib.Path(importlib.util.find_spec("ants").origin).parent
path = next(folder / f"lib{s}" for s in importlib.machinery.EXTENSION_SUFFIXES if (folder / f"lib{s}").exists())
loader = importlib.machinery.ExtensionFileLoader("lib", str(path))
lib = importlib.util.module_from_spec(importlib.util.spec_from_loader("lib", loader))
loader.exec_module(lib)
for program, arguments in json.load(sys.stdin):
    status = getattr(lib, program)(arguments)
    if status:
        sys.exit(f"{program} ended with status {status}")
"""


def run(calls: Sequence[Call]) -> None:
    """Run ANTs programs one after the other in one child; raise CalledProcessError when one of them fails."""
    environment = os.environ | {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1", "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, "-c", _CHILD],
        input=json.dumps(list(calls)),
        text=True,
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
    )


def linear(fixed: str, moving: str, prefix: str) -> Call:
    """Rigid then affine on mutual information, from the centres of mass (as ``antsRegistrationSyN.sh``, to 2 mm)."""
    arguments = ["-d", "3", "-u", "0", "-w", "[0.005,0.995]", "--random-seed", "1", "-o", prefix]
    arguments += ["-r", f"[{fixed},{moving},1]"]
    for transform in ("Rigid[0.1]", "Affine[0.1]"):
        arguments += ["-t", transform, "-m", f"MI[{fixed},{moving},1,32,Regular,0.25]"]
        arguments += ["-c", "[500x250x100,1e-6,10]", "-f", "8x4x2", "-s", "3x2x1vox"]
    return "antsRegistration", arguments


def syn(fixed: str, moving: str, start: str, prefix: str) -> Call:
    """SyN on cross-correlation of radius 2, finest level 2 mm for a 1 mm grid, starting from the transform `start`."""
    arguments = ["-d", "3", "-u", "0", "-w", "[0.005,0.995]", "--random-seed", "1", "--float", "1", "-o", prefix]
    arguments += ["-r", start, "-t", "SyN[0.1,3,0]", "-m", f"CC[{fixed},{moving},1,2]"]
    arguments += ["-c", "[100x70x20,1e-6,10]", "-f", "8x4x2", "-s", "3x2x1vox"]
    return "antsRegistration", arguments


def warp(image: str, reference: str, transforms: Sequence[str], output: str, *, outside: float = 0) -> Call:
    """Resample `image` to the grid of `reference` linearly; `transforms` in ANTs order, the last applied first.

    Voxels that come from outside `image` get the value `outside`.
    """
    arguments = ["-d", "3", "-i", image, "-r", reference, "-o", output, "-n", "Linear", "-f", str(outside)]
    for transform in transforms:
        arguments += ["-t", transform]
    return "antsApplyTransforms", arguments
