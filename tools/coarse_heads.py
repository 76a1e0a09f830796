"""The example heads at 4 mm, so that a run of all steps takes seconds."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np

import tntpipe

EXAMPLE = Path(tntpipe.__file__).parent / "data/example/bids"


def write_scans(folder: Path, *participants: str) -> None:
    """A dataset of these of the example's participants."""
    for participant in participants:
        name = f"sub-{participant}/anat/sub-{participant}_T1w.nii.gz"
        coarse(EXAMPLE / name, folder / name)
    (folder / "dataset_description.json").write_text(json.dumps({"Name": "heads at 4 mm", "BIDSVersion": "1.10.0"}))


def coarse(source: Path, destination: Path) -> None:
    """Halve the resolution of a scan: means of 2×2×2 voxels, and the affine that goes with them."""
    image = nib.load(source)
    shape = [n // 2 for n in image.shape]
    voxels = np.asarray(image.dataobj, dtype=np.float32)[tuple(slice(0, 2 * n) for n in shape)]
    voxels = voxels.reshape(shape[0], 2, shape[1], 2, shape[2], 2).mean(axis=(1, 3, 5))
    affine = image.affine @ np.array([[2, 0, 0, 0.5], [0, 2, 0, 0.5], [0, 0, 2, 0.5], [0, 0, 0, 1]])
    halved = nib.Nifti1Image(voxels.round().astype(np.int16), None)
    halved.set_qform(affine, 1)
    halved.set_sform(None, 0)
    destination.parent.mkdir(parents=True, exist_ok=True)
    nib.save(halved, destination)
