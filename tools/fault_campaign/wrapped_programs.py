"""Programs that start others: an ANTs behind wrapper scripts, as containers and module systems have it, and FSL's bet.

Each step of ANTs then has a grandchild that does the work and knows nothing of tntpipe; those of some programs hide in
a session of their own. The stand-in for ``bet`` is a script that starts another program, as FSL's is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tntpipe.programs.ants import PROGRAMS

IN_A_SESSION = ("N4BiasFieldCorrection", "Atropos", "antsApplyTransforms")
ANTS = """\
import sys
from tntpipe.programs.ants import find_library, load_library
sys.exit(getattr(load_library(find_library()), sys.argv[1])(sys.argv[2:]))
"""
BET = """\
import sys
import nibabel as nib
import numpy as np
image = nib.load(sys.argv[1])
voxels = image.get_fdata()
mask = (voxels > 0.3 * np.percentile(voxels, 99)).astype(np.uint8)
nib.save(nib.Nifti1Image(mask, image.affine, image.header), sys.argv[2] + "_mask.nii.gz")
"""


def write_programs(folder: Path) -> dict[str, str]:
    """Write them to the folder; the environment that makes a run use them."""
    folder.mkdir(parents=True)
    (folder / "program.py").write_text(ANTS)
    (folder / "bet2.py").write_text(BET)
    for name in PROGRAMS:
        session = "setsid --wait " if name in IN_A_SESSION else ""
        _write_script(folder / name, f'{session}"{sys.executable}" "{folder}/program.py" {name} "$@"')
    _write_script(folder / "bet", f'"{sys.executable}" "{folder}/bet2.py" "$@"')
    return {"ANTSPATH": str(folder), "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def _write_script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\nexit $?\n")
    path.chmod(0o755)
